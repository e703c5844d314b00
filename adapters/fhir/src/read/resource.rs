//! What can be told of a resource without reading it.

use serde_json::Value;

use super::reference;

/// A contained resource by its local id.
pub(crate) fn contained<'a>(resource: &'a Value, id: &str) -> Option<&'a Value> {
    let contained = resource.get("contained")?.as_array()?;
    contained
        .iter()
        .find(|one| one.get("id").and_then(Value::as_str) == Some(id))
}

/// Id of the resource that a Task's focus names.
pub(crate) fn focus_id(task: &Value) -> Option<&str> {
    Some(reference::parse(task.get("focus")?.get("reference")?.as_str()?)?.id)
}

/// Whether the resource, or an element in it, has a modifier extension.
pub(crate) fn has_modifier(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, one)| {
            let is_modifier =
                name == "modifierExtension" && one.as_array().is_none_or(|all| !all.is_empty());
            is_modifier || has_modifier(one)
        }),
        Value::Array(items) => items.iter().any(has_modifier),
        _ => false,
    }
}

/// About how many bytes a value takes: a tree node of an object holds up to eleven fields in some 640 bytes.
pub(crate) fn room(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 16,
        Value::Array(items) => items.iter().map(|item| 32 + room(item)).sum(),
        Value::Object(fields) => {
            let inside: usize = fields
                .iter()
                .map(|(key, one)| key.len() + 16 + room(one))
                .sum();
            640 * fields.len().div_ceil(6) + inside
        }
        _ => 0,
    }
}

/// The id of the `urn:` under which an entry gives a resource.
pub(crate) fn urn_id(full_url: Option<&str>) -> Option<&str> {
    let target = reference::parse(full_url?)?;
    target.kind.is_empty().then_some(target.id)
}

/// A resource type as it may stand in a report: types are public names, anything else is not told.
pub(crate) fn record_name(kind: &str) -> &str {
    let is_name = (3..=40).contains(&kind.len())
        && kind.starts_with(|first: char| first.is_ascii_uppercase())
        && kind.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_name { kind } else { "unknown" }
}
