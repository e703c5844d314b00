//! Each regime: what it permits and what it denies.

use serde_json::json;
use tandem_consent::{Facts, Outcome};

use crate::world::{
    ask, ask_county, ask_with, consent, is_open, law, pair, release, request, rules, with,
    with_item,
};

#[test]
fn treating_providers_share_without_consent() {
    for category in ["HEALTH_GENERAL", "MENTAL_HEALTH", "PERSON_INDEX"] {
        let decision = ask_county(
            &with(
                request(category, "org-clinic", "org-bh"),
                &json!({"action": "refer"}),
            ),
            &[],
        );
        assert!(
            is_open(&decision),
            "{category}: {}",
            decision.explanation.en
        );
        assert_eq!(rules(&decision, "hipaa"), ["HIPAA-01"]);
    }
}

#[test]
fn hipaa_lets_a_provider_tell_a_social_agency_but_california_does_not() {
    let decision = ask(&request("HEALTH_GENERAL", "org-clinic", "org-cws"), &[]);
    assert_eq!(decision.outcome, Outcome::Deny);
    assert_eq!(rules(&decision, "hipaa"), ["HIPAA-02"]);
    assert_eq!(rules(&decision, "cmia"), ["CMIA-01"]);
}

#[test]
fn lps_cites_its_own_secrecy_when_nothing_permits() {
    let decision = ask(&request("MENTAL_HEALTH", "org-bh", "org-cws"), &[]);
    assert_eq!(rules(&decision, "lps"), ["LPS-01"]);
    let lps = decision
        .missing
        .iter()
        .find(|missing| missing.regime == "lps")
        .unwrap();
    assert!(lps.elements.iter().any(|element| element == "categories"));
}

#[test]
fn a_signed_release_opens_each_category_between_the_demo_organisations() {
    for (category, from, to) in [
        ("CASH_AID", "org-calworks", "org-cws"),
        ("CASH_AID", "org-calworks", "org-bh"),
        ("CW_CASE", "org-cws", "org-calworks"),
        ("CW_CASE", "org-cws", "org-bh"),
        ("HEALTH_GENERAL", "org-clinic", "org-calworks"),
        ("MENTAL_HEALTH", "org-bh", "org-cws"),
        ("HOMELESS_SERVICES", "org-hmis", "org-cws"),
        ("PERSON_INDEX", "org-calworks", "org-cws"),
        ("PERSON_INDEX", "org-cws", "org-hmis"),
        ("PERSON_INDEX", "org-hmis", "org-calworks"),
        ("PERSON_INDEX", "org-bh", "org-cws"),
    ] {
        let asked = request(category, from, to);
        let open = ask_county(&asked, &[release("d-1", &[category])]);
        assert!(is_open(&open), "{category} {from}: {}", open.explanation.en);
        let other = ask_county(&asked, &[release("d-1", &["FOOD_AID"])]);
        assert_eq!(other.outcome, Outcome::Deny, "{category} {from}");
        assert_eq!(
            ask_county(&asked, &[]).outcome,
            Outcome::Deny,
            "{category} {from}"
        );
    }
}

