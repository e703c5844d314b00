//! The bare Cedar calls that a decision needs: what a benchmark compares the whole decision with.

use std::collections::BTreeSet;

use cedar_policy::{Authorizer, Decision as CedarDecision, PolicySet, Request as CedarRequest};
use tandem_mappings::model::directive::Directive;

use super::cedar::{self, Stage};
use super::cover::{Cover, cover};
use super::evaluate::Evaluator;
use super::scene::Scene;
use crate::bundle::Bundle;
use crate::facts::Facts;
use crate::request::{Item, Request};

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Opened,
    /// A rule forbids it.
    Closed,
    /// No rule speaks for it or against it.
    Baseless,
}

/// The context without a directive, then with each that might open something.
fn contexts<'b>(
    evaluator: &'b Evaluator<'_, '_>,
    candidates: &'b [usize],
) -> impl Iterator<Item = &'b cedar_policy::Context> {
    let with_directives = candidates
        .iter()
        .filter_map(|at| evaluator.with_directive(*at));
    std::iter::once(evaluator.plain()).chain(with_directives)
}

/// Questions, ready to be asked of Cedar and of nothing else.
#[allow(
    missing_debug_implementations,
    reason = "policy sets print whole rule texts; nobody prints a benchmark's floor"
)]
pub struct Floor<'a> {
    questions: Vec<(CedarRequest, &'a PolicySet)>,
    stage: Stage,
    authorizer: Authorizer,
}

impl<'a> Floor<'a> {
    /// The questions about every item: each covering regime without a directive and, until one opens it, with each
    /// directive that might; the lifting rules of the regimes that could lift one that stayed without a basis; then the
    /// duties of the regimes that opened, and of those that did not whether consent would open them. `None` when Cedar takes
    /// a value not at all.
    #[must_use]
    pub fn of(
        request: &'a Request,
        facts: &'a Facts,
        directives: &'a [Directive],
        bundle: &'a Bundle,
    ) -> Option<Self> {
        let scene = Scene::new(request, facts, directives, bundle);
        let evaluator = Evaluator::new(&scene).ok()?;
        let mut floor = Self {
            questions: Vec::new(),
            stage: Stage::new(&scene, None).ok()?,
            authorizer: Authorizer::new(),
        };
        for (index, item) in request.items.iter().enumerate() {
            floor.item(&scene, &evaluator, index, item);
        }
        Some(floor)
    }

    fn item(
        &mut self,
        scene: &Scene<'a>,
        evaluator: &Evaluator<'a, '_>,
        index: usize,
        item: &Item,
    ) {
        let (Cover::Regimes(regimes) | Cover::Barred(regimes)) = cover(scene, item) else {
            return;
        };
        let candidates = evaluator.candidates(index, item);
        let (mut opened, mut closed, mut baseless) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for regime in regimes {
            match self.regime(scene, evaluator, index, regime, &candidates) {
                Outcome::Opened => drop(opened.insert(regime)),
                Outcome::Closed => drop(closed.insert(regime)),
                Outcome::Baseless => {
                    closed.insert(regime);
                    baseless.insert(regime);
                }
            }
        }
        self.lifting(scene, evaluator, index, &baseless, &candidates);
        let ideal = cedar::ideal_directive(scene, item).ok();
        let ideal = ideal.and_then(|ideal| cedar::context(scene, Some(ideal), None).ok());
        for (regime, ideal) in closed.iter().zip(ideal.iter().cycle()) {
            let rules = scene.bundle.regimes.get(*regime);
            if let Some(rules) = rules.and_then(|regime| regime.on(scene.today)) {
                self.ask(index, ideal, &rules.decisive);
            }
        }
        if !closed.is_empty() {
            return;
        }
        for regime in opened {
            let rules = scene.bundle.regimes.get(regime);
            let rules = rules.and_then(|regime| regime.on(scene.today));
            if let Some(rules) = rules.filter(|rules| !rules.obligations.is_empty()) {
                self.ask(index, evaluator.plain(), &rules.obligations);
            }
        }
    }

    /// The lifting rules of the regimes that could open one that has no basis of its own, until one does.
    fn lifting(
        &mut self,
        scene: &Scene<'a>,
        evaluator: &Evaluator<'a, '_>,
        index: usize,
        baseless: &BTreeSet<&str>,
        candidates: &[usize],
    ) {
        let all = &scene.bundle.regimes;
        let names = scene.bundle.coverage.lifting.iter();
        for regime in names.filter_map(|name| all.get(name)) {
            let mut lifted = regime.rules.values().flat_map(|rule| &rule.lifts);
            if !lifted.any(|lifted| baseless.contains(lifted.as_str())) {
                continue;
            }
            if let Some(rules) = regime.on(scene.today) {
                contexts(evaluator, candidates)
                    .any(|context| self.ask(index, context, &rules.lifting) == Outcome::Opened);
            }
        }
    }

    fn regime(
        &mut self,
        scene: &Scene<'a>,
        evaluator: &Evaluator<'a, '_>,
        index: usize,
        regime: &str,
        candidates: &[usize],
    ) -> Outcome {
        let rules = scene.bundle.regimes.get(regime);
        let Some(rules) = rules.and_then(|regime| regime.on(scene.today)) else {
            return Outcome::Closed;
        };
        let mut outcome = Outcome::Baseless;
        for context in contexts(evaluator, candidates) {
            match self.ask(index, context, &rules.decisive) {
                Outcome::Opened => return Outcome::Opened,
                Outcome::Closed => outcome = Outcome::Closed,
                Outcome::Baseless => {}
            }
        }
        outcome
    }

    fn ask(
        &mut self,
        index: usize,
        context: &cedar_policy::Context,
        rules: &'a PolicySet,
    ) -> Outcome {
        let Ok(question) = self.stage.question(index, context) else {
            return Outcome::Closed;
        };
        let answer = self
            .authorizer
            .is_authorized(&question, rules, &self.stage.entities);
        self.questions.push((question, rules));
        if answer.decision() == CedarDecision::Allow {
            Outcome::Opened
        } else if answer.diagnostics().reason().next().is_some() {
            Outcome::Closed
        } else {
            Outcome::Baseless
        }
    }

    /// How many questions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.questions.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.questions.is_empty()
    }

    /// Asks them all; how many Cedar allows.
    #[must_use]
    pub fn run(&self) -> usize {
        let allows = |(question, rules): &&(CedarRequest, &PolicySet)| {
            let answer = self
                .authorizer
                .is_authorized(question, rules, &self.stage.entities);
            answer.decision() == CedarDecision::Allow
        };
        self.questions.iter().filter(allows).count()
    }
}
