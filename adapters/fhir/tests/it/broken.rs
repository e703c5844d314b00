//! Reading what is broken, too deep or too large.

use tandem_adapter_port::report::Outcome;

use crate::reading::person;
use crate::setting::read;

const BULK: &[u8] = include_bytes!("../../fixtures/bulk.ndjson");

#[test]
fn a_broken_line_costs_that_line_alone() {
    let (collected, report) = read(BULK);
    assert_eq!(report.persons, 2);
    assert_eq!(report.outcome, Outcome::PartiallyAccepted);
    assert_eq!(report.deviations[0].first.line, Some(2));
    assert_eq!(
        person(&collected.events, "b-1")
            .birth
            .unwrap()
            .date
            .to_string(),
        "2018-03"
    );
    let leo = person(&collected.events, "b-3");
    assert_eq!(
        (leo.names[0].given.as_str(), leo.names[0].family.as_str()),
        ("Leo", "Demofield")
    );
    assert!(leo.birth.is_none());
}

#[test]
fn an_entry_that_is_not_json_does_not_fail_the_bundle() {
    let bundle = br#"{"resourceType":"Bundle","type":"collection","entry":[
      {"resource":{"resourceType":"Patient","id":"a","name":[{"family":"Example"}]}},
      {"resource":{"resourceType":"Patient","id":"b","x":1e999,"name":[{"family":"Testa"}]}},
      {"resource":{"resourceType":"Patient","id":"c","name":[{"family":"]}"}]}}
    ]}"#;
    let (_, report) = read(bundle);
    assert_eq!(report.persons, 2);
    assert_eq!(report.outcome, Outcome::PartiallyAccepted);
    assert_eq!(report.deviations[0].first.line, Some(3));
}

#[test]
fn an_entry_that_is_no_object_is_told_and_costs_nothing_else() {
    let (_, report) = read(
        br#"{"resourceType":"Bundle","type":"collection","entry":[7,"a,]",null,
      {"resource":{"resourceType":"Patient","id":"a","name":[{"family":"Example"}]}}, true]}"#,
    );
    assert_eq!((report.persons, report.deviations.len()), (1, 1));
    let told = &report.deviations[0];
    assert_eq!((told.code.as_str(), told.count), ("entry-not-an-object", 4));
    assert_eq!(report.outcome, Outcome::PartiallyAccepted);
    let (_, report) = read(br#"{"resourceType":"Bundle","type":"collection","entry":{"a":1}}"#);
    assert_eq!(report.deviations[0].code, "entries-not-a-list");
    assert_eq!(report.outcome, Outcome::Rejected);
}

#[test]
fn what_is_not_json_is_told_at_its_own_line_and_byte() {
    let first = |text: &str| read(text.as_bytes()).1.deviations.remove(0).first;
    let good = r#"{"resourceType":"Patient","id":"a","name":[{"family":"Example"}]}"#;
    let bundle = |more: &str| {
        format!("{{\"resourceType\":\"Bundle\",\"entry\":[\n{{\"resource\":{good}}},\n  {more}")
    };
    let broken = first(&bundle("{\"resource\":x}]}"));
    assert_eq!(broken.line, Some(3));
    assert_eq!(broken.field.as_deref(), Some("column 15"));
    assert_eq!(first(&bundle("{\"resource\":\n{\"re")).line, Some(4));
    let after = first(&format!("{good}garbage"));
    assert_eq!(after.field.as_deref(), Some("column 66"));
}

#[test]
fn the_first_of_two_equal_keys_counts_and_the_repetition_is_told() {
    let (collected, report) =
        read(br#"{"resourceType":"Patient","id":"a","id":"b","name":[{"family":"Example"}]}"#);
    assert_eq!(
        collected.events[0]
            .source_person_id
            .as_ref()
            .unwrap()
            .as_str(),
        "a"
    );
    assert_eq!(report.deviations[0].code, "repeated-key");
}

#[test]
fn no_value_of_a_payload_stands_in_a_deviation() {
    let (collected, _) = read(
        br#"{"resourceType":"Patient","id":"a","gender":"Marisol","birthDate":"Demofield",
            "name":"Testa","identifier":[{"system":"http://hl7.org/fhir/sid/us-ssn","value":"90x"}]}"#,
    );
    let told = serde_json::to_string(&collected.deviations).unwrap();
    assert!(collected.deviations.len() >= 4, "{told}");
    for value in ["Marisol", "Demofield", "Testa", "90x"] {
        assert!(!told.contains(value), "{told}");
    }
}

#[test]
fn what_is_no_fhir_is_rejected() {
    for bytes in [
        &b""[..],
        b"   ",
        b"hello",
        b"[]",
        b"{}",
        b"{\"a\":1}",
        b"\xff\xfe\x00",
        b"}{",
    ] {
        let (_, report) = read(bytes);
        assert_eq!(report.outcome, Outcome::Rejected, "{bytes:?}");
    }
}

#[test]
fn depth_beyond_the_limit_is_reported_and_ends() {
    let mut deep = b"{\"resourceType\":\"Patient\",\"id\":\"d\",\"x\":".to_vec();
    deep.extend(vec![b'['; 200_000]);
    let (_, report) = read(&deep);
    assert_eq!(report.outcome, Outcome::Rejected);
}

#[test]
fn a_resource_of_countless_values_is_refused_alone() {
    let (open, end) = (
        r#"{"resourceType":"Patient","name":[{"family":"Example"}],"id":"#,
        "}",
    );
    let many = "[],".repeat(100_000);
    let text = format!("{open}\"a\",\"x\":[{many}1]{end}\n{open}\"b\"{end}\n");
    let (_, report) = read(text.as_bytes());
    assert_eq!(
        (report.persons, report.outcome),
        (1, Outcome::PartiallyAccepted)
    );
    assert_eq!(report.deviations[0].code, "resource-too-large");
}

#[test]
fn tasks_that_take_too_much_room_are_told_before_the_payload_ends() {
    let many = "{\"a\":1},".repeat(40_000);
    let task = |id: usize| {
        let text = r#""resourceType":"Task","status":"requested","intent":"order","for":{"reference":"Patient/p"}"#;
        format!(
            "{{{text},\"focus\":{{\"reference\":\"ServiceRequest/s\"}},\"id\":\"t{id}\",\"x\":[{many}1]}}\n"
        )
    };
    let service =
        r#"{"resourceType":"ServiceRequest","id":"s","status":"active","intent":"order"}"#;
    let text: String = (0..6).map(task).collect();
    let (_, report) = read(format!("{text}{service}\n").as_bytes());
    assert_eq!(report.events["referral.requested"], 6);
    let early = report
        .deviations
        .iter()
        .find(|one| one.code == "focus-not-found");
    assert!((1..6).contains(&early.unwrap().count));
}
