//! The forms that the mother signs, as data.

use serde_json::{Value, json};

const ALL: [&str; 5] = [
    "org-calworks",
    "org-cws",
    "org-clinic",
    "org-bh",
    "org-hmis",
];

/// The county's general release for case coordination.
#[must_use]
pub fn coordination(id: &str, capacity: &str) -> Value {
    form(
        id,
        capacity,
        &[
            "PERSON_INDEX",
            "CASH_AID",
            "CW_CASE",
            "HEALTH_GENERAL",
            "HOMELESS_SERVICES",
            "CONTACT_LOCATION",
        ],
        &ALL,
    )
}

/// The separate release for behavioural-health data.
#[must_use]
pub fn behavioral_health(id: &str) -> Value {
    form(id, "self", &["MENTAL_HEALTH"], &ALL)
}

fn form(id: &str, capacity: &str, categories: &[&str], recipients: &[&str]) -> Value {
    json!({
        "id": id,
        "subject": id,
        "signer": { "who": "Marisol Demofield", "capacity": capacity },
        "form_template": { "id": "county-general-release", "version": "2026-1", "language": "en" },
        "method": "paper_scan",
        "effect": "permit",
        "categories": categories,
        "disclosers": { "named": ALL },
        "recipients": { "named": recipients },
        "purposes": ["COC"],
        "valid_from": "2026-02-02",
        "expiry": { "date": "2027-02-01" },
        "source_document_hash": "sha256:9f1c0c2f8f6f3a2e6a0d5c7b4e1a8d3f0b9c6e5d4a3f2b1c0d9e8f7a6b5c4d3e"
    })
}
