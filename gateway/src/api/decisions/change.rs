//! What differs between two answers to one request.

use serde::Serialize;
use tandem_consent::{Decision, Verdict};
use utoipa::ToSchema;

/// One data element group that is answered differently.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(in crate::api) struct Change {
    /// Who would be told.
    pub recipient: String,
    /// Action asked for.
    pub action: String,
    /// For what.
    pub purpose: String,
    /// Its category.
    pub category: String,
    /// Whether it is told afterwards and was not before; else the reverse.
    pub opens: bool,
    /// The rules that say so afterwards.
    pub rules: Vec<String>,
}

/// The element groups that two answers to one request answer differently.
pub(in crate::api) fn changes(
    request: &tandem_consent::Request,
    before: &Decision,
    after: &Decision,
) -> Vec<Change> {
    let is_open = |decision: &Decision, id: &str| decision.permitted().any(|open| open == id);
    let mut changes = Vec::new();
    for item in &after.items {
        let opens = is_open(after, &item.id);
        if opens == is_open(before, &item.id) {
            continue;
        }
        let verdict = if opens {
            Verdict::Permit
        } else {
            Verdict::Deny
        };
        let regimes = item.regimes.iter().filter(|one| one.outcome == verdict);
        changes.push(Change {
            recipient: request.recipient.organization.to_string(),
            action: request.action.as_str().to_owned(),
            purpose: request.purpose.as_str().to_owned(),
            category: item.category.clone(),
            opens,
            rules: regimes.flat_map(|one| one.rules.iter().cloned()).collect(),
        });
    }
    changes
}
