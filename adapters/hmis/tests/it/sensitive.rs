//! Disabilities and HealthAndDV: their answers raise the stay on which they hang, and nothing of them is passed on.

use serde_json::Value;
use tandem_adapter_port::report::Outcome as Result;

use crate::package::{Files, Outcome};

const SURVIVOR: &str = "HealthAndDV.DomesticViolenceSurvivor:1";
const FLEEING: &str = "HealthAndDV.CurrentlyFleeing:1";

/// A full export, or a delta.
fn export(directive: &str) -> Files {
    Files::fixture("fy2026").set("Export", "X-2026-02-02", &[("ExportDirective", directive)])
}

fn disability(files: Files, id: &str, values: &[(&str, &str)]) -> Files {
    let mut all = vec![("DisabilitiesID", id)];
    all.extend_from_slice(values);
    files.add_like("Disabilities", "D-1", &all)
}

/// Codes that an event hands to the labelling step, those of funders left out.
fn codes(outcome: &Outcome, id: &str) -> Vec<String> {
    let mut events = outcome.collected.events.iter();
    let event = events.find(|event| event.source_event_id.as_str() == id);
    let codes = event
        .unwrap_or_else(|| panic!("no event {id}"))
        .codes
        .iter();
    let own = codes.filter(|one| !one.code.starts_with("2.06.1:"));
    own.map(|one| one.code.clone()).collect()
}

fn flags(outcome: &Outcome, person: &str) -> Value {
    let event = outcome.event(&format!("Client:{person}"));
    event["payload"]["person"]["flags"].clone()
}

#[test]
fn a_stay_and_its_end_hand_over_the_codes_of_the_rows_that_hang_on_it() {
    for edition in ["fy2026", "fy2024"] {
        let hiv = [("DisabilityType", "8"), ("DisabilityResponse", "1")];
        let files = disability(Files::fixture(edition), "D-2", &hiv);
        let ended = [
            ("EnrollmentID", "E-4"),
            ("DisabilityType", "10"),
            ("DisabilityResponse", "3"),
        ];
        let outcome = disability(files, "D-3", &ended).read();
        assert_eq!(codes(&outcome, "Enrollment:E-1:active"), ["1.3:8"]);
        assert_eq!(codes(&outcome, "Enrollment:E-4:active"), ["1.3:10"]);
        assert_eq!(codes(&outcome, "Exit:EX-1:ended"), ["1.3:10"]);
        assert_eq!(codes(&outcome, "Enrollment:E-2:active"), [""; 0]);
        assert_eq!(
            codes(&outcome, "Client:48211"),
            [""; 0],
            "who she is tells nothing of it"
        );
        assert_eq!(flags(&outcome, "48211"), Value::Null);
    }
}

#[test]
fn nothing_of_a_row_is_in_what_is_told_but_that_its_stay_is_sensitive() {
    let values = [
        ("DisabilityType", "8"),
        ("DisabilityResponse", "1"),
        ("TCellCountAvailable", "1"),
        ("TCellCount", "431"),
        ("TCellSource", "1"),
    ];
    let outcome = disability(export("2"), "D-SECRET", &values).read();
    let told = outcome.events_text();
    for word in ["D-SECRET", "431", "1.3:8", "HD-1"] {
        assert!(!told.contains(word), "{word}");
    }
    assert_eq!(outcome.report.records["Disabilities"], 2);
}

#[test]
fn domestic_violence_marks_the_client_and_whoever_shares_the_household_stay() {
    for answer in ["DomesticViolenceSurvivor", "CurrentlyFleeing"] {
        let values = [
            ("DomesticViolenceSurvivor", "1"),
            ("CurrentlyFleeing", "0"),
            (answer, "1"),
        ];
        let outcome = export("2").set("HealthAndDV", "HD-1", &values).read();
        for member in ["48211", "48212", "48213"] {
            assert_eq!(
                flags(&outcome, member),
                serde_json::json!(["safety"]),
                "{member}"
            );
        }
        assert_eq!(flags(&outcome, "50003"), Value::Null);
        let of_stay = codes(&outcome, "Enrollment:E-1:active");
        assert!(of_stay.contains(&SURVIVOR.to_owned()), "{of_stay:?}");
        assert_eq!(
            codes(&outcome, "Enrollment:E-2:active"),
            [""; 0],
            "the answer is hers"
        );
    }
}

#[test]
fn a_household_id_that_names_no_one_household_joins_nobody() {
    let outcome = export("2")
        .set("HealthAndDV", "HD-1", &[("DomesticViolenceSurvivor", "1")])
        .set("Enrollment", "E-93", &[("HouseholdID", "9920")])
        .read();
    assert_eq!(flags(&outcome, "48211"), serde_json::json!(["safety"]));
    assert_eq!(flags(&outcome, "50003"), Value::Null);
}

#[test]
fn a_row_of_a_refused_stay_marks_nobody() {
    // HD-90 tells that a client of a victim service provider is fleeing.
    let outcome = export("2")
        .add_like(
            "HealthAndDV",
            "HD-90",
            &[
                ("HealthAndDVID", "HD-92"),
                ("EnrollmentID", "E-92"),
                ("PersonalID", "50003"),
            ],
        )
        .read();
    assert_eq!(flags(&outcome, "50003"), Value::Null);
    assert_eq!(codes(&outcome, "Enrollment:E-93:active"), [""; 0]);
}

