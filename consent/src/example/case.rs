//! The examples of one rule, ready to be put to its text.

use cedar_policy::{Policy, PolicySet};
use toml::Table;

use super::expand::{Against, made};
use super::file::RuleExamples;
use super::scene::Scene;
use super::world::change_scene;
use crate::bundle::{Bundle, Rule};
use crate::engine::{Props, Rehearsal};

/// An example as the text of a rule meets it.
struct Case {
    name: String,
    applies: bool,
    rehearsal: Rehearsal,
}

/// The examples of a rule that its text alone decides.
pub(crate) struct RuleCases {
    cases: Vec<Case>,
    /// Examples that cannot be put, and why.
    pub(super) broken: Vec<(String, String)>,
}

impl RuleCases {
    /// Prepares every example of a rule.
    pub(crate) fn of(bundle: &Bundle, rule: &Rule, examples: &RuleExamples) -> Self {
        let closes = rule.kind.closes();
        let asked = ["signature", "given"];
        let against = Against {
            universe: &bundle.world.universe,
            flags: &bundle.coverage.subject_flags,
            closes,
            signed: bundle
                .elements
                .of(&rule.regime)
                .any(|element| asked.contains(&element.as_str())),
        };
        let mut all = Self {
            cases: Vec::new(),
            broken: Vec::new(),
        };
        let written = examples.permit.iter().map(|example| (example, !closes));
        let written = written.chain(examples.deny.iter().map(|example| (example, closes)));
        for (example, applies) in written.filter(|(example, _)| example.closed_by.is_none()) {
            all.add(bundle, examples, &example.why, &example.changes, applies);
        }
        for made in made(examples, &against) {
            all.add(bundle, examples, &made.name, &made.changes, made.applies);
        }
        all
    }

    fn add(
        &mut self,
        bundle: &Bundle,
        examples: &RuleExamples,
        name: &str,
        changes: &Table,
        applies: bool,
    ) {
        let rehearsal = scene(bundle, examples, changes).and_then(|scene| {
            let props = Props {
                request: &scene.request,
                facts: &scene.facts,
                directives: &scene.directives,
                basis: scene.basis.as_deref(),
                facts_at: scene.facts_at,
            };
            Rehearsal::new(props, bundle).ok_or_else(|| "the scene cannot be set".to_owned())
        });
        match rehearsal {
            Ok(rehearsal) => self.cases.push(Case {
                name: name.to_owned(),
                applies,
                rehearsal,
            }),
            Err(reason) => self.broken.push((name.to_owned(), reason)),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.cases.len()
    }

    /// The examples that a text of the rule does not bear out: the name, and whether it should apply.
    pub(super) fn unmet(&self, text: &PolicySet) -> Vec<(&str, bool)> {
        self.cases
            .iter()
            .filter(|case| case.rehearsal.applies(text) != Some(case.applies))
            .map(|case| (case.name.as_str(), case.applies))
            .collect()
    }

    /// Whether some example tells a text from that of the rule.
    #[cfg(feature = "testing")]
    pub(crate) fn catch(&self, text: &PolicySet) -> bool {
        self.cases
            .iter()
            .any(|case| case.rehearsal.applies(text) != Some(case.applies))
    }
}

/// The scene of an example.
pub(super) fn scene(
    bundle: &Bundle,
    examples: &RuleExamples,
    changes: &Table,
) -> Result<Scene, String> {
    let fields = change_scene(bundle.world.base.clone(), &examples.scene);
    Scene::new(bundle, change_scene(fields, changes))
}

/// A set that holds one rule alone.
pub(crate) fn alone(policy: &Policy) -> Option<PolicySet> {
    PolicySet::from_policies([policy.clone()]).ok()
}
