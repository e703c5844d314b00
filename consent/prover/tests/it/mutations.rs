//! One change that each property must find.

use std::collections::BTreeSet;

use tandem_consent::Bundle;
use tandem_prover::Against;

use crate::bundles::{Copy, proof, refuted};

/// The change makes the property fail in the regime, and a counterexample holds every piece of text.
#[track_caller]
fn found(copy: &Copy, property: &str, regime: &str, pieces: &[&str]) {
    let proof = proof(&copy.load(), property, regime, None);
    let sentences: Vec<_> = refuted(&proof)
        .iter()
        .map(|one| one.sentence.clone())
        .collect();
    let holds_all = |sentence: &&String| pieces.iter().all(|piece| sentence.contains(piece));
    assert!(
        sentences.iter().any(|one| holds_all(&one)),
        "{sentences:#?}"
    );
}

#[test]
fn a_permit_without_its_revocation_test_is_told_in_a_sentence() {
    let copy = Copy::new().replace("part2/P2-02", "  !context.directive.revoked &&\n", "");
    let proof = proof(&copy.load(), "S6", "part2", None);
    for example in refuted(&proof) {
        let sentence = &example.sentence;
        assert_eq!(example.rules, ["P2-02"]);
        assert!(
            sentence.starts_with("Under 42 CFR Part 2, rule P2-02 (42 CFR 2.31"),
            "{sentence}"
        );
        assert!(
            sentence.ends_with(" although the consent was revoked."),
            "{sentence}"
        );
        assert!(
            example.actions.contains(&"refer".to_owned()),
            "{:?}",
            example.actions
        );
        let needed = "the recipient is a HIPAA covered entity".to_owned();
        assert!(example.needs.contains(&needed), "{:?}", example.needs);
    }
}

#[test]
fn a_permit_that_forgets_the_end_of_a_consent_is_told_with_the_day() {
    let copy = Copy::new().replace(
        "calworks/CALW-04",
        "  context.now < context.directive.expires &&\n",
        "",
    );
    found(
        &copy,
        "S6",
        "calworks",
        &["CALW-04", "the consent ended on 2026-"],
    );
}

#[test]
fn an_emergency_without_a_second_factor_is_no_basis_of_part_2() {
    let copy = Copy::new().replace("part2/P2-09", "  context.emergency.second_factor &&\n", "");
    found(
        &copy,
        "S1",
        "part2",
        &["P2-09", "SUD_PART2", "no emergency with a second factor"],
    );
    found(
        &copy,
        "E1",
        "part2",
        &["P2-09", "nobody confirmed the emergency"],
    );
}

#[test]
fn victim_services_without_their_bars_open_what_a_provider_holds() {
    let copy = Copy::new()
        .remove("victim_services/VAWA-01")
        .remove("victim_services/FVPSA-01")
        .remove("victim_services/VOCA-01");
    found(
        &copy,
        "S2",
        "victim_services",
        &["VAWA-07", "a victim service provider holds it"],
    );
}

#[test]
fn a_sealed_file_that_no_rule_closes_is_found() {
    let copy = Copy::new().remove("child_welfare/CW-16");
    found(&copy, "S3", "child_welfare", &["the file is sealed"]);
}

#[test]
fn immigration_status_that_no_rule_closes_is_found() {
    let copy = Copy::new().remove("gateway/IMM-01");
    found(&copy, "S3", "gateway", &["GEN-10", "immigration status"]);
}

#[test]
fn an_agreement_whose_end_is_not_tested_is_found() {
    let copy = Copy::new().replace(
        "gateway/GEN-10",
        "  context.today <= principal.agreement.to &&\n",
        "",
    );
    found(
        &copy,
        "S4",
        "gateway",
        &["GEN-10", "its agreement has ended"],
    );
}

#[test]
fn a_safety_flag_that_closes_nothing_is_found() {
    let copy = Copy::new().remove("gateway/GEN-14");
    found(
        &copy,
        "S5",
        "gateway",
        &["CONTACT_LOCATION", "the person has a safety flag"],
    );
}

#[test]
fn a_rule_whose_number_overflows_is_found() {
    let copy = Copy::new().replace(
        "victim_services/VAWA-07",
        "context.now + 31622400",
        "context.now * 31622400000",
    );
    found(
        &copy,
        "S7",
        "victim_services",
        &["VAWA-07", "cannot be evaluated"],
    );
}

#[test]
fn a_permit_that_can_never_permit_is_found() {
    let copy = Copy::new().replace(
        "calworks/CALW-03",
        "when {\n",
        "when {\n  context.holds_copy && !context.holds_copy &&\n",
    );
    found(
        &copy,
        "S8",
        "calworks",
        &["CALW-03", "can never permit anything"],
    );
}

#[test]
fn a_rule_that_widens_is_found_unless_it_is_listed() {
    let copy = Copy::new().replace(
        "calworks/CALW-03",
        "[\"CASH_AID\",",
        "[\"CASH_AID\", \"FOOD_AID\",",
    );
    let against = |listed: &[&str]| {
        Some(Against {
            bundle: Bundle::default_for("").unwrap(),
            listed: listed
                .iter()
                .map(|one| (*one).to_owned())
                .collect::<BTreeSet<_>>(),
        })
    };
    let bundle = copy.load();
    let widened = proof(&bundle, "S9", "calworks", against(&[]));
    let sentence = &refuted(&widened)[0].sentence;
    assert!(
        sentence.contains("CALW-03") && sentence.contains("FOOD_AID"),
        "{sentence}"
    );
    assert!(proof(&bundle, "S9", "calworks", against(&["CALW-03"])).holds());
    assert!(!proof(&bundle, "S9", "calworks", against(&["CALW-02"])).holds());
}

#[test]
fn a_purpose_that_does_not_exist_is_found_when_a_rule_takes_it() {
    let copy = Copy::new().replace(
        "gateway/GEN-10",
        "[\"TREAT\",",
        "[\"X_DEBT_COLLECTION\", \"TREAT\",",
    );
    found(
        &copy,
        "S10",
        "gateway",
        &["GEN-10", "X_DEBT_COLLECTION does not exist"],
    );
}

#[test]
fn a_consent_that_opens_what_it_does_not_name_is_found() {
    for (left_out, told) in [
        (
            "context.directive.disclosers.contains(resource.source)",
            "who would tell it",
        ),
        (
            "context.directive.categories.contains(resource.category)",
            "this kind of information",
        ),
        (
            "context.directive.purposes.contains(context.purpose)",
            "this purpose",
        ),
    ] {
        let copy = Copy::new().replace("calworks/CALW-04", &format!("  {left_out} &&\n"), "");
        found(&copy, "C1", "calworks", &["CALW-04", told]);
    }
    let copy = Copy::new().replace(
        "calworks/CALW-04",
        "  context.directive.serves.contains(\"calworks\") &&\n",
        "",
    );
    found(
        &copy,
        "C2",
        "calworks",
        &["CALW-04", "does not hold what this law asks"],
    );
}

#[test]
fn parents_who_are_told_of_a_minors_own_care_are_found() {
    let copy = Copy::new().remove("minors/MIN-03");
    found(&copy, "M1", "minors", &["without the parents' knowledge"]);
}
