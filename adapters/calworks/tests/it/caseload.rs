//! County caseload batches.

use std::sync::LazyLock;

use tandem_adapter_port::read::Coverage;
use tandem_adapter_port::report::{Collected, Outcome, Report};
use tandem_calworks::read::caseload::{CaseloadLayout, CaseloadReader};
use tandem_mappings::model::event::Body;
use tandem_mappings::model::person::{PersonRecord, Relation, Sex};

use crate::support::{self, codes, events};

const BATCH: &str = include_str!("../../fixtures/caseload.csv");
const FIXED: &str = include_str!("../../fixtures/caseload_fixed.txt");

fn read(text: impl AsRef<[u8]>) -> (Report, Collected) {
    static READER: LazyLock<CaseloadReader> = LazyLock::new(|| CaseloadReader::example().unwrap());
    support::read(&*READER, "caseload.csv", text.as_ref())
}

fn people(collected: &Collected) -> Vec<(String, PersonRecord)> {
    let records = collected
        .events
        .iter()
        .filter_map(|event| match &event.body {
            Body::RecordReceived(received) => Some((
                event.source_person_id.clone().unwrap().to_string(),
                received.person.clone(),
            )),
            _ => None,
        });
    records.collect()
}

#[test]
fn a_family_is_told_with_its_people_case_and_worker() {
    let (report, collected) = read(BATCH);
    assert_eq!(
        (report.outcome, codes(&report)),
        (Outcome::Accepted, vec![])
    );
    assert_eq!((report.persons, report.records["person"]), (3, 3));
    for (kind, count) in [
        ("record.received", 3),
        ("household.membership", 3),
        ("enrollment.active", 1),
        ("worker.changed", 1),
    ] {
        assert_eq!(events(&report, kind), count, "{kind}");
    }
    let (id, mother) = people(&collected).into_iter().next().unwrap();
    assert_eq!(id, "91234567A");
    assert_eq!(mother.official_name().unwrap().family, "Demofield");
    assert_eq!(
        (mother.sex, mother.identifier("cin")),
        (Some(Sex::Female), Some("91234567A"))
    );
    assert_eq!(mother.identifier("county-id"), Some("58301D3M0F1001"));
    assert_eq!(mother.addresses[0].zip, "95999");
    assert_eq!(mother.phones, ["5305550142"]);
}

#[test]
fn both_forms_tell_the_same_people() {
    let csv = people(&read(BATCH).1);
    let blank_before = read(format!("\n\r\n{FIXED}"));
    assert_eq!(people(&blank_before.1), csv);
    let (report, fixed) = read(FIXED);
    assert_eq!(
        (report.outcome, codes(&report)),
        (Outcome::Accepted, vec![])
    );
    assert_eq!(people(&fixed), csv);
}

#[test]
fn relations_come_from_the_layouts_codes() {
    let relations: Vec<Relation> = read(BATCH)
        .1
        .events
        .iter()
        .filter_map(|event| match &event.body {
            Body::HouseholdMembership(membership) => Some(membership.relation),
            _ => None,
        })
        .collect();
    assert_eq!(
        relations,
        [Relation::HeadOfHousehold, Relation::Child, Relation::Child]
    );
}

