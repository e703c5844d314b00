//! Searching: the parameters that referral partners use, and paging with opaque links.

use http::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::outcome::Refusal;
use super::profile::text;
use super::store::{Page, Store};

/// Parameters that say who somebody is; they do not belong into an address.
pub(crate) const IDENTIFYING: [&str; 5] = ["identifier", "family", "given", "name", "birthdate"];

/// Runs a search and gives its first page.
///
/// # Errors
/// 400 for an unknown parameter or a malformed value.
pub(crate) fn search(
    store: &mut Store,
    resource_type: &str,
    parameters: &[(String, String)],
    page_size: usize,
) -> Result<Value, Refusal> {
    let mut found: Vec<(String, String, String)> = Vec::new();
    for resource in store.of_type(resource_type) {
        let mut fits = true;
        for (name, value) in parameters {
            fits &= matches(store, resource_type, &resource, name, value)?;
        }
        if fits {
            let updated = text(&resource, "/meta/lastUpdated").to_owned();
            found.push((
                updated,
                resource_type.to_owned(),
                text(&resource, "/id").to_owned(),
            ));
        }
    }
    // Oldest change first: a poller that stops half-way has missed nothing before its last page.
    found.sort_by_key(|(updated, _, id)| (updated.parse::<Timestamp>().ok(), id.clone()));
    let includes = parameters
        .iter()
        .filter(|(name, _)| name == "_include")
        .map(|(_, value)| value.clone())
        .collect();
    let count = parameters
        .iter()
        .filter(|(name, _)| name == "_count")
        .find_map(|(_, value)| value.parse().ok())
        .map_or(page_size, |count: usize| count.clamp(1, page_size));
    let matches = found.into_iter().map(|(_, kind, id)| (kind, id)).collect();
    Ok(bundle(
        store,
        Page {
            matches,
            includes,
            offset: 0,
        },
        count,
    ))
}

/// How many resources a conditional create finds, and the first of them.
///
/// # Errors
/// As [`search`].
pub(crate) fn find(
    store: &Store,
    resource_type: &str,
    parameters: &[(String, String)],
) -> Result<Vec<Value>, Refusal> {
    let mut found = Vec::new();
    for resource in store.of_type(resource_type) {
        let mut fits = true;
        for (name, value) in parameters {
            fits &= matches(store, resource_type, &resource, name, value)?;
        }
        if fits {
            found.push(resource);
        }
    }
    Ok(found)
}

/// One page as a searchset Bundle, with a link to the next.
pub(crate) fn bundle(store: &mut Store, page: Page, page_size: usize) -> Value {
    let total = page.matches.len();
    let shown: Vec<(String, String)> = page
        .matches
        .iter()
        .skip(page.offset)
        .take(page_size)
        .cloned()
        .collect();
    let mut entries: Vec<Value> = Vec::new();
    let mut included: Vec<Value> = Vec::new();
    for (kind, id) in &shown {
        let Some(resource) = store.get(kind, id).cloned() else {
            continue;
        };
        for include in &page.includes {
            let target = include.split(':').nth(1).unwrap_or("");
            let reference = text(&resource, &format!("/{}/reference", element(kind, target)));
            let local = store.local(reference).to_owned();
            let mut parts = local.split('/');
            let key = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
            if let Some(other) = store.get(key.0, key.1) {
                let entry = entry(store, other, "include");
                if !included.contains(&entry) {
                    included.push(entry);
                }
            }
        }
        entries.push(entry(store, &resource, "match"));
    }
    entries.extend(included);
    let mut links = vec![json!({"relation": "self", "url": store.base})];
    let offset = page.offset + shown.len();
    if offset < total {
        let token = store.keep_page(Page { offset, ..page });
        links.push(json!({"relation": "next", "url": format!("{}?_page={token}", store.base)}));
    }
    let mut bundle = json!({
        "resourceType": "Bundle", "type": "searchset", "total": total, "link": links
    });
    if !entries.is_empty() {
        bundle["entry"] = Value::Array(entries);
    }
    bundle
}

fn entry(store: &Store, resource: &Value, mode: &str) -> Value {
    let kind = text(resource, "/resourceType");
    let url = format!("{}/{kind}/{}", store.base, text(resource, "/id"));
    json!({"fullUrl": url, "resource": resource, "search": {"mode": mode}})
}

/// The element behind a search parameter.
fn element<'name>(resource_type: &str, parameter: &'name str) -> &'name str {
    match (resource_type, parameter) {
        ("Task", "patient" | "subject") => "for",
        (_, "patient") => "subject",
        (_, "based-on") => "basedOn",
        (_, "part-of") => "partOf",
        (_, "business-status") => "businessStatus",
        _ => parameter,
    }
}

