//! Rules with one condition too few, to see whether the properties notice.

use cedar_policy::{Effect, PolicyId};
use tandem_consent::Bundle;

use crate::property::{Claim, properties};
use crate::prove::{Outcome, check, implied};
use crate::question::{Asker, Undecided};
use crate::rewrite::{add, without_each_condition};
use crate::rule_set::{RuleSet, rule_sets};
use crate::solver::Cvc5;
use crate::tell::Teller;
use crate::work::in_parallel;

/// What became of a rule that was made wider.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// The regime.
    pub regime: String,
    /// The rule.
    pub rule: String,
    /// What was left out of it.
    pub left_out: String,
    /// The property that noticed; `None` when none did.
    pub noticed_by: Option<&'static str>,
    /// Whether more is permitted than before. A change that widens nothing needs no notice.
    pub widens: bool,
    /// Why it could not be told, if so.
    pub undecided: Option<String>,
}

/// A rule set of which one rule was made wider.
struct Changed {
    rule: String,
    left_out: String,
    original: RuleSet,
    set: RuleSet,
}

/// Leaves out each condition of each permit, and each rule that forbids, one at a time, and puts every property but S9
/// to the changed set. (S9, against the approved bundle, notices whatever widens: that is how `widens` is found.)
#[must_use]
pub fn mutants(bundle: &Bundle, regime: Option<&str>, solver: &Cvc5) -> Vec<Mutant> {
    let sets = rule_sets(bundle);
    let asked = sets
        .iter()
        .filter(|set| regime.is_none_or(|one| one == set.regime));
    let changed: Vec<Result<Changed, Undecided>> =
        newest(asked).into_iter().flat_map(changes).collect();
    in_parallel(&changed, solver, bundle.schema(), |asker, changed| {
        let changed = match changed {
            Ok(changed) => changed,
            Err(error) => return failed("", "", "", error),
        };
        let judged = match asker {
            Ok(asker) => judge(asker, bundle, changed),
            Err(error) => Err(error.clone()),
        };
        judged.unwrap_or_else(|error| {
            failed(
                &changed.set.regime,
                &changed.rule,
                &changed.left_out,
                &error,
            )
        })
    })
}

/// The last rule set of each regime.
fn newest<'a>(sets: impl Iterator<Item = &'a RuleSet>) -> Vec<&'a RuleSet> {
    let mut newest: Vec<&RuleSet> = Vec::new();
    for set in sets {
        newest.retain(|known| known.regime != set.regime || known.from > set.from);
        newest.push(set);
    }
    newest
}

fn failed(regime: &str, rule: &str, left_out: &str, error: &Undecided) -> Mutant {
    Mutant {
        regime: regime.to_owned(),
        rule: rule.to_owned(),
        left_out: left_out.to_owned(),
        noticed_by: None,
        widens: true,
        undecided: Some(error.reason.clone()),
    }
}

fn changes(set: &RuleSet) -> Vec<Result<Changed, Undecided>> {
    let mut all = Vec::new();
    for rule in set.decisive.policies() {
        let variants = match rule.effect() {
            Effect::Permit => without_each_condition(rule).map(|list| {
                list.into_iter()
                    .map(|(text, rule)| (text, Some(rule)))
                    .collect()
            }),
            Effect::Forbid => Ok(vec![("the whole rule".to_owned(), None)]),
        };
        let variants: Vec<_> = match variants {
            Ok(variants) => variants,
            Err(error) => {
                all.push(Err(error));
                continue;
            }
        };
        for (left_out, variant) in variants {
            all.push(changed(set, rule.id(), left_out, variant));
        }
    }
    all
}

fn changed(
    set: &RuleSet,
    rule: &PolicyId,
    left_out: String,
    variant: Option<cedar_policy::Policy>,
) -> Result<Changed, Undecided> {
    let mut changed = set.clone();
    let gone = changed.decisive.remove_static(rule.clone());
    gone.map_err(|error| Undecided::new(error.to_string()))?;
    if let Some(variant) = variant {
        add(&mut changed.decisive, variant)?;
    }
    Ok(Changed {
        rule: rule.to_string(),
        left_out,
        original: set.clone(),
        set: changed,
    })
}

fn judge(asker: &mut Asker<'_>, bundle: &Bundle, changed: &Changed) -> Result<Mutant, Undecided> {
    let teller = Teller {
        bundle,
        set: &changed.set,
    };
    let (before, after) = (&changed.original.decisive, &changed.set.decisive);
    // A rule that reads a fact without its guard does not pass Cedar's validation: no bundle can hold it.
    let more = match implied(asker, &teller, after, before, Some("it was closed before")) {
        Ok(more) => !more.is_empty(),
        Err(error) if error.reason.contains("not well typed") => false,
        Err(error) => return Err(error),
    };
    let mut noticed_by = None;
    let mut undecided = None;
    let absolute = |claim: Claim| {
        matches!(
            claim,
            Claim::Never(_) | Claim::NeverOnlyBy { .. } | Claim::NoHelpFrom { .. }
        )
    };
    let asked = properties()
        .iter()
        .filter(|one| one.concerns(&changed.set.regime) && absolute(one.claim));
    for property in asked.take_while(|_| more) {
        match Outcome::of(check(asker, bundle, property, &changed.set, None)) {
            Outcome::Failed(_) => {
                noticed_by = Some(property.id);
                break;
            }
            Outcome::NotDecided(reason) => undecided = Some(reason),
            Outcome::Proven => {}
        }
    }
    Ok(Mutant {
        regime: changed.set.regime.clone(),
        rule: changed.rule.clone(),
        left_out: changed.left_out.clone(),
        noticed_by,
        widens: more,
        undecided: undecided.filter(|_| noticed_by.is_none()),
    })
}
