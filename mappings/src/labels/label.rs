//! The labelling itself.

use std::collections::BTreeSet;

use super::source::{FREE_TEXT, LabelSource, PART2_SOURCE, SELF_DEFAULT};
use super::table::{Hit, LabelTables};
use crate::model::category::Category;
use crate::model::coding::Coding;

/// Our name of the code system whose codes are labels.
const LABEL_SYSTEM: &str = "hl7";

/// What the sender, or its adapter, says of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The category; what its system sends by default when absent.
    pub category: Option<Category>,
    /// Sensitivity labels.
    pub labels: BTreeSet<String>,
    /// Whether it says who or where somebody is. That stays what it is, and is guarded by the law of its source: a code
    /// adds labels to it.
    pub is_identity: bool,
    /// Whether it holds a note in free text.
    pub has_free_text: bool,
}

/// What something is, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The category.
    pub category: Category,
    /// The labels.
    pub labels: BTreeSet<String>,
    /// The table rows and facts that called for more than the sender had said.
    pub why: BTreeSet<String>,
}

/// Gives something its category and labels. Neither order nor number of equal codes matters; a code that nobody knows
/// takes nothing away, and one that can't be read leaves what the source sends by default.
#[must_use]
pub fn label(
    tables: &LabelTables,
    source: LabelSource,
    claim: &Claim,
    codes: &[Coding],
) -> Labelled {
    let order = tables.strictness();
    let claimed = claim.category.unwrap_or(match claim.is_identity {
        true => Category::PersonIndex,
        false => source.default_category,
    });
    let mut labels = claim.labels.clone();
    let mut called_for = BTreeSet::new();
    let mut why = BTreeSet::new();
    let base = order.raised(claimed, source.default_category);
    if base != claimed {
        why.insert(SELF_DEFAULT.to_owned());
        labels.extend(order.stays_as(claimed).map(str::to_owned));
    }
    let own_labels = claim
        .labels
        .iter()
        .map(|one| Coding::new(LABEL_SYSTEM, one));
    for coding in codes.iter().cloned().chain(own_labels) {
        match tables.find(&coding) {
            Hit::Rows(rows) => {
                for row in rows {
                    labels.extend(row.labels.iter().cloned());
                    called_for.extend(row.category);
                    why.insert(row.id.clone());
                }
            }
            Hit::Unreadable(system) => {
                why.insert(format!("unreadable:{system}"));
            }
            Hit::Unlisted | Hit::UnknownSystem => {}
        }
    }
    if let Some(strictest) = source.free_text_category.filter(|_| claim.has_free_text) {
        called_for.insert(strictest);
        why.insert(FREE_TEXT.to_owned());
    }
    if source.is_part2 {
        called_for.insert(Category::SudPart2);
        why.insert(PART2_SOURCE.to_owned());
    }
    let category = order.highest(base, called_for.iter().copied());
    if category != base {
        labels.extend(order.stays_as(base).map(str::to_owned));
    }
    let marks = called_for.into_iter().filter_map(|one| order.stays_as(one));
    labels.extend(marks.map(str::to_owned));
    Labelled {
        category,
        labels,
        why,
    }
}