fn matches(
    store: &Store,
    resource_type: &str,
    resource: &Value,
    parameter: &str,
    wanted: &str,
) -> Result<bool, Refusal> {
    let (name, modifier) = parameter.split_once(':').unwrap_or((parameter, ""));
    let value = resource.get(element(resource_type, name));
    if modifier == "missing" {
        return Ok(value.is_none() == (wanted == "true"));
    }
    let any = |test: &dyn Fn(&str) -> bool| wanted.split(',').any(test);
    Ok(match name {
        "_count" | "_sort" | "_include" | "_format" | "_total" => true,
        "_id" => any(&|id| text(resource, "/id") == id),
        "_lastUpdated" => updated(resource, wanted)?,
        "status" | "intent" | "birthdate" | "gender" => {
            let value = text(
                resource,
                &format!("/{}", name.replace("birthdate", "birthDate")),
            );
            any(&|wanted| value == wanted)
        }
        "identifier" => has_identifier(resource, wanted),
        "code" | "category" | "business-status" => any(&|token| has_token(value, token)),
        "owner" | "requester" | "patient" | "subject" | "focus" | "based-on" | "part-of"
        | "performer" | "recipient" | "sender" => any(&|reference| refers(store, value, reference)),
        "family" => any(&|name| {
            text(resource, "/name/0/family")
                .to_lowercase()
                .starts_with(&name.to_lowercase())
        }),
        "given" => any(&|name| {
            text(resource, "/name/0/given/0")
                .to_lowercase()
                .starts_with(&name.to_lowercase())
        }),
        _ => {
            let details = format!("search parameter {parameter} is not known here");
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "not-supported",
                details,
            ));
        }
    })
}

fn updated(resource: &Value, wanted: &str) -> Result<bool, Refusal> {
    let (prefix, instant) = match wanted.get(..2) {
        Some(prefix @ ("gt" | "ge" | "lt" | "le" | "eq")) => {
            (prefix, wanted.get(2..).unwrap_or(""))
        }
        _ => ("eq", wanted),
    };
    let day = || {
        let day = instant.parse::<jiff::civil::Date>().ok()?;
        day.to_zoned(TimeZone::UTC)
            .ok()
            .map(|start| start.timestamp())
    };
    let Some(bound) = instant.parse::<Timestamp>().ok().or_else(day) else {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "value",
            "_lastUpdated is no instant",
        ));
    };
    let Ok(changed) = text(resource, "/meta/lastUpdated").parse::<Timestamp>() else {
        return Ok(false);
    };
    Ok(match prefix {
        "gt" => changed > bound,
        "ge" => changed >= bound,
        "lt" => changed < bound,
        "le" => changed <= bound,
        _ => changed == bound,
    })
}

fn items(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

/// `system|code` or `code` against CodeableConcepts.
fn has_token(value: Option<&Value>, token: &str) -> bool {
    let (system, code) = token
        .split_once('|')
        .map_or((None, token), |(s, c)| (Some(s), c));
    items(value)
        .into_iter()
        .flat_map(|concept| items(concept.get("coding")))
        .any(|coding| fits(coding, "/code", system, code))
}

/// `system|value` or `value` against identifiers; `|`, `,`, `$` and `\\` inside are escaped with
/// a backslash (FHIR R4, section 3.1.1.4.0.1).
fn has_identifier(resource: &Value, wanted: &str) -> bool {
    let mut parts = vec![String::new()];
    let mut tokens: Vec<Vec<String>> = Vec::new();
    let mut letters = wanted.chars();
    while let Some(letter) = letters.next() {
        let literal = if letter == '\\' { letters.next() } else { None };
        match (literal, letter) {
            (Some(literal), _) => add(&mut parts, literal),
            (None, '|') => parts.push(String::new()),
            (None, ',') => tokens.push(std::mem::replace(&mut parts, vec![String::new()])),
            (None, letter) => add(&mut parts, letter),
        }
    }
    tokens.push(parts);
    let identifiers = items(resource.get("identifier"));
    tokens.iter().any(|token| match token.as_slice() {
        [value] => identifiers
            .iter()
            .any(|one| fits(one, "/value", None, value)),
        [system, value] => identifiers
            .iter()
            .any(|one| fits(one, "/value", Some(system), value)),
        _ => false,
    })
}

fn add(parts: &mut [String], letter: char) {
    if let Some(part) = parts.last_mut() {
        part.push(letter);
    }
}

fn fits(part: &Value, pointer: &str, system: Option<&str>, wanted: &str) -> bool {
    text(part, pointer) == wanted && system.is_none_or(|system| text(part, "/system") == system)
}

/// A reference in any of its spellings: absolute, `Type/id`, or the bare id.
fn refers(store: &Store, value: Option<&Value>, wanted: &str) -> bool {
    items(value).into_iter().any(|reference| {
        let local = store.local(text(reference, "/reference"));
        local == store.local(wanted)
            || (!wanted.contains('/') && local.rsplit('/').next() == Some(wanted))
    })
}
