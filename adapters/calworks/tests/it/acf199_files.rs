//! Whole federal files: the published test files, and files that are broken.

use std::io::Read;

use tandem_adapter_port::read::{FormatReader, Input};
use tandem_adapter_port::report::{Collected, Counting, Outcome};
use tandem_calworks::read::acf199::{Acf199Reader, Expected};

use crate::acf199::read;
use crate::records::{file, file_of, t1, t2, t3};
use crate::support::{codes, context, events};

#[test]
fn the_published_active_file_is_accepted_with_errors() {
    let (report, _) = read(include_str!(
        "../../fixtures/federal/small_tanf_section1.txt"
    ));
    assert_eq!(report.outcome, Outcome::AcceptedWithErrors);
    assert_eq!(
        (
            report.records["T1"],
            report.records["T2"],
            report.records["T3"]
        ),
        (5, 5, 5)
    );
    assert_eq!(report.persons, 5 + 6);
    assert_eq!(events(&report, "enrollment.active"), 5);
}

#[test]
fn the_published_files_of_sections_two_to_four_have_no_error() {
    for (text, records) in [
        (
            include_str!("../../fixtures/federal/small_tanf_section2.txt"),
            vec![("T4", 1), ("T5", 1)],
        ),
        (
            include_str!("../../fixtures/federal/ADS.E2J.FTP3.TS06"),
            vec![("T6", 1)],
        ),
        (
            include_str!("../../fixtures/federal/ADS.E2J.FTP4.TS06"),
            vec![("T7", 1)],
        ),
    ] {
        let (report, _) = read(text);
        assert_eq!(report.outcome, Outcome::Accepted);
        let expected = records
            .into_iter()
            .map(|(kind, count)| (kind.to_owned(), count))
            .collect();
        assert_eq!(report.records, expected);
    }
}

#[test]
fn a_closed_family_is_told_as_ended() {
    let (report, _) = read(include_str!(
        "../../fixtures/federal/small_tanf_section2.txt"
    ));
    assert_eq!(events(&report, "enrollment.ended"), 1);
    assert_eq!(report.persons, 1);
}

#[test]
fn counts_that_do_not_add_up_break_rule_c20() {
    let text =
        include_str!("../../fixtures/federal/ADS.E2J.FTP3.TS06").replace("00012747", "00012748");
    let (report, _) = read(text);
    assert_eq!(codes(&report), [("C20", 1)]);
    assert_eq!(report.outcome, Outcome::AcceptedWithErrors);
}

#[test]
fn a_quarter_before_the_accepted_years_is_a_wrong_value() {
    let text = include_str!("../../fixtures/federal/ADS.E2J.FTP3.TS06").replace("20214", "20184");
    let report = read(text).0;
    assert_eq!(
        (report.outcome, codes(&report)),
        (Outcome::AcceptedWithErrors, vec![("V-value", 1)])
    );
    let field = report.deviations[0].first.field.as_deref();
    assert_eq!(field, Some("T6 3 calendar_quarter"));
}

#[test]
fn a_record_of_another_program_is_counted_as_what_it_says() {
    let mut lines = vec![t1().line(), t2().line()];
    lines.extend(["M1 something".to_owned(), "T9 something".to_owned()]);
    let report = read(file_of(&lines)).0;
    assert_eq!(codes(&report), [("R6", 2)]);
    let counted: Vec<_> = report.records.iter().map(|(tag, n)| (&**tag, *n)).collect();
    assert_eq!(counted, [("M1", 1), ("T1", 1), ("T2", 1), ("unknown", 1)]);
}

#[test]
fn a_stratum_of_another_quarter_rejects_a_file_of_nothing_else() {
    let text =
        include_str!("../../fixtures/federal/ADS.E2J.FTP4.TS06").replace("T720214", "T720213");
    let (report, _) = read(text);
    assert_eq!(
        (report.outcome, codes(&report)),
        (Outcome::Rejected, vec![("F1", 1), ("R4", 1)])
    );
}

/// Structure of the file: each row a broken file and what it gives.
#[test]
fn broken_files_by_table() {
    let good = file(&[t1(), t2(), t3()]);
    let header = "HEADER20261A06   TAN1 D\n";
    let long_line = format!("T1{}\n", "9".repeat(10_000));
    let insert = |text: &str| good.replace("TRAILER", &format!("{text}TRAILER"));
    for (what, text, outcome, expected) in [
        ("empty", String::new(), Outcome::Rejected, "H1"),
        (
            "no header",
            good.replacen(header, "", 1),
            Outcome::Rejected,
            "H1",
        ),
        ("second header", insert(header), Outcome::Rejected, "H2"),
        (
            "nothing but a header",
            header.to_owned(),
            Outcome::Rejected,
            "F1",
        ),
        (
            "truncated",
            good[..good.len() - 30].to_owned(),
            Outcome::PartiallyAccepted,
            "R7",
        ),
        (
            "short trailer",
            good.replace("         \n", "\n"),
            Outcome::PartiallyAccepted,
            "R7",
        ),
        (
            "other section's record",
            insert("T4 something\n"),
            Outcome::PartiallyAccepted,
            "R6",
        ),
        (
            "unknown record",
            insert("\u{1}\u{2}\u{3}\n"),
            Outcome::PartiallyAccepted,
            "R6",
        ),
        (
            "long line",
            insert(&long_line),
            Outcome::PartiallyAccepted,
            "R3",
        ),
        (
            "record after the trailer",
            format!("{good}{}\n", t2().line()),
            Outcome::PartiallyAccepted,
            "R7",
        ),
        (
            "wrong count",
            good.replace("TRAILER0000003", "TRAILER0000007"),
            Outcome::Accepted,
            "trailer-count",
        ),
        ("blank lines", insert("\n   \n"), Outcome::Accepted, ""),
        (
            "line ends of DOS",
            good.replace('\n', "\r\n"),
            Outcome::Accepted,
            "",
        ),
        (
            "byte order mark",
            format!("\u{feff}{good}"),
            Outcome::Accepted,
            "",
        ),
        (
            "update N",
            good.replace("TAN1 D", "TAN1 N"),
            Outcome::AcceptedWithErrors,
            "H7",
        ),
    ] {
        let (report, _) = read(&text);
        assert_eq!(report.outcome, outcome, "{what}: {:?}", codes(&report));
        let found = codes(&report);
        assert!(
            expected.is_empty() && found.is_empty()
                || found.iter().any(|(code, _)| *code == expected),
            "{what}"
        );
    }
}

