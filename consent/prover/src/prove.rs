//! Puts every property to every rule set, on all cores.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cedar_policy::{Effect, Policy, PolicyId, PolicySet};
use jiff::civil::Date;
use tandem_consent::Bundle;

use crate::property::{Claim, Property, WORLD, allowed_by, single};
use crate::question::{Asker, Counterexample, Undecided};
use crate::rewrite::{add, all_nested, all_without, guarded, nested, only_by};
use crate::rule_set::{RuleSet, rule_set, rule_sets};
use crate::solver::Cvc5;
use crate::tell::{Case, Teller};
use crate::work::in_parallel;

/// The bundle that came before, and the rules that may widen it.
#[derive(Debug)]
pub struct Against {
    /// The older bundle.
    pub bundle: Bundle,
    /// Rules whose change was asked for: permits that may be new, bars that may be gone.
    pub listed: BTreeSet<String>,
}

/// How it went with one property and one rule set.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It holds for every request.
    Proven,
    /// It does not hold.
    Failed(Vec<Counterexample>),
    /// The solver gave no answer: a failure as well.
    NotDecided(String),
}

impl Outcome {
    pub(crate) fn of(found: Result<Vec<Counterexample>, Undecided>) -> Self {
        match found {
            Ok(found) if found.is_empty() => Self::Proven,
            Ok(found) => Self::Failed(found),
            Err(undecided) => Self::NotDecided(undecided.reason),
        }
    }
}

/// One property and one rule set.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The property.
    pub property: &'static Property,
    /// The regime.
    pub regime: String,
    /// The first day of the rule set.
    pub from: Date,
    /// How it went.
    pub outcome: Outcome,
    /// How many questions were put.
    pub questions: usize,
    /// How long it took.
    pub time: Duration,
}

/// All findings about a bundle.
#[derive(Debug)]
pub struct Proof {
    /// The bundle's hash.
    pub bundle: String,
    /// The hash of the older bundle, when there was one.
    pub against: Option<String>,
    /// The findings by property, regime and day.
    pub findings: Vec<Finding>,
    /// How long it took in all.
    pub time: Duration,
}

impl Proof {
    /// Whether everything was proven, and there was something to prove.
    #[must_use]
    pub fn holds(&self) -> bool {
        let proven = |one: &Finding| matches!(one.outcome, Outcome::Proven);
        !self.findings.is_empty() && self.findings.iter().all(proven)
    }
}

/// What is to be proven.
#[derive(Debug)]
pub struct Wanted {
    /// The properties.
    pub properties: Vec<&'static Property>,
    /// The only regime that is asked about.
    pub regime: Option<String>,
    /// The older bundle, which S9 needs.
    pub against: Option<Against>,
}

/// Proves properties of every rule set of a bundle.
#[must_use]
pub fn prove(bundle: &Bundle, wanted: &Wanted, solver: &Cvc5) -> Proof {
    let started = Instant::now();
    let against = wanted.against.as_ref();
    let mut sets = rule_sets(bundle);
    if let Some(against) = against {
        add_days_of(against, bundle, &mut sets);
    }
    let is_asked = |set: &RuleSet| wanted.regime.as_ref().is_none_or(|one| *one == set.regime);
    sets.retain(is_asked);
    let asked = |property: &&'static Property, set: &RuleSet| {
        property.concerns(&set.regime)
            && (property.claim != Claim::NothingMore || against.is_some())
    };
    let tasks: Vec<(&'static Property, &RuleSet)> = wanted
        .properties
        .iter()
        .flat_map(|property| sets.iter().map(move |set| (*property, set)))
        .filter(|(property, set)| asked(property, set))
        .collect();
    let findings = in_parallel(&tasks, solver, bundle.schema(), |asker, (property, set)| {
        find(asker, bundle, property, set, against)
    });
    Proof {
        bundle: bundle.hash().to_owned(),
        against: against.map(|one| one.bundle.hash().to_owned()),
        findings,
        time: started.elapsed(),
    }
}

/// Days on which the older bundle changes, although the new one does not.
fn add_days_of(against: &Against, bundle: &Bundle, sets: &mut Vec<RuleSet>) {
    for old in rule_sets(&against.bundle) {
        let known = |set: &RuleSet| set.regime == old.regime && set.from == old.from;
        if !sets.iter().any(known) {
            sets.extend(rule_set(bundle, &old.regime, old.from));
        }
    }
}

fn find(
    asker: &mut Result<Asker<'_>, Undecided>,
    bundle: &Bundle,
    property: &'static Property,
    set: &RuleSet,
    against: Option<&Against>,
) -> Finding {
    let started = Instant::now();
    let (result, questions) = match asker {
        Ok(asker) => {
            asker.asked = 0;
            let result = check(asker, bundle, property, set, against);
            (result, asker.asked)
        }
        Err(error) => (Err(error.clone()), 0),
    };
    Finding {
        property,
        regime: set.regime.clone(),
        from: set.from,
        outcome: Outcome::of(result),
        questions,
        time: started.elapsed(),
    }
}

