//! The duties that come along with permits, and the rules that let only a person decide.

use serde_json::{Value, json};
use tandem_consent::{Decision, Facts, Outcome};

use crate::world::{ask_with, consent, is_open, law, pair, request, rules, with, with_item};

fn program(recipient: Value) -> Facts {
    pair(
        json!({"kinds": ["HEALTH_PROVIDER", "PART2_PROGRAM"],
               "facts": {"part2_program": true, "hipaa_covered_entity": true}}),
        recipient,
    )
}

fn provider(recipient: Value) -> Facts {
    pair(
        json!({"kinds": ["HEALTH_PROVIDER"], "facts": {"hipaa_covered_entity": true}}),
        recipient,
    )
}

fn notices(decision: &Decision) -> Vec<&str> {
    let notices = decision
        .obligations
        .iter()
        .filter_map(|one| one.params.get("notice"));
    notices.map(String::as_str).collect()
}

/// The rules that ask for a duty, with its number of years.
fn duty(decision: &Decision, code: &str) -> Vec<(String, Option<String>)> {
    let asked = decision.obligations.iter().filter(|one| one.code == code);
    asked
        .flat_map(|one| {
            let years = one.params.get("years").cloned();
            one.rules
                .iter()
                .map(move |rule| (rule.clone(), years.clone()))
        })
        .collect()
}

fn by(rule: &str, years: Option<&str>) -> (String, Option<String>) {
    (rule.to_owned(), years.map(str::to_owned))
}

#[test]
fn consent_for_treatment_carries_the_short_notice_within_hipaa_and_the_long_one_outside() {
    let covered = json!({"kinds": ["HEALTH_PROVIDER"], "facts": {"hipaa_covered_entity": true}});
    for (recipient, rule, notice) in [
        (covered, "P2-02", "N_P2_SHORT"),
        (json!({"kinds": ["HEALTH_PROVIDER"]}), "P2-03", "N_P2_LONG"),
    ] {
        let asked = with(
            request("SUD_PART2", "org-a", "org-b"),
            &json!({"purpose": "TREAT"}),
        );
        let signed = with(consent(&["SUD_PART2"]), &json!({"purposes": ["TREAT"]}));
        let decision = ask_with(&law(), &program(recipient), &asked, &[signed]);
        assert!(is_open(&decision), "{}", decision.explanation.en);
        assert_eq!(rules(&decision, "part2"), [rule]);
        assert_eq!(notices(&decision), [notice]);
    }
}

#[test]
fn part_2_data_told_with_consent_are_accounted_for_and_under_the_breach_rules() {
    let facts = program(json!({"kinds": ["CWS_AGENCY"]}));
    let asked = request("SUD_PART2", "org-a", "org-b");
    let decision = ask_with(&law(), &facts, &asked, &[consent(&["SUD_PART2"])]);
    assert!(is_open(&decision), "{}", decision.explanation.en);
    assert_eq!(duty(&decision, "AOD"), [by("P2-17", Some("3"))]);
    assert_eq!(duty(&decision, "BREACH"), [by("P2-19", None)]);
    let before = with(asked, &json!({"as_of": "2026-02-15T12:00:00-08:00"}));
    let decision = ask_with(&law(), &facts, &before, &[consent(&["SUD_PART2"])]);
    assert!(is_open(&decision), "{}", decision.explanation.en);
    assert_eq!(duty(&decision, "BREACH"), [], "the rule had not begun");
    let report = with(
        request("SUD_PART2", "org-a", "org-b"),
        &json!({"purpose": "X_ABUSE_REPORT"}),
    );
    let decision = ask_with(&law(), &facts, &report, &[]);
    assert!(is_open(&decision), "{}", decision.explanation.en);
    assert_eq!(duty(&decision, "AOD"), [by("HIPAA-19", Some("6"))]);
}

#[test]
fn authorizations_and_accounted_disclosures_are_kept_six_years_and_treatment_is_not() {
    let private = provider(json!({"kinds": ["PRIVATE_AGENCY"]}));
    let asked = request("HEALTH_GENERAL", "org-a", "org-b");
    let decision = ask_with(&law(), &private, &asked, &[consent(&["HEALTH_GENERAL"])]);
    assert_eq!(duty(&decision, "RETAIN"), [by("HIPAA-20", Some("6"))]);
    let treating = provider(json!({"kinds": ["HEALTH_PROVIDER"]}));
    let decision = ask_with(&law(), &treating, &asked, &[]);
    assert!(is_open(&decision), "{}", decision.explanation.en);
    assert_eq!(duty(&decision, "RETAIN"), []);
}

#[test]
fn hipaa_opens_an_abuse_report_to_law_enforcement_and_the_state_law_keeps_it_closed() {
    let facts = provider(json!({"kinds": ["LAW_ENFORCEMENT"]}));
    for (purpose, hipaa_permits) in [
        ("X_ABUSE_REPORT", true),
        ("X_CHILD_SAFETY", false),
        ("COC", false),
    ] {
        let asked = with(
            request("HEALTH_GENERAL", "org-a", "org-b"),
            &json!({"purpose": purpose}),
        );
        let decision = ask_with(&law(), &facts, &asked, &[]);
        // The table of laws names no recipient of the police for medical information under the state's law.
        assert_eq!(decision.outcome, Outcome::Deny, "{purpose}");
        let opens = rules(&decision, "hipaa").contains(&"HIPAA-10".to_owned());
        assert_eq!(opens, hipaa_permits, "{purpose}");
    }
}