#[test]
fn a_deleted_row_hands_over_nothing() {
    let deleted = ("DateDeleted", "2026-02-01 09:00:00");
    let hiv = [
        ("DisabilityType", "8"),
        ("DisabilityResponse", "1"),
        deleted,
    ];
    let outcome = disability(export("2"), "D-2", &hiv)
        .set(
            "HealthAndDV",
            "HD-1",
            &[("DomesticViolenceSurvivor", "1"), deleted],
        )
        .read();
    assert_eq!(codes(&outcome, "Enrollment:E-1:active"), [""; 0]);
    assert_eq!(flags(&outcome, "48211"), Value::Null);
}

#[test]
fn a_bad_answer_is_an_error_that_names_its_place_and_counts_as_yes() {
    let values = [("DisabilityType", "8"), ("DisabilityResponse", "7")];
    let outcome = disability(export("2"), "D-2", &values)
        .set(
            "HealthAndDV",
            "HD-1",
            &[("DomesticViolenceSurvivor", "maybe")],
        )
        .read();
    let places: Vec<(String, Option<u64>, String)> = outcome
        .collected
        .deviations
        .iter()
        .filter(|one| one.code == "bad-code" || one.code == "bad-value")
        .map(|one| {
            (
                one.place.file.clone(),
                one.place.line,
                one.place.field.clone().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            (
                "HealthAndDV.csv".to_owned(),
                Some(2),
                "DomesticViolenceSurvivor".to_owned()
            ),
            (
                "Disabilities.csv".to_owned(),
                Some(3),
                "DisabilityResponse".to_owned()
            ),
        ]
    );
    let told = &outcome.collected.deviations;
    assert!(
        told.iter().any(|one| one.expected == "a code of list 1.8"),
        "{told:?}"
    );
    assert_eq!(
        codes(&outcome, "Enrollment:E-1:active"),
        ["1.3:8", SURVIVOR]
    );
}

#[test]
fn a_row_without_its_stay_is_an_error_and_still_marks_its_client() {
    let values = [
        ("EnrollmentID", ""),
        ("CurrentlyFleeing", "1"),
        ("DomesticViolenceSurvivor", "1"),
    ];
    let outcome = plain("2").set("HealthAndDV", "HD-1", &values).read();
    assert!(outcome.codes().contains(&"blank-required"));
    assert_eq!(outcome.report.outcome, Result::PartiallyAccepted);
    assert_eq!(flags(&outcome, "48211"), serde_json::json!(["safety"]));
}

/// An export without anything to refuse.
fn plain(directive: &str) -> Files {
    export(directive)
        .set("Organization", "O-SAFE", &[("VictimServiceProvider", "0")])
        .set(
            "HMISParticipation",
            "HP-P-SAFE",
            &[("HMISParticipationType", "1")],
        )
        .set(
            "HMISParticipation",
            "HP-P-CMP",
            &[("HMISParticipationType", "1")],
        )
}

#[test]
fn a_row_of_a_delta_without_its_stay_raises_the_stay_by_its_id_alone() {
    for files in [export("1"), plain("1")] {
        let values = [
            ("EnrollmentID", "E-70"),
            ("PersonalID", "70007"),
            ("DisabilityType", "9"),
            ("DisabilityResponse", "1"),
        ];
        let fleeing = [
            ("HealthAndDVID", "HD-70"),
            ("EnrollmentID", "E-70"),
            ("PersonalID", "70007"),
            ("DomesticViolenceSurvivor", "1"),
            ("CurrentlyFleeing", "1"),
        ];
        let outcome = disability(files, "D-70", &values)
            .add_like("HealthAndDV", "HD-1", &fleeing)
            .read();
        assert_eq!(codes(&outcome, "Disabilities:D-70"), ["1.3:9"]);
        assert_eq!(codes(&outcome, "HealthAndDV:HD-70"), [SURVIVOR, FLEEING]);
        let raised = outcome.event("HealthAndDV:HD-70");
        assert_eq!(raised["type"], "enrollment.sensitive");
        assert_eq!(
            raised["payload"],
            serde_json::json!({ "case": "E-70", "safety": true })
        );
        assert_eq!(
            outcome.event("Disabilities:D-70")["payload"]["safety"],
            false
        );
        for field in [
            "source_person_id",
            "source_household_id",
            "category",
            "labels",
        ] {
            assert_eq!(raised.get(field), None, "{raised}");
        }
    }
}

#[test]
fn a_row_of_a_delta_that_says_no_or_is_deleted_raises_nothing() {
    for odd in [
        ("DisabilityResponse", "0"),
        ("DateDeleted", "2026-02-01 09:00:00"),
    ] {
        for files in [export("1"), plain("1")] {
            let values = [
                ("EnrollmentID", "E-70"),
                ("DisabilityType", "8"),
                ("DisabilityResponse", "1"),
                odd,
            ];
            let outcome = disability(files, "D-70", &values).read();
            assert!(!outcome.has_event("Disabilities:D-70"), "{odd:?}");
        }
    }
}

#[test]
fn a_row_about_a_stay_of_a_victim_service_provider_raises_nothing_even_by_id() {
    let values = [
        ("EnrollmentID", "E-90"),
        ("DisabilityType", "8"),
        ("DisabilityResponse", "1"),
    ];
    let outcome = disability(export("1"), "D-90", &values).read();
    assert!(!outcome.has_event("Disabilities:D-90"));
}
