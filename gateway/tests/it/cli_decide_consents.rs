//! A catalogue of FHIR Consents with invented people and the demo county's organisations. Those named `hl7-` are the
//! examples of HL7 FHIR R4 4.0.1 (package `hl7.fhir.r4.examples`, CC0) with other names and organisations; the others
//! have the codes, profiles and structure of IHE PCF 1.1, FAST Consent Management 1.0.0-ballot and base R4. Each is
//! decided by `tandem decide`, or refused with the FHIRPath of what cannot be enforced exactly.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::path::Path;

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::cli_program::{Ended, file, tandem_in};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/consents")
}

fn catalogue() -> Vec<Value> {
    let text = std::fs::read_to_string(folder().join("catalogue.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The question of a case: one item, about an adult.
fn request(case: &Value) -> Value {
    let source = &case["source"];
    let or = |name: &str, other: Value| case.get(name).cloned().unwrap_or(other);
    let chain = case["chain"].as_array().cloned().unwrap_or_default();
    let chain: Vec<Value> = chain
        .iter()
        .map(|one| json!({"organization": one}))
        .collect();
    json!({
        "as_of": or("at", json!("2026-03-02T09:15:00-08:00")), "action": "disclose",
        "purpose": case["purpose"], "jurisdiction": "demo-county",
        "requester": {"organization": case["recipient"]},
        "recipient": {"organization": case["recipient"]},
        "subject": {"id": "p-1", "birth_date": "1994-05-17", "capacity": "self", "flags": []},
        "items": [{"id": "i1", "category": case["category"], "labels": or("labels", json!([])),
                   "source_organization": source, "authored": or("authored", json!({"start": "2026-01-10"})),
                   "origin": or("origin", json!("direct")), "consent_chain": chain}],
        "emergency": null
    })
}

fn decide(place: &TempDir, consent: &str, case: &Value) -> Ended {
    let consent = std::fs::read_to_string(folder().join(consent)).unwrap();
    file(place, "consents.json", format!("[{consent}]"));
    file(place, "request.json", request(case).to_string());
    let arguments = [
        "decide",
        "request.json",
        "--directives",
        "consents.json",
        "--json",
    ];
    tandem_in(place.path(), &arguments)
}

#[test]
fn every_consent_of_the_catalogue_is_decided_as_expected() {
    let place = tempdir().unwrap();
    let mut wrong = Vec::new();
    for entry in catalogue() {
        let name = entry["consent"].as_str().unwrap();
        for case in entry["cases"].as_array().into_iter().flatten() {
            let ended = decide(&place, name, case);
            let outcome = ended.json()["outcome"].clone();
            if outcome != case["outcome"] {
                wrong.push(format!("{name}: {outcome} for {case}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_cannot_be_enforced_exactly_is_refused_with_every_reason() {
    let place = tempdir().unwrap();
    let case = json!({"recipient": "org-bh", "category": "CASH_AID", "source": "org-calworks", "purpose": "COC"});
    let mut refused = 0;
    for entry in catalogue() {
        let name = entry["consent"].as_str().unwrap();
        for reason in entry["refused"].as_array().into_iter().flatten() {
            let ended = decide(&place, name, &case);
            assert_eq!(ended.code, 2, "{name}: {ended:?}");
            assert!(
                ended.told.contains(reason.as_str().unwrap()),
                "{name}: {}",
                ended.told
            );
            refused += 1;
        }
    }
    assert!(refused >= 8, "{refused}");
}

#[test]
fn every_file_of_the_catalogue_is_in_its_table() {
    let listed: Vec<Value> = catalogue()
        .iter()
        .map(|entry| entry["consent"].clone())
        .collect();
    for found in std::fs::read_dir(folder()).unwrap() {
        let name = found.unwrap().file_name().into_string().unwrap();
        assert!(
            name == "catalogue.json" || listed.contains(&json!(name)),
            "{name}"
        );
    }
}
