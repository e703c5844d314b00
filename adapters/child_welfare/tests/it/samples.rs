//! One outbound message of every kind, and the same with as little as redaction may leave.

use jiff::civil::date;
use tandem_adapter_port::outbound::*;
use tandem_adapter_port::write::WriteContext;
use tandem_mappings::model::assessment::{Rating, Stage};
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::comanagement::{ComanagementState, EndReason, StartReason};
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::id::*;
use tandem_mappings::model::involvement::{ParticipationStatus, PlacementChange, Program};
use tandem_mappings::model::meeting::{Attendee, MeetingType};
use tandem_mappings::model::message::Duty;
use tandem_mappings::model::person::{Address, Sex};
use tandem_mappings::model::plan::*;
use tandem_mappings::model::referral::*;
use tandem_mappings::model::step::Step;
use tandem_mappings::model::worker::WorkerContact;

pub(crate) fn write_context() -> WriteContext {
    WriteContext {
        system: SystemId::new("cws-demo").unwrap(),
        organization: OrganizationId::new("org-cws").unwrap(),
        now: "2026-02-02T17:00:00Z".parse().unwrap(),
        zone: jiff::tz::TimeZone::get("America/Los_Angeles").unwrap(),
        sequence: 7,
    }
}

fn uuid<T: std::str::FromStr>(last: u8) -> T
where
    T::Err: std::fmt::Debug,
{
    format!("00000000-0000-7000-8000-0000000000{last:02x}")
        .parse()
        .unwrap()
}

fn party(id: &str, name: &str) -> Party {
    Party {
        id: OrganizationId::new(id).unwrap(),
        name: name.to_owned(),
    }
}

fn worker() -> WorkerContact {
    WorkerContact {
        id: Some("W7".into()),
        name: Some("Ellis Examplesen".into()),
        phone: Some("5550100200".into()),
        email: Some("ellis@calworks.example".into()),
        role: None,
    }
}

pub(crate) fn people() -> Vec<OutboundPerson> {
    let mother = OutboundPerson {
        person: Some(SourcePersonId::new("2dHPBgz0dm").unwrap()),
        role: "parent".into(),
        given: Some("Marisol".into()),
        middle: Some("Inés & <Ana>".into()),
        family: Some("Demofield".into()),
        birth: Some("1994-05-17".parse().unwrap()),
        sex: Some(Sex::Female),
        cin: Some("91234567A".into()),
        address: Some(Address {
            street: "12 Example Street".into(),
            city: "Demoville".into(),
            state: "CA".into(),
            zip: "93001".into(),
            homeless: false,
        }),
        phone: Some("5550100123".into()),
    };
    let child = OutboundPerson {
        person: Some(SourcePersonId::new("4g8Ojkb0dm").unwrap()),
        role: "child".into(),
        given: Some("Ana".into()),
        middle: None,
        family: Some("Demofield".into()),
        birth: Some("2018-03".parse().unwrap()),
        sex: Some(Sex::Other),
        cin: None,
        address: None,
        phone: None,
    };
    let caretaker = OutboundPerson {
        person: None,
        role: "caretaker".into(),
        birth: Some("1961".parse().unwrap()),
        sex: None,
        given: Some("Gran".into()),
        ..child.clone()
    };
    vec![mother, child, caretaker]
}

pub(crate) fn outbound(body: OutboundBody) -> Outbound {
    Outbound {
        id: uuid(1),
        effect_key: "thing-1".into(),
        decision: uuid(2),
        basis: vec!["CW-03".into(), "TANF-01".into()],
        consent: Some("consent-77".into()),
        notices: vec![Notice {
            code: "N_10850".into(),
            text: "Confidential under WIC 10850.".into(),
        }],
        labels: vec!["R".into(), "NOREDIST".into()],
        created_at: "2026-02-02T17:20:00Z".parse().unwrap(),
        sender: party("org-calworks", "Demo County CalWORKs"),
        recipient: party("org-cws", "Demo County Child Welfare"),
        people: people(),
        recipient_case: Some("0Ikkp6E0dm".into()),
        body,
    }
}

/// The same message after redaction took all that may be taken.
pub(crate) fn bare(mut outbound: Outbound) -> Outbound {
    outbound.consent = None;
    outbound.notices.clear();
    outbound.labels.clear();
    outbound.recipient_case = None;
    for person in &mut outbound.people {
        *person = OutboundPerson {
            person: Some(SourcePersonId::new("4g8Ojkb0dm").unwrap()),
            role: person.role.clone(),
            given: None,
            middle: None,
            family: None,
            birth: None,
            sex: None,
            cin: None,
            address: None,
            phone: None,
        };
    }
    outbound
}

