//! What a new bundle permits that an old one did not, and the reverse.

use std::collections::BTreeSet;

use cedar_policy::PolicySet;
use jiff::civil::Date;
use tandem_consent::Bundle;

use crate::prove::{Outcome, implied};
use crate::question::{Asker, Undecided};
use crate::rule_set::{RuleSet, rule_set, starts};
use crate::solver::Cvc5;
use crate::tell::Teller;
use crate::work::in_parallel;

/// What changed in one regime from one day on.
#[derive(Debug, Clone)]
pub struct Change {
    /// The regime.
    pub regime: String,
    /// The first day.
    pub from: Date,
    /// `Proven` when the new rules permit nothing more; else each rule that does, with an example.
    pub newly_permitted: Outcome,
    /// `Proven` when the new rules permit nothing less; else each old rule that did, with an example.
    pub no_longer_permitted: Outcome,
}

/// The difference between two bundles.
#[derive(Debug)]
pub struct Diff {
    /// The old bundle's hash.
    pub old: String,
    /// The new bundle's hash.
    pub new: String,
    /// One entry a regime and stretch of days.
    pub changes: Vec<Change>,
}

impl Change {
    /// Whether both permit the same.
    #[must_use]
    pub fn is_none(&self) -> bool {
        [&self.newly_permitted, &self.no_longer_permitted]
            .iter()
            .all(|one| matches!(one, Outcome::Proven))
    }
}

/// Compares two bundles regime by regime, on every day on which either changes.
#[must_use]
pub fn diff(old: &Bundle, new: &Bundle, solver: &Cvc5) -> Diff {
    let regimes: BTreeSet<&str> = old.regimes().chain(new.regimes()).collect();
    let tasks: Vec<(&str, Date)> = regimes
        .into_iter()
        .flat_map(|regime| {
            let days: BTreeSet<Date> = starts(old, regime)
                .into_iter()
                .chain(starts(new, regime))
                .collect();
            days.into_iter().map(move |day| (regime, day))
        })
        .collect();
    let changes = in_parallel(&tasks, solver, new.schema(), |asker, (regime, from)| {
        let side =
            |bundle| rule_set(bundle, regime, *from).unwrap_or_else(|| nothing(regime, *from));
        let (before, after) = (side(old), side(new));
        let more = (new, &after, &before, "the old rules do not permit it");
        let less = (old, &before, &after, "the new rules no longer permit it");
        Change {
            regime: (*regime).to_owned(),
            from: *from,
            newly_permitted: compare(asker, more),
            no_longer_permitted: compare(asker, less),
        }
    });
    Diff {
        old: old.hash().to_owned(),
        new: new.hash().to_owned(),
        changes,
    }
}

fn nothing(regime: &str, from: Date) -> RuleSet {
    RuleSet {
        regime: regime.to_owned(),
        from,
        decisive: PolicySet::new(),
        obligations: PolicySet::new(),
    }
}

fn compare(
    asker: &mut Result<Asker<'_>, Undecided>,
    (bundle, wider, narrower, although): (&Bundle, &RuleSet, &RuleSet, &str),
) -> Outcome {
    let teller = Teller { bundle, set: wider };
    let found = match asker {
        Ok(asker) => implied(
            asker,
            &teller,
            &wider.decisive,
            &narrower.decisive,
            Some(although),
        ),
        Err(error) => Err(error.clone()),
    };
    Outcome::of(found)
}
