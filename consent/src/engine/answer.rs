//! What one regime says about one item, and what it cites.

use crate::bundle::{DefaultRule, Rule};
use crate::decision::Verdict;

/// What an answer cites.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cited<'a> {
    Rule(&'a Rule),
    Default(&'a DefaultRule),
}

impl<'a> Cited<'a> {
    pub(super) fn id(self) -> &'a str {
        match self {
            Self::Rule(rule) => &rule.id,
            Self::Default(rule) => &rule.id,
        }
    }

    pub(super) fn citation(self) -> &'a str {
        match self {
            Self::Rule(rule) => &rule.citation,
            Self::Default(rule) => &rule.citation,
        }
    }

    pub(super) fn summaries(self) -> (&'a str, &'a str) {
        match self {
            Self::Rule(rule) => (&rule.summary_en, &rule.summary_es),
            Self::Default(rule) => (&rule.summary_en, &rule.summary_es),
        }
    }

    pub(super) fn rule(self) -> Option<&'a Rule> {
        match self {
            Self::Rule(rule) => Some(rule),
            Self::Default(_) => None,
        }
    }
}

/// The answer of a regime about an item.
#[derive(Debug, Clone)]
pub(super) struct Answer<'a> {
    pub(super) regime: &'a str,
    pub(super) verdict: Verdict,
    /// Only a human may use the basis that was found.
    pub(super) needs_human: bool,
    /// Nothing forbids: it is only that nothing permits.
    pub(super) by_default: bool,
    pub(super) cited: Vec<Cited<'a>>,
    /// The directive that was needed, by its place among the views.
    pub(super) consent: Option<usize>,
    pub(super) basis: Option<String>,
}
