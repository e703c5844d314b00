//! Messages become packages that a strict reader takes, and come back as results.

use jiff::tz::TimeZone;
use tandem_adapter_port::memory::RowsInMemory;
use tandem_adapter_port::outbound::{
    MutualClientView, Notice, Outbound, OutboundBody, OutboundPerson, Party, ReferralStatusView,
    ReferralView,
};
use tandem_adapter_port::write::{Delivery, FormatWriter, WriteContext, Written};
use tandem_hmis::HmisWriter;
use tandem_hmis::config::WriteConfig;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::id::{OrganizationId, SourcePersonId, SystemId};
use tandem_mappings::model::involvement::Program;
use tandem_mappings::model::referral::{ReasonCode, ReferralRole, ReferralStatus, Urgency};

use crate::checker::check;
use crate::package::Files;
use crate::reading::{REFERRAL, our_event};

pub(crate) fn party(id: &str) -> Party {
    Party {
        id: OrganizationId::new(id).unwrap(),
        name: format!("Organisation {id}"),
    }
}

pub(crate) fn message(number: u128, people: &[&str], body: OutboundBody) -> Outbound {
    Outbound {
        id: format!("{number:032x}").parse().unwrap(),
        effect_key: format!("effect-{number}"),
        decision: format!("{number:032x}").parse().unwrap(),
        basis: vec![],
        consent: None,
        notices: vec![],
        labels: vec![],
        created_at: "2026-02-03T17:00:00Z".parse().unwrap(),
        sender: party("org-calworks"),
        recipient: party("org-hmis"),
        people: people.iter().map(|id| person(id)).collect(),
        recipient_case: None,
        body,
    }
}

pub(crate) fn person(id: &str) -> OutboundPerson {
    OutboundPerson {
        person: Some(SourcePersonId::new(id).unwrap()),
        role: "parent".to_owned(),
        given: None,
        middle: None,
        family: None,
        birth: None,
        sex: None,
        cin: None,
        address: None,
        phone: None,
    }
}

pub(crate) fn referral(project: Option<&str>) -> ReferralView {
    ReferralView {
        referral: REFERRAL.parse().unwrap(),
        requested_at: "2026-02-03T17:00:00Z".parse().unwrap(),
        domain: Domain::Shelter,
        urgency: Urgency::Urgent,
        need: Some("Shelter <tonight>".to_owned()),
        service: None,
        service_name: Some("Example Family Shelter".to_owned()),
        service_reference: project.map(str::to_owned),
        worker: None,
        safe_contact: None,
        source_resources: vec![],
        part_of: None,
        is_withdrawn: false,
        withdrawn_reason: None,
    }
}

pub(crate) fn asked(people: &[&str], project: Option<&str>) -> Outbound {
    message(
        1,
        people,
        OutboundBody::Referral(Box::new(referral(project))),
    )
}

pub(crate) fn status(
    status: ReferralStatus,
    reason: Option<ReasonCode>,
    role: ReferralRole,
) -> Outbound {
    let view = ReferralStatusView {
        referral: REFERRAL.parse().unwrap(),
        recipient_ref: Some("EV-2".to_owned()),
        recipient_role: Some(role),
        domain: Some(Domain::Housing),
        target: None,
        status,
        reason,
        reason_text: None,
        sub_status: None,
        at: "2026-02-04T01:00:00Z".parse().unwrap(),
        outputs: vec![],
        recipient_resources: vec![],
    };
    message(3, &["48211"], OutboundBody::ReferralStatus(Box::new(view)))
}

pub(crate) fn mutual_client(text: &str) -> Outbound {
    let view = MutualClientView {
        partner_system: SystemId::new("cws-demo").unwrap(),
        partner: party("org-cws"),
        partner_program: Program::ChildWelfare,
        partner_case: None,
        partner_case_status: Some(text.to_owned()),
        worker: None,
        since: Some("2026-02-02".parse().unwrap()),
    };
    message(5, &["48211"], OutboundBody::MutualClient(Box::new(view)))
}

pub(crate) fn at(now: &str, sequence: u64) -> WriteContext {
    WriteContext {
        system: SystemId::new("hmis-demo").unwrap(),
        organization: OrganizationId::new("org-hmis").unwrap(),
        now: now.parse().unwrap(),
        zone: TimeZone::get("America/Los_Angeles").unwrap(),
        sequence,
    }
}

pub(crate) fn write(batch: &[Outbound], memory: &RowsInMemory) -> Written {
    write_at(batch, memory, "2026-02-03T18:00:00Z", 1)
}

pub(crate) fn write_at(
    batch: &[Outbound],
    memory: &RowsInMemory,
    now: &str,
    sequence: u64,
) -> Written {
    let config = WriteConfig {
        user_id: Some("TANDEM".to_owned()),
        ..WriteConfig::default()
    };
    HmisWriter::new(config, None)
        .unwrap()
        .write(batch, memory, &at(now, sequence))
}

pub(crate) fn partner(folder: &str) -> RowsInMemory {
    Files::fixture(folder).read().memory()
}

