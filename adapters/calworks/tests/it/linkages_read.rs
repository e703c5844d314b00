//! Reading Linkages messages.

use std::sync::LazyLock;

use tandem_adapter_port::format::Format;
use tandem_adapter_port::report::{Collected, Outcome, Report};
use tandem_calworks::gates::SenderGate;
use tandem_calworks::read::linkages::LinkagesReader;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::OrganizationId;
use tandem_mappings::model::involvement::{ParticipationStatus, PlacementChange};
use tandem_mappings::model::referral::{ReasonCode, ReferralStatus, Urgency};

use crate::support::{self, codes, events};

const BATCH: &str = include_str!("../../fixtures/linkages.csv");
const JSON: &str = include_str!("../../fixtures/linkages.json");

pub(crate) fn read(text: impl AsRef<[u8]>) -> (Report, Collected) {
    static READER: LazyLock<LinkagesReader> =
        LazyLock::new(|| LinkagesReader::new(SenderGate::default()).unwrap());
    support::read(&*READER, "linkages", text.as_ref())
}

fn event<'a>(collected: &'a Collected, event_type: &str) -> &'a NewEvent {
    collected
        .events
        .iter()
        .find(|event| event.body.event_type() == event_type)
        .unwrap()
}

#[test]
fn a_batch_of_every_kind_is_told() {
    let (report, _) = read(BATCH);
    assert_eq!(
        (report.outcome, codes(&report)),
        (Outcome::Accepted, vec![])
    );
    assert_eq!(
        (
            report.records["header"],
            report.records["goal"],
            report.persons
        ),
        (10, 1, 3)
    );
    for (kind, count) in [
        ("referral.requested", 1),
        ("referral.closed", 1),
        ("comanagement.started", 1),
        ("comanagement.ended", 1),
        ("placement.changed", 2),
        ("plan.update", 1),
        ("participation.status", 1),
        ("meeting.held", 1),
        ("assessment.recorded", 1),
        ("coordination.step", 2),
        ("household.membership", 3),
    ] {
        assert_eq!(events(&report, kind), count, "{kind}");
    }
}

#[test]
fn a_referral_keeps_everything_that_the_message_says() {
    let (_, collected) = read(BATCH);
    let Body::ReferralRequested(request) = &event(&collected, "referral.requested").body else {
        panic!()
    };
    assert_eq!(request.referral.source_ref.as_deref(), Some("R-1"));
    assert_eq!(
        (request.domain, request.urgency),
        (Domain::Shelter, Urgency::Crisis)
    );
    assert_eq!(request.need.as_deref(), Some("=safe place tonight"));
    assert_eq!(
        request.target.organization,
        OrganizationId::new("org-hmis").ok()
    );
    assert_eq!(request.subjects[0].as_str(), "91234567A");
    assert_eq!(request.household.as_ref().unwrap().as_str(), "1D3M0F1");
    assert_eq!(
        request.safe_contact.as_ref().unwrap().how.as_deref(),
        Some("call after five")
    );
    assert_eq!(
        request.worker.as_ref().unwrap().name.as_deref(),
        Some("Tessa Samplework")
    );
}

#[test]
fn a_status_is_dated_by_the_day_it_took_effect() {
    let (_, collected) = read(BATCH);
    let told = event(&collected, "referral.closed");
    assert_eq!(told.occurred_at.to_string(), "2026-02-01T08:00:00Z");
    let Body::ReferralClosed(update) = &told.body else {
        panic!()
    };
    assert_eq!(
        (update.status, update.reason),
        (ReferralStatus::Completed, Some(ReasonCode::ServiceReceived))
    );
}

#[test]
fn only_children_are_removed_and_a_plan_carries_its_rows() {
    let (_, collected) = read(BATCH);
    let removed: Vec<&str> = collected
        .events
        .iter()
        .filter_map(|event| match &event.body {
            Body::PlacementChanged(placement) if placement.change == PlacementChange::Removed => {
                Some(placement.person.as_str())
            }
            _ => None,
        })
        .collect();
    assert_eq!(removed, ["91234568B", "91234569C"]);
    let Body::PlanUpdate(plan) = &event(&collected, "plan.update").body else {
        panic!()
    };
    assert_eq!(
        (
            plan.version,
            plan.goals.len(),
            plan.activities.len(),
            plan.fundings.len()
        ),
        (Some(2), 1, 1, 1)
    );
    assert_eq!(plan.activities[0].counts_toward.len(), 2);
    assert_eq!(plan.fundings[0].amount, Some(400));
}

