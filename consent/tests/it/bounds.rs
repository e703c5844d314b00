//! What bounds every decision: who the parties and the person are, and how long their standing lasts.

use serde_json::{Value, json};
use tandem_consent::{Decision, Facts, Outcome, Request};

use crate::world::{
    ask, ask_with, consent, facts, is_open, law, pair, parse, release, request, rules, with,
    with_item,
};

/// What cash aid may be told to a private agency, with the person described as given.
fn about(subject: &Value, signer: &Value) -> Decision {
    let facts = pair(
        json!({"kinds": ["TANF_AGENCY"]}),
        json!({"kinds": ["PRIVATE_AGENCY"]}),
    );
    let asked = with(
        request("CASH_AID", "org-a", "org-b"),
        &json!({"subject": subject}),
    );
    let signed = with(consent(&["CASH_AID"]), &json!({"signer": signer}));
    ask_with(&law(), &facts, &asked, &[signed])
}

#[test]
fn a_signature_opens_only_what_the_person_had_the_capacity_to_sign() {
    let own = json!({"capacity": "self"});
    for (subject, opens) in [
        (json!({"id": "p-1", "birth_date": "1994-05-17"}), true),
        (json!({"id": "p-1", "capacity": "self"}), true),
        (json!({"id": "p-1", "capacity": "minor"}), false),
        (json!({"id": "p-1", "birth_date": "2026-03-03"}), false),
        (
            json!({"id": "p-1", "birth_date": "1994-05-17", "capacity": "conserved"}),
            false,
        ),
        (
            json!({"id": "p-1", "birth_date": "2008-03-02", "capacity": "minor"}),
            true,
        ),
        (json!({"id": "p-1", "birth_date": "2008-03-03"}), false),
    ] {
        let decision = about(&subject, &own);
        assert_eq!(is_open(&decision), opens, "{subject}");
    }
    let conserved = json!({"id": "p-1", "capacity": "conserved"});
    let letters = json!({"capacity": "conservator"});
    assert!(!is_open(&about(&conserved, &letters)), "no authority shown");
}

#[test]
fn a_self_sufficient_minor_signs_alone_from_fifteen() {
    let own = json!({"capacity": "self"});
    let minor = |born: &str, flag: &str| json!({"id": "p-1", "birth_date": born, "flags": [flag]});
    assert!(is_open(&about(
        &minor("2011-03-02", "self_sufficient"),
        &own
    )));
    let fourteen = minor("2011-03-03", "self_sufficient");
    assert_eq!(about(&fourteen, &own).outcome, Outcome::Deny);
    assert!(is_open(&about(&minor("2011-03-03", "emancipated"), &own)));
}

#[test]
fn nothing_leaves_a_source_of_which_nothing_is_known() {
    let asked = with(
        request("CASH_AID", "org-calworks", "org-cws"),
        &json!({"purpose": "CAREMGT"}),
    );
    assert!(is_open(&ask(&asked, &[])));
    let unknown = with_item(asked, &json!({"source_organization": "org-nobody"}));
    let decision = ask(&unknown, &[]);
    assert_eq!(decision.outcome, Outcome::Deny);
    assert_eq!(rules(&decision, "gateway"), ["GEN-01"]);
}

#[test]
fn items_that_share_an_id_are_neither_read_nor_decided() {
    let twice = |second: &str| {
        let item = |id: &str, category: &str| json!({"id": id, "category": category, "source_organization": "org-calworks"});
        with(
            request("CASH_AID", "org-calworks", "org-cws"),
            &json!({"purpose": "CAREMGT", "items": [item("i1", "CASH_AID"), item(second, "IMMIGRATION")]}),
        )
    };
    let mut apart = parse(&twice("i2"));
    for id in ["i1", ""] {
        let error = serde_json::from_value::<Request>(twice(id)).unwrap_err();
        assert!(error.to_string().contains("an id of their own"), "{error}");
    }
    let decide = |request: &Request| tandem_consent::decide(request, &facts(), &[], &law());
    assert_eq!(decide(&apart).permitted().collect::<Vec<_>>(), ["i1"]);
    apart.items[1].id = "i1".to_owned();
    assert_eq!(decide(&apart).permitted().count(), 0);
}

