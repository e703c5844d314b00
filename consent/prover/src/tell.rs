//! Counterexamples as sentences that a lawyer understands.

use cedar_policy::{Decision, Effect, PolicyId, PolicySet};
use serde_json::Value;
use tandem_consent::{Bundle, Rule};

use crate::fact::{is_said, value_text, words};
use crate::minimise::{forgotten, minimise, pointers, unit};
use crate::question::{Asker, Counterexample, Undecided};
use crate::rule_set::RuleSet;
use crate::scene::Scene;

/// What was asked when a counterexample was found.
pub(crate) struct Case<'a> {
    /// The rules that permit it.
    pub(crate) rules: &'a PolicySet,
    /// What should have permitted it as well.
    pub(crate) allowed: &'a PolicySet,
    /// What is wrong, when the rules of `allowed` do not say it themselves.
    pub(crate) although: Option<&'a str>,
}

/// Tells of the rules of one set.
pub(crate) struct Teller<'a> {
    pub(crate) bundle: &'a Bundle,
    pub(crate) set: &'a RuleSet,
}

impl Teller<'_> {
    /// The sentence about a request that the rules permit although they should not. Cedar itself is asked again: what it
    /// does not confirm is no counterexample.
    pub(crate) fn tell(
        &self,
        asker: &Asker<'_>,
        case: &Case<'_>,
        scene: Scene,
    ) -> Result<Counterexample, Undecided> {
        let schema = asker.schema;
        let permits = |set: &PolicySet, scene: &Scene| {
            let response = scene.evaluate(set, schema);
            response.map(|response| response.decision() == Decision::Allow)
        };
        let holds = |scene: &Scene| {
            permits(case.rules, scene) == Some(true) && permits(case.allowed, scene) == Some(false)
        };
        if !holds(&scene) {
            return Err(Undecided::new(
                "the solver's example is not confirmed by Cedar's own evaluation",
            ));
        }
        let scene = minimise(scene, &holds);
        let rules = reasons(case.rules, &scene, asker);
        if rules.is_empty() {
            return Err(Undecided::new("no rule permits the solver's example"));
        }
        let needs = needed(&scene, &|scene| permits(case.rules, scene) == Some(true));
        let although = match case.although {
            Some(text) => text.to_owned(),
            None => self.although(case, &scene, asker),
        };
        Ok(Counterexample {
            sentence: self.sentence(&rules, &scene, &although),
            actions: vec![scene.action.clone()],
            rules,
            needs,
            scene: scene.facts,
        })
    }

    fn although(&self, case: &Case<'_>, scene: &Scene, asker: &Asker<'_>) -> String {
        let texts = reasons(case.allowed, scene, asker);
        let texts = texts.iter().filter_map(|id| {
            let policy = case.allowed.policy(&PolicyId::new(id))?;
            policy
                .annotation("although")
                .map(|text| filled(text, scene))
        });
        let texts: Vec<_> = texts.collect();
        texts.join(" and ")
    }

    fn sentence(&self, rules: &[String], scene: &Scene, although: &str) -> String {
        let fact = |pointer: &str| scene.fact(pointer).filter(|value| is_said(value));
        let text = |pointer: &str| fact(pointer).map(|value| value_text(pointer, value));
        let who = match (text("/recipient/kinds"), text("/recipient/relation")) {
            (_, Some(relation)) => format!("org-a (to the person: {relation})"),
            (Some(kinds), None) => format!("org-a (a {kinds})"),
            (None, None) => "org-a".to_owned(),
        };
        let what = text("/item/category").unwrap_or_else(|| "any".to_owned());
        let purpose = text("/context/purpose").unwrap_or_else(|| "any purpose".to_owned());
        let deed = deed(&scene.action);
        format!(
            "Under {}, {} would let {who} {deed} {what} data for {purpose} although {although}.",
            self.regime(),
            self.cited(rules)
        )
    }

    /// The rules with their citations.
    fn cited(&self, rules: &[String]) -> String {
        let cite = |id: &String| match self.rule(id) {
            Some(rule) => format!("{id} ({})", rule.citation),
            None => id.clone(),
        };
        let cited: Vec<_> = rules.iter().map(cite).collect();
        let noun = if rules.len() == 1 { "rule" } else { "rules" };
        format!("{noun} {}", cited.join(" and "))
    }

    fn rule(&self, id: &str) -> Option<&Rule> {
        self.bundle.rules().find(|rule| rule.id == id)
    }

    fn regime(&self) -> &str {
        self.bundle
            .regime_title(&self.set.regime)
            .unwrap_or(&self.set.regime)
    }

    /// The sentence about a rule that cannot be evaluated.
    pub(crate) fn error(&self, rule: &PolicyId, scene: &Scene) -> Counterexample {
        let rules = vec![rule.to_string()];
        let moments = pointers(&scene.facts).into_iter().filter_map(|pointer| {
            let value = scene.fact(&pointer)?;
            (unit(&pointer).is_some() && self.set_reads(rule, &pointer))
                .then(|| words(&pointer, value))
        });
        Counterexample {
            sentence: format!(
                "Under {}, {} cannot be evaluated for some requests: a number in it grows beyond what can be counted.",
                self.regime(),
                self.cited(&rules)
            ),
            needs: moments.collect(),
            actions: vec![scene.action.clone()],
            rules,
            scene: scene.facts.clone(),
        }
    }

    fn set_reads(&self, rule: &PolicyId, pointer: &str) -> bool {
        let text = self.rule(rule.as_ref()).map(|rule| rule.text.as_str());
        let name = pointer.rsplit('/').next().unwrap_or(pointer);
        text.is_some_and(|text| text.contains(&format!(".{name}")))
    }

    /// The sentence about a rule that never applies.
    pub(crate) fn vacuous(&self, rule: &PolicyId, permits: bool) -> Counterexample {
        let rules = vec![rule.to_string()];
        let why = if permits {
            "can never permit anything: its own conditions, or the bars beside it, exclude every request"
        } else {
            "can never apply: its conditions exclude every request"
        };
        Counterexample {
            sentence: format!("Under {}, {} {why}.", self.regime(), self.cited(&rules)),
            actions: Vec::new(),
            needs: Vec::new(),
            rules,
            scene: Value::Null,
        }
    }
}

