//! Writing Linkages messages, and reading them back.

use jiff::civil::date;
use tandem_adapter_port::memory::RowsInMemory;
use tandem_adapter_port::outbound::{
    ChangeView, ComanagementView, ConflictView, MutualClientView, Notice, Outbound, OutboundBody,
    OutboundPerson, ParticipationView, Party, PlanView, RecallView, ReferralStatusView,
    ReferralView,
};
use tandem_adapter_port::report::Outcome;
use tandem_adapter_port::write::{Delivery, FormatWriter, WriteContext, Written};
use tandem_calworks::write::{LinkagesForm, LinkagesWriter};
use tandem_mappings::model::comanagement::{ComanagementState, StartReason};
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{
    ActivityId, GoalId, OrganizationId, PlanId, SourcePersonId, SystemId,
};
use tandem_mappings::model::involvement::{ParticipationStatus, PlacementChange, Program};
use tandem_mappings::model::message::Duty;
use tandem_mappings::model::person::Sex;
use tandem_mappings::model::plan::{
    Activity, ActivityKind, ActivityStatus, ConflictKind, FundingLine, Goal, GoalLifecycle,
    PlanStatus, PlanType, ResourceCategory,
};
use tandem_mappings::model::referral::{ReasonCode, ReferralStatus, Urgency};
use tandem_mappings::model::worker::WorkerContact;

use crate::linkages_read::read;
use crate::support::codes;

fn party(id: &str) -> Party {
    Party {
        id: OrganizationId::new(id).unwrap(),
        name: format!("Example {id}"),
    }
}

fn mother() -> OutboundPerson {
    OutboundPerson {
        person: SourcePersonId::new("91234567A").ok(),
        role: "parent".to_owned(),
        given: Some("Marisol".to_owned()),
        middle: None,
        family: Some("Demofield".to_owned()),
        birth: "1994-05-17".parse().ok(),
        sex: Some(Sex::Female),
        cin: Some("91234567A".to_owned()),
        address: None,
        phone: None,
    }
}

pub(crate) fn outbound(number: u32, body: OutboundBody) -> Outbound {
    Outbound {
        id: format!("0191f2aa-0000-7000-8000-{number:012}")
            .parse()
            .unwrap(),
        effect_key: format!("key-{number}"),
        decision: "0191f2aa-0000-7000-8000-00000000d001".parse().unwrap(),
        basis: vec!["R_COC_1".to_owned(), "R_10850".to_owned()],
        consent: None,
        notices: vec![Notice {
            code: "N_10850".to_owned(),
            text: "Confidential.".to_owned(),
        }],
        labels: vec![],
        created_at: "2026-02-03T17:00:00Z".parse().unwrap(),
        sender: party("org-cws"),
        recipient: party("org-calworks"),
        people: vec![mother()],
        recipient_case: Some("1D3M0F1".to_owned()),
        body,
    }
}

fn referral(need: &str) -> OutboundBody {
    OutboundBody::Referral(Box::new(ReferralView {
        referral: "0191f2aa-0000-7000-8000-00000000a001".parse().unwrap(),
        requested_at: "2026-02-03T06:00:00Z".parse().unwrap(),
        domain: Domain::Employment,
        urgency: Urgency::Urgent,
        need: Some(need.to_owned()),
        service: None,
        service_name: None,
        service_reference: None,
        worker: Some(WorkerContact {
            phone: Some("+1 530 555 0111".to_owned()),
            ..WorkerContact::default()
        }),
        safe_contact: None,
        source_resources: vec![],
        part_of: None,
        is_withdrawn: false,
        withdrawn_reason: None,
    }))
}

fn status(recipient_ref: Option<&str>) -> OutboundBody {
    OutboundBody::ReferralStatus(Box::new(ReferralStatusView {
        referral: "0191f2aa-0000-7000-8000-00000000a001".parse().unwrap(),
        recipient_ref: recipient_ref.map(str::to_owned),
        recipient_role: None,
        domain: Some(Domain::Shelter),
        target: Some(party("org-hmis")),
        status: ReferralStatus::Completed,
        reason: Some(ReasonCode::ServiceReceived),
        reason_text: None,
        sub_status: None,
        at: "2026-02-09T20:00:00Z".parse().unwrap(),
        outputs: vec![],
        recipient_resources: vec![],
    }))
}

