//! The rules of the federal files, record by record.

use std::sync::LazyLock;

use tandem_adapter_port::report::{Collected, Outcome, Report};
use tandem_calworks::gates::NEVER_TOLD;
use tandem_calworks::read::acf199::{Acf199Reader, Expected, Substitution};
use tandem_mappings::model::event::Body;
use tandem_mappings::model::involvement::ParticipationStatus;

use crate::records::{Record, file, file_of, t1, t2, t3};
use crate::support::{self, codes, events};

pub(crate) fn read(text: impl AsRef<[u8]>) -> (Report, Collected) {
    static READER: LazyLock<Acf199Reader> =
        LazyLock::new(|| Acf199Reader::new(Expected::default()).unwrap());
    support::read(&*READER, "ADS.E2J.FTP1.TS06", text.as_ref())
}

fn outcome(records: &[Record]) -> (Outcome, Vec<(String, u64)>) {
    let report = read(file(records)).0;
    let found = codes(&report)
        .into_iter()
        .map(|(code, count)| (code.to_owned(), count))
        .collect();
    (report.outcome, found)
}

#[test]
fn a_family_that_breaks_no_rule_is_accepted_and_told() {
    let (report, collected) = read(file(&[t1(), t2(), t3()]));
    assert_eq!(
        (report.outcome, codes(&report)),
        (Outcome::Accepted, vec![])
    );
    assert_eq!((report.persons, report.records["T3"]), (3, 1));
    assert_eq!(report.version.as_deref(), Some("TANF 2026Q1 section 1"));
    for (kind, count) in [
        ("record.received", 3),
        ("household.membership", 3),
        ("enrollment.active", 1),
        ("participation.status", 1),
    ] {
        assert_eq!(events(&report, kind), count, "{kind}");
    }
    let people = collected.events.iter().find_map(|event| match &event.body {
        Body::EnrollmentActive(involvement) => Some(involvement.people.len()),
        _ => None,
    });
    assert_eq!(people, Some(3));
}

#[test]
fn ids_and_reports_hold_neither_number_nor_birth_date() {
    let (report, collected) = read(file(&[t1(), t2().with("citizenship_status", "9"), t3()]));
    let report = serde_json::to_string(&report).unwrap();
    let deviations = serde_json::to_string(&collected.deviations).unwrap();
    for event in &collected.events {
        let ids = format!("{}{:?}", event.source_event_id, event.source_person_id);
        for private in ["900123456", "19940517", "1994-05-17"] {
            assert!(
                !ids.contains(private)
                    && !report.contains(private)
                    && !deviations.contains(private)
            );
        }
        let told = serde_json::to_string(event).unwrap();
        assert!(NEVER_TOLD.iter().all(|field| !told.contains(field)));
    }
}

#[test]
fn a_substituted_number_is_the_same_person_as_a_clear_one() {
    let substitution = Substitution::load().unwrap();
    let clear = read(file(&[t1(), t2()])).1;
    let hidden = file(&[t1(), t2().with("ssn", &substitution.encode("900123456"))])
        .replace("TAN1 D", "TAN1ED");
    let hidden = read(hidden).1;
    assert_eq!(clear.events, hidden.events);
}

#[test]
fn the_same_people_in_three_months_are_counted_once() {
    let months = ["202601", "202602", "202603"];
    let records: Vec<Record> = months
        .iter()
        .flat_map(|month| [t1(), t2(), t3()].map(|record| record.with("rpt_month_year", month)))
        .collect();
    let report = read(file(&records)).0;
    assert_eq!((report.outcome, report.persons), (Outcome::Accepted, 3));
    assert_eq!(events(&report, "enrollment.active"), 1);
    assert_eq!(events(&report, "participation.status"), 3);
}

#[test]
fn records_of_a_case_may_stand_apart() {
    let other = |record: Record| record.with("case_number", "58OTHER");
    let mother = other(t2()).with("ssn", "900765432");
    let report = read(file(&[t1(), other(t1()), t3(), mother, t2()])).0;
    assert_eq!((report.outcome, report.persons), (Outcome::Accepted, 4));
    assert_eq!(events(&report, "enrollment.active"), 2);
}

#[test]
fn sanction_in_the_work_participation_status_is_told() {
    let collected = read(file(&[t1(), t2().with("work_part_status", "02")])).1;
    let told = collected.events.iter().find_map(|event| match &event.body {
        Body::ParticipationStatus(told) => Some((told.status, told.effective.unwrap().to_string())),
        _ => None,
    });
    assert_eq!(
        told,
        Some((ParticipationStatus::Sanctioned, "2026-01".to_owned()))
    );
}

