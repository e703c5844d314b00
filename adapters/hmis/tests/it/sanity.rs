//! Rows that contradict themselves or each other: told, and read so that nothing follows that is not so.

use tandem_adapter_port::report::Outcome as Result;

use crate::package::{Files, Outcome};
use crate::tolerance::{only, open_export};

const SHA_OF_R163: &str = "9841ba9e86d8bbc72379d20791640a315e5c20ec9f75b5550b12b894af26f47f";
const DELETED: (&str, &str) = ("DateDeleted", "2026-02-01 09:00:00");

/// Code and column of the only deviation.
fn only_code(outcome: &Outcome) -> (String, String) {
    let (_, _, code, _, _, field) = only(outcome);
    (code, field.unwrap_or_default())
}

fn one(code: &str, column: &str) -> (String, String) {
    (code.to_owned(), column.to_owned())
}

#[test]
fn a_second_exit_of_a_stay_is_dropped() {
    let later = [("ExitID", "EX-2"), ("ExitDate", "2025-06-01")];
    let outcome = open_export().add_like("Exit", "EX-1", &later).read();
    assert_eq!(only_code(&outcome), one("exit-repeated", "EnrollmentID"));
    assert_eq!(outcome.report.outcome, Result::PartiallyAccepted);
    assert!(outcome.has_event("Exit:EX-1:ended") && !outcome.has_event("Exit:EX-2:ended"));
}

#[test]
fn a_deleted_exit_does_not_reopen_a_stay_that_another_exit_ends() {
    let outcome = open_export()
        .add_like("Exit", "EX-1", &[("ExitID", "EX-2"), DELETED])
        .read();
    assert_eq!(outcome.codes(), [""; 0]);
    assert!(outcome.has_event("Exit:EX-1:ended") && !outcome.has_event("Exit:EX-2:reopened"));
    let mark = outcome.collected.partner_rows.iter();
    let mark: Vec<_> = mark
        .filter(|row| row.kind == "Exit" && row.key == "E-4")
        .collect();
    assert_eq!(mark.len(), 1);
    assert!(mark[0].value.contains("EX-1"));
}

#[test]
fn a_deleted_exit_reopens_its_stay_unless_the_stay_is_deleted_too() {
    let deleted = open_export().set("Exit", "EX-1", &[DELETED]);
    assert!(deleted.read().has_event("Exit:EX-1:reopened"));
    let both = deleted.set("Enrollment", "E-4", &[DELETED]).read();
    assert!(both.has_event("Enrollment:E-4:deleted"));
    assert!(!both.has_event("Exit:EX-1:reopened"));
}

#[test]
fn an_id_that_only_heads_share_makes_households_of_their_own() {
    let outcome = open_export()
        .set("Enrollment", "E-90", &[("HouseholdID", "0")])
        .set("Enrollment", "E-92", &[("HouseholdID", "0")])
        .read();
    assert_eq!(outcome.codes(), ["household-own"; 2]);
    for id in ["E-90", "E-92"] {
        let event = outcome.event(&format!("Enrollment:{id}:household"));
        assert_eq!(event["source_household_id"], format!("enrollment-{id}"));
    }
}

#[test]
fn days_that_cannot_be_are_told_and_used() {
    let export = open_export().text("Export");
    assert!(export.contains("2026"), "the cases below lie around 2026");
    for (file, key, column, value, code) in [
        ("Client", "48211", "DOB", "2031-01-01", "date-out-of-range"),
        ("Client", "48211", "DOB", "1790-01-01", "date-out-of-range"),
        ("Client", "48211", "DOB", "1901-01-01", "date-out-of-range"),
        (
            "Enrollment",
            "E-4",
            "DateOfEngagement",
            "9999-12-31",
            "date-out-of-range",
        ),
        (
            "Enrollment",
            "E-4",
            "MoveInDate",
            "2025-02-28",
            "date-order",
        ),
        ("Exit", "EX-1", "ExitDate", "2025-02-28", "date-order"),
    ] {
        let outcome = open_export().set(file, key, &[(column, value)]).read();
        assert_eq!(only_code(&outcome), one(code, column), "{column} {value}");
        assert_eq!(outcome.report.outcome, Result::Accepted);
    }
}

#[test]
fn stays_outside_a_reporting_period_are_told() {
    let period = [
        ("ExportPeriodType", "3"),
        ("ExportStartDate", "2025-03-01"),
        ("ExportEndDate", "2026-02-01"),
    ];
    let files = open_export().set("Export", "X-2026-02-02", &period);
    assert_eq!(files.read().codes(), [""; 0]);
    let late = files
        .clone()
        .set("Enrollment", "E-93", &[("EntryDate", "2026-02-02")]);
    assert_eq!(
        only_code(&late.read()),
        one("date-out-of-range", "EntryDate")
    );
    let early = files
        .set("Enrollment", "E-4", &[("EntryDate", "2025-01-01")])
        .set("Exit", "EX-1", &[("ExitDate", "2025-02-28")]);
    assert_eq!(
        only_code(&early.read()),
        one("date-out-of-range", "ExitDate")
    );
}

#[test]
fn a_column_that_another_one_does_not_ask_for_is_told() {
    let told = |file, key, values: &[(&str, &str)]| {
        only_code(&open_export().set(file, key, values).read())
    };
    let filled = |column| one("dependent-filled", column);
    let subsidy = [("RentalSubsidyType", "419")];
    assert_eq!(
        told("Enrollment", "E-1", &subsidy),
        filled("RentalSubsidyType")
    );
    let place = [("OtherDestination", "a barn")];
    assert_eq!(told("Exit", "EX-1", &place), filled("OtherDestination"));
    let race = [("RaceNone", "99"), ("HispanicLatinao", "1")];
    assert_eq!(told("Client", "48211", &race), filled("RaceNone"));
    let alone = [("Destination", "435")];
    let blank = one("dependent-blank", "DestinationSubsidyType");
    assert_eq!(told("Exit", "EX-1", &alone), blank);
    let whole = [("Destination", "435"), ("DestinationSubsidyType", "419")];
    let outcome = open_export().set("Exit", "EX-1", &whole).read();
    assert_eq!(outcome.codes(), [""; 0]);
}

#[test]
fn a_name_in_clear_in_a_hashed_export_is_told_and_not_used() {
    let hashed = |files: Files| {
        let ssn = format!("6944{SHA_OF_R163}");
        let ids = ["48211", "48212", "48213", "50001", "50002", "50003"];
        ids.iter().fold(files, |files, id| {
            let names = [("FirstName", SHA_OF_R163), ("LastName", SHA_OF_R163)];
            files.set("Client", id, &names).set(
                "Client",
                id,
                &[("MiddleName", ""), ("SSN", ssn.as_str())],
            )
        })
    };
    let files = hashed(open_export()).set("Export", "X-2026-02-02", &[("HashStatus", "4")]);
    assert_eq!(only(&files.read()).2, "hashed-export");
    let mixed = files.set("Client", "48211", &[("LastName", "Demofield")]);
    let outcome = mixed.read();
    assert_eq!(outcome.codes(), ["hashed-export", "hash-form"]);
    assert!(!outcome.events_text().contains("Demofield"));
}

#[test]
fn a_control_character_in_a_name_is_told() {
    let outcome = open_export()
        .set("Client", "48211", &[("FirstName", "Mari\u{0}sol")])
        .read();
    assert_eq!(only_code(&outcome), one("control-character", "FirstName"));
}