/// What HIPAA says of a name from a covered entity that is no provider, so that no state law covers it.
fn hipaa_alone(recipient: &str, purpose: &str, born: &str) -> (Outcome, Vec<String>) {
    let facts = pair(
        json!({"kinds": ["PUBLIC_AGENCY"], "facts": {"hipaa_covered_entity": true}}),
        json!({"kinds": [recipient]}),
    );
    let asked = with(
        request("PERSON_INDEX", "org-a", "org-b"),
        &json!({"purpose": purpose, "subject": {"id": "p-1", "birth_date": born}}),
    );
    let decision = ask_with(&law(), &facts, &asked, &[]);
    assert_eq!(decision.permitted().count(), 0, "nothing is told unseen");
    (decision.outcome, rules(&decision, "hipaa"))
}

#[test]
fn what_another_law_a_protective_agency_or_a_researcher_asks_for_waits_for_a_person() {
    for (recipient, purpose, born, rule) in [
        ("PUBLIC_AGENCY", "HLEGAL", "1994-05-17", Some("HIPAA-09")),
        ("COURT", "HLEGAL", "1994-05-17", Some("HIPAA-12")),
        ("PUBLIC_AGENCY", "FRAUD", "1994-05-17", None),
        (
            "PROTECTIVE_AGENCY",
            "X_ABUSE_REPORT",
            "1994-05-17",
            Some("HIPAA-11"),
        ),
        ("PROTECTIVE_AGENCY", "X_ABUSE_REPORT", "2012-05-17", None),
        ("PROTECTIVE_AGENCY", "COC", "1994-05-17", None),
        ("RESEARCHER", "HRESCH", "1994-05-17", Some("HIPAA-13")),
        ("RESEARCHER", "HOPERAT", "1994-05-17", None),
        ("PUBLIC_AGENCY", "HRESCH", "1994-05-17", None),
    ] {
        let (outcome, rules) = hipaa_alone(recipient, purpose, born);
        let expected = match rule {
            Some(rule) => (Outcome::NeedsHuman, vec![rule.to_owned()]),
            None => (Outcome::Deny, vec!["GEN-01".to_owned()]),
        };
        assert_eq!((outcome, rules), expected, "{recipient} {purpose} {born}");
    }
}

#[test]
fn reports_of_abuse_go_to_the_classes_that_federal_law_lists_and_to_no_other() {
    for (kind, purpose, opens) in [
        ("COURT", "X_CHILD_SAFETY", true),
        ("CITIZEN_PANEL", "X_CHILD_SAFETY", true),
        ("COURT", "HLEGAL", false),
        ("PRIVATE_AGENCY", "X_CHILD_SAFETY", false),
        ("LAW_ENFORCEMENT", "X_CHILD_SAFETY", false),
    ] {
        let facts = pair(json!({"kinds": ["CWS_AGENCY"]}), json!({"kinds": [kind]}));
        let asked = with(
            request("CW_REFERRAL", "org-a", "org-b"),
            &json!({"purpose": purpose}),
        );
        let decision = ask_with(&law(), &facts, &asked, &[]);
        assert_eq!(is_open(&decision), opens, "{kind} {purpose}");
        let rule = if opens { "CW-06" } else { "CW-01" };
        assert_eq!(rules(&decision, "child_welfare"), [rule]);
        let sealed = with_item(asked, &json!({"labels": ["SEALED"]}));
        let decision = ask_with(&law(), &facts, &sealed, &[]);
        assert_eq!(rules(&decision, "child_welfare"), ["CW-16"]);
    }
}

#[test]
fn a_consent_that_was_taken_back_is_named_as_the_reason() {
    let facts = program(json!({"kinds": ["CWS_AGENCY"]}));
    let asked = request("SUD_PART2", "org-a", "org-b");
    let revoked = |changes: Value| with(consent(&["SUD_PART2"]), &changes);
    for changes in [
        json!({"revocation": "2026-02-20"}),
        json!({"state": "revoked"}),
        json!({"revocation": {"received_at": "2026-02-20", "categories": ["SUD_PART2"]}}),
    ] {
        let decision = ask_with(&law(), &facts, &asked, &[revoked(changes.clone())]);
        assert_eq!(rules(&decision, "part2"), ["P2-16"], "{changes}");
    }
    let other = json!({"revocation": "2026-02-20", "recipients": ["org-c"]});
    let decision = ask_with(&law(), &facts, &asked, &[revoked(other)]);
    assert_eq!(rules(&decision, "part2"), ["P2-01"], "it never meant org-b");
    let again = with(
        consent(&["SUD_PART2"]),
        &json!({"id": "d-2", "captured_at": "2026-02-25", "valid_from": "2026-02-25"}),
    );
    let both = [revoked(json!({"revocation": "2026-02-20"})), again];
    assert!(is_open(&ask_with(&law(), &facts, &asked, &both)));
}
