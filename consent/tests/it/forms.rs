//! Which laws a form satisfies, and why not the others, in plain words.

use serde_json::{Value, json};
use tandem_consent::{FormCheck, check_form};
use tandem_mappings::model::directive::Directive;

use crate::world::{law, release, with};

fn check(changes: &Value) -> impl Fn(&str) -> FormCheck + use<> {
    let form = with(release("d-1", &["HEALTH_GENERAL", "SUD_PART2"]), changes);
    let form: Directive = serde_json::from_value(form).unwrap();
    let all = check_form(&form, &law());
    move |regime: &str| {
        let found = all.iter().find(|one| one.regime == regime);
        found.unwrap_or_else(|| panic!("no {regime}")).clone()
    }
}

#[test]
fn a_complete_release_satisfies_every_law() {
    let checked = check(&json!({}));
    for regime in [
        "hipaa",
        "part2",
        "cmia",
        "lps",
        "hiv",
        "ferpa",
        "hmis",
        "victim_services",
    ] {
        let one = checked(regime);
        assert!(one.is_satisfied, "{one:?}");
    }
    assert_eq!(
        checked("hipaa").explanation.en,
        "This form satisfies HIPAA."
    );
}

#[test]
fn what_is_missing_is_said_in_both_languages() {
    let part2 = check(&json!({"recipients": []}))("part2");
    assert!(!part2.is_satisfied);
    assert_eq!(
        part2.explanation.en,
        "This form does not satisfy 42 CFR Part 2 because it does not say who may be told."
    );
    assert_eq!(
        part2.explanation.es,
        "Este formulario no cumple con 42 CFR Parte 2 porque no dice a quién se puede informar."
    );
    let two = check(
        &json!({"recipients": [], "statements": ["not_conditioned", "redisclosure", "copy_offered"]}),
    );
    assert!(
        two("part2")
            .explanation
            .en
            .contains(" and it does not say how it can be taken back.")
    );
}

#[test]
fn words_before_a_witness_never_satisfy_the_laws_that_ask_for_a_signature() {
    let spoken = check(&json!({"method": "verbal_with_witness"}));
    for regime in ["hipaa", "part2", "cmia", "victim_services", "ferpa"] {
        let one = spoken(regime);
        assert!(one.lacks.contains("signature"), "{one:?}");
        assert!(one.explanation.en.contains("by word of mouth"), "{one:?}");
    }
    assert!(spoken("hmis").is_satisfied);
    assert!(!check(&json!({"method": "staff_attestation"}))("hmis").is_satisfied);
}

#[test]
fn an_end_by_condition_will_do_for_part_2_and_not_for_hipaa() {
    let form = check(&json!({"expiry": {"condition": "while in the program"}}));
    assert!(
        form("part2").is_satisfied && !form("hipaa").is_satisfied && !form("cmia").is_satisfied
    );
    // Without an end Part 2 takes it for treatment, payment and operations alone.
    let endless =
        |purposes: Value| check(&json!({"expiry": "none", "purposes": purposes}))("part2");
    assert!(!endless(json!(["COC"])).is_satisfied);
    assert!(endless(json!(["TREAT", "HPAYMT"])).is_satisfied);
}

#[test]
fn separate_notes_and_legal_proceedings_need_a_form_of_their_own() {
    let notes = check(&json!({"categories": ["HEALTH_GENERAL", "PSYCHOTHERAPY_NOTES"]}))("hipaa");
    assert!(notes.is_satisfied && notes.needs_own_form.len() == 1);
    assert!(
        notes
            .explanation
            .en
            .ends_with("For a therapist's own notes it asks for a form of its own.")
    );
    let alone = json!({"categories": ["PSYCHOTHERAPY_NOTES"], "stand_alone": true});
    assert!(check(&alone)("hipaa").needs_own_form.is_empty());
    assert!(
        !check(&json!({"purposes": ["HLEGAL"]}))("part2")
            .needs_own_form
            .is_empty()
    );
}

#[test]
fn an_exchange_that_passes_data_on_to_whoever_takes_part_must_be_named_for_part_2() {
    let all = json!({"all_participants_at_date": "2026-02-01"});
    let part2 = check(&json!({"recipients": all}))("part2");
    assert_eq!(part2.lacks.iter().collect::<Vec<_>>(), ["intermediary"]);
    let named = json!({"named": ["gateway"], "all_participants_at_date": "2026-02-01"});
    assert!(check(&json!({"recipients": named}))("part2").is_satisfied);
}

#[test]
fn everything_is_no_description_where_a_law_asks_for_one() {
    let general = check(&json!({"general_words": ["categories", "purposes"]}));
    assert!(general("hipaa").is_satisfied);
    let cmia = general("cmia");
    assert_eq!(
        cmia.lacks.iter().collect::<Vec<_>>(),
        ["categories", "purposes"]
    );
    assert!(
        cmia.explanation.en.contains("says \"everything\""),
        "{cmia:?}"
    );
}
