//! The smallest consent that opens what is closed.

use serde_json::{Value, json};
use tandem_consent::{Opening, smallest_consent};
use tandem_mappings::model::directive::Directive;

use crate::world::{county, directives, facts, is_open, parse, request, with};

fn opening(request: &Value, consents: &[Value]) -> Opening {
    smallest_consent(&parse(request), &facts(), &directives(consents), &county())
}

fn as_json(consent: &Directive) -> Value {
    serde_json::to_value(consent).unwrap()
}

#[test]
fn a_smallest_consent_names_the_parties_the_data_and_the_purpose_and_opens_the_item() {
    let asked = request("CASH_AID", "org-calworks", "org-hmis");
    let found = opening(&asked, &[]);
    assert_eq!(found.items, ["i1"]);
    assert!(found.closed.is_empty());
    let consent = found.consent.unwrap();
    assert!(is_open(&crate::world::ask_county(
        &asked,
        &[as_json(&consent)]
    )));
    let text = as_json(&consent);
    assert_eq!(text["categories"], json!(["CASH_AID"]));
    assert_eq!(text["purposes"], json!(["COC"]));
    for needed in [
        "categories",
        "recipients",
        "purposes",
        "signature",
        "expiry",
    ] {
        assert!(found.elements.contains(&needed), "{needed}");
    }
}

#[test]
fn no_part_of_the_smallest_consent_can_be_left_out() {
    let asked = request("SUD_PART2", "org-bh", "org-cws");
    let found = opening(&asked, &[]);
    let consent = as_json(&found.consent.unwrap());
    let asks = |change: Value| {
        is_open(&crate::world::ask_county(
            &asked,
            &[with(consent.clone(), &change)],
        ))
    };
    assert!(asks(json!({})));
    let statements = consent["statements"].as_array().unwrap();
    assert!(!statements.is_empty());
    for left_out in statements {
        let others: Vec<_> = statements.iter().filter(|one| *one != left_out).collect();
        assert!(!asks(json!({ "statements": others })), "{left_out}");
    }
    for change in [
        json!({"categories": []}),
        json!({"recipients": []}),
        json!({"disclosers": []}),
        json!({"purposes": []}),
        json!({"method": "verbal_with_witness"}),
        json!({"expiry": "none"}),
    ] {
        assert!(!asks(change.clone()), "{change}");
    }
}

#[test]
fn what_no_consent_opens_is_said_with_the_regime_that_closes_it() {
    let found = opening(&request("IMMIGRATION", "org-calworks", "org-cws"), &[]);
    assert!(found.items.is_empty() && found.consent.is_none());
    let closed = found.closed.first().unwrap();
    assert_eq!(closed.regimes.first().unwrap().rules, ["IMM-01"]);
}

#[test]
fn what_is_open_already_needs_nothing() {
    let asked = request("CASH_AID", "org-calworks", "org-cws");
    let consent = crate::world::release("d-1", &["CASH_AID"]);
    let found = opening(&asked, &[consent]);
    assert!(found.items.is_empty() && found.closed.is_empty());
}