#[test]
fn part_2_needs_a_consent_that_names_it() {
    let program = json!({"kinds": ["HEALTH_PROVIDER"], "facts": {"part2_program": true, "hipaa_covered_entity": true}});
    let facts = pair(program, json!({"kinds": ["CWS_AGENCY"]}));
    let asked = request("SUD_PART2", "org-a", "org-b");
    let decision = ask_with(&law(), &facts, &asked, &[]);
    assert_eq!(rules(&decision, "part2"), ["P2-01"]);
    let open = ask_with(&law(), &facts, &asked, &[consent(&["SUD_PART2"])]);
    assert!(is_open(&open), "{}", open.explanation.en);
    assert_eq!(rules(&open, "part2"), ["P2-03"]);
    let notices: Vec<_> = open
        .obligations
        .iter()
        .filter_map(|one| one.params.get("notice"))
        .collect();
    assert!(
        notices.iter().any(|notice| *notice == "N_P2_LONG"),
        "{notices:?}"
    );
    assert!(
        open.obligations
            .iter()
            .any(|one| one.code == "CONSENT_COPY")
    );
    // That a person is known there at all shows a patient: a name needs the same consent.
    let name = request("PERSON_INDEX", "org-a", "org-b");
    let unnamed = ask_with(&law(), &facts, &name, &[consent(&["PERSON_INDEX"])]);
    assert_eq!(unnamed.outcome, Outcome::Deny);
    let named = ask_with(
        &law(),
        &facts,
        &name,
        &[consent(&["PERSON_INDEX", "SUD_PART2"])],
    );
    assert!(is_open(&named), "{}", named.explanation.en);
}

#[test]
fn who_received_part_2_data_outside_health_care_may_not_pass_them_on() {
    let facts = pair(
        json!({"kinds": ["CWS_AGENCY"]}),
        json!({"kinds": ["HEALTH_PROVIDER"]}),
    );
    let asked = with_item(
        request("SUD_PART2", "org-a", "org-b"),
        &json!({"origin": "redisclosed", "consent_chain": [{"organization": "org-c", "consent": "d-0"}]}),
    );
    let decision = ask_with(&law(), &facts, &asked, &[consent(&["SUD_PART2"])]);
    assert_eq!(rules(&decision, "part2"), ["P2-08"]);
}

#[test]
fn an_unticked_box_keeps_a_sensitive_category_closed() {
    let program = json!({"kinds": ["HEALTH_PROVIDER"], "facts": {"part2_program": true, "hipaa_covered_entity": true}});
    let facts = pair(program, json!({"kinds": ["CWS_AGENCY"]}));
    let asked = request("SUD_PART2", "org-a", "org-b");
    let unticked = with(consent(&["SUD_PART2"]), &json!({"sensitive_opt_ins": []}));
    let decision = ask_with(&law(), &facts, &asked, &[unticked]);
    assert_eq!(decision.outcome, Outcome::Deny);
    assert!(
        decision
            .missing
            .iter()
            .all(|one| one.elements == ["sensitive_opt_ins"])
    );
    let ticked = with(
        consent(&["SUD_PART2"]),
        &json!({"sensitive_opt_ins": ["SUD"]}),
    );
    assert!(is_open(&ask_with(&law(), &facts, &asked, &[ticked])));
}

#[test]
fn psychotherapy_notes_need_a_document_of_their_own() {
    let asked = request("PSYCHOTHERAPY_NOTES", "org-bh", "org-clinic");
    let bundled = ask(&asked, &[release("d-1", &["PSYCHOTHERAPY_NOTES"])]);
    assert_eq!(rules(&bundled, "hipaa"), ["HIPAA-07"]);
    let alone = with(
        release("d-1", &["PSYCHOTHERAPY_NOTES"]),
        &json!({"stand_alone": true}),
    );
    assert_eq!(rules(&ask(&asked, &[alone]), "hipaa"), ["HIPAA-06"]);
}

#[test]
fn program_administration_opens_cash_aid_to_child_welfare_but_not_to_a_clinic() {
    let care = json!({"purpose": "CAREMGT"});
    let open = ask(
        &with(request("CASH_AID", "org-calworks", "org-cws"), &care),
        &[],
    );
    assert!(is_open(&open), "{}", open.explanation.en);
    assert_eq!(rules(&open, "tanf"), ["TANF-02"]);
    let closed = ask(
        &with(request("CASH_AID", "org-calworks", "org-clinic"), &care),
        &[],
    );
    assert_eq!(rules(&closed, "tanf"), ["TANF-01"]);
    assert_eq!(rules(&closed, "calworks"), ["CALW-01"]);
}

