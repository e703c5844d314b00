//! Differences of whole rows, files and packages: read as far as they can be, and told.

use tandem_adapter_port::deviation::{Loss, Severity};
use tandem_adapter_port::report::Outcome as Result;
use tandem_hmis::config::ReadConfig;

use crate::package::{Files, Outcome};
use crate::tolerance::{only, open_export};

#[test]
fn merged_exports_are_refused_unless_asked_for() {
    let files = open_export().add_like("Export", "X-2026-02-02", &[("ExportID", "X-2")]);
    let refused = files.read();
    assert_eq!(refused.report.outcome, Result::Rejected);
    assert!(refused.collected.events.is_empty());
    let config = ReadConfig {
        accept_merged_exports: true,
        ..ReadConfig::default()
    };
    let accepted = files
        .set("Client", "48211", &[("ExportID", "X-2")])
        .read_with(config);
    assert_eq!(accepted.report.persons, 6);
    assert_eq!(only(&accepted).2, "export-rows");
    assert_eq!(accepted.report.records["Export"], 2);
}

#[test]
fn the_edition_is_found_by_year_or_by_columns() {
    for (folder, version, expected) in [
        ("fy2026", "2026 v10", "FY2026"),
        ("fy2026", "v2026", "FY2026"),
        ("fy2026", "", "FY2026"),
        ("fy2024", "2024 v1.7", "FY2024"),
        ("fy2024", "", "FY2024"),
    ] {
        let files = Files::fixture(folder);
        let outcome = files
            .set("Export", "X-2026-02-02", &[("CSVVersion", version)])
            .read();
        assert_eq!(
            outcome.report.version.as_deref(),
            Some(expected),
            "{folder} {version}"
        );
        assert_eq!(outcome.report.persons, 4);
    }
    let old =
        Files::fixture("fy2024").set("Export", "X-2026-02-02", &[("CSVVersion", "2022 v1.3")]);
    let outcome = old.read();
    assert_eq!(outcome.report.outcome, Result::Rejected);
    assert!(outcome.codes().contains(&"version-unsupported"));
}

#[test]
fn dropped_rows_are_errors_and_the_rest_is_kept() {
    let duplicate = open_export().add_like("Client", "48211", &[("FirstName", "Marisola")]);
    let outcome = duplicate.read();
    let (severity, loss, code, ..) = only(&with_codes(&outcome, "duplicate-key"));
    assert_eq!(
        (severity, loss, code.as_str()),
        (Severity::Error, Loss::Record, "duplicate-key")
    );
    assert_eq!(outcome.report.outcome, Result::PartiallyAccepted);
    let blank = open_export()
        .set("Enrollment", "E-1", &[("EntryDate", "")])
        .read();
    assert!(blank.codes().contains(&"blank-required"));
    assert!(!blank.has_event("Enrollment:E-1:active"));
    let lost = open_export()
        .set("Services", "S-1", &[("EnrollmentID", "E-LOST")])
        .read();
    assert_eq!(only(&lost).2, "reference-missing");
    let short = open_export().append("Services", "S-9,E-1\n").read();
    assert_eq!(only(&short).2, "column-count");
    let again = open_export().text("Services");
    let header = again.lines().next().unwrap().to_owned() + "\n";
    assert_eq!(
        only(&open_export().append("Services", &header).read()).2,
        "header-repeated"
    );
}

/// The outcome with the deviations of one code only.
fn with_codes(outcome: &Outcome, code: &str) -> Outcome {
    let mut collected = tandem_adapter_port::report::Collected::default();
    collected.deviations = outcome
        .collected
        .deviations
        .iter()
        .filter(|told| told.code == code)
        .cloned()
        .collect();
    Outcome {
        collected,
        report: outcome.report.clone(),
    }
}

#[test]
fn a_blank_or_shared_household_id_makes_a_household_of_its_own() {
    let blank = open_export()
        .set("Enrollment", "E-1", &[("HouseholdID", "")])
        .read();
    assert_eq!(
        blank.event("Enrollment:E-1:household")["source_household_id"],
        "enrollment-E-1"
    );
    let shared = open_export()
        .set("Enrollment", "E-93", &[("HouseholdID", "9920")])
        .read();
    let ids: Vec<_> = ["E-1", "E-2", "E-93"]
        .iter()
        .map(|id| {
            shared.event(&format!("Enrollment:{id}:household"))["source_household_id"].clone()
        })
        .collect();
    assert_eq!(ids, ["enrollment-E-1", "enrollment-E-2", "enrollment-E-93"]);
    assert!(shared.codes().contains(&"household-own"));
    let headless = open_export()
        .set("Enrollment", "E-1", &[("RelationshipToHoH", "3")])
        .read();
    assert_eq!(headless.codes(), ["household-without-head"; 3]);
    let two = open_export()
        .set("Enrollment", "E-2", &[("RelationshipToHoH", "1")])
        .read();
    assert_eq!(two.codes(), ["household-two-heads"; 2]);
}

#[test]
fn missing_files_are_told_and_the_rest_is_read() {
    let outcome = open_export().without("YouthEducationStatus").read();
    assert_eq!(only(&outcome).2, "file-missing");
    assert_eq!(outcome.report.persons, 6);
    let outcome = open_export().without("Export").read();
    assert_eq!(outcome.report.outcome, Result::Rejected);
    assert_eq!(only(&outcome).2, "export-missing");
}