#[test]
fn an_emergency_needs_a_reason_and_somebody_who_declared_it() {
    let asked = |reason: &str, who: &str| {
        let emergency = json!({"reason": reason, "declared_by": who, "second_factor": true});
        with(
            request("HEALTH_GENERAL", "org-clinic", "org-bh"),
            &json!({"purpose": "BTG", "emergency": emergency}),
        )
    };
    assert!(is_open(&ask(&asked("unconscious", "w-9"), &[])));
    assert_eq!(
        ask(&asked(" \t", "w-9"), &[]).outcome,
        Outcome::Deny,
        "a blank reason is none"
    );
    assert_eq!(ask(&asked("unconscious", " "), &[]).outcome, Outcome::Deny);
}

/// Two organisations that share a team until the end of April.
fn team_facts() -> Facts {
    let team = |to: Value| json!([{"id": "t-1", "kind": "MDT_CHILD_ABUSE", "from": "2025-07-01", "to": to}]);
    pair(
        json!({"kinds": ["CWS_AGENCY"], "teams": team(json!(null))}),
        json!({"kinds": ["PROBATION"], "teams": team(json!("2026-04-30"))}),
    )
}

fn until(decision: &Decision) -> Value {
    serde_json::to_value(decision.valid_until).unwrap()
}

#[test]
fn a_permit_that_rests_on_a_team_ends_with_the_membership_or_the_training() {
    let safety = json!({"purpose": "X_CHILD_SAFETY"});
    let asked = with(request("CW_REFERRAL", "org-a", "org-b"), &safety);
    let decision = ask_with(&law(), &team_facts(), &asked, &[]);
    assert_eq!(rules(&decision, "child_welfare"), ["CW-05", "CW-09"]);
    assert_eq!(until(&decision), "2026-05-01T00:00:00-07:00");
    let trained =
        json!({"requester": {"organization": "org-b", "training_valid_to": "2026-03-31"}});
    let decision = ask_with(&law(), &team_facts(), &with(asked, &trained), &[]);
    assert_eq!(until(&decision), "2026-04-01T00:00:00-07:00");
}

#[test]
fn a_permit_that_holds_without_the_team_does_not_end_with_it() {
    let team = json!([{"id": "t-1", "kind": "MDT_CHILD_ABUSE", "to": "2026-04-30"}]);
    let facts = pair(
        json!({"kinds": ["TANF_AGENCY"], "teams": team}),
        json!({"kinds": ["CWS_AGENCY", "COUNTY_WELFARE_DEPT"], "teams": team}),
    );
    let asked = with(
        request("CASH_AID", "org-a", "org-b"),
        &json!({"purpose": "CAREMGT"}),
    );
    let decision = ask_with(&law(), &facts, &asked, &[]);
    assert_eq!(rules(&decision, "tanf"), ["TANF-02"]);
    assert_eq!(until(&decision), "2028-01-01T00:00:00-08:00");
}

#[test]
fn a_consent_that_names_a_team_lasts_as_long_as_the_recipients_membership() {
    let asked = request("CASH_AID", "org-a", "org-b");
    let facts = pair(
        json!({"kinds": ["TANF_AGENCY"]}),
        json!({"kinds": ["PRIVATE_AGENCY"],
               "teams": [{"id": "t-9", "kind": "MDT_CFT", "to": "2026-03-31"}]}),
    );
    let by_team = with(
        consent(&["CASH_AID"]),
        &json!({"recipients": {"team": ["t-9"]}}),
    );
    let decision = ask_with(&law(), &facts, &asked, &[by_team]);
    assert!(is_open(&decision), "{}", decision.explanation.en);
    assert_eq!(until(&decision), "2026-04-01T00:00:00-07:00");
    let by_name = ask_with(&law(), &facts, &asked, &[consent(&["CASH_AID"])]);
    assert_eq!(until(&by_name), "2026-06-30T00:00:00-07:00");
}

#[test]
fn the_order_in_which_facts_are_listed_does_not_show() {
    let mut turned = serde_json::to_value(facts()).unwrap();
    for record in turned["organizations"].as_array_mut().unwrap() {
        for list in ["agreements", "teams"] {
            record[list].as_array_mut().unwrap().reverse();
        }
    }
    turned["organizations"].as_array_mut().unwrap().reverse();
    let turned: Facts = serde_json::from_value(turned).unwrap();
    let asked = request("CASH_AID", "org-calworks", "org-cws");
    let consents = [release("d-1", &["CASH_AID"])];
    assert_eq!(
        ask(&asked, &consents).to_canonical_json(),
        ask_with(&law(), &turned, &asked, &consents).to_canonical_json()
    );
}