fn plan() -> OutboundBody {
    let goal = Goal {
        id: GoalId::new("G-1").unwrap(),
        domain: Domain::Safety,
        statement: Some("A safe home,\nfor \"both\" children".to_owned()),
        owner: None,
        lifecycle: GoalLifecycle::Active,
        achievement: None,
        baseline_level: None,
        target_level: None,
        target_date: Some(date(2026, 8, 1)),
        original: None,
    };
    let activity = Activity {
        id: ActivityId::new("A-1").unwrap(),
        kind: ActivityKind::Appointment,
        domain: Domain::ParentingFamily,
        name: Some("Parenting class".to_owned()),
        person: None,
        goal: GoalId::new("G-1").ok(),
        provider: None,
        starts_at: "2026-02-10T18:00:00Z".parse().ok(),
        ends_at: "2026-02-10T19:00:00Z".parse().ok(),
        hours_per_week: Some(3),
        mandated_by: None,
        counts_toward: vec![PlanType::WelfareToWork, PlanType::ChildWelfare],
        referral: None,
        status: ActivityStatus::Scheduled,
        original: None,
    };
    let funding = FundingLine {
        category: ResourceCategory::ChildCare,
        payer: OrganizationId::new("org-calworks").unwrap(),
        payer_of_last_resort: true,
        from: None,
        to: None,
        amount: Some(400),
        note: None,
    };
    OutboundBody::Plan(Box::new(PlanView {
        plan: PlanId::new("CP-9").unwrap(),
        plan_type: PlanType::ChildWelfare,
        owner: party("org-cws"),
        version: Some(3),
        status: PlanStatus::Active,
        goals: vec![goal],
        activities: vec![activity],
        fundings: vec![funding],
        from: None,
        to: None,
        updated_at: "2026-02-03T17:00:00Z".parse().unwrap(),
        referral: None,
        referral_resource: None,
    }))
}

fn match_notice(worker: &str) -> OutboundBody {
    OutboundBody::MutualClient(Box::new(MutualClientView {
        partner_system: SystemId::new("cws-demo").unwrap(),
        partner: party("org-cws"),
        partner_program: Program::ChildWelfare,
        partner_case: Some("0189-0428-9292-6002051".to_owned()),
        partner_case_status: Some("FM".to_owned()),
        worker: Some(WorkerContact {
            name: Some(worker.to_owned()),
            ..WorkerContact::default()
        }),
        since: Some(date(2026, 2, 2)),
    }))
}

fn written(form: LinkagesForm, batch: &[Outbound]) -> Written {
    let context = WriteContext {
        system: SystemId::new("calworks-demo").unwrap(),
        organization: OrganizationId::new("org-calworks").unwrap(),
        now: "2026-02-03T17:00:00Z".parse().unwrap(),
        zone: jiff::tz::TimeZone::get("America/Los_Angeles").unwrap(),
        sequence: 12,
    };
    LinkagesWriter::new(form)
        .unwrap()
        .write(batch, &RowsInMemory::default(), &context)
}

pub(crate) fn text(form: LinkagesForm, body: OutboundBody) -> String {
    let written = written(form, &[outbound(1, body)]);
    assert!(written.not_written.is_empty(), "{:?}", written.not_written);
    String::from_utf8(written.files[0].bytes.clone()).unwrap()
}

/// The filled cells of each row.
pub(crate) fn rows(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let filled = |row: csv::StringRecord| {
        columns
            .iter()
            .zip(row.iter())
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(column, cell)| (column.to_owned(), cell.to_owned()))
            .collect()
    };
    reader.records().map(|row| filled(row.unwrap())).collect()
}

