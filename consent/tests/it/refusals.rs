//! Refusals, revocations and versions of directives.

use serde_json::{Value, json};
use tandem_consent::Outcome;

use crate::world::{ask_county, is_open, release, request, rules, with};

fn refusal(changes: &Value) -> Value {
    let wide = json!({
        "effect": "deny", "categories": [], "recipients": [], "disclosers": [], "purposes": [],
        "form_template": null
    });
    with(with(release("d-no", &[]), &wide), changes)
}

fn cash() -> Value {
    request("CASH_AID", "org-calworks", "org-cws")
}

#[test]
fn a_refusal_closes_what_the_law_would_permit() {
    let treatment = with(
        request("HEALTH_GENERAL", "org-clinic", "org-bh"),
        &json!({"action": "refer"}),
    );
    assert!(is_open(&ask_county(&treatment, &[])));
    let decision = ask_county(&treatment, &[refusal(&json!({}))]);
    assert_eq!(rules(&decision, "gateway"), ["GEN-02"]);
    let unverified =
        refusal(&json!({"state": "refused", "verified_by": null, "verified_at": null}));
    assert_eq!(ask_county(&treatment, &[unverified]).outcome, Outcome::Deny);
}

#[test]
fn a_refusal_of_all_participants_closes_for_those_who_joined_later() {
    // Both joined in July: a permission for the participants of June would not mean them.
    let treatment = request("HEALTH_GENERAL", "org-clinic", "org-bh");
    assert!(is_open(&ask_county(&treatment, &[])));
    let all = json!({"all_participants_at_date": "2025-06-01"});
    for part in ["disclosers", "recipients", "authors"] {
        let decision = ask_county(&treatment, &[refusal(&json!({part: all.clone()}))]);
        assert_eq!(rules(&decision, "gateway"), ["GEN-02"], "{part}");
    }
}

#[test]
fn a_refusal_does_not_block_what_law_requires() {
    let report = with(
        request("HEALTH_GENERAL", "org-clinic", "org-cws"),
        &json!({"purpose": "X_ABUSE_REPORT"}),
    );
    assert!(is_open(&ask_county(&report, &[refusal(&json!({}))])));
}

#[test]
fn the_more_specific_directive_wins_and_at_equal_scope_the_refusal_does() {
    let consent = release("d-1", &["CASH_AID"]);
    assert!(is_open(&ask_county(
        &cash(),
        &[consent.clone(), refusal(&json!({}))]
    )));
    let equal = with(
        consent.clone(),
        &json!({"id": "d-no", "effect": "deny", "form_template": null}),
    );
    assert_eq!(
        ask_county(&cash(), &[consent.clone(), equal]).outcome,
        Outcome::Deny
    );
    let narrower = refusal(&json!({"categories": ["CASH_AID"], "recipients": ["org-cws"]}));
    assert_eq!(
        ask_county(&cash(), &[consent, narrower]).outcome,
        Outcome::Deny
    );
}

#[test]
fn a_refusal_that_cannot_be_compared_stands() {
    let consent = release("d-1", &["CASH_AID", "MENTAL_HEALTH"]);
    let other = refusal(&json!({"categories": ["CASH_AID", "FOOD_AID"]}));
    assert_eq!(
        ask_county(&cash(), &[consent, other]).outcome,
        Outcome::Deny
    );
}

#[test]
fn later_beats_earlier_only_within_one_form_series() {
    let earlier = |series: &str| {
        with(
            release("d-no", &["CASH_AID"]),
            &json!({
                "effect": "deny", "captured_at": "2026-01-05", "valid_from": "2026-01-05",
                "form_template": {"id": series, "version": "2026-1"}
            }),
        )
    };
    let consent = release("d-1", &["CASH_AID"]);
    let same = earlier("county-general-release");
    assert!(is_open(&ask_county(&cash(), &[consent.clone(), same])));
    let other = earlier("clinic-release");
    assert_eq!(
        ask_county(&cash(), &[consent, other]).outcome,
        Outcome::Deny
    );
}