pub(crate) fn referral_view() -> ReferralView {
    ReferralView {
        referral: uuid(3),
        requested_at: "2026-02-02T17:15:00Z".parse().unwrap(),
        domain: Domain::Shelter,
        urgency: Urgency::Urgent,
        need: Some("Family needs shelter from 9 February".into()),
        service: Some(ServiceId::new("svc-shelter").unwrap()),
        service_name: Some("Example Family Shelter".into()),
        service_reference: None,
        worker: Some(worker()),
        safe_contact: Some(SafeContact {
            may_contact: Some(true),
            how: Some("by text after 3 pm".into()),
            language: Some("es".into()),
            interpreter: Some(true),
        }),
        source_resources: vec![],
        part_of: Some(uuid(4)),
        is_withdrawn: false,
        withdrawn_reason: None,
    }
}

fn activity() -> Activity {
    Activity {
        id: ActivityId::new("act-1").unwrap(),
        kind: ActivityKind::Appointment,
        domain: Domain::Employment,
        name: Some("Job readiness workshop".into()),
        person: None,
        goal: Some(GoalId::new("goal-1").unwrap()),
        provider: Some("Example Works".into()),
        starts_at: Some("2026-02-10T17:00:00Z".parse().unwrap()),
        ends_at: Some("2026-02-10T19:00:00Z".parse().unwrap()),
        hours_per_week: Some(20),
        mandated_by: Some(MandatedBy::WorkProgramme),
        counts_toward: vec![PlanType::WelfareToWork, PlanType::ChildWelfare],
        referral: Some(ReferralRef {
            id: Some(uuid(3)),
            ..ReferralRef::default()
        }),
        status: ActivityStatus::InProgress,
        original: None,
    }
}

pub(crate) fn plan_view() -> PlanView {
    PlanView {
        plan: PlanId::new("WTW2-1").unwrap(),
        plan_type: PlanType::WelfareToWork,
        owner: party("org-calworks", "Demo County CalWORKs"),
        version: Some(2),
        status: PlanStatus::Active,
        goals: vec![Goal {
            id: GoalId::new("goal-1").unwrap(),
            domain: Domain::ParentingFamily,
            statement: Some("Return home".into()),
            owner: None,
            lifecycle: GoalLifecycle::Active,
            achievement: Some(Achievement::Improving),
            baseline_level: Some(2),
            target_level: Some(4),
            target_date: Some(date(2026, 8, 20)),
            original: Some(Coding::new(
                "niem:AFCARSPermanencyGoalCode",
                "Reunification",
            )),
        }],
        activities: vec![activity()],
        fundings: vec![FundingLine {
            category: ResourceCategory::ChildCare,
            payer: OrganizationId::new("org-cws").unwrap(),
            payer_of_last_resort: true,
            from: Some(date(2026, 2, 1)),
            to: Some(date(2026, 7, 31)),
            amount: Some(1200),
            note: Some("for class hours".into()),
        }],
        from: Some(date(2026, 2, 1)),
        to: Some(date(2026, 7, 31)),
        updated_at: "2026-02-02T17:10:00Z".parse().unwrap(),
        referral: None,
        referral_resource: None,
    }
}

pub(crate) fn status_view() -> ReferralStatusView {
    ReferralStatusView {
        referral: uuid(3),
        recipient_ref: Some("REF-1".into()),
        recipient_role: Some(ReferralRole::Source),
        domain: Some(Domain::ChildCare),
        target: Some(party("org-hmis", "Demo County HMIS")),
        status: ReferralStatus::Rejected,
        reason: Some(ReasonCode::NoCapacity),
        reason_text: Some("no room before March".into()),
        sub_status: Some(SubStatus::Viewed),
        at: "2026-02-03T18:00:00Z".parse().unwrap(),
        outputs: vec![ReferralOutput {
            kind: "text".into(),
            text: Some("try the second site".into()),
            coding: None,
            reference: None,
        }],
        recipient_resources: vec![],
    }
}