#[test]
fn a_person_without_cin_is_known_by_the_county_id_and_else_by_a_made_id() {
    let without_cin = BATCH.replace("91234569C", "");
    let (_, collected) = read(&without_cin);
    assert_eq!(people(&collected)[2].0, "58-1D3M0F1-03");
    let (_, collected) = read(without_cin.replace("58301D3M0F1003", ""));
    let id = people(&collected)[2].0.clone();
    assert_eq!(id.len(), 32);
    assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn an_ended_case_is_told_as_ended() {
    let (report, _) = read(BATCH.replace(",active,", ",discontinued,"));
    assert_eq!(
        (
            events(&report, "enrollment.ended"),
            events(&report, "enrollment.active")
        ),
        (1, 0)
    );
}

/// Each row: what is changed in the batch, and what that gives.
#[test]
fn faults_by_table() {
    for (from, to, outcome, expected, persons) in [
        (
            "91234567A",
            "9123456A7",
            Outcome::AcceptedWithErrors,
            "field-value",
            3,
        ),
        (
            "58301D3M0F1001",
            "5830",
            Outcome::AcceptedWithErrors,
            "field-value",
            3,
        ),
        (
            "58301D3M0F1001",
            "58-30-1D3M0F1-0-01",
            Outcome::Accepted,
            "",
            3,
        ),
        (
            "58301D3M0F1001",
            "99301D3M0F1001",
            Outcome::Accepted,
            "unknown-county",
            3,
        ),
        (
            "58301D3M0F1001",
            "58301D3M0F9001",
            Outcome::Accepted,
            "case-number-differs",
            3,
        ),
        (
            "58301D3M0F1001",
            "58351D3M0F1001",
            Outcome::Accepted,
            "aid-code-differs",
            3,
        ),
        (
            ",30,W0417",
            ",42,W0417",
            Outcome::Accepted,
            "unknown-aid-code",
            3,
        ),
        (
            "1994-05-17",
            "05/17/1994",
            Outcome::AcceptedWithErrors,
            "field-value",
            3,
        ),
        (
            "1994-05-17",
            "2094-05-17",
            Outcome::Accepted,
            "birth-in-future",
            3,
        ),
        (
            ",F,900123456",
            ",Q,900123456",
            Outcome::AcceptedWithErrors,
            "field-value",
            3,
        ),
        (
            "900123456",
            "999999999",
            Outcome::AcceptedWithErrors,
            "field-value",
            3,
        ),
        (
            "Marisol,,Demofield",
            "Marisol,,",
            Outcome::PartiallyAccepted,
            "required-field-blank",
            2,
        ),
        (
            "Marisol,,Demofield",
            "Marisol,,\"Demofield",
            Outcome::PartiallyAccepted,
            "stray-quote",
            2,
        ),
        (
            "Marisol,,Demofield",
            "Marisol,Demofield",
            Outcome::PartiallyAccepted,
            "row-width",
            2,
        ),
        (
            "phone,status",
            "fax,status",
            Outcome::Accepted,
            "column-missing",
            3,
        ),
        (
            "case_number,",
            "case_no,",
            Outcome::Rejected,
            "no-layout-fits",
            0,
        ),
    ] {
        let (report, _) = read(BATCH.replace(from, to));
        let found = codes(&report);
        assert_eq!(
            (report.outcome, report.persons),
            (outcome, persons),
            "{to}: {found:?}"
        );
        assert!(
            expected.is_empty() && found.is_empty()
                || found.iter().any(|(code, _)| *code == expected),
            "{to}"
        );
    }
}

#[test]
fn a_case_that_comes_up_again_is_read_with_a_warning() {
    let lines: Vec<&str> = BATCH.lines().collect();
    let other = lines[1]
        .replace("1D3M0F1", "1T3S7A1")
        .replace("91234567A", "97654321Z");
    let text = [lines[0], lines[1], &other, lines[2], lines[3]].join("\n");
    let (report, _) = read(text);
    assert_eq!(codes(&report), [("case-split", 1)]);
    assert_eq!(
        (report.persons, events(&report, "enrollment.active")),
        (4, 3)
    );
}

#[test]
fn a_header_row_is_known_in_any_case_and_a_second_one_is_nobody() {
    let (header, rows) = BATCH.split_once('\n').unwrap();
    let upper = header.to_ascii_uppercase();
    let (report, _) = read(format!("{upper}\n{rows}{upper}\n"));
    assert_eq!(codes(&report), [("header-twice", 1)]);
    assert_eq!((report.persons, report.records["person"]), (3, 3));
    assert_eq!(report.outcome, Outcome::AcceptedWithErrors);
    assert_eq!(report.deviations[0].first.line, Some(5));
}

#[test]
fn a_person_who_stands_twice_in_a_case_is_told_with_a_warning() {
    let again = BATCH.lines().nth(1).unwrap();
    let (report, _) = read(format!("{BATCH}{again}\n"));
    assert_eq!(codes(&report), [("person-twice", 1)]);
    assert_eq!(report.deviations[0].first.line, Some(5));
    assert_eq!(report.persons, 3);
}

#[test]
fn the_same_batch_twice_has_the_same_event_ids() {
    let (first, second) = (read(BATCH).1.events, read(BATCH).1.events);
    assert_eq!(first, second);
    let mut ids: Vec<_> = first
        .iter()
        .map(|event| event.source_event_id.clone())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), first.len());
}

