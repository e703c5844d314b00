//! Facts of a request in words.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

use crate::minimise::{Unit, unit};

/// Words for facts, `{}` standing for the value. A fact that is missing here is told by its name in the schema.
const WORDS: [(&str, &str); 39] = [
    ("/recipient/kinds", "the recipient is {}"),
    (
        "/recipient/hipaa_covered_entity",
        "the recipient is a HIPAA covered entity",
    ),
    (
        "/recipient/needs_based_program",
        "the recipient is a needs-based program with federal aid",
    ),
    (
        "/recipient/government_program",
        "the recipient is a government program",
    ),
    (
        "/recipient/bound_to_10850",
        "the recipient is bound to welfare secrecy",
    ),
    (
        "/recipient/calaim_partner",
        "the recipient is a CalAIM partner",
    ),
    (
        "/recipient/serves_subject",
        "the recipient serves the person",
    ),
    ("/recipient/relation", "the recipient is to the person: {}"),
    ("/item/labels", "the information is labelled {}"),
    ("/item/source_kinds", "the source is {}"),
    (
        "/item/source_covered_entity",
        "the source is a HIPAA covered entity",
    ),
    (
        "/item/source_government_program",
        "the source is a government program",
    ),
    (
        "/item/source_calaim_partner",
        "the source is a CalAIM partner",
    ),
    (
        "/item/source_notice_posted",
        "the source has posted its privacy notice",
    ),
    (
        "/item/source_victim_service_provider",
        "the source is a victim service provider",
    ),
    (
        "/item/shared_teams",
        "source and recipient share a team of the kind {}",
    ),
    (
        "/item/origin",
        "the information was obtained in this way: {}",
    ),
    (
        "/item/chain_consented",
        "a consent was recorded for every earlier disclosure",
    ),
    ("/context/requester/role", "who asks has the role {}"),
    ("/context/subject/flags", "the person has the flag {}"),
    ("/context/subject/age", "the person is {} years old"),
    ("/context/holds_copy", "the recipient holds a copy"),
    (
        "/context/emergency/reason",
        "an emergency is declared with a reason",
    ),
    (
        "/context/emergency/second_factor",
        "the emergency is confirmed with a second factor",
    ),
    (
        "/context/directive/effect",
        "a document is at hand whose effect is {}",
    ),
    ("/context/directive/state", "the document is {}"),
    ("/context/directive/revoked", "the document was revoked"),
    (
        "/context/directive/revoked_categories",
        "the document was revoked for {}",
    ),
    (
        "/context/directive/serves",
        "the document holds what {} asks",
    ),
    ("/context/directive/categories", "the document names {}"),
    (
        "/context/directive/purposes",
        "the document names the purpose {}",
    ),
    ("/context/directive/disclosers", "the document lets {} tell"),
    (
        "/context/directive/recipient_named",
        "the document names the recipient",
    ),
    (
        "/context/directive/recipient_class",
        "the document names the recipient's class",
    ),
    (
        "/context/directive/recipient_team",
        "the document names the recipient's team",
    ),
    ("/context/directive/signer", "the document is signed as {}"),
    (
        "/context/directive/authority_shown",
        "who signed showed the authority to",
    ),
    (
        "/context/directive/stand_alone",
        "the document stands alone",
    ),
    ("/context/basis", "the basis is {}"),
];

/// A fact in words.
pub(crate) fn words(pointer: &str, value: &Value) -> String {
    let text = value_text(pointer, value);
    let known = WORDS.iter().find(|(known, _)| *known == pointer);
    match known {
        Some((_, words)) => words.replace("{}", &text),
        None => format!(
            "{} is {text}",
            pointer.trim_start_matches('/').replace('/', ".")
        ),
    }
}

/// A value in words: moments as dates, lists with `and`.
pub(crate) fn value_text(pointer: &str, value: &Value) -> String {
    match (value, unit(pointer)) {
        (Value::Number(number), Some(unit)) => number
            .as_i64()
            .and_then(|count| date(count, unit))
            .unwrap_or_else(|| number.to_string()),
        (Value::Array(list), _) => {
            let list: Vec<_> = list.iter().map(|one| value_text("", one)).collect();
            list.join(" and ")
        }
        (Value::String(text), _) if text.is_empty() => "\"\"".to_owned(),
        (Value::String(text), _) => text.clone(),
        (other, _) => other.to_string(),
    }
}

fn date(count: i64, unit: Unit) -> Option<String> {
    match unit {
        Unit::Instant => {
            let instant = Timestamp::from_second(count).ok()?;
            Some(instant.to_string())
        }
        Unit::Day => {
            let epoch = Date::constant(1970, 1, 1);
            let day = epoch.checked_add(i32::try_from(count).ok()?.days()).ok()?;
            Some(day.to_string())
        }
    }
}

/// Whether a fact says anything: what is false, empty or zero by default does not.
pub(crate) fn is_said(value: &Value) -> bool {
    match value {
        Value::Bool(is_true) => *is_true,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Number(_) => true,
        Value::Null | Value::Object(_) => false,
    }
}