#[test]
fn who_reported_abuse_is_never_told() {
    let decision = ask(
        &request("CW_REPORTER", "org-cws", "org-calworks"),
        &[release("d-1", &["CW_REPORTER"])],
    );
    assert_eq!(decision.outcome, Outcome::Deny);
    assert_eq!(rules(&decision, "child_welfare"), ["CW-04"]);
    assert!(decision.missing.is_empty(), "nothing opens a bar");
}

#[test]
fn sealed_files_stay_closed_by_label_and_by_flag() {
    let asked = request("CW_CASE", "org-cws", "org-calworks");
    let consents = [release("d-1", &["CW_CASE"])];
    assert!(is_open(&ask(&asked, &consents)));
    let labelled = with_item(asked.clone(), &json!({"labels": ["SEALED"]}));
    assert_eq!(
        rules(&ask(&labelled, &consents), "child_welfare"),
        ["CW-16"]
    );
    let flagged = with(
        asked,
        &json!({"subject": {"id": "p-1", "flags": ["sealed"]}}),
    );
    assert_eq!(rules(&ask(&flagged, &consents), "child_welfare"), ["CW-16"]);
}

#[test]
fn an_abuse_report_reaches_child_welfare() {
    let asked = with(
        request("HEALTH_GENERAL", "org-clinic", "org-cws"),
        &json!({"purpose": "X_ABUSE_REPORT"}),
    );
    let decision = ask(&asked, &[]);
    assert!(is_open(&decision), "{}", decision.explanation.en);
    assert!(rules(&decision, "gateway").contains(&"GEN-05".to_owned()));
}

#[test]
fn a_posted_notice_is_enough_unless_the_county_wants_a_signature() {
    let asked = request("HOMELESS_SERVICES", "org-hmis", "org-cws");
    assert_eq!(rules(&ask(&asked, &[]), "hmis"), ["HMIS-02"]);
    assert_eq!(ask_county(&asked, &[]).outcome, Outcome::Deny);
}

#[test]
fn spoken_consent_serves_the_homeless_system_and_nothing_else() {
    let spoken = |category| {
        with(
            release("d-1", &[category]),
            &json!({"method": "verbal_with_witness"}),
        )
    };
    let hmis = request("HOMELESS_SERVICES", "org-hmis", "org-cws");
    assert!(is_open(&ask_county(&hmis, &[spoken("HOMELESS_SERVICES")])));
    let health = request("HEALTH_GENERAL", "org-clinic", "org-cws");
    let decision = ask_county(&health, &[spoken("HEALTH_GENERAL")]);
    let cmia = decision
        .missing
        .iter()
        .find(|one| one.regime == "cmia")
        .unwrap();
    assert_eq!(cmia.elements, ["signature"]);
}

#[test]
fn a_form_that_lacks_a_statement_does_not_serve_hipaa_and_says_so() {
    let form = json!({"statements": ["right_to_revoke", "copy_offered"]});
    let lacking = with(release("d-1", &["CW_CASE", "HEALTH_GENERAL"]), &form);
    let health = request("HEALTH_GENERAL", "org-clinic", "org-hmis");
    let decision = ask_county(&health, std::slice::from_ref(&lacking));
    // HIPAA stands open without consent to a social agency; at a plan it does not.
    assert!(is_open(&decision), "{}", decision.explanation.en);
    let facts = pair(
        json!({"kinds": ["HEALTH_PROVIDER"], "facts": {"hipaa_covered_entity": true}}),
        json!({"kinds": ["PRIVATE_AGENCY"]}),
    );
    let lacking = with(consent(&["HEALTH_GENERAL"]), &form);
    let asked = request("HEALTH_GENERAL", "org-a", "org-b");
    let decision = ask_with(&law(), &facts, &asked, &[lacking]);
    assert_eq!(decision.outcome, Outcome::Deny);
    assert_eq!(decision.missing.len(), 1);
    assert_eq!(decision.missing[0].regime, "hipaa");
    assert_eq!(
        decision.missing[0].elements,
        ["not_conditioned", "redisclosure"]
    );
}

