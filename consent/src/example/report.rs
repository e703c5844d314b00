//! Whether the rules of a bundle do what their examples say.

use serde::Serialize;

use super::case::{RuleCases, alone, scene};
use super::file::{Example, RuleExamples};
use crate::bundle::{Bundle, Rule, RuleKind};
use crate::decision::{Decision, Outcome, Verdict};
use crate::engine::decide;

/// An example that is not borne out, or a rule whose examples do not suffice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExampleFailure {
    /// The rule.
    pub rule: String,
    /// The example, or what the file lacks.
    pub example: String,
    /// What was expected, and what was found.
    pub reason: String,
}

/// What became of the examples.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ExampleReport {
    /// The rules that were looked at.
    pub rules: usize,
    /// How many examples are borne out. One in words counts once for the text and once for the answer.
    pub passed: usize,
    /// What is not, in the order of regimes and rules.
    pub failures: Vec<ExampleFailure>,
}

/// Puts every example of a bundle to its rule. Rules that a switch takes out are looked at by their
/// text alone.
#[must_use]
pub fn test_bundle(bundle: &Bundle) -> ExampleReport {
    let mut report = ExampleReport::default();
    for rule in bundle.all_rules() {
        report.look_at(bundle, rule);
    }
    let strays = bundle.examples.keys().filter(|id| {
        let known = bundle.all_rules().any(|rule| rule.id == **id);
        !known && !bundle.superseded.contains(*id)
    });
    for id in strays {
        report.fail(id, "the file", "there is no such rule");
    }
    report
}

/// Puts the examples of one rule to it. `None` when there is no such rule.
#[must_use]
pub fn test_rule(bundle: &Bundle, id: &str) -> Option<ExampleReport> {
    let rule = bundle.all_rules().find(|rule| rule.id == id)?;
    let mut report = ExampleReport::default();
    report.look_at(bundle, rule);
    Some(report)
}

impl ExampleReport {
    fn fail(&mut self, rule: &str, example: &str, reason: impl Into<String>) {
        self.failures.push(ExampleFailure {
            rule: rule.to_owned(),
            example: example.to_owned(),
            reason: reason.into(),
        });
    }

    fn look_at(&mut self, bundle: &Bundle, rule: &Rule) {
        self.rules += 1;
        let Some(examples) = bundle.examples.get(&rule.id) else {
            return self.fail(&rule.id, "the file", "the rule has no examples");
        };
        for (kind, list) in [("permit", &examples.permit), ("deny", &examples.deny)] {
            if list.is_empty() {
                self.fail(
                    &rule.id,
                    "the file",
                    format!("the rule has no {kind} example"),
                );
            }
        }
        self.annotations(rule, examples);
        self.text(bundle, rule, examples);
        let counts = bundle.rules().any(|one| one.id == rule.id);
        let permits = examples.permit.iter().map(|one| (one, true));
        let denies = examples.deny.iter().map(|one| (one, false));
        let asked = |example: &Example| counts && !example.by_text;
        for (example, permit) in permits.chain(denies).filter(|(one, _)| asked(one)) {
            match answer(bundle, rule, examples, example, permit) {
                Ok(()) => self.passed += 1,
                Err(reason) => self.fail(&rule.id, &example.why, reason),
            }
        }
    }

    /// What comes along with a rule is stated twice, so that it does not get lost.
    fn annotations(&mut self, rule: &Rule, examples: &RuleExamples) {
        let brings = rule
            .obligation
            .iter()
            .chain(&rule.notice)
            .chain(&rule.refrains);
        let brings: std::collections::BTreeSet<String> = brings.cloned().collect();
        let stated = [
            ("brings", brings == examples.brings),
            ("lifts", rule.lifts == examples.lifts),
            ("by_hand", rule.is_manual == examples.by_hand),
        ];
        for (name, agrees) in stated {
            if agrees {
                self.passed += 1;
            } else {
                let reason = "the annotations of the rule say something else";
                self.fail(&rule.id, name, reason);
            }
        }
    }

    fn text(&mut self, bundle: &Bundle, rule: &Rule, examples: &RuleExamples) {
        let cases = RuleCases::of(bundle, rule, examples);
        for (name, reason) in &cases.broken {
            self.fail(&rule.id, name, reason.as_str());
        }
        let Some(text) = alone(&rule.policy) else {
            return self.fail(&rule.id, "the text", "it cannot be evaluated alone");
        };
        let unmet = cases.unmet(&text);
        self.passed += cases.len() - unmet.len();
        for (name, applies) in unmet {
            let reason = if applies {
                "the rule should apply, and does not"
            } else {
                "the rule should not apply, and does"
            };
            self.fail(&rule.id, name, reason);
        }
    }
}

/// Asks the engine, and compares its answer with what the example says.
fn answer(
    bundle: &Bundle,
    rule: &Rule,
    examples: &RuleExamples,
    example: &Example,
    permit: bool,
) -> Result<(), String> {
    let scene = scene(bundle, examples, &example.changes)?;
    if scene.elsewhere && bundle.jurisdiction().is_some() {
        // A county's bundle decides nothing about another jurisdiction: the text alone is looked at.
        return Ok(());
    }
    let decision = decide(&scene.request, &scene.facts, &scene.directives, bundle);
    if rule.kind == RuleKind::Obligation {
        let comes = decision
            .obligations
            .iter()
            .any(|duty| duty.rules.contains(&rule.id));
        return expect(comes == permit, "the duty", &decision, &rule.regime);
    }
    let regime = example.in_regime.as_deref().unwrap_or(&rule.regime);
    let says = |verdict: Verdict, id: &str| {
        decision
            .items
            .iter()
            .flat_map(|item| &item.regimes)
            .any(|one| {
                one.regime == regime
                    && one.outcome == verdict
                    && one.rules.iter().any(|rule| rule == id)
            })
    };
    if let Some(other) = &example.closed_by {
        let holds = says(Verdict::Deny, other) && !says(Verdict::Permit, &rule.id);
        return expect(holds, "another rule closes", &decision, regime);
    }
    let holds = if rule.kind.closes() {
        says(Verdict::Deny, &rule.id) != permit
    } else if rule.is_manual {
        let waits = decision.outcome == Outcome::NeedsHuman || !decision.permitted().any(|_| true);
        waits && says(Verdict::Deny, &rule.id) == permit
    } else {
        says(Verdict::Permit, &rule.id) == permit
    };
    expect(
        holds,
        if permit { "a permit" } else { "a deny" },
        &decision,
        regime,
    )
}

fn expect(holds: bool, expected: &str, decision: &Decision, regime: &str) -> Result<(), String> {
    if holds {
        return Ok(());
    }
    let answers = decision.items.iter().flat_map(|item| &item.regimes);
    let found = answers.map(|one| {
        let verdict = if one.outcome == Verdict::Permit {
            "permits"
        } else {
            "denies"
        };
        format!("{} {verdict} by {}", one.regime, one.rules.join(" "))
    });
    let found: Vec<_> = found.collect();
    Err(format!(
        "{expected} expected of {regime}; found: {}",
        found.join("; ")
    ))
}