#[test]
fn one_batch_carries_many_messages_with_their_decisions() {
    let batch = [
        outbound(1, match_notice("Casey Exampleworth")),
        outbound(2, referral("steady work")),
    ];
    let written = written(LinkagesForm::Csv, &batch);
    assert_eq!(written.files.len(), 1);
    let file = &written.files[0];
    assert_eq!(
        (file.name.as_str(), file.content_type),
        ("linkages-00000012.csv", "text/csv")
    );
    assert_eq!(file.messages, [batch[0].id, batch[1].id]);
    let rows = rows(std::str::from_utf8(&file.bytes).unwrap());
    assert_eq!(rows.len(), 4);
    let header = &rows[0];
    for (field, value) in [
        ("message_type", "client_match"),
        ("created_at", "2026-02-03T09:00:00-08:00"),
        ("sender", "org-cws"),
        ("recipient", "org-calworks"),
        ("case_number", "1D3M0F1"),
        ("partner_system", "cws-demo"),
        ("partner_program", "child-welfare"),
        ("partner_case_status", "FM"),
        ("disclosure_basis", "R_COC_1;R_10850"),
        ("decision_id", "0191f2aa-0000-7000-8000-00000000d001"),
        ("notices", "N_10850"),
    ] {
        assert_eq!(header[field], value, "{field}");
    }
    assert_eq!(
        rows[2]["status_date"], "2026-02-02",
        "the day in the jurisdiction's zone"
    );
}

#[test]
fn a_spreadsheet_runs_nothing_that_a_batch_holds() {
    for need in [
        "=cmd|' /C calc'!A0",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "plain",
    ] {
        let text = text(LinkagesForm::Csv, referral(need));
        for row in rows(&text) {
            assert!(
                row.values()
                    .all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t'])),
                "{need}"
            );
        }
        let (_, collected) = read(&text);
        let told = collected.events.iter().find_map(|event| match &event.body {
            Body::ReferralRequested(request) => request.need.clone(),
            _ => None,
        });
        assert_eq!(told.as_deref(), Some(need.trim()));
    }
}

#[test]
fn a_status_names_the_recipients_own_referral_where_it_is_known() {
    let own = rows(&text(LinkagesForm::Csv, status(Some("R-1"))));
    assert_eq!(
        (
            own[0]["referral_id"].as_str(),
            own[0]["status_date"].as_str()
        ),
        ("R-1", "2026-02-09")
    );
    let gateway = rows(&text(LinkagesForm::Csv, status(None)));
    assert_eq!(
        gateway[0]["referral_id"],
        "0191f2aa-0000-7000-8000-00000000a001"
    );
}

#[test]
fn a_withdrawn_referral_is_told_as_cancelled() {
    let OutboundBody::Referral(mut view) = referral("work") else {
        panic!()
    };
    view.is_withdrawn = true;
    view.withdrawn_reason = Some(ReasonCode::ConsentRevoked);
    let rows = rows(&text(LinkagesForm::Csv, OutboundBody::Referral(view)));
    assert_eq!(
        (
            rows[0]["referral_status"].as_str(),
            rows[0]["reason_code"].as_str()
        ),
        ("cancelled", "consent-revoked")
    );
}

#[test]
fn a_view_without_what_the_message_needs_is_parked_whole() {
    let participation = OutboundBody::Participation(Box::new(ParticipationView {
        status: ParticipationStatus::Sanctioned,
        effective: None,
        reason: None,
    }));
    let mut nobody = outbound(1, participation);
    nobody.people.clear();
    let written = written(LinkagesForm::Csv, &[nobody, outbound(2, plan())]);
    assert_eq!(written.files[0].messages.len(), 1);
    let (_, Delivery::Park { text, .. }) = &written.not_written[0] else {
        panic!()
    };
    assert_eq!(
        text,
        "the permitted view lacks what the message needs: person"
    );
}

#[test]
fn an_empty_batch_makes_no_file() {
    assert!(written(LinkagesForm::Csv, &[]).files.is_empty());
}

#[test]
fn somebody_new_can_be_referred() {
    let mut new = outbound(1, referral("work"));
    new.people[0].person = None;
    let written = written(LinkagesForm::Csv, &[new]);
    assert!(
        std::str::from_utf8(&written.files[0].bytes)
            .unwrap()
            .contains("unknown-1")
    );
}

#[test]
fn a_recall_tells_nothing_of_a_person() {
    let body = OutboundBody::Recall(Box::new(RecallView {
        messages: vec!["0191f2aa-0000-7000-8000-00000000b001".parse().unwrap()],
        duties: vec![Duty::StopUse, Duty::DoNotRedisclose],
    }));
    let text = text(LinkagesForm::Csv, body);
    let rows = rows(&text);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (
            rows[0]["recalled_message_id"].as_str(),
            rows[0]["duty"].as_str()
        ),
        ("0191f2aa-0000-7000-8000-00000000b001", "stop-use")
    );
    for private in ["Marisol", "91234567A", "1D3M0F1"] {
        assert!(!text.contains(private), "{private}");
    }
}