#[test]
fn a_file_without_records_is_accepted_when_the_trailer_says_so() {
    let (report, _) = read("HEADER20261A06   TAN1 D\nTRAILER0000000         \n");
    assert_eq!(
        (report.outcome, codes(&report)),
        (Outcome::Accepted, vec![])
    );
    let (report, _) = read("HEADER20261A06   TAN1 D\nTRAILER0000005         \n");
    assert_eq!(
        (report.outcome, codes(&report)),
        (Outcome::Rejected, vec![("F1", 2)])
    );
}

#[test]
fn files_in_another_encoding_are_rejected() {
    let wide: Vec<u8> = file(&[t1(), t2()])
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(read(wide).0.outcome, Outcome::Rejected);
    let zip = b"PK\x03\x04\x14\x00\x00\x00\x08\x00".repeat(50);
    assert_eq!(read(zip).0.outcome, Outcome::Rejected);
}

#[test]
fn a_character_outside_ascii_keeps_the_positions() {
    let line = t1().line();
    for text in [line.replacen("581D", "58ÑD", 1).into_bytes(), {
        let mut bytes = line.clone().into_bytes();
        bytes[10] = 0xd1;
        bytes
    }] {
        let mut bytes = b"HEADER20261A06   TAN1 D\n".to_vec();
        bytes.extend(text);
        bytes.extend(format!("\n{}\nTRAILER0000002         \n", t2().line()).into_bytes());
        let (report, _) = read(bytes);
        assert!(
            codes(&report).contains(&("not-ascii", 1)),
            "{:?}",
            codes(&report)
        );
        assert!(!codes(&report).iter().any(|(code, _)| code.starts_with('V')));
    }
}

#[test]
fn separate_state_and_tribal_files_have_their_own_layouts() {
    let state = file(&[t1(), t2(), t3()]);
    let separate = state.replace("TAN1 D", "SSP1 D");
    assert!(codes(&read(separate).0).contains(&("R6", 3)));
    let tribal = state.replace("HEADER20261A06   TAN1 D", "HEADER20261A00142TAN1 D");
    let (report, _) = read(tribal);
    assert_eq!(
        report.version.as_deref(),
        Some("Tribal TANF 2026Q1 section 1")
    );
    assert!(codes(&report).contains(&("tribal-t2", 1)));
    assert_eq!(report.persons, 2);
}

/// A stream of half a million lines that is never in memory as a whole.
struct Endless {
    line: usize,
    last: usize,
    rest: Vec<u8>,
    t1: String,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.is_empty() && self.line < self.last {
            self.line += 1;
            let case = format!("{:<11}", format!("58{:07}", self.line));
            let t1 = self.t1.replace("581D3M0F1  ", &case);
            let t2 = t2()
                .line()
                .replace("581D3M0F1  ", &case)
                .replace("900123456", &format!("90{:07}", self.line));
            self.rest = format!("{t1}\n{t2}\n").into_bytes();
        }
        let count = self.rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest.drain(..count);
        Ok(count)
    }
}

#[test]
fn a_long_stream_is_read_line_by_line() {
    let header: &[u8] = b"HEADER20261A06   TAN1 D\n";
    let mut stream = header.chain(Endless {
        line: 0,
        last: 300,
        rest: Vec::new(),
        t1: t1().line(),
    });
    let reader = Acf199Reader::new(Expected::default()).unwrap();
    let mut collected = Collected::default();
    let mut counting = Counting::new(reader.format(), &mut collected);
    let input = Input::Stream {
        name: "long",
        reader: &mut stream,
    };
    reader.read(input, &context("long"), &mut counting).unwrap();
    let report = counting.report();
    assert_eq!((report.persons, report.records["T1"]), (300, 300));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        read(&bytes);
        let mut after_header = b"HEADER20261A06   TAN1ED\n".to_vec();
        after_header.extend(&bytes);
        read(&after_header);
    }

    #[test]
    fn no_change_of_a_line_makes_the_reader_panic(place in 0_usize..480, byte in proptest::num::u8::ANY, cut in 0_usize..480) {
        let mut bytes = file(&[t1(), t2(), t3()]).into_bytes();
        bytes[place] = byte;
        read(&bytes);
        bytes.truncate(cut);
        read(&bytes);
    }
}
