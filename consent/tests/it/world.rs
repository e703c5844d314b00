//! A small county and a request that each test bends to its point.

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_consent::{Bundle, Decision, Facts, Outcome, Request, decide};
use tandem_mappings::model::directive::Directive;
use tandem_mappings::registry::Registry;

/// The demo county's registry, the same that its operator would load.
pub(crate) fn facts() -> Facts {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/registry");
    Facts::from_registry(&Registry::load(&folder).unwrap())
}

/// State and federal law alone.
pub(crate) fn law() -> Bundle {
    Bundle::default_for("any-county").unwrap()
}

/// State and federal law with the demo county's layer.
pub(crate) fn county() -> Bundle {
    Bundle::default_for("demo-county").unwrap()
}

/// One item from a source to a recipient, for coordination of care, about an adult.
pub(crate) fn request(category: &str, from: &str, to: &str) -> Value {
    json!({
        "as_of": "2026-03-02T09:15:00-08:00", "action": "disclose", "purpose": "COC",
        "jurisdiction": "demo-county",
        "requester": {"organization": from, "role": "caseworker"},
        "recipient": {"organization": to},
        "subject": {"id": "p-1", "birth_date": "1994-05-17", "capacity": "self", "flags": []},
        "items": [{"id": "i1", "category": category, "labels": [], "source_organization": from,
                   "authored": {"start": "2026-01-10"}, "origin": "direct"}],
        "emergency": null
    })
}

/// A complete, verified release for coordination of care between the demo organisations.
pub(crate) fn release(id: &str, categories: &[&str]) -> Value {
    json!({
        "id": id, "version": 1, "subject": "p-1", "state": "active",
        "signer": {"who": "p-1", "capacity": "self"},
        "form_template": {"id": "county-general-release", "version": "2026-1", "language": "es"},
        "method": "e_signature",
        "captured_by": "w-1", "captured_at": "2026-02-02T10:00:00-08:00",
        "verified_by": "w-2", "verified_at": "2026-02-02T11:00:00-08:00",
        "effect": "permit", "categories": categories,
        "disclosers": ["org-calworks", "org-cws", "org-clinic", "org-bh", "org-hmis"],
        "recipients": ["org-calworks", "org-cws", "org-clinic", "org-bh", "org-hmis"],
        "purposes": ["COC"], "valid_from": "2026-02-02", "expiry": {"date": "2026-06-29"}
    })
}

/// Facts of two organisations made for a test, both under agreement.
pub(crate) fn pair(source: Value, recipient: Value) -> Facts {
    let complete = |mut record: Value, id: &str| {
        record["id"] = json!(id);
        record["agreements"] = json!([{"id": "dsa", "with": "gateway", "end": "2027-12-31"}]);
        record
    };
    serde_json::from_value(json!({
        "organizations": [complete(source, "org-a"), complete(recipient, "org-b")]
    }))
    .unwrap()
}

/// A release from the one to the other of the two.
pub(crate) fn consent(categories: &[&str]) -> Value {
    with(
        release("d-1", categories),
        &json!({"disclosers": ["org-a"], "recipients": ["org-b"]}),
    )
}

/// A value with some top-level fields replaced.
pub(crate) fn with(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        value[name] = change.clone();
    }
    value
}

/// A request whose only item has some fields replaced.
pub(crate) fn with_item(mut request: Value, changes: &Value) -> Value {
    request["items"][0] = with(request["items"][0].clone(), changes);
    request
}

pub(crate) fn parse(request: &Value) -> Request {
    serde_json::from_value(request.clone()).unwrap()
}

pub(crate) fn directives(values: &[Value]) -> Vec<Directive> {
    serde_json::from_value(Value::Array(values.to_vec())).unwrap()
}

pub(crate) fn ask_with(
    bundle: &Bundle,
    facts: &Facts,
    request: &Value,
    consents: &[Value],
) -> Decision {
    decide(&parse(request), facts, &directives(consents), bundle)
}

/// The decision under state and federal law alone.
pub(crate) fn ask(request: &Value, consents: &[Value]) -> Decision {
    ask_with(&law(), &facts(), request, consents)
}

/// The decision with the demo county's layer.
pub(crate) fn ask_county(request: &Value, consents: &[Value]) -> Decision {
    ask_with(&county(), &facts(), request, consents)
}

pub(crate) fn is_open(decision: &Decision) -> bool {
    decision.outcome == Outcome::Permit
}

/// The rules that a regime named about the first item.
pub(crate) fn rules(decision: &Decision, regime: &str) -> Vec<String> {
    let item = decision.items.first().unwrap();
    let found = item.regimes.iter().find(|one| one.regime == regime);
    found
        .unwrap_or_else(|| panic!("{regime} does not cover: {item:?}"))
        .rules
        .clone()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