pub(crate) fn check(
    asker: &mut Asker<'_>,
    bundle: &Bundle,
    property: &Property,
    set: &RuleSet,
    against: Option<&Against>,
) -> Result<Vec<Counterexample>, Undecided> {
    let teller = Teller { bundle, set };
    let rules = &set.decisive;
    match property.claim {
        Claim::Never(text) => {
            let allowed = allowed_by(text, &set.regime, set.from)?;
            implied(asker, &teller, rules, &allowed, None)
        }
        Claim::NeverOnlyBy { field, text } => {
            let allowed = allowed_by(text, &set.regime, set.from)?;
            let mut permits = PolicySet::new();
            for permit in of_effect(rules, Effect::Permit) {
                add(&mut permits, permit)?;
            }
            implied(asker, &teller, &only_by(&permits, field)?, &allowed, None)
        }
        Claim::NoHelpFrom {
            field,
            assume,
            although,
        } => {
            let mut meant = rules.clone();
            add(&mut meant, single(assume)?.new_id(PolicyId::new("assumed")))?;
            implied(
                asker,
                &teller,
                &meant,
                &all_without(rules, field)?,
                Some(although),
            )
        }
        Claim::NothingMore => match against {
            Some(against) => nothing_more(asker, &teller, set, against),
            None => Ok(Vec::new()),
        },
        Claim::NoError => errors(asker, &teller, set),
        Claim::Reachable => unreachable(asker, &teller, set),
    }
}

/// Whether everything that the first set permits the second permits too. After a counterexample the rules at fault are
/// left out and the rest is asked again, so that every rule at fault is told.
pub(crate) fn implied(
    asker: &mut Asker<'_>,
    teller: &Teller<'_>,
    rules: &PolicySet,
    allowed: &PolicySet,
    although: Option<&str>,
) -> Result<Vec<Counterexample>, Undecided> {
    let mut found: Vec<Counterexample> = Vec::new();
    let (rules, allowed) = (all_nested(rules)?, &all_nested(allowed)?);
    for env in asker.environments() {
        let mut rest = rules.clone();
        while let Some(scene) = asker.permitted_but_not(&rest, allowed, &env)? {
            let case = Case {
                rules: &rest,
                allowed,
                although,
            };
            let told = teller.tell(asker, &case, scene)?;
            for rule in &told.rules {
                let gone = rest.remove_static(PolicyId::new(rule));
                gone.map_err(|error| Undecided::new(error.to_string()))?;
            }
            merge(&mut found, told);
        }
    }
    Ok(found)
}

/// Joins what differs in nothing but the action.
fn merge(found: &mut Vec<Counterexample>, told: Counterexample) {
    let same = |one: &&mut Counterexample| one.rules == told.rules;
    match found.iter_mut().find(same) {
        Some(known) => known.actions.extend(told.actions),
        None => found.push(told),
    }
}

fn nothing_more(
    asker: &mut Asker<'_>,
    teller: &Teller<'_>,
    set: &RuleSet,
    against: &Against,
) -> Result<Vec<Counterexample>, Undecided> {
    let unlisted = |rules: &PolicySet, effect: Effect| -> Result<PolicySet, Undecided> {
        let mut kept = PolicySet::new();
        let is_listed = |one: &Policy| against.listed.contains(AsRef::<str>::as_ref(one.id()));
        for one in rules
            .policies()
            .filter(|one| one.effect() != effect || !is_listed(one))
        {
            add(&mut kept, one.clone())?;
        }
        Ok(kept)
    };
    let new = unlisted(&set.decisive, Effect::Permit)?;
    let old = rule_set(&against.bundle, &set.regime, set.from).map(|old| old.decisive);
    let old = unlisted(&old.unwrap_or_default(), Effect::Forbid)?;
    implied(
        asker,
        teller,
        &new,
        &old,
        Some("the older bundle does not permit it"),
    )
}

/// The rules that cannot be evaluated for some request.
fn errors(
    asker: &mut Asker<'_>,
    teller: &Teller<'_>,
    set: &RuleSet,
) -> Result<Vec<Counterexample>, Undecided> {
    let world = single(WORLD)?;
    let mut found = Vec::new();
    for rule in set.decisive.policies().chain(set.obligations.policies()) {
        let guarded = nested(&guarded(rule, &world)?)?;
        for env in asker.environments() {
            if let Some(scene) = asker.failing(&guarded, &env)? {
                merge(&mut found, teller.error(rule.id(), &scene));
            }
        }
    }
    Ok(found)
}

/// The rules that can never apply: permits that permit nothing, whatever is asked, and others that never match.
fn unreachable(
    asker: &mut Asker<'_>,
    teller: &Teller<'_>,
    set: &RuleSet,
) -> Result<Vec<Counterexample>, Undecided> {
    let mut found = Vec::new();
    let forbids: Vec<Policy> = of_effect(&set.decisive, Effect::Forbid);
    for rule in set.decisive.policies().chain(set.obligations.policies()) {
        let permits = rule.effect() == Effect::Permit && set.decisive.policy(rule.id()).is_some();
        let mut alone = PolicySet::new();
        add(&mut alone, rule.clone())?;
        if permits {
            for one in &forbids {
                add(&mut alone, one.clone())?;
            }
        }
        let (alone, rule) = (all_nested(&alone)?, &nested(rule)?);
        let mut applies = false;
        for env in asker.environments() {
            let witness = if permits {
                asker.permitted(&alone, &env)?
            } else {
                asker.matched(rule, &env)?
            };
            applies = witness.is_some();
            if applies {
                break;
            }
        }
        if !applies {
            found.push(teller.vacuous(rule.id(), permits));
        }
    }
    Ok(found)
}

fn of_effect(set: &PolicySet, effect: Effect) -> Vec<Policy> {
    let policies = set.policies().filter(|one| one.effect() == effect);
    policies.cloned().collect()
}
