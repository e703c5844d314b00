//! What a form lacks, in plain words.

use std::collections::BTreeSet;

use tandem_mappings::model::directive::General;

use super::element::Element;

/// The end of a sentence about a form: English after "because it", Spanish after "porque".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) en: &'static str,
    pub(super) es: &'static str,
}

const fn words(en: &'static str, es: &'static str) -> Words {
    Words { en, es }
}

/// What the want of an element means.
pub(super) fn of(element: Element, by_mouth: bool, general: &BTreeSet<General>) -> Words {
    let is_general = |part| general.contains(&part);
    match element {
        Element::Subject => words("does not say whom it is about", "no dice de quién trata"),
        Element::Disclosers | Element::DisclosersOrAny if is_general(General::Disclosers) => words(
            "says only in general who may tell",
            "solo dice en general quién puede informar",
        ),
        Element::Disclosers | Element::DisclosersOrAny => {
            words("does not say who may tell", "no dice quién puede informar")
        }
        Element::Categories | Element::CategoriesOrAll if is_general(General::Categories) => words(
            "says \"everything\" and not what may be told",
            "dice «todo» y no qué se puede informar",
        ),
        Element::Categories | Element::CategoriesOrAll => words(
            "does not say what may be told",
            "no dice qué se puede informar",
        ),
        Element::Recipients => words(
            "does not say who may be told",
            "no dice a quién se puede informar",
        ),
        Element::Purposes | Element::PurposesOrAny => {
            words("does not say for what purpose", "no dice para qué fin")
        }
        Element::Intermediary => words(
            "does not name the exchange that passes the information on",
            "no nombra al intermediario que transmite la información",
        ),
        Element::Expiry | Element::ExpiryOrTreatment => {
            words("does not say when it ends", "no dice cuándo termina")
        }
        Element::ExpiryDateOrEvent => words(
            "does not end on a day or with an event",
            "no termina en una fecha ni con un acontecimiento",
        ),
        Element::RightToRevoke => words(
            "does not say how it can be taken back",
            "no dice cómo se puede retirar",
        ),
        Element::NotConditioned => words(
            "does not say whether services depend on signing it",
            "no dice si los servicios dependen de firmarlo",
        ),
        Element::Redisclosure => words(
            "does not say that the information may be passed on",
            "no dice que la información puede pasarse a otros",
        ),
        Element::CopyOffered => words(
            "does not offer the signer a copy",
            "no ofrece una copia a quien firma",
        ),
        Element::Signature if by_mouth => words(
            "was given by word of mouth and not signed",
            "se dio de palabra y no está firmado",
        ),
        Element::Signature => words("is not signed", "no está firmado"),
        Element::Given => words(
            "is neither signed nor spoken before a witness",
            "no está firmado ni dicho ante un testigo",
        ),
        Element::SignatureDate => words("has no date", "no tiene fecha"),
    }
}
