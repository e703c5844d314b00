//! The duties and refrains that come along with permits.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Answer, Cited};
use super::evaluate::Evaluator;
use super::scene::Scene;
use crate::bundle::Rule;
use crate::decision::Obligation;

/// The obligation code of a notice that travels with data.
const NOTICE: &str = "NOTICE";

type Params = BTreeMap<String, String>;

/// The union over all rules used.
#[derive(Default)]
pub(super) struct Duties {
    obligations: BTreeMap<(String, Params), BTreeSet<String>>,
    refrains: BTreeSet<String>,
}

impl Duties {
    /// Adds what the permits of an item bring along.
    pub(super) fn collect<'a>(
        &mut self,
        scene: &Scene<'a>,
        evaluator: &Evaluator<'a, '_>,
        index: usize,
        answers: &[Answer<'a>],
    ) {
        for answer in answers {
            for rule in answer.cited.iter().copied().filter_map(Cited::rule) {
                self.add(scene, rule);
            }
            let basis = answer.basis.as_deref().unwrap_or_default();
            if let Some(regime) = scene.bundle.regimes.get(answer.regime) {
                for rule in evaluator.duties(regime, index, family(basis)) {
                    self.add(scene, rule);
                }
            }
        }
    }

    fn add(&mut self, scene: &Scene<'_>, rule: &Rule) {
        if let Some(code) = rule.obligation.as_ref().filter(|code| *code != NOTICE) {
            let mut params = Params::new();
            if let Some(years) = &rule.years {
                params.insert("years".to_owned(), years.clone());
            }
            if code == "MINEC" {
                // The field set is registered by purpose; the one who renders the message knows it.
                params.insert(
                    "purpose".to_owned(),
                    scene.request.purpose.as_str().to_owned(),
                );
            }
            self.insert(code, params, &rule.id);
        }
        if let Some(notice) = &rule.notice {
            self.insert(
                NOTICE,
                Params::from([("notice".to_owned(), notice.clone())]),
                &rule.id,
            );
        }
        self.refrains.extend(rule.refrains.iter().cloned());
    }

    fn insert(&mut self, code: &str, params: Params, rule: &str) {
        self.obligations
            .entry((code.to_owned(), params))
            .or_default()
            .insert(rule.to_owned());
    }

    /// The sorted obligations and refrains.
    pub(super) fn finish(self) -> (Vec<Obligation>, BTreeSet<String>) {
        let obligations = self
            .obligations
            .into_iter()
            .map(|((code, params), rules)| Obligation {
                code,
                params,
                rules: rules.into_iter().collect(),
            });
        (obligations.collect(), self.refrains)
    }
}

/// The basis as duty rules name it: consent together with a team is consent.
fn family(basis: &str) -> &str {
    if basis.contains("CONSENT") {
        "CONSENT"
    } else {
        basis
    }
}
