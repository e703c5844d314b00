//! What the coordination exchanges beside referrals and plans: meetings, ratings and standing in the work programme, each
//! in a message of its own that reads back as what was told; and reminders of consents that end.

use jiff::civil::date;
use tandem_adapter_port::outbound::{
    AssessmentView, ConsentReminderView, MeetingView, OutboundBody, ParticipationView,
};
use tandem_adapter_port::report::Outcome;
use tandem_calworks::write::LinkagesForm;
use tandem_mappings::model::assessment::{Rating, Stage};
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::id::InstrumentId;
use tandem_mappings::model::involvement::ParticipationStatus;
use tandem_mappings::model::meeting::{Attendee, MeetingType};

use crate::linkages_read::read;
use crate::linkages_write::{rows, text};

fn meeting(at: &str) -> OutboundBody {
    OutboundBody::Meeting(Box::new(MeetingView {
        meeting_type: MeetingType::FamilyTeam,
        is_held: true,
        at: at.parse().unwrap(),
        place: Some("Invented Hall, room 2".to_owned()),
        present: vec![Attendee {
            system: "cws-demo".to_owned(),
            role: "social worker".to_owned(),
        }],
        family_present: Some(true),
        next: None,
    }))
}

fn assessment() -> OutboundBody {
    OutboundBody::Assessment(Box::new(AssessmentView {
        instrument: InstrumentId::new("ssm-az").unwrap(),
        stage: Stage::Interim,
        rated_on: date(2026, 2, 2),
        ratings: vec![Rating {
            domain: Domain::Housing,
            level: Some(2),
            instrument_domain: None,
            person: None,
        }],
    }))
}

fn participation() -> OutboundBody {
    OutboundBody::Participation(Box::new(ParticipationView {
        status: ParticipationStatus::Noncompliant,
        effective: "2026-02-01".parse().ok(),
        reason: Some("missed three days".to_owned()),
    }))
}

/// Each row a view, cells of its header row, and the event as which the message reads back.
#[test]
fn meetings_ratings_and_participation_have_their_messages() {
    let held = "2026-02-02T22:00:00Z";
    for (body, cells, event) in [
        (
            meeting(held),
            vec![
                ("message_type", "meeting"),
                ("meeting_type", "family-team"),
                ("meeting_date", "2026-02-02T14:00:00-08:00"),
                ("meeting_place", "Invented Hall, room 2"),
                ("meeting_present", "cws-demo:social worker"),
                ("family_present", "yes"),
            ],
            "meeting.held",
        ),
        (
            assessment(),
            vec![
                ("message_type", "assessment"),
                ("instrument", "ssm-az"),
                ("stage", "interim"),
                ("effective_date", "2026-02-02"),
            ],
            "assessment.recorded",
        ),
        (
            participation(),
            vec![
                ("message_type", "participation"),
                ("participation_status", "noncompliant"),
                ("effective_date", "2026-02-01"),
                ("reason_text", "missed three days"),
            ],
            "participation.status",
        ),
    ] {
        let csv = text(LinkagesForm::Csv, body.clone());
        let header = &rows(&csv)[0];
        for (field, value) in cells {
            assert_eq!(header[field], value, "{event}: {field}");
        }
        for written in [csv, text(LinkagesForm::Json, body)] {
            let report = read(&written).0;
            assert_eq!(report.outcome, Outcome::Accepted, "{event}");
            assert_eq!(report.events.get(event), Some(&1), "{event}");
        }
    }
}

#[test]
fn a_rating_stands_on_a_row_of_its_own() {
    let rows = rows(&text(LinkagesForm::Csv, assessment()));
    let rating = rows
        .iter()
        .find(|row| row["line_type"] == "rating")
        .unwrap();
    assert_eq!(
        (rating["domain"].as_str(), rating["rating_level"].as_str()),
        ("housing", "2")
    );
    assert!(!rating.contains_key("rated_person_id"));
}

#[test]
fn a_reminder_says_which_consent_ends_when_and_recalls_nothing() {
    let body = OutboundBody::ConsentReminder(Box::new(ConsentReminderView {
        consent: "consent-7".to_owned(),
        last_day: "2026-06-29".parse().unwrap(),
        messages: vec!["0191f2aa-0000-7000-8000-00000000b001".parse().unwrap()],
        referrals: vec!["CW-R-1".to_owned()],
    }));
    let text = text(LinkagesForm::Csv, body);
    let header = &rows(&text)[0];
    assert_eq!(header["message_type"], "consent_reminder");
    assert_eq!(header["effective_date"], "2026-06-29");
    for told in ["consent-7", "00000000b001", "CW-R-1"] {
        assert!(header["reason_text"].contains(told), "{told}: {header:?}");
    }
    assert!(!header.contains_key("recalled_message_id") && !header.contains_key("duty"));
}
