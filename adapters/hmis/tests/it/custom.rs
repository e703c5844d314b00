//! What Event.csv has no place for becomes rows of a custom file, and is taken back when it may no longer be said.

use tandem_adapter_port::outbound::{ConsentReminderView, OutboundBody, RecallView};
use tandem_mappings::model::message::Duty;
use tandem_mappings::model::referral::{ReasonCode, ReferralRole, ReferralStatus};

use crate::checker::{check, check_custom};
use crate::package::Files;
use crate::writing::{asked, message, mutual_client, partner, status, write, write_at};

#[test]
fn a_state_that_the_event_row_has_no_code_for_goes_into_the_custom_file() {
    let held = status(
        ReferralStatus::OnHold,
        Some(ReasonCode::Waitlisted),
        ReferralRole::Source,
    );
    let written = write(&[held], &partner("fy2026"));
    let package = check_custom(&written.files[0].bytes, "CustomCoordination");
    let text = format!("{:?}", package.files["CustomCoordination"]);
    assert!(text.contains("on-hold") && text.contains("waitlisted"));
}

#[test]
fn everything_else_is_a_custom_file_in_its_own_zip_with_long_text_in_ordered_rows() {
    let long: String = ('a'..='z').cycle().take(600).collect();
    let batch = [
        asked(&["48211"], Some("P-ES")),
        mutual_client(&format!("<open> {long}")),
    ];
    let written = write(&batch, &partner("fy2026"));
    assert_eq!(written.files.len(), 2);
    check("FY2026", &written.files[0].bytes, true);
    let package = check_custom(&written.files[1].bytes, "CustomCoordination");
    let (header, rows) = &package.files["CustomCoordination"];
    let column = |name| crate::package::position(header, name);
    let told: Vec<_> = rows
        .iter()
        .filter(|row| row[column("CustomQuestion")] == "partner case status")
        .collect();
    assert_eq!(told.len(), 3);
    let joined: String = told
        .iter()
        .map(|row| row[column("CustomAnswer")].as_str())
        .collect();
    assert_eq!(joined, format!("open {long}"));
    assert_eq!(told[2][column("CustomDetailAnswer")], "part 3 of 3");
    assert!(rows.iter().all(|row| row[column("EnrollmentID")] == "E-1"));
}

#[test]
fn what_a_later_telling_no_longer_says_is_deleted_without_being_said_again() {
    let mut memory = partner("fy2026");
    let first = write(&[mutual_client("case Alpha open")], &memory);
    for row in first.memory {
        assert!(!row.value.contains("Alpha"), "memory holds no answers");
        memory.put(row);
    }
    let second = write_at(&[mutual_client("")], &memory, "2026-02-06T18:00:00Z", 2);
    let package = check_custom(&second.files[0].bytes, "CustomCoordination");
    let (header, rows) = &package.files["CustomCoordination"];
    let column = |name| crate::package::position(header, name);
    let gone: Vec<_> = rows
        .iter()
        .filter(|row| !row[column("DateDeleted")].is_empty())
        .collect();
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0][column("CustomQuestion")], "partner case status");
    assert_eq!(gone[0][column("CustomAnswer")], "");
    let kept = rows
        .iter()
        .find(|row| row[column("CustomQuestion")] == "partner")
        .unwrap();
    assert_eq!(kept[column("DateCreated")], "2026-02-03 10:00:00");
    assert_eq!(kept[column("DateUpdated")], "2026-02-06 10:00:00");
}

#[test]
fn a_recall_deletes_what_it_takes_back_even_after_the_stay_has_ended() {
    let mut memory = partner("fy2026");
    let told = mutual_client("case Alpha open");
    for row in write(std::slice::from_ref(&told), &memory).memory {
        memory.put(row);
    }
    for row in write(&[asked(&["48211"], Some("P-ES"))], &memory).memory {
        memory.put(row);
    }
    let ended = [
        ("ExitID", "EX-2"),
        ("EnrollmentID", "E-1"),
        ("ExitDate", "2026-02-04"),
    ];
    let later = Files::fixture("fy2026")
        .add_like("Exit", "EX-1", &ended)
        .read();
    for row in later.collected.partner_rows {
        memory.put(row);
    }
    let recall = |number, of: &str| {
        let view = RecallView {
            messages: vec![of.parse().unwrap()],
            duties: vec![Duty::StopUse],
        };
        message(number, &[], OutboundBody::Recall(Box::new(view)))
    };
    let batch = [
        recall(7, &told.id.to_string()),
        recall(8, &format!("{:032x}", 1)),
    ];
    let written = write_at(&batch, &memory, "2026-02-06T18:00:00Z", 3);
    assert!(written.not_written.is_empty(), "{:?}", written.not_written);
    let package = check_custom(&written.files[0].bytes, "CustomCoordination");
    let (header, rows) = &package.files["CustomCoordination"];
    let column = |name| crate::package::position(header, name);
    let told_before =
        |row: &&Vec<String>| row[column("CustomQuestionGroup")].starts_with("mutual client");
    assert!(rows.iter().filter(told_before).count() > 2);
    for row in rows.iter().filter(told_before) {
        assert!(!row[column("DateDeleted")].is_empty());
        assert_eq!(row[column("CustomAnswer")], "");
    }
    let duties = rows
        .iter()
        .filter(|row| row[column("CustomQuestion")] == "duties");
    assert_eq!(duties.count(), 2);
    assert!(rows.iter().all(|row| row[column("PersonalID")] == "48211"));
}

#[test]
fn a_reminder_of_a_consent_that_ends_stands_at_the_persons_stay() {
    let view = ConsentReminderView {
        consent: "consent-7".to_owned(),
        last_day: "2026-06-29".parse().unwrap(),
        messages: vec![format!("{:032x}", 1).parse().unwrap()],
        referrals: vec!["EV-9".to_owned()],
    };
    let body = OutboundBody::ConsentReminder(Box::new(view));
    let written = write(&[message(9, &["48211"], body)], &partner("fy2026"));
    assert!(written.not_written.is_empty(), "{:?}", written.not_written);
    let package = check_custom(&written.files[0].bytes, "CustomCoordination");
    let (header, rows) = &package.files["CustomCoordination"];
    let column = |name| crate::package::position(header, name);
    let told = |question: &str| {
        let row = rows
            .iter()
            .find(|row| row[column("CustomQuestion")] == question);
        row.unwrap()[column("CustomAnswer")].clone()
    };
    assert_eq!(
        [told("consent"), told("last day"), told("own referral")],
        ["consent-7", "2026-06-29", "EV-9"]
    );
    assert!(rows.iter().all(|row| row[column("PersonalID")] == "48211"));
}