#[test]
fn nothing_leaves_a_victim_service_provider() {
    for category in ["VSP_RECORD", "PERSON_INDEX", "HOMELESS_SERVICES"] {
        for (action, to) in [("match", "gateway"), ("disclose", "org-cws")] {
            let asked = with(
                request(category, "org-safe-harbor", to),
                &json!({"action": action, "purpose": if to == "gateway" { "X_MATCH" } else { "COC" }}),
            );
            let decision = ask_county(&asked, &[release("d-1", &[category])]);
            assert_eq!(decision.outcome, Outcome::Deny);
            assert!(rules(&decision, "victim_services").contains(&"VAWA-01".to_owned()));
        }
    }
}

#[test]
fn a_safety_flag_hides_where_the_person_is_whatever_was_signed() {
    let asked = request("CONTACT_LOCATION", "org-calworks", "org-cws");
    let consents = [release("d-1", &["CONTACT_LOCATION"])];
    assert!(is_open(&ask(&asked, &consents)));
    let flagged = with(
        asked,
        &json!({"subject": {"id": "p-1", "flags": ["safety"]}}),
    );
    let decision = ask(&flagged, &consents);
    assert_eq!(decision.outcome, Outcome::Deny);
    assert_eq!(rules(&decision, "safety"), ["DV-05"]);
    assert_eq!(decision.items[0].regimes.len(), 1, "the shape is neutral");
}

#[test]
fn a_recipient_whose_agreement_ended_gets_nothing() {
    let mut facts = serde_json::to_value(crate::world::facts()).unwrap();
    for record in facts["organizations"].as_array_mut().unwrap() {
        if record["id"] == "org-cws" {
            record["agreements"][0]["end"] = json!("2026-03-01");
        }
    }
    let facts: Facts = serde_json::from_value(facts).unwrap();
    let asked = request("CASH_AID", "org-calworks", "org-cws");
    let decision = ask_with(&law(), &facts, &asked, &[release("d-1", &["CASH_AID"])]);
    assert_eq!(rules(&decision, "gateway"), ["GEN-01"]);
    assert_eq!(rules(&decision, "tanf"), ["TANF-04"]);
    let gateway = decision
        .missing
        .iter()
        .find(|one| one.regime == "gateway")
        .unwrap();
    assert_eq!(gateway.elements, ["org-cws"]);
}

#[test]
fn an_unknown_purpose_category_or_flag_permits_nothing() {
    let consents = [release("d-1", &["CASH_AID"])];
    let asked = request("CASH_AID", "org-calworks", "org-cws");
    assert!(is_open(&ask(&asked, &consents)));
    let purpose = with(asked.clone(), &json!({"purpose": "DEBT"}));
    assert_eq!(ask(&purpose, &consents).outcome, Outcome::Deny);
    let category = with_item(asked.clone(), &json!({"category": "GOSSIP"}));
    assert_eq!(ask(&category, &consents).outcome, Outcome::Deny);
    let flag = with(
        asked,
        &json!({"subject": {"id": "p-1", "flags": ["hidden"]}}),
    );
    assert_eq!(ask(&flag, &consents).outcome, Outcome::NeedsHuman);
}

#[test]
fn an_unlabelled_item_takes_the_default_category_of_its_source() {
    let mut asked = request("CASH_AID", "org-bh", "org-cws");
    asked["items"][0]
        .as_object_mut()
        .unwrap()
        .remove("category");
    let decision = ask(&asked, &[]);
    assert_eq!(decision.items[0].category, "MENTAL_HEALTH");
    assert_eq!(rules(&decision, "lps"), ["LPS-01"]);
}

