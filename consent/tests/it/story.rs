//! The demo county's own story: intake, match answers, notices, recalls.

use serde_json::{Value, json};
use tandem_consent::{Facts, Outcome};

use crate::world::{
    ask, ask_county, ask_with, at, county, facts, is_open, release, request, rules, with,
};

fn intake(from: &str) -> Value {
    with(
        request("PERSON_INDEX", from, "gateway"),
        &json!({"action": "match", "purpose": "X_MATCH"}),
    )
}

#[test]
fn records_of_every_demo_agency_enter_the_match_index_under_their_agreement() {
    for from in [
        "org-calworks",
        "org-cws",
        "org-clinic",
        "org-bh",
        "org-hmis",
    ] {
        let decision = ask_county(&intake(from), &[]);
        assert!(is_open(&decision), "{from}: {}", decision.explanation.en);
        assert!(decision.valid_until.is_some(), "the agreement ends");
    }
}

#[test]
fn a_part_2_program_enters_only_under_a_qualified_service_agreement() {
    let with_facts = |changes: Value| -> Facts {
        let mut all = serde_json::to_value(facts()).unwrap();
        for record in all["organizations"].as_array_mut().unwrap() {
            if record["id"] == "org-clinic" {
                record["facts"] = with(record["facts"].clone(), &changes);
            }
        }
        serde_json::from_value(all).unwrap()
    };
    let program = with_facts(json!({"part2_program": true}));
    let decision = ask_with(&county(), &program, &intake("org-clinic"), &[]);
    assert_eq!(rules(&decision, "part2"), ["P2-01"]);
    let served = with_facts(json!({"part2_program": true, "qsoa": {"end": "2026-12-31"}}));
    let decision = ask_with(&county(), &served, &intake("org-clinic"), &[]);
    assert!(is_open(&decision), "{}", decision.explanation.en);
}

#[test]
fn a_youth_project_enters_only_with_the_youths_own_consent() {
    let mut all = serde_json::to_value(facts()).unwrap();
    for record in all["organizations"].as_array_mut().unwrap() {
        if record["id"] == "org-hmis" {
            record["facts"]["rhy_project_ids"] = json!(["PROJ-RHY-1"]);
        }
    }
    let facts: Facts = serde_json::from_value(all).unwrap();
    let mut asked = intake("org-hmis");
    asked["items"][0]["program"] = json!("PROJ-RHY-1");
    let decision = ask_with(&county(), &facts, &asked, &[]);
    assert_eq!(rules(&decision, "rhy"), ["RHY-01"]);
    let consent = with(
        release("d-1", &["PERSON_INDEX"]),
        &json!({"recipients": ["gateway"], "purposes": ["X_MATCH"]}),
    );
    let decision = ask_with(&county(), &facts, &asked, &[consent]);
    assert!(is_open(&decision), "{}", decision.explanation.en);
    asked["items"][0]["program"] = json!("PROJ-ES-1");
    assert!(is_open(&ask_with(&county(), &facts, &asked, &[])));
}

#[test]
fn a_match_answer_needs_consent_in_this_county() {
    let care = |purpose: &str| {
        with(
            request("PERSON_INDEX", "org-calworks", "org-cws"),
            &json!({"action": "match", "purpose": purpose}),
        )
    };
    assert!(
        is_open(&ask(&care("CAREMGT"), &[])),
        "the law alone would permit it"
    );
    let narrowed = ask_county(&care("CAREMGT"), &[]);
    assert_eq!(rules(&narrowed, "gateway"), ["DEMO-01"]);
    let decision = ask_county(&care("COC"), &[release("d-1", &["PERSON_INDEX"])]);
    assert!(is_open(&decision), "{}", decision.explanation.en);
    let gateway = decision.items[0]
        .regimes
        .iter()
        .find(|regime| regime.regime == "gateway")
        .unwrap();
    assert_eq!(gateway.consent.as_deref(), Some("d-1"));
    assert_eq!(gateway.basis.as_deref(), Some("CONSENT"));
}

#[test]
fn a_notice_about_a_mutual_client_needs_consent_in_this_county() {
    let notice = with(
        request("PERSON_INDEX", "org-calworks", "org-cws"),
        &json!({"purpose": "CAREMGT"}),
    );
    assert!(is_open(&ask(&notice, &[])));
    assert_eq!(rules(&ask_county(&notice, &[]), "gateway"), ["DEMO-02"]);
}

