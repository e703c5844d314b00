//! Mutants: every rule with one thing changed in its text, to see whether examples and proofs would
//! notice. For tests alone, behind the feature `testing`.

mod change;

use std::collections::BTreeMap;

use cedar_policy::{Policy, PolicySet, ValidationMode, Validator};
use jiff::civil::Date;
use serde_json::Value;

use self::change::changes;
use crate::bundle::{Bundle, Rule};
use crate::example::RuleCases;

/// A rule with one thing changed.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// The regime.
    pub regime: String,
    /// The rule.
    pub rule: String,
    /// What was changed.
    pub change: String,
    /// The text; `None` where the rule was taken out.
    pub policy: Option<Policy>,
}

impl Mutant {
    /// The mutant alone, as the examples of its rule meet it.
    #[must_use]
    pub fn alone(&self) -> PolicySet {
        PolicySet::from_policies(self.policy.clone()).unwrap_or_default()
    }

    /// The rules of its regime that permit and forbid on a day, with the mutant in the place of its rule.
    #[must_use]
    pub fn decisive(&self, bundle: &Bundle, day: Date) -> Option<PolicySet> {
        let others = bundle.decisive(&self.regime, day)?.policies().cloned();
        let others = others.filter(|one| AsRef::<str>::as_ref(one.id()) != self.rule);
        PolicySet::from_policies(others.chain(self.policy.clone())).ok()
    }
}

/// The mutants of a rule that pass strict validation without a warning: others would not load.
#[must_use]
pub fn mutants(bundle: &Bundle, rule: &Rule) -> Vec<Mutant> {
    let mutant = |change: String, policy| Mutant {
        regime: rule.regime.clone(),
        rule: rule.id.clone(),
        change,
        policy,
    };
    let mut all = vec![mutant("the rule is taken out".to_owned(), None)];
    let Ok(text) = rule.policy.to_json() else {
        return all;
    };
    let validator = Validator::new(bundle.schema().clone());
    for (change, text) in changes(&text) {
        let Ok(policy) = Policy::from_json(Some(rule.policy.id().clone()), text) else {
            continue;
        };
        let changed = mutant(change, Some(policy));
        let result = validator.validate(&changed.alone(), ValidationMode::Strict);
        if result.validation_passed_without_warnings() {
            all.push(changed);
        }
    }
    all
}

/// How the mutants of one regime fared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Score {
    /// How many there are.
    pub mutants: usize,
    /// How many some example of their rule tells from it.
    pub caught: usize,
}

/// Puts the examples to every mutant of every rule: the score by regime, and the mutants that no
/// example tells from their rule.
#[must_use]
pub fn survey(bundle: &Bundle) -> (BTreeMap<String, Score>, Vec<Mutant>) {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut survivors = Vec::new();
    for rule in bundle.all_rules() {
        let examples = bundle.examples.get(&rule.id);
        let cases = examples.map(|examples| RuleCases::of(bundle, rule, examples));
        let score = scores.entry(rule.regime.clone()).or_default();
        for mutant in mutants(bundle, rule) {
            score.mutants += 1;
            let caught = cases
                .as_ref()
                .is_some_and(|cases| cases.catch(&mutant.alone()));
            if caught {
                score.caught += 1;
            } else {
                survivors.push(mutant);
            }
        }
    }
    (scores, survivors)
}

/// Every rule of a bundle, also those that a switch takes out.
pub fn every_rule(bundle: &Bundle) -> impl Iterator<Item = &Rule> {
    bundle.all_rules()
}

/// The value at a path within a text.
fn at_mut<'a>(text: &'a mut Value, path: &[Step]) -> Option<&'a mut Value> {
    path.iter().try_fold(text, |value, step| match step {
        Step::Field(name) => value.get_mut(name.as_str()),
        Step::Place(index) => value.get_mut(*index),
    })
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    Place(usize),
}