#[test]
fn conflicts_common_cases_and_changes_have_their_messages() {
    let conflict = OutboundBody::Conflict(Box::new(ConflictView {
        conflict: ConflictKind::OverlappingTimes,
        own: Some("A-1".to_owned()),
        other: Some("A-9".to_owned()),
        other_owner: Some(party("org-cws")),
        at: None,
    }));
    let comanagement = |state| {
        OutboundBody::Comanagement(Box::new(ComanagementView {
            episode: "0191f2aa-0000-7000-8000-00000000e001".parse().unwrap(),
            state,
            start_reason: Some(StartReason::FamilyMaintenance),
            end_reason: None,
            lead: None,
            worker: None,
            partner_case: None,
            step: None,
            transition_plan: None,
            at: "2026-02-03T17:00:00Z".parse().unwrap(),
        }))
    };
    let change = |placement| {
        OutboundBody::Change(Box::new(ChangeView {
            change: "case.closed".to_owned(),
            placement,
            reunification_plan: Some(true),
            status: Some("closed".to_owned()),
            date: "2026-02-01".parse().ok(),
            worker: None,
        }))
    };
    for (body, kind) in [
        (conflict, "conflict"),
        (
            comanagement(ComanagementState::Coordinating),
            "common_case_referral",
        ),
        (comanagement(ComanagementState::Ended), "end_of_common_case"),
        (change(None), "client_match"),
        (change(Some(PlacementChange::Removed)), "removal_notice"),
    ] {
        let text = text(LinkagesForm::Csv, body);
        assert_eq!(rows(&text)[0]["message_type"], kind);
        let plan = if kind == "removal_notice" { "yes" } else { "" };
        let told = rows(&text)[0].get("reunification_plan").cloned();
        assert_eq!(told.unwrap_or_default(), plan, "{kind}");
        assert_eq!(
            read(&text).0.outcome,
            Outcome::Accepted,
            "{kind}: {:?}",
            codes(&read(&text).0)
        );
    }
}

#[test]
fn both_forms_read_back_as_the_same_events() {
    for body in [
        match_notice("Casey Exampleworth"),
        referral("work"),
        status(Some("R-1")),
        plan(),
    ] {
        let csv = read(text(LinkagesForm::Csv, body.clone())).1;
        let json = read(text(LinkagesForm::Json, body)).1;
        assert!(!csv.events.is_empty());
        assert_eq!(csv.events, json.events);
    }
}

#[test]
fn a_plan_reads_back_as_it_was_told() {
    let OutboundBody::Plan(view) = plan() else {
        panic!()
    };
    let (report, collected) = read(text(LinkagesForm::Csv, plan()));
    assert_eq!(codes(&report), [("other-sender", 1)]);
    let told = collected.events.iter().find_map(|event| match &event.body {
        Body::PlanUpdate(told) => Some(told),
        _ => None,
    });
    let told = told.unwrap();
    assert_eq!(
        (told.activities.clone(), told.fundings.clone()),
        (view.activities, view.fundings)
    );
    assert_eq!(
        told.goals[0].statement.as_deref(),
        Some("A safe home, for \"both\" children")
    );
    assert_eq!(told.goals[0].owner, Some(view.owner.id));
}

proptest::proptest! {
    #[test]
    fn any_text_survives_both_forms(need in "\\PC{1,30}", worker in "['=+@\",a -]{1,8}") {
        let wanted = need.trim().to_owned();
        for form in [LinkagesForm::Csv, LinkagesForm::Json] {
            let (report, collected) = read(text(form, referral(&need)));
            proptest::prop_assert!(report.outcome <= Outcome::Accepted, "{:?}", codes(&report));
            let told = collected.events.iter().find_map(|event| match &event.body {
                Body::ReferralRequested(request) => Some(request.need.clone().unwrap_or_default()),
                _ => None,
            });
            proptest::prop_assert_eq!(told, Some(wanted.clone()));
        }
        let rows = rows(&text(LinkagesForm::Csv, match_notice(&worker)));
        let cell = rows[0].get("worker_name").cloned().unwrap_or_default();
        proptest::prop_assert!(!cell.starts_with(['=', '+', '-', '@']));
    }
}