/// Category 2 and 3: the record is kept.
#[test]
fn value_rules_by_table() {
    let family = |name: &str, value: &str| vec![t1().with(name, value), t2(), t3()];
    let adult = |name: &str, value: &str| vec![t1(), t2().with(name, value), t3()];
    let child = |name: &str, value: &str| vec![t1(), t2(), t3().with(name, value)];
    for (records, expected) in [
        (family("zip_code", "     "), vec![("V-required", 1)]),
        (family("zip_code", "#####"), vec![("V-required", 1)]),
        (family("nbr_family_members", "XX"), vec![("V-required", 1)]),
        (family("funding_stream", "3"), vec![("V-value", 1)]),
        (family("receives_food_stamps", "9"), vec![]),
        (family("nbr_months", "000"), vec![("C1", 1)]),
        (family("cc_amount", "0100"), vec![("C2", 2)]),
        (family("transp_amount", "0100"), vec![("C3", 1)]),
        (family("cash_amount", "0000"), vec![("C6", 1)]),
        (adult("date_of_birth", "99999999"), vec![("V-date", 2)]),
        (adult("date_of_birth", "199405  "), vec![("V-date", 2)]),
        (adult("date_of_birth", "19940231"), vec![("no-such-day", 1)]),
        (
            adult("date_of_birth", "20300101"),
            vec![("birth-after-month", 1)],
        ),
        (adult("race_asian", "0"), vec![("C7", 1)]),
        (adult("marital_status", "0"), vec![("C7", 1)]),
        (adult("parent_minor_child", "0"), vec![("C8", 1)]),
        (adult("education_level", "99"), vec![("C9", 1)]),
        (adult("citizenship_status", "9"), vec![("C9", 1)]),
        (adult("employment_status", "0"), vec![("C10", 1)]),
        (adult("work_eligible_indicator", "00"), vec![("C11", 1)]),
        (adult("work_part_status", "19"), vec![("V-value", 1)]),
        (adult("work_part_status", "16"), vec![("C12", 1)]),
        (adult("work_part_status", "99"), vec![("C13", 1)]),
        (adult("ssn", "999999999"), vec![("C14", 1)]),
        (adult("ssn", "000123456"), vec![("S1", 1)]),
        (child("relationship_hoh", "03"), vec![("C16", 1)]),
        (child("child2.race_white", " "), vec![("C16", 1)]),
        (child("citizenship_status", "9"), vec![("C17", 1)]),
    ] {
        let (outcome, found) = outcome(&records);
        let is_error = expected
            .iter()
            .any(|(code, _)| code.starts_with(['V', 'C', 'S']));
        let wanted = if is_error {
            Outcome::AcceptedWithErrors
        } else {
            Outcome::Accepted
        };
        let expected: Vec<(String, u64)> = expected
            .into_iter()
            .map(|(code, count)| (code.to_owned(), count))
            .collect();
        assert_eq!((outcome, found), (wanted, expected));
    }
}

#[test]
fn sanctions_and_reductions_need_their_answers() {
    let blank = |record: Record, name: &str| record.with(name, "3");
    let sanctioned = blank(t1().with("sanc_reduction_amt", "0100"), "other_sanction");
    assert_eq!(
        outcome(&[sanctioned, t2()]).1,
        [("C4".to_owned(), 1), ("V-value".to_owned(), 1)]
    );
    let reduced = blank(t1().with("other_total_reductions", "0100"), "family_cap");
    assert_eq!(
        outcome(&[reduced, t2()]).1,
        [("C5".to_owned(), 1), ("V-value".to_owned(), 1)]
    );
}

#[test]
fn a_minor_parent_under_19_is_no_head_of_household() {
    let minor = t2().with("work_eligible_indicator", "11");
    assert_eq!(
        outcome(&[t1(), minor.clone().with("date_of_birth", "20070102")]).1,
        [("C15".to_owned(), 1)]
    );
    assert_eq!(
        outcome(&[t1(), minor.with("date_of_birth", "20070101")]).1,
        []
    );
}

/// Category 1 and 4: records or cases drop out, and what drops out is not told.
#[test]
fn record_rules_by_table() {
    let other = |record: Record| record.with("case_number", "58OTHER");
    let good = || vec![t1(), t2(), t3()];
    let with = |more: Vec<Record>| [good(), more].concat();
    for (records, expected) in [
        (
            with(vec![other(t1()).cut_at(116), other(t2()), other(t3())]),
            vec![("K2", 3), ("R1", 1)],
        ),
        (
            with(vec![t3().with("ssn", "900555555").cut_at(59)]),
            vec![("R1", 1)],
        ),
        (with(vec![t2().with("case_number", "")]), vec![("R2", 1)]),
        (
            with(vec![t2().with("rpt_month_year", "202604")]),
            vec![("R3", 1)],
        ),
        (with(vec![other(t1())]), vec![("K1", 1)]),
        (
            with(vec![
                other(t1()),
                other(t2()).with("family_affiliation", "3"),
            ]),
            vec![("K1", 1)],
        ),
        (with(vec![other(t2()), other(t3())]), vec![("K2", 3)]),
        (with(vec![t2()]), vec![("K5", 1)]),
        // One line is identical, though it holds two children.
        (with(vec![t3()]), vec![("K5", 1)]),
        (with(vec![t1().with("zip_code", "95998")]), vec![("K6", 1)]),
        (with(vec![t2().with("sex", "1")]), vec![("K7", 1)]),
    ] {
        let (outcome, found) = outcome(&records);
        let expected: Vec<(String, u64)> = expected
            .into_iter()
            .map(|(code, count)| (code.to_owned(), count))
            .collect();
        assert_eq!((outcome, found), (Outcome::PartiallyAccepted, expected));
        assert_eq!(read(file(&records)).0.persons, 3);
    }
}

