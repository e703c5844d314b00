//! The layers under the law: the county's switches and rules, and agreements. They narrow.

use std::fs;

use serde_json::json;
use tandem_consent::{Bundle, Facts, Outcome, test_bundle};

use crate::world::{ask_with, consent, is_open, pair, request, rules, with};

/// A county that sets its switches so, without rules of its own.
fn county(law: &str) -> Result<Bundle, String> {
    let folder = tempfile::tempdir().unwrap();
    let head = "jurisdiction = \"demo-county\"\nzone = \"PST8PDT,M3.2.0,M11.1.0\"\n";
    fs::write(
        folder.path().join("county.toml"),
        format!("{head}\n[law]\n{law}\n"),
    )
    .unwrap();
    Bundle::load(folder.path()).map_err(|error| error.to_string())
}

fn clinic_to_child_welfare() -> Facts {
    let source = json!({"kinds": ["HEALTH_PROVIDER"], "facts": {"hipaa_covered_entity": true}});
    pair(source, json!({"kinds": ["CWS_AGENCY"]}))
}

#[test]
fn every_point_for_counsel_has_a_switch_that_acts_on_rules_or_says_why_not() {
    let bundle = Bundle::default_for("somewhere").unwrap();
    let points: Vec<u8> = bundle
        .switches()
        .iter()
        .map(|switch| switch.point)
        .collect();
    assert_eq!(points, (1..=12).collect::<Vec<u8>>());
    for switch in bundle.switches() {
        assert_eq!(switch.chosen, switch.default);
        let several = switch.values().count() > 1;
        assert_eq!(several, !switch.rules().is_empty(), "{}", switch.key);
    }
}

#[test]
fn the_examples_hold_whatever_a_county_chooses() {
    let bundle = Bundle::default_for("somewhere").unwrap();
    // The first value of every switch that is not its default, then the second.
    for place in [0, 1] {
        let choices = bundle.switches().iter().filter_map(|switch| {
            let mut others = switch
                .values()
                .filter(|(value, _, _)| *value != switch.default);
            let (value, _, _) = others.nth(place)?;
            Some(format!("{} = \"{value}\"\n", switch.key))
        });
        let law: String = choices.collect();
        let report = test_bundle(&county(&law).unwrap());
        let failures: Vec<_> = report
            .failures
            .iter()
            .map(|one| format!("{}: {}: {}", one.rule, one.example, one.reason))
            .collect();
        assert!(failures.is_empty(), "{law}:\n{}", failures.join("\n"));
    }
}

#[test]
fn a_switch_closes_what_counsel_does_not_trust() {
    let asked = request("HEALTH_GENERAL", "org-a", "org-b");
    let facts = clinic_to_child_welfare();
    let usual = ask_with(&county("").unwrap(), &facts, &asked, &[]);
    assert_eq!(rules(&usual, "hipaa"), ["HIPAA-02"]);
    let closed = county("provider_to_social_services = \"closed\"").unwrap();
    let decision = ask_with(&closed, &facts, &asked, &[]);
    assert_eq!(rules(&decision, "hipaa"), ["GEN-01"]);
    assert_ne!(
        usual.bundle, decision.bundle,
        "a switch is part of the bundle"
    );
}

#[test]
fn an_operator_that_is_an_intermediary_must_be_named_in_the_consent() {
    let source = json!({"kinds": ["HEALTH_PROVIDER"], "facts": {"part2_program": true, "hipaa_covered_entity": true}});
    let facts = pair(source, json!({"kinds": ["CWS_AGENCY"]}));
    let asked = request("SUD_PART2", "org-a", "org-b");
    let bundle = county("operator_status = \"intermediary\"").unwrap();
    let silent = ask_with(&bundle, &facts, &asked, &[consent(&["SUD_PART2"])]);
    assert_eq!(rules(&silent, "part2"), ["P2-04"]);
    let naming = with(
        consent(&["SUD_PART2"]),
        &json!({"recipients": ["org-b", "gateway"]}),
    );
    let decision = ask_with(&bundle, &facts, &asked, &[naming]);
    assert!(is_open(&decision), "{}", decision.explanation.en);
    assert!(
        decision
            .obligations
            .iter()
            .any(|duty| duty.code == "LIST_RECIPIENTS")
    );
}

