//! What a document must hold before a regime may rely on it: `elements.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tandem_mappings::model::directive::Statement;

use crate::directive::Element;

/// The lists of elements and the forms that the county knows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ElementLists {
    /// Whether a form that is not listed is trusted to make its statements.
    pub(crate) trust_unlisted_forms: bool,
    /// Days after which a directive with an event of unknown state has ended.
    pub(crate) unknown_event_ends_after_days: i64,
    /// The elements by regime; `default` for those not listed.
    regimes: BTreeMap<String, BTreeSet<Element>>,
    /// The forms.
    #[serde(default)]
    pub(crate) forms: Vec<Form>,
}

/// A form and the statements that its words make.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Form {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) statements: BTreeSet<Statement>,
}

/// The list for regimes without one of their own.
const DEFAULT: &str = "default";

impl ElementLists {
    /// The elements that a regime asks for. Without any list nothing would be asked, so the loader
    /// insists on the default list.
    pub(crate) fn of(&self, regime: &str) -> impl Iterator<Item = Element> {
        self.regimes
            .get(regime)
            .or_else(|| self.regimes.get(DEFAULT))
            .into_iter()
            .flatten()
            .copied()
    }

    /// Asks for more elements in a regime.
    pub(super) fn also_ask(&mut self, regime: &str, more: &BTreeSet<Element>) {
        let own = self.of(regime).collect::<BTreeSet<_>>();
        let all = own.union(more).copied().collect();
        self.regimes.insert(regime.to_owned(), all);
    }

    pub(super) fn has_default(&self) -> bool {
        self.regimes
            .get(DEFAULT)
            .is_some_and(|elements| !elements.is_empty())
    }

    pub(super) fn named(&self) -> impl Iterator<Item = &str> {
        self.regimes
            .keys()
            .map(String::as_str)
            .filter(|name| *name != DEFAULT)
    }
}