#[test]
fn a_line_that_is_too_short_for_its_second_child_keeps_the_first() {
    let short = t3().with("ssn", "900555555").cut_at(100);
    let report = read(file(&[t1(), t2(), short])).0;
    assert_eq!(
        (report.outcome, codes(&report)),
        (Outcome::PartiallyAccepted, vec![("R1", 1)])
    );
    assert_eq!(report.persons, 2);
}

#[test]
fn unaided_people_may_look_alike() {
    let sibling = t2()
        .with("family_affiliation", "3")
        .with("ssn", "999999999");
    let twin = sibling.clone().with("sex", "1");
    assert_eq!(
        outcome(&[t1(), t2(), sibling.clone(), twin]).0,
        Outcome::AcceptedWithErrors
    );
    assert_eq!(
        outcome(&[t1(), t2(), sibling.clone(), sibling]).0,
        Outcome::PartiallyAccepted
    );
}

/// Twins whose numbers nobody knows stand in one record and are alike in every key: two people, and no repetition.
#[test]
fn unaided_twins_in_one_record_are_two_people() {
    let twins = ["family_affiliation", "date_of_birth", "ssn", "sex"]
        .into_iter()
        .zip(["4", "20210914", "999999999", "1"])
        .fold(t3(), |record, (name, value)| {
            record
                .with(name, value)
                .with(&format!("child2.{name}"), value)
        });
    let month = |record: Record| record.with("rpt_month_year", "202602");
    let first = vec![t1(), t2(), twins];
    let report = read(file(&first)).0;
    assert_eq!(
        (report.outcome, codes(&report), report.persons),
        (Outcome::Accepted, vec![], 3)
    );
    // In the next month they are the same two.
    let both = [first.clone(), first.iter().cloned().map(month).collect()].concat();
    assert_eq!(read(file(&both)).0.persons, 3);
    let repeated = [first.clone(), vec![first[2].clone()]].concat();
    assert_eq!(codes(&read(file(&repeated)).0), [("K5", 1)]);
}

#[test]
fn an_aided_child_twice_in_one_record_breaks_rule_k7() {
    let twice = t3()
        .with("child2.date_of_birth", "20180302")
        .with("child2.ssn", "900123457");
    assert_eq!(
        outcome(&[t1(), t2(), twice.clone()]),
        (Outcome::PartiallyAccepted, vec![("K7".to_owned(), 1)])
    );
    let (_, found) = outcome(&[t1(), t2(), twice.clone(), twice]);
    assert_eq!(found, [("K5".to_owned(), 1), ("K7".to_owned(), 1)]);
}

#[test]
fn a_child_who_drops_out_of_a_record_is_not_told() {
    let alike = t3()
        .with("ssn", "000000000")
        .with("child2.date_of_birth", "20180302")
        .with("child2.ssn", "000000000");
    let (report, _) = read(file(&[t1(), t2(), alike]));
    assert_eq!((codes(&report), report.persons), (vec![("K7", 1)], 2));
}

#[test]
fn a_number_in_clear_below_a_substituting_header_is_nobody_else_s() {
    let text = file(&[t1(), t2()]).replace("TAN1 D", "TAN1ED");
    let (report, collected) = read(text);
    assert_eq!(codes(&report), [("S1", 1), ("V-value", 1)]);
    let told = serde_json::to_string(&collected.events).unwrap();
    assert!(!told.contains("\"ssn\":{"), "{told}");
}

#[test]
fn a_case_of_more_than_seventeen_records_is_dropped() {
    let mut records = vec![t1(), t2()];
    for child in 0..8 {
        let (one, two) = (format!("90020{child}111"), format!("90020{child}222"));
        records.push(t3().with("ssn", &one).with("child2.ssn", &two));
    }
    let report = read(file(&records)).0;
    assert_eq!(codes(&report), [("F1", 1), ("K4", 1)]);
    assert_eq!((report.outcome, report.persons), (Outcome::Rejected, 0));
}

#[test]
fn a_second_child_of_blanks_or_zeros_is_no_child() {
    let alone = t3().line()[..60].to_owned();
    for rest in ["", "        ", &"0".repeat(41), &" ".repeat(41)] {
        let (report, _) = read(file_of(&[
            t1().line(),
            t2().line(),
            format!("{alone}{rest}"),
        ]));
        assert_eq!(
            (report.outcome, report.persons),
            (Outcome::Accepted, 2),
            "{rest:?}"
        );
    }
}

#[test]
fn a_shared_number_does_not_make_mother_and_child_one_person() {
    let report = read(file(&[t1(), t2(), t3().with("ssn", "900123456")])).0;
    assert_eq!(report.persons, 3);
}