/// Every kind, with all that it can carry.
pub(crate) fn every_kind() -> Vec<(&'static str, Outbound)> {
    let at: jiff::Timestamp = "2026-02-09T18:00:00Z".parse().unwrap();
    let bodies = vec![
        (
            "mutual-client",
            OutboundBody::MutualClient(Box::new(MutualClientView {
                partner_system: SystemId::new("calworks-demo").unwrap(),
                partner: party("org-calworks", "Demo County CalWORKs"),
                partner_program: Program::Calworks,
                partner_case: Some("1B2C3D4".into()),
                partner_case_status: Some("open".into()),
                worker: Some(worker()),
                since: Some(date(2026, 2, 2)),
            })),
        ),
        (
            "referral",
            OutboundBody::Referral(Box::new(referral_view())),
        ),
        (
            "referral-withdrawn",
            OutboundBody::Referral(Box::new(ReferralView {
                is_withdrawn: true,
                withdrawn_reason: Some(ReasonCode::ConsentRevoked),
                ..referral_view()
            })),
        ),
        (
            "referral-status",
            OutboundBody::ReferralStatus(Box::new(status_view())),
        ),
        ("plan", OutboundBody::Plan(Box::new(plan_view()))),
        (
            "participation",
            OutboundBody::Participation(Box::new(ParticipationView {
                status: ParticipationStatus::Sanctioned,
                effective: Some("2026-02-15".parse().unwrap()),
                reason: Some("did not attend".into()),
            })),
        ),
        (
            "comanagement",
            OutboundBody::Comanagement(Box::new(ComanagementView {
                episode: uuid(5),
                state: ComanagementState::Ended,
                start_reason: Some(StartReason::FamilyMaintenance),
                end_reason: Some(EndReason::GoalsMet),
                lead: Some(party("org-cws", "Demo County Child Welfare")),
                worker: Some(worker()),
                partner_case: Some("1B2C3D4".into()),
                step: Some(Step::Monitoring),
                transition_plan: Some("housing line after June".into()),
                at,
            })),
        ),
        (
            "meeting",
            OutboundBody::Meeting(Box::new(MeetingView {
                meeting_type: MeetingType::FamilyTeam,
                is_held: true,
                at,
                place: Some("virtual".into()),
                present: vec![Attendee {
                    system: "org-calworks".into(),
                    role: "worker".into(),
                }],
                family_present: Some(true),
                next: Some("2026-03-09T18:00:00Z".parse().unwrap()),
            })),
        ),
        (
            "assessment",
            OutboundBody::Assessment(Box::new(AssessmentView {
                instrument: InstrumentId::new("ssm-az").unwrap(),
                stage: Stage::Initial,
                rated_on: date(2026, 2, 9),
                ratings: vec![
                    Rating {
                        domain: Domain::Housing,
                        level: Some(1),
                        instrument_domain: None,
                        person: None,
                    },
                    Rating {
                        domain: Domain::ChildCare,
                        level: None,
                        instrument_domain: None,
                        person: None,
                    },
                ],
            })),
        ),
        (
            "conflict",
            OutboundBody::Conflict(Box::new(ConflictView {
                conflict: ConflictKind::OverlappingTimes,
                own: Some("act-9".into()),
                other: Some("act-1".into()),
                other_owner: Some(party("org-calworks", "Demo County CalWORKs")),
                at: Some(at),
            })),
        ),
        (
            "change-placement",
            OutboundBody::Change(Box::new(ChangeView {
                change: "placement.changed".into(),
                placement: Some(PlacementChange::Returned),
                reunification_plan: None,
                status: None,
                date: Some("2026-03-01".parse().unwrap()),
                worker: None,
            })),
        ),
        (
            "change-case",
            OutboundBody::Change(Box::new(ChangeView {
                change: "case.closed".into(),
                placement: None,
                reunification_plan: None,
                status: Some("closed".into()),
                date: Some("2026-03".parse().unwrap()),
                worker: Some(worker()),
            })),
        ),
        (
            "recall",
            OutboundBody::Recall(Box::new(RecallView {
                messages: vec![uuid(1), uuid(6)],
                duties: vec![Duty::StopUse, Duty::DoNotRedisclose],
            })),
        ),
        (
            "consent-reminder",
            OutboundBody::ConsentReminder(Box::new(ConsentReminderView {
                consent: "consent-7".into(),
                last_day: date(2026, 6, 29),
                messages: vec![uuid(1)],
                referrals: vec!["REF-1".into()],
            })),
        ),
    ];
    bodies
        .into_iter()
        .map(|(name, body)| (name, outbound(body)))
        .collect()
}
