//! `tandem read`: the report, the exit codes, and that no input can break it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use std::io::Write as _;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::cli_program::{file, fixture, tandem};

const FORMATS: [&str; 7] = [
    "calworks/acf-199",
    "calworks/caseload",
    "calworks/linkages",
    "child-welfare/cws-cms",
    "child-welfare/niem",
    "hmis/csv",
    "fhir/bundle",
];

fn read(input: &str, format: &str) -> (i32, Value) {
    let ended = tandem(&["read", input, "--as", format, "--json"]);
    (ended.code, ended.json())
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_federal_file_is_reported_by_record_type_person_event_and_deviation() {
    let (code, report) = read(
        &fixture("calworks/fixtures/federal/small_tanf_section1.txt"),
        "calworks/acf-199",
    );
    assert_eq!(code, 0);
    assert_eq!(report["format"], "calworks/acf-199");
    assert_eq!(report["records"], json!({"T1": 5, "T2": 5, "T3": 5}));
    assert_eq!(report["persons"], 11);
    assert_eq!(report["events"]["record.received"], 11);
    assert_eq!(report["outcome"], "accepted-with-errors");
    let first = &report["deviations"][0];
    assert_eq!(first["severity"], "error");
    assert!(
        first["count"].as_u64().unwrap() > 0 && first["first"]["line"].is_u64(),
        "{first}"
    );
}

#[test]
fn each_format_reads_its_own_file_from_file_folder_or_zip() {
    let inputs = [
        ("calworks/fixtures/caseload.csv", "calworks/caseload"),
        ("calworks/fixtures/linkages.json", "calworks/linkages"),
        ("child_welfare/fixtures/cws-cms", "child-welfare/cws-cms"),
        (
            "child_welfare/fixtures/niem/referral_example.xml",
            "child-welfare/niem",
        ),
        ("hmis/fixtures/fy2026", "hmis/csv"),
        ("fhir/fixtures/clinic.json", "fhir/bundle"),
    ];
    for (input, format) in inputs {
        let (code, report) = read(&fixture(input), format);
        assert_eq!(code, 0, "{input}: {report}");
        assert!(report["persons"].as_u64().unwrap() > 0, "{input}: {report}");
    }
}

#[test]
fn a_zip_and_its_folder_give_the_same_report() {
    let place = tempdir().unwrap();
    let folder = fixture("hmis/fixtures/fy2026");
    let entries: Vec<(String, Vec<u8>)> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    let entries: Vec<(&str, &[u8])> = entries
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    // Known by its content: the name says nothing.
    let packed = file(&place, "export.bin", zip(&entries));
    assert_eq!(read(&packed, "hmis/csv"), read(&folder, "hmis/csv"));
}

#[test]
fn a_report_holds_no_personal_data_and_the_event_file_is_its_owners_alone() {
    let place = tempdir().unwrap();
    let events = place.path().join("events.ndjson");
    let input = fixture("calworks/fixtures/caseload.csv");
    let arguments = [
        "read",
        &input,
        "--as",
        "calworks/caseload",
        "--events",
        events.to_str().unwrap(),
    ];
    let ended = tandem(&arguments);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        !ended.out.contains("Marisol") && !ended.out.contains("1994"),
        "{}",
        ended.out
    );
    let text = std::fs::read_to_string(&events).unwrap();
    let received = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["type"] == "record.received");
    assert_eq!(received.count(), 3);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            events.metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn bad_bytes_are_rejected_with_a_report_by_every_format() {
    let place = tempdir().unwrap();
    let deep = "[".repeat(100_000);
    let entities =
        "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>";
    let inputs = [
        file(&place, "empty", ""),
        file(&place, "zeros", vec![0_u8; 300_000]),
        file(&place, "wide", vec![b','; 10_000]),
        file(&place, "quotes", "a,\"b\n".repeat(1_000)),
        file(&place, "deep.json", deep),
        file(&place, "entities.xml", entities),
        file(&place, "cut.zip", b"PK\x03\x04 and no more"),
    ];
    for input in &inputs {
        for format in FORMATS {
            let (code, report) = read(input, format);
            assert_eq!(
                (code, &report["outcome"]),
                (1, &json!("rejected")),
                "{input} as {format}"
            );
            assert!(
                !report["deviations"].as_array().unwrap().is_empty(),
                "{input} as {format}"
            );
        }
    }
}

#[test]
fn a_zip_bomb_costs_no_more_than_its_limit() {
    let place = tempdir().unwrap();
    // 40 MB of zeros in 40 kB: beyond what one packed byte may yield.
    let bomb = file(
        &place,
        "bomb.zip",
        zip(&[("CLIENT_T.csv", &vec![0_u8; 40_000_000])]),
    );
    for format in ["hmis/csv", "child-welfare/cws-cms"] {
        let (code, report) = read(&bomb, format);
        assert_eq!(
            (code, &report["outcome"]),
            (1, &json!("rejected")),
            "{format}: {report}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_could_not_be_read_and_an_unknown_format_is_wrong_usage() {
    let missing = tandem(&["read", "no-such-file", "--as", "hmis/csv"]);
    assert_eq!((missing.code, missing.out.as_str()), (3, ""));
    assert!(
        missing.told.starts_with("error: opening no-such-file"),
        "{}",
        missing.told
    );
    assert_eq!(
        tandem(&["read", "no-such-file", "--as", "hmis/xls"]).code,
        2
    );
    assert_eq!(tandem(&["read"]).code, 2);
}
