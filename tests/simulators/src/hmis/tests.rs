//! The housing system as its partner meets it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::civil::date;

use super::holdings::cell;
use super::layout::Layout;
use super::{HmisPackage, HmisRow, HmisSettings, HmisSystem, PackageKind, parse};
use crate::clock::SimClock;
use crate::family;
use crate::zip_file;

const SOON: Duration = Duration::from_secs(5);

async fn system(home: &Path) -> HmisSystem {
    let clock = SimClock::starting_at("2026-02-02T17:00:00Z".parse().unwrap()).unwrap();
    HmisSystem::start(HmisSettings {
        folder: home.to_owned(),
        clock,
        seed: 1,
    })
    .await
    .unwrap()
}

fn read_in(home: &Path, name: &str) -> HmisPackage {
    let bytes = std::fs::read(home.join("in").join(name)).unwrap();
    parse::parse(&Layout::load().unwrap(), name, &bytes).unwrap()
}

fn csv(layout: &Layout, file: &str, rows: &[HmisRow]) -> (String, Vec<u8>) {
    let columns = layout
        .file(file)
        .map_or_else(|| Layout::custom(file), Clone::clone)
        .columns;
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(columns.iter().map(|column| &column.name))
        .unwrap();
    for row in rows {
        writer
            .write_record(columns.iter().map(|column| cell(row, &column.name)))
            .unwrap();
    }
    (format!("{file}.csv"), writer.into_inner().unwrap())
}

/// A shelter referral as a gateway would send it: export row copied from the partner's own export.
fn delta(export: &HmisRow, id: &str, change: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let layout = Layout::load().unwrap();
    let mut export = export.clone();
    for (column, value) in [
        ("ExportID", id),
        ("ExportDirective", "1"),
        ("ExportPeriodType", "1"),
    ] {
        export.insert(column.into(), value.into());
    }
    let mut event = super::seed::record(
        &[
            ("EventID", "G-EV-1"),
            ("EnrollmentID", family::HMIS_ENROLLMENT),
            ("PersonalID", family::HMIS_MARISOL),
            ("EventDate", "2026-02-02"),
            ("Event", "10"),
            ("LocationCrisisOrPHHousing", family::HMIS_SHELTER_PROJECT),
            ("ExportID", id),
        ],
        "2026-02-02 09:00:00",
    );
    for (column, value) in change {
        event.insert((*column).into(), (*value).into());
    }
    vec![
        csv(&layout, "Export", &[export]),
        csv(&layout, "Event", &[event]),
    ]
}

