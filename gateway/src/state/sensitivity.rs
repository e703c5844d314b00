//! How sensitive something told is: the category that its sender gave it, and its labels.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::event::Event;

/// Category and sensitivity labels, as told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// The category; the sending system's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Sensitivity labels (HL7 v3-ActCode).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labels: BTreeSet<String>,
}

impl Sensitivity {
    /// That of what an event tells.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self {
            category: event.told.category,
            labels: event.told.labels.iter().cloned().collect(),
        }
    }

    /// That of a thing told of again: the later category, and the labels of both, for labels only rise.
    #[must_use]
    pub fn then(mut self, later: Self) -> Self {
        self.category = later.category.or(self.category);
        self.labels.extend(later.labels);
        self
    }
}
