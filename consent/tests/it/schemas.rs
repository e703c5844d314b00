//! The published JSON Schemas say what is read and printed.

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::arbitrary::{any_directive, any_request, asked};
use crate::world::{directives, facts, parse, release, request, with};

fn schema(name: &str) -> Validator {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas");
    let text = std::fs::read_to_string(folder.join(format!("decide-{name}.schema.json"))).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

fn problems(schema: &Validator, value: &Value) -> Vec<String> {
    schema
        .iter_errors(value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_request_directive_and_answer_is_of_its_schema(
        request in any_request(),
        consents in prop::collection::vec(any_directive(), 0..4),
        in_county: bool,
    ) {
        let answer = serde_json::to_value(asked(in_county, &request, &consents)).unwrap();
        let none: Vec<String> = Vec::new();
        prop_assert_eq!(&problems(&schema("answer"), &answer), &none);
        let written = serde_json::to_value(parse(&request)).unwrap();
        let signed = serde_json::to_value(directives(&consents)).unwrap();
        for (name, value) in [
            ("request", &request),
            ("request", &written),
            ("directives", &Value::Array(consents)),
            ("directives", &signed),
        ] {
            prop_assert_eq!(&problems(&schema(name), value), &none);
        }
    }
}

#[test]
fn the_facts_of_the_demo_county_are_of_their_schema() {
    let facts = serde_json::to_value(facts()).unwrap();
    assert_eq!(problems(&schema("facts"), &facts), Vec::<String>::new());
}

#[test]
fn what_is_not_read_is_not_of_the_schema_either() {
    let asked = request("CASH_AID", "org-calworks", "org-cws");
    let consent = release("d-1", &["CASH_AID"]);
    let wrong = [
        ("request", with(asked.clone(), &json!({"hurry": true}))),
        (
            "request",
            with(asked.clone(), &json!({"as_of": "2026-03-02"})),
        ),
        ("request", with(asked.clone(), &json!({"action": "sell"}))),
        ("request", with(asked, &json!({"subject": {}}))),
        (
            "directives",
            json!([with(consent.clone(), &json!({"only_on": "Mondays"}))]),
        ),
        (
            "directives",
            json!([with(
                consent.clone(),
                &json!({"expiry": {"date": "2026-06-29", "event": "exit"}})
            )]),
        ),
        (
            "directives",
            json!([with(consent, &json!({"state": "nearly"}))]),
        ),
    ];
    for (name, value) in wrong {
        assert!(!schema(name).is_valid(&value), "{value}");
        let is_read = match name {
            "request" => serde_json::from_value::<tandem_consent::Request>(value.clone()).is_ok(),
            _ => serde_json::from_value::<Vec<tandem_mappings::model::directive::Directive>>(
                value.clone(),
            )
            .is_ok(),
        };
        assert!(!is_read, "{value}");
    }
}