#[test]
fn a_county_without_the_example_layout_brings_its_own() {
    let layout = "# source: Test County\n# version: 2026-02\n# example: birth_date|05/17/1994 -> 1994-05-17\n\
        field,column,start,end,type,format,codes,required\n\
        case_number,CASE,,,text,,,yes\nlast_name,LNAME,,,text,,,yes\nfirst_name,FNAME,,,text,,,no\n\
        birth_date,DOB,,,date,MM/DD/YYYY,,no\n";
    let layout = CaseloadLayout::load("test_county.csv", layout).unwrap();
    assert_eq!(layout.failed_examples(), vec![]);
    let reader = CaseloadReader::new(vec![layout], Coverage::Full).unwrap();
    let (report, collected) = support::read(
        &reader,
        "county.csv",
        b"DOB,CASE,LNAME,FNAME\n05/17/1994,1T3S7A1,Testa,Mira\n",
    );
    assert_eq!(
        (report.persons, report.version.as_deref()),
        (1, Some("2026-02"))
    );
    assert_eq!(collected.coverage, Coverage::Full);
}

#[test]
fn nobody_shows_in_a_report() {
    let (report, collected) = read(
        BATCH
            .replace("91234567A", "Marisol")
            .replace("900123456", "Demofield"),
    );
    let text = format!(
        "{}{:?}",
        serde_json::to_string(&report).unwrap(),
        collected.deviations
    );
    for private in ["Marisol", "Demofield", "1994"] {
        assert!(!text.contains(private), "{private}");
    }
}

#[test]
fn low_values_are_blanks_and_a_column_that_stands_twice_is_told() {
    for (text, expected) in [
        (
            BATCH.replacen("Marisol", "Mari\0\u{1}", 1),
            "control-character",
        ),
        (
            FIXED.replacen("Marisol", "Mari\0\0\0", 1),
            "control-character",
        ),
        (
            BATCH.replacen("middle_name", "first_name", 1),
            "column-twice",
        ),
    ] {
        let (report, collected) = read(text);
        assert!(
            codes(&report).contains(&(expected, 1)),
            "{:?}",
            codes(&report)
        );
        assert_eq!(report.outcome, Outcome::Accepted);
        let (_, mother) = people(&collected).into_iter().next().unwrap();
        let given = &mother.official_name().unwrap().given;
        assert!(given == "Mari" || given == "Marisol", "{given:?}");
    }
}

#[test]
fn a_byte_order_mark_hides_no_layout() {
    for text in [BATCH, FIXED] {
        let report = read(format!("\u{feff}{text}")).0;
        assert_eq!((report.outcome, report.persons), (Outcome::Accepted, 3));
    }
}

#[test]
fn a_file_without_line_feeds_is_rejected_and_not_taken_for_a_header_row() {
    let report = read(BATCH.replace('\n', "\r")).0;
    assert_eq!(
        (report.outcome, codes(&report)),
        (Outcome::Rejected, vec![("no-layout-fits", 1)])
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        read(&bytes);
        let mut after_header = BATCH.lines().next().unwrap().as_bytes().to_vec();
        after_header.push(b'\n');
        after_header.extend(&bytes);
        read(&after_header);
    }

    #[test]
    fn no_change_of_a_batch_makes_the_reader_panic(place in 0_usize..400, byte in proptest::num::u8::ANY) {
        for text in [BATCH, FIXED] {
            let mut bytes = text.as_bytes().to_vec();
            bytes[place] = byte;
            read(&bytes);
        }
    }
}
