//! How sensitive something told is: the category that its sender gave it, and its labels.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tandem_mappings::labels::Strictness;
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
    /// The table rows and facts that gave it them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub why: BTreeSet<String>,
}

impl Sensitivity {
    /// That of what an event tells.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self {
            category: event.told.category,
            labels: event.told.labels.iter().cloned().collect(),
            why: event.told.labelled_by.iter().cloned().collect(),
        }
    }

    /// That of a thing told of again: the stricter category, and the labels of both, for labels only rise. Of two
    /// categories that stand beside each other the later one, with the label by which the earlier one stays known.
    #[must_use]
    pub fn then(mut self, later: Self) -> Self {
        self.category = match (self.category, later.category) {
            (Some(known), Some(told)) => Some(self.joined(known, told)),
            (known, told) => told.or(known),
        };
        self.labels.extend(later.labels);
        self.why.extend(later.why);
        self
    }

    /// That of a thing for which something else calls for more: the thing stays under its own law. Where the category
    /// called for is not a stricter one of that law, its label stands beside. `usual` is the category without a word of
    /// the sender.
    #[must_use]
    pub fn raised_by(mut self, called_for: Self, usual: Category) -> Self {
        let known = self.category.unwrap_or(usual);
        let called = called_for.category.unwrap_or(usual);
        // The tables were checked when the gateway started.
        if let Ok(order) = Strictness::shared() {
            let raised = order.raised(known, called);
            let left = if raised == known { called } else { known };
            if left != raised {
                self.labels.extend(order.stays_as(left).map(str::to_owned));
            }
            if raised != usual {
                self.category = Some(raised);
            }
        }
        self.labels.extend(called_for.labels);
        self.why.extend(called_for.why);
        self
    }

    fn joined(&mut self, known: Category, told: Category) -> Category {
        // The tables were checked when the gateway started.
        let Ok(order) = Strictness::shared() else {
            return known;
        };
        if order.is_at_least(known, told) {
            return known;
        }
        self.labels.extend(order.stays_as(known).map(str::to_owned));
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(category: Option<Category>, labels: &[&str]) -> Sensitivity {
        Sensitivity {
            category,
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            why: BTreeSet::new(),
        }
    }

    #[test]
    fn what_is_told_again_with_less_stays_as_strict_as_it_was() {
        let first = told(Some(Category::SudNonpart2), &["SUD"]);
        for later in [None, Some(Category::HealthGeneral), Some(Category::Hiv)] {
            let found = first.clone().then(told(later, &["R"]));
            assert_eq!(
                found,
                told(Some(Category::SudNonpart2), &["R", "SUD"]),
                "{later:?}"
            );
        }
    }

    #[test]
    fn what_hangs_on_a_thing_raises_it_within_its_law_and_else_adds_a_label() {
        let usual = Category::HomelessServices;
        let violence = || told(Some(Category::DvInfo), &["VIO"]);
        let plain = told(None, &[]).raised_by(violence(), usual);
        assert_eq!(plain, told(Some(Category::DvInfo), &["VIO"]));
        let youth = told(Some(Category::RhyRecord), &[]).raised_by(violence(), usual);
        assert_eq!(youth, told(Some(Category::RhyRecord), &["SDV", "VIO"]));
        let hiv = told(None, &[]).raised_by(told(None, &["HIV"]), usual);
        assert_eq!(hiv, told(None, &["HIV"]));
        let again = plain.raised_by(told(None, &[]), usual);
        assert_eq!(again.category, Some(Category::DvInfo));
    }

    #[test]
    fn what_is_told_again_with_more_rises_and_keeps_the_law_of_before() {
        let found =
            told(Some(Category::MentalHealth), &[]).then(told(Some(Category::SudPart2), &[]));
        assert_eq!(found, told(Some(Category::SudPart2), &["MH"]));
        let moved = told(Some(Category::CwReferral), &[]).then(told(Some(Category::CwCase), &[]));
        assert_eq!(moved.category, Some(Category::CwCase));
    }
}