#[test]
fn the_json_form_is_known_by_its_first_character() {
    let (report, collected) = read(JSON);
    assert_eq!(
        (report.outcome, codes(&report)),
        (Outcome::Accepted, vec![])
    );
    let Body::ParticipationStatus(told) = &event(&collected, "participation.status").body else {
        panic!()
    };
    assert_eq!(told.status, ParticipationStatus::Cured);
    assert_eq!(read(format!("\n  {JSON}")).1.events, collected.events);
    assert_eq!(read(format!("\u{feff}{JSON}")).1.events, collected.events);
}

#[test]
fn the_same_batch_twice_has_the_same_events_and_ids_are_unique() {
    let (first, second) = (read(BATCH).1.events, read(BATCH).1.events);
    assert_eq!(first, second);
    let ids: std::collections::BTreeSet<_> = first
        .iter()
        .map(|event| event.source_event_id.clone())
        .collect();
    assert_eq!(ids.len(), first.len());
}

#[test]
fn states_of_a_referral_become_their_events() {
    for (status, event_type) in [
        ("accepted", "referral.accepted"),
        ("rejected", "referral.rejected"),
        ("in-progress", "referral.in_progress"),
        ("on-hold", "referral.on_hold"),
        ("failed", "referral.closed"),
        ("cancelled", "referral.cancelled"),
        ("entered-in-error", "referral.error"),
    ] {
        let (report, _) =
            read(BATCH.replace(",completed,service-received", &format!(",{status},")));
        assert_eq!(
            events(&report, event_type),
            1,
            "{status}: {:?}",
            codes(&report)
        );
    }
}

/// Each row: what is changed in the batch, and what that gives.
#[test]
fn faults_by_table() {
    for (from, to, outcome, expected) in [
        (
            ",participation,",
            ",partying,",
            Outcome::PartiallyAccepted,
            "field-value",
        ),
        (
            "M-7,header,participation,2026-02-03T",
            "M-7,header,participation,03.02.2026 ",
            Outcome::PartiallyAccepted,
            "field-value",
        ),
        (
            "sanctioned",
            "",
            Outcome::PartiallyAccepted,
            "message-incomplete",
        ),
        (
            "M-7,person,",
            "M-7,people,",
            Outcome::PartiallyAccepted,
            "unknown-line-type",
        ),
        (
            "M-7,header,",
            "M-7,person,",
            Outcome::PartiallyAccepted,
            "one-header",
        ),
        (
            "M-8,header,",
            "M-7,header,",
            Outcome::PartiallyAccepted,
            "one-header",
        ),
        (
            "M-9,header,",
            "M-1,header,",
            Outcome::PartiallyAccepted,
            "message-split",
        ),
        (
            "service-received",
            "because",
            Outcome::AcceptedWithErrors,
            "unknown-reason",
        ),
        (",shelter,", ",roof,", Outcome::Accepted, "unknown-domain"),
        (
            "1994-05-17",
            "17/05/1994",
            Outcome::AcceptedWithErrors,
            "field-value",
        ),
        ("900123456", "123", Outcome::AcceptedWithErrors, "ssn-value"),
        (
            "message_id,line_type",
            "message_id,kind",
            Outcome::Rejected,
            "header-row",
        ),
        (
            "message_id,line_type",
            "line_type,line_type",
            Outcome::Rejected,
            "header-row",
        ),
        (
            "org-calworks,org-hmis",
            "org-other,org-hmis",
            Outcome::Accepted,
            "other-sender",
        ),
        (
            "\"Full-time work, steady\"",
            "\"Full-time work, steady",
            Outcome::PartiallyAccepted,
            "stray-quote",
        ),
        (
            "Marisol",
            "Mari\u{0}sol",
            Outcome::Accepted,
            "control-character",
        ),
    ] {
        let changed = BATCH.replace(from, to);
        assert_ne!(changed, BATCH, "{from}");
        let report = read(changed).0;
        let found = codes(&report);
        assert_eq!(report.outcome, outcome, "{to}: {found:?}");
        assert!(
            found.iter().any(|(code, _)| *code == expected),
            "{to}: {found:?}"
        );
    }
}

#[test]
fn a_second_header_row_loses_no_message() {
    let header = BATCH.lines().next().unwrap();
    let (whole, joined) = (read(BATCH), BATCH.replace("M-1,person,,", "@M-1,person,,"));
    let joined = joined
        .replacen('@', &format!("{header}\r\n"), 1)
        .replace('@', "");
    let (report, collected) = read(joined);
    assert_eq!(
        (report.outcome, codes(&report)),
        (Outcome::AcceptedWithErrors, vec![("header-twice", 1)])
    );
    assert_eq!(collected.events, whole.1.events);
}