#[test]
fn revoking_behavioural_health_stops_the_work_program_but_not_the_treating_providers() {
    let told = request("MENTAL_HEALTH", "org-bh", "org-calworks");
    let consent = release("d-1", &["MENTAL_HEALTH", "CASH_AID", "PERSON_INDEX"]);
    let revoked = with(
        consent.clone(),
        &json!({"revocation": {"received_at": "2026-03-02T09:00:00-08:00", "channel": "oral", "categories": ["MENTAL_HEALTH"]}}),
    );
    assert!(is_open(&ask_county(&told, &[consent])));
    let decision = ask_county(&told, std::slice::from_ref(&revoked));
    assert_eq!(decision.outcome, Outcome::Deny);
    let before = with(told, &json!({"as_of": "2026-03-02T08:59:00-08:00"}));
    assert!(is_open(&ask_county(
        &before,
        std::slice::from_ref(&revoked)
    )));
    let cash = request("CASH_AID", "org-calworks", "org-cws");
    assert!(
        is_open(&ask_county(&cash, std::slice::from_ref(&revoked))),
        "only a part was revoked"
    );
    let referral = with(
        request("MENTAL_HEALTH", "org-clinic", "org-bh"),
        &json!({"action": "refer"}),
    );
    assert!(is_open(&ask_county(&referral, &[revoked])));
}

#[test]
fn a_recall_goes_to_holders_of_a_copy_and_to_nobody_else() {
    let recall = with(
        request("MENTAL_HEALTH", "org-bh", "org-calworks"),
        &json!({"action": "notify", "holds_copy": true}),
    );
    let refusal = with(
        release("d-9", &[]),
        &json!({"effect": "deny", "categories": [], "recipients": [], "disclosers": [], "purposes": []}),
    );
    let decision = ask_county(&recall, std::slice::from_ref(&refusal));
    assert!(is_open(&decision), "{}", decision.explanation.en);
    assert_eq!(rules(&decision, "gateway"), ["GEN-12"]);
    let stranger = with(recall, &json!({"holds_copy": false}));
    assert_eq!(ask_county(&stranger, &[]).outcome, Outcome::Deny);
}

#[test]
fn the_last_day_of_a_consent_ends_at_local_midnight() {
    let asked = |instant: &str| {
        with(
            request("CASH_AID", "org-calworks", "org-cws"),
            &json!({"as_of": instant}),
        )
    };
    let consents = [release("d-1", &["CASH_AID"])];
    // 23:30 in the county is the next day in UTC.
    let last = ask_county(&asked("2026-06-29T23:30:00-07:00"), &consents);
    assert!(is_open(&last));
    assert_eq!(
        serde_json::to_value(last.valid_until).unwrap(),
        "2026-06-30T00:00:00-07:00"
    );
    assert!(last.permits("i1", at("2026-06-29T23:59:59-07:00")));
    assert!(!last.permits("i1", at("2026-06-30T00:00:00-07:00")));
    let over = ask_county(&asked("2026-06-30T00:00:00-07:00"), &consents);
    assert_eq!(over.outcome, Outcome::Deny);
    assert!(
        over.missing
            .iter()
            .all(|missing| missing.elements == ["expiry"])
    );
}

#[test]
fn an_auditor_reads_the_log_and_a_caseworker_does_not() {
    let read = |role: &str| {
        with(
            request("CASH_AID", "org-calworks", "org-cws"),
            &json!({"action": "read_audit", "requester": {"organization": "org-calworks", "role": role}}),
        )
    };
    assert!(is_open(&ask_county(&read("auditor"), &[])));
    assert_eq!(ask_county(&read("caseworker"), &[]).outcome, Outcome::Deny);
}

#[test]
fn a_request_for_another_county_or_an_old_bundle_is_denied() {
    let consents = [release("d-1", &["CASH_AID"])];
    let asked = request("CASH_AID", "org-calworks", "org-cws");
    let elsewhere = with(asked.clone(), &json!({"jurisdiction": "other-county"}));
    assert_eq!(ask_county(&elsewhere, &consents).outcome, Outcome::Deny);
    let stale = with(asked, &json!({"policy_version": "sha256:00"}));
    assert_eq!(ask_county(&stale, &consents).outcome, Outcome::Deny);
}