fn parked(written: &Written) -> Vec<&str> {
    written
        .not_written
        .iter()
        .map(|(_, delivery)| match delivery {
            Delivery::Park { text, .. } => text.as_str(),
            _ => panic!("not parked"),
        })
        .collect()
}

#[test]
fn a_referral_is_a_delta_that_a_strict_reader_takes_in_either_edition() {
    for (folder, version) in [("fy2026", "FY2026"), ("fy2024", "FY2024")] {
        let written = write(&[asked(&["48211"], Some("P-ES"))], &partner(folder));
        assert!(written.not_written.is_empty(), "{:?}", written.not_written);
        assert_eq!(written.files.len(), 1);
        assert_eq!(written.files[0].messages.len(), 1);
        let package = check(version, &written.files[0].bytes, true);
        let id = our_event();
        assert_eq!(package.keys("Event"), [id.as_str()]);
        for (column, expected) in [
            ("EnrollmentID", "E-1"),
            ("PersonalID", "48211"),
            ("EventDate", "2026-02-03"),
            ("Event", "10"),
            ("LocationCrisisOrPHHousing", "P-ES"),
            ("ReferralResult", ""),
            ("ResultDate", ""),
            ("DateCreated", "2026-02-03 09:00:00"),
            ("DateUpdated", "2026-02-03 10:00:00"),
            ("UserID", "TANDEM"),
            ("DateDeleted", ""),
        ] {
            assert_eq!(package.value("Event", &id, column), expected, "{column}");
        }
    }
}

#[test]
fn copied_rows_are_the_partners_own_in_every_column() {
    let files = Files::fixture("fy2026").set(
        "Client",
        "48211",
        &[("SSN", "XXXXX3456"), ("VeteranStatus", "77")],
    );
    let written = write(&[asked(&["48211"], Some("P-ES"))], &files.read().memory());
    let entries = crate::checker::unzip(&written.files[0].bytes);
    let (header, rows) = crate::package::table(entries["Client.csv"].as_bytes());
    let (_, originals) = files.rows("Client");
    assert_eq!(rows.len(), 1);
    let original = originals.iter().find(|row| row[0] == "48211").unwrap();
    for ((name, ours), theirs) in header.iter().zip(&rows[0]).zip(original) {
        if name != "ExportID" {
            assert_eq!(ours, theirs, "{name}");
        }
    }
}

#[test]
fn a_referral_for_a_child_is_recorded_for_the_head_of_household() {
    let written = write(&[asked(&["48213"], Some("P-ES"))], &partner("fy2026"));
    let package = check("FY2026", &written.files[0].bytes, true);
    assert_eq!(package.value("Event", &our_event(), "PersonalID"), "48211");
    assert_eq!(package.keys("Client"), ["48211"]);
}

#[test]
fn without_an_open_enrollment_the_message_is_parked() {
    let memory = partner("fy2026");
    for people in [vec!["99999"], vec![]] {
        let written = write(&[asked(&people, Some("P-ES"))], &memory);
        assert_eq!(parked(&written), ["no enrollment at target"]);
        assert!(written.files.is_empty() && written.memory.is_empty());
    }
    let ended = Files::fixture("fy2026")
        .add_like(
            "Exit",
            "EX-1",
            &[
                ("ExitID", "EX-2"),
                ("EnrollmentID", "E-1"),
                ("ExitDate", "2026-02-01"),
            ],
        )
        .read()
        .memory();
    assert_eq!(
        parked(&write(&[asked(&["48211"], Some("P-ES"))], &ended)),
        ["no enrollment at target"]
    );
}

#[test]
fn a_project_that_may_not_hold_clients_is_never_written_to() {
    for project in ["P-SAFE", "P-CMP"] {
        let written = write(&[asked(&["48211"], Some(project))], &partner("fy2026"));
        let expected = "the receiving project may not hold client data in an HMIS";
        assert_eq!(parked(&written), [expected], "{project}");
    }
}

#[test]
fn what_cannot_be_said_in_an_event_row_is_parked_with_its_reason() {
    let memory = partner("fy2026");
    assert_eq!(
        parked(&write(&[asked(&["48211"], None)], &memory)),
        ["no receiving project is known for the service"]
    );
    let mut view = referral(None);
    view.domain = Domain::MentalHealth;
    let message = message(1, &["48211"], OutboundBody::Referral(Box::new(view)));
    assert_eq!(
        parked(&write(&[message], &memory)),
        ["no HMIS event type fits the domain"]
    );
    assert_eq!(
        parked(&write(
            &[asked(&["48211"], Some("P-ES"))],
            &RowsInMemory::default()
        )),
        ["no export of the partner was read yet"]
    );
}

