//! One legal regime: its rules and what it says when none of them permits.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;
use tandem_mappings::model::category::Category;

use super::rule::Rule;
use super::version::{RuleSet, Versions};

/// The content of `regime.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegimeFile {
    pub(super) name_en: String,
    pub(super) name_es: String,
    /// Where its law stands: `US`, `CA` or `product`.
    pub(super) jurisdiction: String,
    pub(super) defaults: Vec<DefaultRule>,
    #[serde(default)]
    pub(super) refusal: Option<DefaultRule>,
}

/// What a regime cites when nothing permits: its own secrecy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DefaultRule {
    pub(crate) id: String,
    pub(crate) citation: String,
    /// The categories concerned; all when empty.
    #[serde(default)]
    pub(crate) categories: BTreeSet<Category>,
    pub(crate) summary_en: String,
    pub(crate) summary_es: String,
}

/// A legal regime.
#[derive(Debug, Clone)]
pub(crate) struct Regime {
    pub(crate) name: String,
    pub(crate) name_en: String,
    pub(crate) name_es: String,
    /// Whether it is federal law, which no state rule lifts.
    pub(crate) is_federal: bool,
    pub(crate) rules: BTreeMap<String, Rule>,
    /// What a client's refusal cites, in the regime that holds it.
    pub(crate) refusal: Option<DefaultRule>,
    pub(super) defaults: Vec<DefaultRule>,
    pub(super) versions: Versions,
}

impl Regime {
    /// The rules of a day.
    pub(crate) fn on(&self, day: Date) -> Option<&RuleSet> {
        self.versions.on(day)
    }

    /// The first later day on which a rule starts or ends.
    pub(crate) fn next_change(&self, day: Date) -> Option<Date> {
        self.versions.next_change(day)
    }

    /// What the regime cites when nothing permits a category.
    pub(crate) fn default_rule(&self, category: Option<Category>) -> Option<&DefaultRule> {
        let fits = |rule: &&DefaultRule| {
            rule.categories.is_empty()
                || category.is_some_and(|category| rule.categories.contains(&category))
        };
        self.defaults.iter().find(fits)
    }
}