#[test]
fn revoking_one_of_two_overlapping_consents_closes_both() {
    let first = with(
        release("d-1", &["CASH_AID"]),
        &json!({"revocation": "2026-02-20"}),
    );
    let second = release("d-2", &["CASH_AID", "CW_CASE"]);
    let consents = [first.clone(), second];
    let decision = ask_county(&cash(), &consents);
    assert_eq!(decision.outcome, Outcome::Deny);
    let case = request("CW_CASE", "org-cws", "org-calworks");
    assert!(
        is_open(&ask_county(&case, &consents)),
        "another category is not touched"
    );
    let later = with(
        release("d-3", &["CASH_AID"]),
        &json!({"captured_at": "2026-02-25", "valid_from": "2026-02-25"}),
    );
    assert!(
        is_open(&ask_county(&cash(), &[first, later])),
        "a new consent is a new decision"
    );
}

#[test]
fn an_older_version_permits_nothing_any_more() {
    let old = release("d-1", &["CASH_AID"]);
    let new = with(release("d-1", &["CW_CASE"]), &json!({"version": 2}));
    assert_eq!(ask_county(&cash(), &[old, new]).outcome, Outcome::Deny);
}

#[test]
fn only_states_in_force_count() {
    for state in [
        "draft",
        "offered",
        "signed_unverified",
        "expired",
        "suspended",
        "revoked",
        "superseded",
        "entered_in_error",
        "refused",
    ] {
        let consent = with(release("d-1", &["CASH_AID"]), &json!({"state": state}));
        let decision = ask_county(&cash(), &[consent]);
        assert_eq!(decision.outcome, Outcome::Deny, "{state}");
    }
    let expiring = with(release("d-1", &["CASH_AID"]), &json!({"state": "expiring"}));
    assert!(is_open(&ask_county(&cash(), &[expiring])));
}

#[test]
fn whoever_captured_a_consent_cannot_verify_it() {
    let alone = with(
        release("d-1", &["CASH_AID"]),
        &json!({"verified_by": "w-1"}),
    );
    assert_eq!(ask_county(&cash(), &[alone]).outcome, Outcome::Deny);
}

#[test]
fn an_expiry_that_is_not_stated_is_neither_past_nor_forever() {
    let silent = with(release("d-1", &["CASH_AID"]), &json!({"expiry": null}));
    let decision = ask_county(&cash(), &[silent]);
    assert_eq!(decision.outcome, Outcome::Deny);
    let tanf = decision
        .missing
        .iter()
        .find(|one| one.regime == "tanf")
        .unwrap();
    assert_eq!(tanf.elements, ["expiry"]);
}

#[test]
fn an_event_ends_a_consent_when_it_comes_about_or_stays_unknown_too_long() {
    let until = |expiry: Value| with(release("d-1", &["CASH_AID"]), &json!({"expiry": expiry}));
    let open = until(json!({"event": "program_exit"}));
    assert!(is_open(&ask_county(&cash(), std::slice::from_ref(&open))));
    let ended = until(json!({"event": "program_exit", "ended_at": "2026-03-01"}));
    assert_eq!(ask_county(&cash(), &[ended]).outcome, Outcome::Deny);
    let old = with(cash(), &json!({"as_of": "2027-03-02T09:15:00-08:00"}));
    assert_eq!(ask_county(&old, &[open]).outcome, Outcome::Deny);
}

#[test]
fn data_from_outside_the_stated_period_stay_closed() {
    let recent = with(
        release("d-1", &["CASH_AID"]),
        &json!({"data_period": {"start": "2026-02-01"}}),
    );
    assert_eq!(
        ask_county(&cash(), std::slice::from_ref(&recent)).outcome,
        Outcome::Deny
    );
    let wide = with(
        release("d-1", &["CASH_AID"]),
        &json!({"data_period": {"start": "2026-01-01"}}),
    );
    assert!(is_open(&ask_county(&cash(), &[wide])));
}

#[test]
fn a_directive_about_somebody_else_counts_for_nothing() {
    let other = with(release("d-1", &["CASH_AID"]), &json!({"subject": "p-2"}));
    assert_eq!(ask_county(&cash(), &[other]).outcome, Outcome::Deny);
}