#[test]
fn a_withdrawal_deletes_our_row_and_keeps_what_the_partner_wrote_in_it() {
    let mut memory = partner("fy2026");
    let first = write(&[asked(&["48211"], Some("P-ES"))], &memory);
    for row in first.memory {
        memory.put(row);
    }
    // The partner answered meanwhile and sends its export.
    let package = check("FY2026", &first.files[0].bytes, true);
    let (header, rows) = &package.files["Event"];
    let mut answered = rows[0].clone();
    for (column, value) in [
        ("ReferralResult", "1"),
        ("ResultDate", "2026-02-04"),
        ("DateUpdated", "2026-02-09 00:00:00"),
        ("ExportID", "X-2026-02-02"),
        ("UserID", "U2"),
    ] {
        answered[crate::package::position(header, column)] = value.to_owned();
    }
    let outcome = Files::fixture("fy2026")
        .append("Event", &(answered.join(",") + "\n"))
        .read();
    assert!(outcome.has_event(&format!("Event:{}:accepted", our_event())));
    let memory = outcome.memory();
    let mut view = referral(Some("P-ES"));
    view.is_withdrawn = true;
    view.withdrawn_reason = Some(ReasonCode::ConsentRevoked);
    let withdrawal = message(2, &["48211"], OutboundBody::Referral(Box::new(view)));
    let written = write_at(&[withdrawal], &memory, "2026-02-05T18:00:00Z", 2);
    let package = check("FY2026", &written.files[0].bytes, true);
    let id = our_event();
    assert_eq!(package.value("Event", &id, "ReferralResult"), "1");
    assert_eq!(package.value("Event", &id, "ResultDate"), "2026-02-04");
    assert_eq!(
        package.value("Event", &id, "DateUpdated"),
        "2026-02-09 00:00:01",
        "moves on"
    );
    assert!(!package.value("Event", &id, "DateDeleted").is_empty());
    let text = &crate::checker::unzip(&written.files[0].bytes)["Event.csv"];
    assert!(!text.contains("revoked"), "the reason is not told");
}

#[test]
fn a_result_goes_into_the_partners_own_row() {
    let memory = partner("fy2026");
    for (state, reason, result) in [
        (ReferralStatus::Accepted, None, "1"),
        (
            ReferralStatus::Completed,
            Some(ReasonCode::ServiceReceived),
            "1",
        ),
        (ReferralStatus::Rejected, Some(ReasonCode::NoCapacity), "3"),
        (
            ReferralStatus::Failed,
            Some(ReasonCode::ClientDeclined),
            "2",
        ),
    ] {
        let written = write(&[status(state, reason, ReferralRole::Source)], &memory);
        let package = check("FY2026", &written.files[0].bytes, true);
        assert_eq!(
            package.value("Event", "EV-2", "ReferralResult"),
            result,
            "{state}"
        );
        assert_eq!(package.value("Event", "EV-2", "ResultDate"), "2026-02-03");
        assert_eq!(package.value("Event", "EV-2", "EventDate"), "2026-01-20");
    }
}

#[test]
fn notices_travel_beside_the_event_rows() {
    let mut message = asked(&["48211"], Some("P-ES"));
    message.notices.push(Notice {
        code: "N_10850".into(),
        text: "Confidential under WIC 10850.".into(),
    });
    let written = write(&[message], &partner("fy2026"));
    assert_eq!(written.files.len(), 2);
    let text = String::from_utf8(written.files[1].bytes.clone()).unwrap();
    assert!(text.contains("Confidential under WIC 10850."));
    let carried: usize = written.files.iter().map(|file| file.messages.len()).sum();
    assert_eq!(carried, 1);
}

#[test]
fn the_same_batch_gives_the_same_bytes_and_every_message_has_one_outcome() {
    let memory = partner("fy2026");
    let lost = message(9, &["99999"], mutual_client("x").body);
    let batch = [asked(&["48211"], Some("P-ES")), mutual_client("open"), lost];
    let (one, two) = (write(&batch, &memory), write(&batch, &memory));
    let bytes = |written: &Written| -> Vec<Vec<u8>> {
        written
            .files
            .iter()
            .map(|file| file.bytes.clone())
            .collect()
    };
    assert_eq!(bytes(&one), bytes(&two));
    let carried: usize = one.files.iter().map(|file| file.messages.len()).sum();
    assert_eq!(carried + one.not_written.len(), batch.len());
}

#[test]
fn a_delta_may_carry_only_the_files_that_have_rows() {
    let config = WriteConfig {
        all_files: false,
        ..WriteConfig::default()
    };
    let written = HmisWriter::new(config, None).unwrap().write(
        &[asked(&["48211"], Some("P-ES"))],
        &partner("fy2026"),
        &at("2026-02-03T18:00:00Z", 1),
    );
    let package = check("FY2026", &written.files[0].bytes, false);
    assert_eq!(package.files.len(), 7);
    assert_eq!(
        package.value("Event", &our_event(), "UserID"),
        "U1",
        "the enrollment's user"
    );
}

#[test]
fn our_own_delta_is_read_back_without_error_and_without_echo() {
    let written = write(&[asked(&["48211"], Some("P-ES"))], &partner("fy2026"));
    let entries = crate::checker::unzip(&written.files[0].bytes);
    let files = entries
        .into_iter()
        .map(|(name, text)| (name, text.into_bytes()))
        .collect();
    let outcome = Files(files).read();
    assert!(
        outcome.codes().is_empty(),
        "{:?}",
        outcome.collected.deviations
    );
    assert!(!outcome.events_text().contains("referral."));
}