#[test]
fn written_consent_for_homeless_services_closes_to_spoken_words() {
    let facts = pair(
        json!({"kinds": ["HMIS_AGENCY"]}),
        json!({"kinds": ["CWS_AGENCY"]}),
    );
    let asked = request("HOMELESS_SERVICES", "org-a", "org-b");
    let spoken = with(
        consent(&["HOMELESS_SERVICES"]),
        &json!({"method": "verbal_with_witness"}),
    );
    for (value, outcome) in [("spoken", Outcome::Permit), ("written", Outcome::Deny)] {
        let bundle = county(&format!("homeless_services_consent = \"{value}\"")).unwrap();
        let decision = ask_with(&bundle, &facts, &asked, std::slice::from_ref(&spoken));
        assert_eq!(decision.outcome, outcome, "{value}");
    }
}

#[test]
fn a_switch_that_is_unknown_or_would_widen_is_refused() {
    let unknown = county("smoking = \"allowed\"").unwrap_err();
    assert!(
        unknown.starts_with("county.toml: [law] has no switch smoking; there are calaim, "),
        "{unknown}"
    );
    let value = county("hashed_tokens = \"harmless\"").unwrap_err();
    assert_eq!(
        value,
        "county.toml: hashed_tokens is one of identifying, not \"harmless\""
    );
    // The medical authorization's year may go only because its rule says that a county may widen it.
    assert!(county("medical_authorization_life = \"as_written\"").is_ok());
}

#[test]
fn an_agreement_narrows_by_category_and_by_purpose() {
    let asked = request("HEALTH_GENERAL", "org-a", "org-b");
    let consents = [consent(&["HEALTH_GENERAL"])];
    let bundle = county("").unwrap();
    let open = ask_with(&bundle, &clinic_to_child_welfare(), &asked, &consents);
    assert!(is_open(&open), "{}", open.explanation.en);
    for excluded in [
        json!({"excluded_categories": ["HEALTH_GENERAL"]}),
        json!({"excluded_purposes": ["COC"]}),
    ] {
        for side in [0, 1] {
            let mut facts = serde_json::to_value(clinic_to_child_welfare()).unwrap();
            let agreement = facts["organizations"][side]["agreements"][0].clone();
            facts["organizations"][side]["agreements"][0] = with(agreement, &excluded);
            let facts: Facts = serde_json::from_value(facts).unwrap();
            let decision = ask_with(&bundle, &facts, &asked, &consents);
            assert_eq!(decision.outcome, Outcome::Deny, "{excluded}");
            assert_eq!(rules(&decision, "gateway"), ["GEN-16"], "{excluded}");
        }
    }
}

#[test]
fn a_relation_is_a_kind_of_recipient_and_an_organisations_kind_is_not_claimed() {
    let asked = |relation: &str| {
        let recipient = json!({"organization": "org-b", "relation": relation});
        with(
            request("HEALTH_GENERAL", "org-a", "org-b"),
            &json!({"recipient": recipient}),
        )
    };
    let facts = pair(
        json!({"kinds": ["HEALTH_PROVIDER"], "facts": {"hipaa_covered_entity": true}}),
        json!({"kinds": []}),
    );
    let bundle = county("").unwrap();
    let claimed = ask_with(&bundle, &facts, &asked("HEALTH_PROVIDER"), &[]);
    assert_eq!(rules(&claimed, "hipaa"), ["GEN-01"]);
    let client = with(asked("CLIENT"), &json!({"purpose": "PATRQT"}));
    assert_eq!(
        rules(&ask_with(&bundle, &facts, &client, &[]), "hipaa"),
        ["HIPAA-22"]
    );
}