async fn send(home: &Path, name: &str, files: &[(String, Vec<u8>)]) -> serde_json::Value {
    let out = home.join("out");
    std::fs::write(out.join("x.part"), zip_file::pack(files).unwrap()).unwrap();
    std::fs::rename(out.join("x.part"), out.join(name)).unwrap();
    let ack = out.join(format!("{name}.ack"));
    loop {
        if let Ok(text) = std::fs::read_to_string(&ack) {
            return serde_json::from_str(&text).unwrap();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn full_export_keeps_to_the_published_layout_column_by_column() {
    let home = tempfile::tempdir().unwrap();
    let system = system(home.path()).await;
    let package = read_in(home.path(), &system.drop_export().await.unwrap());
    assert_eq!(package.files.len(), 24);
    let people: BTreeMap<&str, &HmisRow> = package.files["Client"]
        .iter()
        .map(|row| (cell(row, "PersonalID"), row))
        .collect();
    assert_eq!(cell(people[family::HMIS_MARISOL], "SSN"), "xxxxx3456");
    for stay in &package.files["Enrollment"] {
        assert!(people.contains_key(cell(stay, "PersonalID")));
        let held = &package.files["Project"];
        assert!(
            held.iter()
                .any(|project| project["ProjectID"] == stay["ProjectID"])
        );
        let heads = package.files["Enrollment"].iter().filter(|other| {
            other["HouseholdID"] == stay["HouseholdID"] && other["RelationshipToHoH"] == "1"
        });
        assert_eq!(heads.count(), 1);
    }
    let shelter = package.files["Enrollment"].iter().filter(|stay| {
        stay["ProjectID"] == family::HMIS_SHELTER_PROJECT && stay["PersonalID"].starts_with("482")
    });
    assert_eq!(shelter.count(), 0, "the family is not in the shelter yet");
}

#[tokio::test]
async fn referral_is_merged_answered_and_followed_by_an_enrollment() {
    let home = tempfile::tempdir().unwrap();
    let system = system(home.path()).await;
    let full = read_in(home.path(), &system.drop_export().await.unwrap());
    let export = &full.files["Export"][0];
    let ack = send(home.path(), "d1.zip", &delta(export, "GX-1", &[])).await;
    assert_eq!(ack["file"], "accepted", "{:?}", system.violations());
    system
        .wait_for_event("the referral", |row| row["EventID"] == "G-EV-1", SOON)
        .await
        .unwrap();
    let answer = system
        .answer_event("G-EV-1", 1, date(2026, 2, 8))
        .await
        .unwrap();
    let answer = read_in(home.path(), &answer);
    let event = &answer.files["Event"][0];
    assert_eq!(
        (
            event["ReferralResult"].as_str(),
            event["ResultDate"].as_str()
        ),
        ("1", "2026-02-08")
    );
    assert!(event["DateUpdated"].as_str() > "2026-02-02 09:00:00");
    assert_eq!(answer.files["Export"][0]["ExportDirective"], "1");
    let stay = system.enroll_in_shelter(date(2026, 2, 8)).await.unwrap();
    assert_eq!(read_in(home.path(), &stay).files["Enrollment"].len(), 3);
    // The same package again, as at-least-once delivery brings it, changes nothing back.
    let again = send(home.path(), "d1-again.zip", &delta(export, "GX-1", &[])).await;
    assert_eq!(again["file"], "accepted");
    let held = system
        .events()
        .into_iter()
        .find(|row| row["EventID"] == "G-EV-1")
        .unwrap();
    assert_eq!(held["ReferralResult"], "1");
    assert!(system.violations().is_empty(), "{:?}", system.violations());
    // A later change that forgets the answer would lose it.
    let change = [
        ("DateUpdated", "2026-03-01 09:00:00"),
        ("DateDeleted", "2026-03-01 09:00:00"),
    ];
    send(home.path(), "d2.zip", &delta(export, "GX-2", &change)).await;
    assert_eq!(system.violations()[0].rule, "blank-over-value");
}

#[tokio::test]
async fn bad_deltas_are_refused_each_by_its_rule() {
    let home = tempfile::tempdir().unwrap();
    let system = system(home.path()).await;
    let full = read_in(home.path(), &system.drop_export().await.unwrap());
    let export = &full.files["Export"][0];
    let cases: [(&str, &[(&str, &str)]); 10] = [
        ("unknown-enrollment", &[("EnrollmentID", "E-0")]),
        ("unknown-user", &[("UserID", "nobody")]),
        ("wrong-person", &[("PersonalID", family::HMIS_ANA)]),
        (
            "victim-services",
            &[("EnrollmentID", "E-77701-VSP"), ("PersonalID", "77701")],
        ),
        ("location", &[("LocationCrisisOrPHHousing", "the shelter")]),
        ("dependent", &[("ResultDate", "2026-02-02")]),
        ("value", &[("Event", "99")]),
        ("event-date", &[("EventDate", "2026-03-01")]),
        ("export-id", &[("ExportID", "other")]),
        ("event-code", &[("Event", "17")]),
    ];
    for (number, (rule, change)) in cases.into_iter().enumerate() {
        let before = system.violations().len();
        let files = delta(export, &format!("GX-{number}"), change);
        let ack = send(home.path(), &format!("b{number}.zip"), &files).await;
        assert_eq!(ack["file"], "rejected", "{rule}");
        assert!(
            ack["reason"].as_str().unwrap().contains(rule),
            "{rule}: {ack}"
        );
        assert!(
            system.violations()[before..]
                .iter()
                .any(|one| one.rule == rule),
            "{rule}"
        );
    }
    assert!(system.received().is_empty());
    assert!(
        system.contains_text("the shelter"),
        "text inside a zip is searched"
    );
}

#[tokio::test]
async fn copied_row_that_loses_a_value_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let system = system(home.path()).await;
    let full = read_in(home.path(), &system.drop_export().await.unwrap());
    let mut files = delta(&full.files["Export"][0], "GX-1", &[]);
    let mut client = full.files["Client"]
        .iter()
        .find(|row| row["PersonalID"] == family::HMIS_MARISOL)
        .unwrap()
        .clone();
    client.insert("ExportID".into(), "GX-1".into());
    files.push(csv(&Layout::load().unwrap(), "Client", &[client.clone()]));
    send(home.path(), "good.zip", &files).await;
    assert!(system.violations().is_empty(), "{:?}", system.violations());
    client.insert("SSN".into(), String::new());
    client.insert("ExportID".into(), "GX-2".into());
    let mut files = delta(&full.files["Export"][0], "GX-2", &[]);
    files.push(csv(&Layout::load().unwrap(), "Client", &[client]));
    send(home.path(), "blank.zip", &files).await;
    assert_eq!(system.violations()[0].rule, "blank-over-value");
}

#[tokio::test]
async fn custom_files_come_in_a_zip_of_their_own() {
    let home = tempfile::tempdir().unwrap();
    let system = system(home.path()).await;
    let layout = Layout::load().unwrap();
    let goal = super::seed::record(
        &[
            ("CustomQuestionID", "CQ-1"),
            ("EnrollmentID", family::HMIS_ENROLLMENT),
            ("PersonalID", family::HMIS_MARISOL),
            ("CustomQuestionGroup", "goal G1"),
            ("CustomQuestion", "status"),
            ("CustomAnswer", "active"),
            ("ExportID", "GC-1"),
        ],
        "2026-02-02 09:00:00",
    );
    let custom = csv(&layout, "CustomGoals", &[goal]);
    let ack = send(home.path(), "c.zip", std::slice::from_ref(&custom)).await;
    assert_eq!(ack["file"], "accepted", "{:?}", system.violations());
    assert_eq!(system.received()[0].content.kind, PackageKind::Custom);
    assert_eq!(
        system.custom_rows("CustomGoals")[0]["CustomAnswer"],
        "active"
    );
    let event = csv(&layout, "Event", &[]);
    send(home.path(), "mixed.zip", &[custom, event]).await;
    assert_eq!(system.violations()[0].rule, "custom-mixed");
    send(
        home.path(),
        "half.zip",
        &[("Event.csv".into(), b"EventID\n".to_vec())],
    )
    .await;
    assert!(system.violations().iter().any(|one| one.rule == "header"));
}

proptest::proptest! {
    #[test]
    fn any_bytes_in_a_package_end_in_complaints(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        is_packed: bool,
    ) {
        let layout = Layout::load().unwrap();
        let bytes = if is_packed {
            zip_file::pack(&[("Event.csv".into(), bytes)]).unwrap()
        } else {
            bytes
        };
        proptest::prop_assert!(parse::parse(&layout, "x.zip", &bytes).is_err());
    }
}
