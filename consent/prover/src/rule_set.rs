//! The rules of a regime as they stand together in one stretch of days.

use std::collections::BTreeSet;

use cedar_policy::PolicySet;
use jiff::ToSpan as _;
use jiff::civil::Date;
use tandem_consent::{Bundle, Rule};

/// The rule set of a regime from a day on, until the next rule starts or ends.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// The regime's name in the bundle.
    pub regime: String,
    /// The first day.
    pub from: Date,
    /// Rules that permit and forbid.
    pub decisive: PolicySet,
    /// Rules that add duties.
    pub obligations: PolicySet,
}

/// Every rule set of a bundle that holds a rule, by regime and day.
#[must_use]
pub fn rule_sets(bundle: &Bundle) -> Vec<RuleSet> {
    let mut sets = Vec::new();
    for regime in bundle.regimes() {
        for from in starts(bundle, regime) {
            sets.extend(rule_set(bundle, regime, from));
        }
    }
    sets.retain(|set| !set.decisive.is_empty() || !set.obligations.is_empty());
    sets
}

/// The rule set of a regime on a day; `None` for an unknown regime.
#[must_use]
pub(crate) fn rule_set(bundle: &Bundle, regime: &str, day: Date) -> Option<RuleSet> {
    Some(RuleSet {
        regime: regime.to_owned(),
        from: day,
        decisive: bundle.decisive(regime, day)?.clone(),
        obligations: bundle.obligations(regime, day)?.clone(),
    })
}

/// The days on which the rule set of a regime changes.
#[must_use]
pub(crate) fn starts(bundle: &Bundle, regime: &str) -> BTreeSet<Date> {
    let own = bundle.rules().filter(|rule| rule.regime == regime);
    own.flat_map(|rule| [Some(rule.effective_from), day_after_end(rule)])
        .flatten()
        .collect()
}

fn day_after_end(rule: &Rule) -> Option<Date> {
    rule.effective_to?.checked_add(1.day()).ok()
}
