//! `tandem decide`: outcome, reasons, exit codes, and errors that name fields and no values.

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::cli_program::{Ended, file, tandem_in};

const REQUEST: &str = r#"{"as_of":"2026-03-02T09:15:00-08:00","action":"disclose","purpose":"COC","jurisdiction":"demo-county",
 "requester":{"organization":"org-calworks","role":"caseworker","teams":["mdt-1"]},
 "recipient":{"organization":"org-cws"},
 "subject":{"id":"p-1","birth_date":"1995-01-30","capacity":"self","flags":["safety"]},
 "items":[{"id":"i1","category":"MENTAL_HEALTH","labels":["MH"],"source_organization":"org-clinic","program":"outpatient",
           "authored":{"start":"2026-01-10"},"origin":"direct"}],
 "emergency":null}"#;

fn decide(place: &TempDir, request: &str, more: &[&str]) -> Ended {
    file(place, "request.json", request);
    let arguments: Vec<&str> = ["decide", "request.json"]
        .iter()
        .chain(more)
        .copied()
        .collect();
    tandem_in(place.path(), &arguments)
}

#[test]
fn a_denied_request_says_which_regime_denies_by_which_rule() {
    let place = tempdir().unwrap();
    let ended = decide(&place, REQUEST, &["--json"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let decision = ended.json();
    assert_eq!(decision["outcome"], "deny");
    let regimes = decision["items"][0]["regimes"].as_array().unwrap();
    let lps: &Value = regimes
        .iter()
        .find(|regime| regime["regime"] == "lps")
        .unwrap();
    assert_eq!(
        (&lps["outcome"], &lps["rules"]),
        (&json!("deny"), &json!(["LPS-01"]))
    );
    assert!(
        ended.told.contains("built-in demo registry"),
        "{}",
        ended.told
    );
    let told = decide(&place, REQUEST, &[]).out;
    assert!(
        told.starts_with("outcome: deny") && told.contains("LPS-01") && told.contains("WIC 5328"),
        "{told}"
    );
}

#[test]
fn the_instant_of_the_command_line_takes_the_place_of_the_requests() {
    let place = tempdir().unwrap();
    // The demo registry's agreements end on 2028-06-30.
    let gateway = |more: &[&str]| {
        let arguments: Vec<&str> = ["--json"].iter().chain(more).copied().collect();
        let decision = decide(&place, REQUEST, &arguments).json();
        let regimes = decision["items"][0]["regimes"].as_array().unwrap().clone();
        let own = regimes
            .into_iter()
            .find(|regime| regime["regime"] == "gateway");
        own.unwrap()["outcome"].clone()
    };
    assert_eq!(gateway(&[]), "permit");
    assert_eq!(gateway(&["--at", "2029-01-02T00:00:00Z"]), "deny");
    assert_eq!(decide(&place, REQUEST, &["--at", "tomorrow"]).code, 2);
}

#[test]
fn facts_of_a_file_take_the_place_of_the_registry() {
    let place = tempdir().unwrap();
    file(
        &place,
        "facts.json",
        r#"{"organizations":[{"id":"org-clinic","kinds":["HEALTH_PROVIDER"],
        "facts":{"hipaa_covered_entity":true,"part2_program":false},
        "agreements":[{"id":"dsa-1","with":"gateway","end":"2027-12-31"}],
        "teams":[{"id":"mdt-1","kind":"MDT_CHILDREN_SERVICES","from":"2025-07-01","to":null}]}]}"#,
    );
    let facts = decide(&place, REQUEST, &["--json", "--facts", "facts.json"]).json();
    let registry = decide(&place, REQUEST, &["--json"]).json();
    assert_ne!(facts["evidence"]["facts"], registry["evidence"]["facts"]);
    file(
        &place,
        "facts.json",
        r#"{"organizations":[{"id":"org-clinic","colour":"red"}]}"#,
    );
    let wrong = decide(&place, REQUEST, &["--facts", "facts.json"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.told.contains("organizations[0].colour"),
        "{}",
        wrong.told
    );
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let place = tempdir().unwrap();
    let first = decide(&place, REQUEST, &["--json"]);
    assert_eq!(first.out, decide(&place, REQUEST, &["--json"]).out);
}

#[test]
fn a_request_that_is_none_is_wrong_usage_and_the_error_names_the_field_only() {
    let place = tempdir().unwrap();
    let ended = decide(&place, &REQUEST.replace("1995-01-30", "Demofield"), &[]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(
        ended.told.contains("line 4") && ended.told.contains("subject.birth_date"),
        "{}",
        ended.told
    );
    assert!(!ended.told.contains("Demofield"), "{}", ended.told);
    let ended = decide(&place, &REQUEST.replace("origin", "colour"), &[]);
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .told
            .contains("items[0].colour: unknown field `colour`"),
        "{}",
        ended.told
    );
    assert_eq!(decide(&place, "{", &[]).code, 2);
    assert_eq!(tandem_in(place.path(), &["decide", "none.json"]).code, 3);
    assert_eq!(decide(&place, REQUEST, &["--bundle", "none"]).code, 3);
}

#[test]
fn a_malformed_directive_is_named_by_place_and_field() {
    let place = tempdir().unwrap();
    file(
        &place,
        "directives.json",
        r#"[{"id":"d-1","subject":"p-1","signer":{"capacity":"Demofield"},"effect":"permit"}]"#,
    );
    let ended = decide(&place, REQUEST, &["--directives", "directives.json"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.told.contains("directive 0") && ended.told.contains("signer.capacity"),
        "{}",
        ended.told
    );
    assert!(!ended.told.contains("Demofield"), "{}", ended.told);
}
