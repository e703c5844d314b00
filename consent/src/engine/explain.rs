//! The answer in plain sentences, made of the rules' own summaries.

use std::fmt::Write as _;

use super::answer::Answer;
use super::scene::Scene;
use crate::decision::{Explanation, ItemDecision, Outcome, Verdict};
use crate::request::Item;

/// Explains the outcome, then each item with the regimes that matter.
pub(super) fn explain(
    scene: &Scene<'_>,
    outcome: Outcome,
    items: &[(ItemDecision, Vec<Answer<'_>>)],
) -> Explanation {
    let (en, es) = headline(outcome);
    let mut text = Explanation {
        en: en.to_owned(),
        es: es.to_owned(),
    };
    for ((decision, answers), item) in items.iter().zip(&scene.request.items) {
        let (en, es) = name(scene, item);
        let (says_en, says_es) = match decision.outcome {
            Verdict::Permit => ("may be told", "se puede decir"),
            Verdict::Deny => ("may not be told", "no se puede decir"),
        };
        let _ = write!(text.en, " {} ({en}) {says_en}.", decision.id);
        let _ = write!(text.es, " {} ({es}) {says_es}.", decision.id);
        for answer in answers.iter().filter(|answer| matters(decision, answer)) {
            add_reasons(scene, answer, &mut text);
        }
    }
    text
}

/// A permit is explained by what opened it, a deny by what closed it. Regimes that merely have no
/// objection stay unsaid.
fn matters(decision: &ItemDecision, answer: &Answer<'_>) -> bool {
    answer.verdict == decision.outcome && answer.basis.as_deref() != Some("NONE")
        || (decision.outcome == Verdict::Deny && answer.verdict == Verdict::Deny)
}

fn add_reasons(scene: &Scene<'_>, answer: &Answer<'_>, text: &mut Explanation) {
    let Some(regime) = scene.bundle.regimes.get(answer.regime) else {
        return;
    };
    for cited in &answer.cited {
        let (en, es) = cited.summaries();
        let (citation, id) = (cited.citation(), cited.id());
        let _ = write!(text.en, " {}: {en} ({id}, {citation})", regime.name_en);
        let _ = write!(text.es, " {}: {es} ({id}, {citation})", regime.name_es);
    }
}

const fn headline(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Permit => ("This may be told.", "Esto se puede decir."),
        Outcome::PermitWithRedaction => (
            "Part of this may be told.",
            "Una parte de esto se puede decir.",
        ),
        Outcome::Deny => ("This may not be told.", "Esto no se puede decir."),
        Outcome::NeedsHuman => (
            "A person must look at this first.",
            "Una persona debe revisar esto primero.",
        ),
        Outcome::NotApplicable => ("There is nothing to decide.", "No hay nada que decidir."),
    }
}

fn name<'a>(scene: &Scene<'a>, item: &Item) -> (&'a str, &'a str) {
    let table = scene
        .category(item)
        .and_then(|category| scene.bundle.coverage.categories.get(&category));
    table.map_or(("unknown kind", "tipo desconocido"), |table| {
        (&table.en, &table.es)
    })
}