#[test]
fn control_characters_of_the_json_form_are_told() {
    let (report, collected) = read(JSON.replace("Marisol", "Mari\\u0000sol"));
    assert_eq!(codes(&report), [("control-character", 1)]);
    let told = serde_json::to_string(&collected.events).unwrap();
    assert!(told.contains("Mari sol"), "{told}");
}

#[test]
fn a_file_read_outside_a_gateway_has_no_other_sender() {
    let offline = tandem_calworks::config::Config::offline();
    let readers = offline.readers(|_| Err("no files".to_owned())).unwrap();
    let reader = readers
        .iter()
        .find(|reader| reader.format() == Format::Linkages)
        .unwrap();
    let text = BATCH.replace("org-calworks", "org-anybody");
    let report = support::read(&**reader, "linkages.csv", text.as_bytes()).0;
    assert_eq!(
        (report.outcome, codes(&report)),
        (Outcome::Accepted, vec![])
    );
    assert!(codes(&read(text).0).contains(&("other-sender", 10)));
}

#[test]
fn an_ssn_as_person_id_drops_the_message_and_shows_nowhere() {
    let (report, collected) = read(BATCH.replace(",91234567A,parent", ",900123456,parent"));
    assert!(
        codes(&report)
            .iter()
            .any(|(code, _)| *code == "person-id-is-ssn")
    );
    assert!(collected.events.iter().all(|event| {
        event
            .source_person_id
            .as_ref()
            .is_none_or(|id| id.as_str() != "900123456")
    }));
}

#[test]
fn json_of_countless_values_is_refused_and_a_repeated_key_is_told() {
    let many = format!(
        r#"{{"version":"1.0","messages":[{}1]}}"#,
        "{},".repeat(200_000)
    );
    let (report, _) = read(&many);
    assert_eq!(report.outcome, Outcome::Rejected);
    assert_eq!(codes(&report), [("too-large", 1)]);
    let once = r#""message_id":"J-2""#;
    let (report, _) = read(JSON.replace(once, r#""message_id":"J-2","message_id":"J-3""#));
    assert!(codes(&report).contains(&("repeated-key", 1)));
    let (report, _) = read(r#"[{"message_id":"J-1"}]"#);
    assert_eq!(codes(&report), [("not-json", 1)]);
}

#[test]
fn json_that_is_none_gives_a_report() {
    let deep = format!("{{\"version\":\"1.0\",\"messages\":{}", "[".repeat(5_000));
    for (text, expected) in [
        ("{", "not-json"),
        ("{\"version\":\"2.0\",\"messages\":[]}", "version"),
        ("{\"version\":\"1.0\"}", "messages"),
        (deep.as_str(), "not-json"),
        ("", "empty-input"),
        ("\n \n", "empty-input"),
    ] {
        let report = read(text).0;
        assert_eq!(
            (report.outcome, codes(&report)),
            (Outcome::Rejected, vec![(expected, 1)]),
            "{text:.40}"
        );
    }
    let report = read(JSON.replace("\"participation_status\":\"cured\"", "\"colour\":\"red\"")).0;
    assert_eq!(
        codes(&report),
        [("message-incomplete", 1), ("unknown-field", 1)]
    );
}

#[test]
fn messages_of_a_refused_sender_occur_nowhere() {
    let gate = SenderGate::new(vec![OrganizationId::new("org-shelter").unwrap()]);
    let reader = LinkagesReader::new(gate).unwrap();
    let batch = BATCH.replace(
        "org-calworks,org-hmis,1D3M0F1",
        "org-shelter,org-hmis,1D3M0F1",
    );
    let (report, collected) = support::read(&reader, "linkages", batch.as_bytes());
    assert_eq!(report.refused, 2);
    let told = format!(
        "{:?}{}",
        collected.deviations,
        serde_json::to_string(&collected.events).unwrap()
    );
    assert!(!told.contains("R-1") && !told.contains("safe place"));
    let (place, last) = &collected.refused[0];
    assert_eq!((place.line, *last), (Some(6), 7));
    let json = JSON.replace("\"sender\":\"org-calworks\"", "\"sender\":\"org-shelter\"");
    let (report, collected) = support::read(&reader, "linkages", json.as_bytes());
    assert_eq!(
        (report.outcome, collected.events.len()),
        (Outcome::Rejected, 0)
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
        let mut after_brace = b"{".to_vec();
        after_brace.extend(&bytes);
        read(&after_brace);
    }

    #[test]
    fn no_change_of_a_batch_makes_the_reader_panic(place in 0_usize..4000, byte in proptest::num::u8::ANY) {
        for text in [BATCH, JSON] {
            let mut bytes = text.as_bytes().to_vec();
            let place = place % bytes.len();
            bytes[place] = byte;
            read(&bytes);
        }
    }
}
