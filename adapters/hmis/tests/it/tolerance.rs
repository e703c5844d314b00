//! Differences seen in real exports: read, and told.

use tandem_adapter_port::deviation::{Loss, Severity};
use tandem_adapter_port::read::Coverage;
use tandem_adapter_port::report::Outcome as Result;

use crate::package::{Files, Outcome};

/// The fixture without the projects that would refuse rows, so that deviations stand alone.
pub(crate) fn open_export() -> Files {
    Files::fixture("fy2026")
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

/// The only deviation.
pub(crate) fn only(
    outcome: &Outcome,
) -> (Severity, Loss, String, String, Option<u64>, Option<String>) {
    let [told] = outcome.collected.deviations.as_slice() else {
        panic!("expected one deviation: {:?}", outcome.collected.deviations)
    };
    assert!(!told.expected.is_empty());
    let place = told.place.clone();
    (
        told.severity,
        told.loss,
        told.code.clone(),
        place.file,
        place.line,
        place.field,
    )
}

#[test]
fn an_export_without_deviation_is_accepted() {
    let outcome = open_export().read();
    assert_eq!(
        outcome.report.outcome,
        Result::Accepted,
        "{:?}",
        outcome.collected.deviations
    );
    assert_eq!(outcome.report.persons, 6);
    assert!(matches!(outcome.collected.coverage, Coverage::Stays(_)));
}

#[test]
fn one_odd_value_is_one_deviation_at_its_place() {
    use Loss::{Nothing, Value};
    use Severity::{Error, Info, Warning};
    let cases = [
        (
            "Client",
            "48211",
            "DOB",
            "05-17-1994",
            Warning,
            Nothing,
            "date-form",
        ),
        (
            "Client",
            "48211",
            "DOB",
            "17-MAY-94",
            Warning,
            Nothing,
            "date-form",
        ),
        (
            "Client",
            "48211",
            "DOB",
            "1994-05-17\t",
            Warning,
            Nothing,
            "date-form",
        ),
        (
            "Client",
            "48211",
            "DOB",
            "yesterday",
            Error,
            Value,
            "bad-value",
        ),
        (
            "Client",
            "48211",
            "DateCreated",
            "2026-01-14",
            Warning,
            Nothing,
            "date-form",
        ),
        (
            "Client",
            "48211",
            "DateCreated",
            "01-14-26 09:00:00",
            Warning,
            Nothing,
            "date-form",
        ),
        (
            "Client",
            "48211",
            "NameDataQuality",
            "",
            Warning,
            Nothing,
            "blank-required",
        ),
        (
            "Client",
            "48211",
            "NameDataQuality",
            "77",
            Error,
            Value,
            "bad-code",
        ),
        (
            "Client",
            "48211",
            "VeteranStatus",
            "01",
            Warning,
            Nothing,
            "number-form",
        ),
        (
            "Client",
            "48211",
            "SSN",
            "900-12-3456",
            Warning,
            Nothing,
            "ssn-form",
        ),
        (
            "Client",
            "48211",
            "SSN",
            "000000000",
            Warning,
            Nothing,
            "placeholder-ssn",
        ),
        ("Client", "48211", "SSN", "12345", Error, Value, "bad-value"),
        (
            "Client",
            "48211",
            "FirstName",
            "Marisol [alias]",
            Info,
            Nothing,
            "stripped-character",
        ),
        (
            "Client",
            "48211",
            "ExportID",
            "X-other",
            Warning,
            Nothing,
            "export-id",
        ),
        (
            "Client",
            "48211",
            "UserID",
            "U99",
            Warning,
            Nothing,
            "reference-missing",
        ),
        (
            "Enrollment",
            "E-1",
            "DisablingCondition",
            "",
            Warning,
            Nothing,
            "blank-required",
        ),
        (
            "Enrollment",
            "E-2",
            "RelationshipToHoH",
            "",
            Warning,
            Nothing,
            "blank-required",
        ),
        (
            "Enrollment",
            "E-1",
            "LivingSituation",
            "436",
            Warning,
            Nothing,
            "retired-subsidy",
        ),
        (
            "Enrollment",
            "E-1",
            "LivingSituation",
            "24",
            Warning,
            Nothing,
            "code-out-of-place",
        ),
        (
            "Enrollment",
            "E-1",
            "LivingSituation",
            "999",
            Error,
            Value,
            "bad-code",
        ),
        ("Exit", "EX-1", "Destination", "0", Error, Value, "bad-code"),
        (
            "IncomeBenefits",
            "IB-1",
            "TANFAmount",
            "-5.00",
            Error,
            Value,
            "bad-value",
        ),
        (
            "Services",
            "S-1",
            "TypeProvided",
            "7",
            Error,
            Value,
            "bad-code",
        ),
        (
            "Project",
            "P-ES",
            "OrganizationID",
            "O-HOME ",
            Info,
            Nothing,
            "padding",
        ),
        (
            "Inventory",
            "I-1",
            "ProjectID",
            "P-LOST",
            Error,
            Value,
            "reference-missing",
        ),
        (
            "Inventory",
            "I-1",
            "BedInventory",
            "NULL",
            Warning,
            Nothing,
            "null-text",
        ),
    ];
    for (file, key, column, value, severity, loss, code) in cases {
        let outcome = open_export().set(file, key, &[(column, value)]).read();
        let told = outcome
            .collected
            .deviations
            .iter()
            .find(|told| told.code == code)
            .unwrap_or_else(|| panic!("{column}={value}: {:?}", outcome.collected.deviations));
        assert_eq!(
            (told.severity, told.loss),
            (severity, loss),
            "{column}={value}"
        );
        assert_eq!(told.place.field.as_deref(), Some(column));
        assert_eq!(told.place.file, format!("{file}.csv"));
        let (_, rows) = open_export().rows(file);
        let line = rows.iter().position(|row| row[0] == key).unwrap() as u64 + 2;
        assert_eq!(told.place.line, Some(line), "{column}={value}");
        let most = if code == "null-text" || code == "bad-code" {
            2
        } else {
            1
        };
        assert!(
            outcome.collected.deviations.len() <= most,
            "{:?}",
            outcome.collected.deviations
        );
        assert_eq!(
            outcome.report.persons, 6,
            "{column}={value}: nobody is lost"
        );
    }
}

#[test]
fn a_value_read_in_another_form_is_the_same_value() {
    let outcome = open_export()
        .set(
            "Client",
            "48211",
            &[
                ("DOB", "17-MAY-94"),
                ("SSN", "900-12-3456"),
                ("SSNDataQuality", "1"),
            ],
        )
        .set("Enrollment", "E-1", &[("EntryDate", "01-12-2026 00:00:00")])
        .read();
    let person = &outcome.event("Client:48211")["payload"]["person"];
    assert_eq!(person["birth"]["date"], "1994-05-17");
    assert_eq!(person["ssn"]["ssn"], "900123456");
    assert_eq!(
        outcome.event("Enrollment:E-1:active")["payload"]["from"],
        "2026-01-12"
    );
}

#[test]
fn header_case_and_order_and_appended_columns_are_read() {
    let (header, rows) = open_export().rows("Client");
    let mut turned: Vec<Vec<String>> = vec![header];
    turned.extend(rows);
    let text: String = turned
        .iter()
        .map(|row| {
            let mut row = row.clone();
            let sex = row.remove(10);
            row.push(sex);
            row.join(",") + "\n"
        })
        .collect();
    let text = text.replacen("PersonalID", "personalid", 1);
    let outcome = open_export().put("Client", text).read();
    assert_eq!(
        outcome.event("Client:48211")["payload"]["person"]["sex"],
        "female"
    );
    assert_eq!(outcome.codes(), ["header-spelling", "header-order"]);
    let files = open_export().replace("Enrollment", "HOHLeaseholder", "HoHLeaseholder");
    assert_eq!(only(&files.read()).2, "header-spelling");
    let (header, _) = open_export().rows("Project");
    assert_eq!(header.len(), 19);
    let project = open_export().text("Project");
    let wide: String = project
        .lines()
        .map(|line| format!("{line},Local\n"))
        .collect();
    assert_eq!(
        only(&open_export().put("Project", wide).read()).2,
        "column-unknown"
    );
}

#[test]
fn line_ends_and_byte_order_marks_do_not_matter() {
    let text = open_export().text("Client");
    let crlf = open_export()
        .put("Client", text.replace('\n', "\r\n"))
        .read();
    assert_eq!(crlf.report.outcome, Result::Accepted);
    let marked = open_export()
        .put("Client", format!("\u{feff}{text}"))
        .read();
    assert_eq!(only(&marked).2, "byte-order-mark");
    assert_eq!(marked.report.persons, 6);
    let export = open_export().text("Export");
    let marked = open_export()
        .put("Export", format!("\u{feff}{export}"))
        .read();
    assert_eq!(marked.report.persons, 6);
}

#[test]
fn windows_1252_names_are_read_and_told() {
    let bytes = open_export()
        .text("Client")
        .replace("Marisol", "Marisol Pe\u{f1}a");
    let bytes: Vec<u8> = bytes.chars().map(|c| c as u8).collect();
    let outcome = open_export().put("Client", bytes).read();
    let (severity, _, code, _, line, _) = only(&outcome);
    assert_eq!(
        (severity, code.as_str(), line),
        (Severity::Warning, "encoding", Some(2))
    );
    let person = &outcome.event("Client:48211")["payload"]["person"];
    assert_eq!(person["names"][0]["given"], "Marisol Peña");
}

#[test]
fn stray_quotes_spoil_no_other_row() {
    let outcome = open_export()
        .replace("Client", "\"Marisol\"", "\"Marisol \"Mari\" X\"")
        .read();
    assert_eq!(only(&outcome).2, "stray-quote");
    assert_eq!(outcome.report.persons, 6);
    let outcome = open_export()
        .replace("Client", "\"Marisol\"", "\"Marisol")
        .read();
    assert!(outcome.codes().contains(&"stray-quote"));
    assert_eq!(
        outcome.report.persons, 6,
        "{:?}",
        outcome.collected.deviations
    );
}
