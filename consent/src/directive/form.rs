//! Which laws a form satisfies, and in plain words why not the others.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::{Directive, Method};
use tandem_mappings::model::purpose::Purpose;

use super::element::Element;
use super::words::{self, Words};
use crate::bundle::{Bundle, ElementLists};
use crate::decision::Explanation;

/// Whether a form satisfies the law of one regime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormCheck {
    /// The regime.
    pub regime: String,
    /// Whether a rule of the regime may rely on the form.
    pub is_satisfied: bool,
    /// What the law asks for and the form does not hold.
    pub lacks: BTreeSet<String>,
    /// The listed categories that stay closed under this law, since they need a form of their own.
    pub needs_own_form: BTreeSet<Category>,
    /// The answer in a sentence.
    pub explanation: Explanation,
}

/// Checks a form against the list of every regime, in the order of their names. Whether the directive is in force, or
/// anything may be told, is another question: [`crate::decide`].
#[must_use]
pub fn check_form(directive: &Directive, bundle: &Bundle) -> Vec<FormCheck> {
    let regimes = bundle.regimes.values();
    regimes
        .map(|regime| {
            let lacking: BTreeSet<Element> =
                lacking(directive, &regime.name, &bundle.elements).collect();
            let own = needs_own_form(directive, &regime.name);
            let name = (regime.name_en.as_str(), regime.name_es.as_str());
            FormCheck {
                regime: regime.name.clone(),
                is_satisfied: lacking.is_empty(),
                lacks: lacking.iter().map(|one| one.as_str().to_owned()).collect(),
                explanation: explanation(directive, name, &lacking, &own, bundle),
                needs_own_form: own,
            }
        })
        .collect()
}

/// The elements that a regime asks for and a document does not hold.
pub(crate) fn lacking<'a>(
    directive: &'a Directive,
    regime: &str,
    lists: &'a ElementLists,
) -> impl Iterator<Item = Element> + use<'a> {
    let asked: Vec<Element> = lists.of(regime).collect();
    asked
        .into_iter()
        .filter(|element| !element.is_held_by(directive, lists))
}

/// The categories that a law opens only by a document that holds this one permission: separate notes (45 CFR
/// 164.508(b)(3)(ii); 42 CFR 2.31(b)), and for legal proceedings whatever shows a patient (42 CFR 2.31(d)).
fn needs_own_form(directive: &Directive, regime: &str) -> BTreeSet<Category> {
    if directive.stand_alone == Some(true) {
        return BTreeSet::new();
    }
    let legal = directive.purposes.contains(&Purpose::Legal);
    let separate = |category: &Category| match (regime, category) {
        ("hipaa", Category::PsychotherapyNotes) | ("part2", Category::SudCounselingNotes) => true,
        ("part2", Category::SudPart2) => legal,
        ("victim_services", Category::VspRecord) => true,
        _ => false,
    };
    directive
        .categories
        .iter()
        .copied()
        .filter(separate)
        .collect()
}

fn explanation(
    directive: &Directive,
    (name_en, name_es): (&str, &str),
    lacking: &BTreeSet<Element>,
    own: &BTreeSet<Category>,
    bundle: &Bundle,
) -> Explanation {
    let by_mouth = directive.method == Some(Method::VerbalWithWitness);
    let said: Vec<Words> = lacking
        .iter()
        .map(|element| words::of(*element, by_mouth, &directive.general_words))
        .collect();
    let list = |pick: fn(&Words) -> &'static str, and: &str| {
        let parts: Vec<&str> = said.iter().map(pick).collect();
        join(&parts, and)
    };
    let (mut en, mut es) = if said.is_empty() {
        (
            format!("This form satisfies {name_en}."),
            format!("Este formulario cumple con {name_es}."),
        )
    } else {
        (
            format!(
                "This form does not satisfy {name_en} because it {}.",
                list(|words| words.en, "and it")
            ),
            format!(
                "Este formulario no cumple con {name_es} porque {}.",
                list(|words| words.es, "y")
            ),
        )
    };
    for category in own {
        let Some(table) = bundle.coverage.categories.get(category) else {
            continue;
        };
        en.push_str(&format!(" For {} it asks for a form of its own.", table.en));
        es.push_str(&format!(" Para {} exige un formulario aparte.", table.es));
    }
    Explanation { en, es }
}

/// A list as people read it.
fn join(parts: &[&str], and: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} {and} {last}", first.join(", ")),
    }
}
