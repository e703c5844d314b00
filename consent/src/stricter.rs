//! The stricter of two answers to one request: what is left is what both permit (specs consent 8, merge of two persons).

use crate::canonical::{canonical_json, sha256};
use crate::decision::{
    Decision, Evidence, Explanation, ItemDecision, LocalInstant, Outcome, Verdict,
};

impl Decision {
    /// The stricter of two answers to the same request: an item stays open only when both open it, and the duties of
    /// both come along.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let (own, others) = (self.items.clone(), other.items.clone());
        let items: Vec<_> = own
            .into_iter()
            .zip(others)
            .map(|(own, other)| stricter_item(own, other))
            .collect();
        let outcome = outcome(&items, [self.outcome, other.outcome]);
        let explanation = explanation(&items, &self, &other);
        let mut obligations = self.obligations;
        obligations.extend(other.obligations);
        obligations.sort_unstable();
        obligations.dedup();
        let mut missing = self.missing;
        missing.extend(other.missing);
        missing.sort_unstable();
        missing.dedup();
        let mut refrains = self.refrains;
        refrains.extend(other.refrains);
        Self {
            outcome,
            bundle: self.bundle,
            items,
            obligations,
            refrains,
            valid_until: earlier(self.valid_until, other.valid_until),
            missing,
            explanation,
            evidence: both(&self.evidence, &other.evidence),
        }
    }
}

/// A deny closes; where both permit, what both rest on is kept.
fn stricter_item(own: ItemDecision, other: ItemDecision) -> ItemDecision {
    match (own.outcome, other.outcome) {
        (Verdict::Deny, _) => own,
        (_, Verdict::Deny) => other,
        _ => {
            let mut merged = own;
            for regime in other.regimes {
                if !merged.regimes.contains(&regime) {
                    merged.regimes.push(regime);
                }
            }
            merged.regimes.sort_by(|a, b| a.regime.cmp(&b.regime));
            merged
        }
    }
}

fn outcome(items: &[ItemDecision], outcomes: [Outcome; 2]) -> Outcome {
    let permitted = items
        .iter()
        .filter(|item| item.outcome == Verdict::Permit)
        .count();
    match permitted {
        _ if items.is_empty() => Outcome::NotApplicable,
        0 if outcomes.contains(&Outcome::NeedsHuman) && !outcomes.contains(&Outcome::Deny) => {
            Outcome::NeedsHuman
        }
        0 => Outcome::Deny,
        all if all == items.len() => Outcome::Permit,
        _ => Outcome::PermitWithRedaction,
    }
}

/// The words of the answer that says the same; of both when neither does.
fn explanation(items: &[ItemDecision], own: &Decision, other: &Decision) -> Explanation {
    let says_it = |decision: &Decision| {
        let pairs = decision.items.iter().zip(items);
        pairs
            .into_iter()
            .all(|(one, merged)| one.outcome == merged.outcome)
    };
    if says_it(own) {
        return own.explanation.clone();
    }
    if says_it(other) {
        return other.explanation.clone();
    }
    Explanation {
        en: format!("{} {}", own.explanation.en, other.explanation.en),
        es: format!("{} {}", own.explanation.es, other.explanation.es),
    }
}

fn earlier(own: Option<LocalInstant>, other: Option<LocalInstant>) -> Option<LocalInstant> {
    own.into_iter()
        .chain(other)
        .min_by_key(LocalInstant::timestamp)
}

fn both(own: &Evidence, other: &Evidence) -> Evidence {
    let facts = if own.facts == other.facts {
        own.facts.clone()
    } else {
        let relied = serde_json::json!([own.facts, other.facts]);
        sha256(canonical_json(&relied).as_bytes())
    };
    Evidence {
        facts,
        rules_evaluated: own.rules_evaluated.saturating_add(other.rules_evaluated),
    }
}