#[test]
fn a_parents_signature_serves_a_child_until_the_birthday_and_not_for_own_care() {
    let child = |birth: &str| json!({"subject": {"id": "p-1", "birth_date": birth, "flags": []}});
    let by_parent = |category| {
        with(
            release("d-1", &[category]),
            &json!({"signer": {"capacity": "parent"}}),
        )
    };
    let cash = request("CASH_AID", "org-calworks", "org-cws");
    let seven = ask_county(
        &with(cash.clone(), &child("2018-03-02")),
        &[by_parent("CASH_AID")],
    );
    assert!(is_open(&seven), "{}", seven.explanation.en);
    let adult = ask_county(
        &with(cash.clone(), &child("2008-03-02")),
        &[by_parent("CASH_AID")],
    );
    assert_eq!(adult.outcome, Outcome::Deny);
    let nearly = ask_county(&with(cash, &child("2008-04-01")), &[by_parent("CASH_AID")]);
    let until = serde_json::to_value(nearly.valid_until).unwrap();
    assert_eq!(until, "2026-04-01T00:00:00-07:00");
    let care = request("MENTAL_HEALTH", "org-bh", "org-cws");
    let teen = ask_county(
        &with(care.clone(), &child("2012-03-02")),
        &[by_parent("MENTAL_HEALTH")],
    );
    assert_eq!(teen.outcome, Outcome::Deny);
    let own = with(
        release("d-1", &["MENTAL_HEALTH"]),
        &json!({"signer": {"capacity": "minor_by_own_right"}}),
    );
    let teen = ask_county(&with(care, &child("2012-03-02")), &[own]);
    assert!(is_open(&teen), "{}", teen.explanation.en);
}

#[test]
fn a_court_order_waits_for_a_human() {
    let facts = pair(
        json!({"kinds": ["HMIS_AGENCY"]}),
        json!({"kinds": ["LAW_ENFORCEMENT"]}),
    );
    let asked = with(
        request("HOMELESS_SERVICES", "org-a", "org-b"),
        &json!({"purpose": "HLEGAL"}),
    );
    let decision = ask_with(&law(), &facts, &asked, &[]);
    assert_eq!(decision.outcome, Outcome::NeedsHuman);
    assert_eq!(decision.permitted().count(), 0);
}

#[test]
fn calaim_lifts_state_secrecy_but_no_federal_law() {
    let partner = json!({"calaim_partner": true, "hipaa_covered_entity": true});
    let facts = pair(
        json!({"kinds": ["HEALTH_PROVIDER"], "facts": partner}),
        json!({"kinds": ["HMIS_AGENCY"], "facts": {"calaim_partner": true}}),
    );
    let member = json!({"subject": {"id": "p-1", "flags": ["medi_cal_member"]}});
    let asked = with(request("MENTAL_HEALTH", "org-a", "org-b"), &member);
    let decision = ask_with(&law(), &facts, &asked, &[]);
    assert!(is_open(&decision), "{}", decision.explanation.en);
    assert_eq!(rules(&decision, "lps"), ["AB133-01"]);
    assert_eq!(rules(&decision, "hipaa"), ["HIPAA-02"]);
    let housing = with(asked, &json!({"purpose": "X_HOUSING"}));
    let decision = ask_with(&law(), &facts, &housing, &[]);
    assert_eq!(
        decision.outcome,
        Outcome::Deny,
        "HIPAA has no basis for this purpose"
    );
}

#[test]
fn breaking_the_glass_needs_a_reason_and_a_second_factor() {
    let asked = with(
        request("HEALTH_GENERAL", "org-clinic", "org-bh"),
        &json!({"purpose": "BTG"}),
    );
    assert_eq!(ask(&asked, &[]).outcome, Outcome::Deny);
    let emergency = |second: bool| json!({"emergency": {"reason": "unconscious", "declared_by": "w-9", "second_factor": second}});
    assert_eq!(
        ask(&with(asked.clone(), &emergency(false)), &[]).outcome,
        Outcome::Deny
    );
    let open = ask(&with(asked, &emergency(true)), &[]);
    assert!(is_open(&open), "{}", open.explanation.en);
}