/// The rules that decided, in order.
fn reasons(set: &PolicySet, scene: &Scene, asker: &Asker<'_>) -> Vec<String> {
    let response = scene.evaluate(set, asker.schema);
    let mut ids: Vec<String> = response
        .iter()
        .flat_map(|response| response.diagnostics().reason())
        .filter(|id| {
            set.policy(id)
                .is_some_and(|one| is_of_decision(one.effect(), response.as_ref()))
        })
        .map(ToString::to_string)
        .collect();
    ids.sort_unstable();
    ids
}

fn is_of_decision(effect: Effect, response: Option<&cedar_policy::Response>) -> bool {
    let allowed = response.is_some_and(|one| one.decision() == Decision::Allow);
    (effect == Effect::Permit) == allowed
}

/// The facts without which the rules would not permit, in words; moments and what the sentence says are left out.
fn needed(scene: &Scene, permits: &dyn Fn(&Scene) -> bool) -> Vec<String> {
    const SAID: [&str; 6] = [
        "/item/category",
        "/context/purpose",
        "/recipient/kinds",
        "/recipient/relation",
        "/recipient/id",
        "/item/source",
    ];
    let matters = |pointer: &String| {
        let forgotten = forgotten(&scene.facts, pointer);
        !forgotten
            .into_iter()
            .any(|facts| facts != scene.facts && permits(&scene.with(facts)))
    };
    pointers(&scene.facts)
        .into_iter()
        .filter(|pointer| !SAID.contains(&pointer.as_str()) && unit(pointer).is_none())
        .filter(|pointer| scene.fact(pointer).is_some_and(is_said))
        .filter(matters)
        .filter_map(|pointer| Some(words(&pointer, scene.fact(&pointer)?)))
        .collect()
}

/// The text with its `{context.x}` replaced by the scene's facts.
fn filled(text: &str, scene: &Scene) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (path, after) = after.split_once('}').unwrap_or((after, ""));
        let pointer = format!("/{}", path.replace('.', "/"));
        filled.push_str(before);
        let value = scene.fact(&pointer);
        filled
            .push_str(&value.map_or_else(|| path.to_owned(), |value| value_text(&pointer, value)));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// What an action does to its recipient.
fn deed(action: &str) -> &str {
    match action {
        "match" => "learn of a match with",
        "disclose" => "be told",
        "refer" => "be sent a referral with",
        "update_case_plan" => "be sent a case plan with",
        "notify" => "be notified about",
        "subscribe" => "subscribe to",
        "bulk_export" => "export",
        "read_audit" => "read the log about",
        _ => "be given",
    }
}
