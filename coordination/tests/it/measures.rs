use std::collections::BTreeMap;

use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tandem_coordination::assessment::Instruments;
use tandem_coordination::calendar::Calendar;
use tandem_coordination::indicators::Indicators;
use tandem_coordination::masking::Stratum;
use tandem_coordination::measures::{
    Facts, Known, MeasureReport, Parameters, Resolver, Scene, Snapshot, SystemPair, measure,
};
use tandem_coordination::period::Period;
use tandem_coordination::referral::{ReferralFact, Rules, Sides};
use tandem_mappings::model::assessment::{Assessment, Rating, Stage};
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::event::{Body, Event, NewEvent};
use tandem_mappings::model::id::{
    EventId, InstrumentId, Jurisdiction, MessageId, PersonId, RecordKey, ReferralId, SourceCaseId,
    SourceEventId, SourceHouseholdId, SourcePersonId, SystemId,
};
use tandem_mappings::model::involvement::{Involvement, Program};
use tandem_mappings::model::message::DeliveryTold;
use tandem_mappings::model::person::{HouseholdMembership, Relation};
use tandem_mappings::model::referral::{
    ReasonCode, ReferralRef, ReferralRequest, ReferralStatus, ReferralTarget, ReferralUpdate,
    Urgency,
};
use uuid::Uuid;

fn day(number: i64) -> Timestamp {
    let start: Timestamp = "2026-02-02T17:00:00Z".parse().unwrap();
    start + SignedDuration::from_hours(24 * number)
}

fn system(name: &str) -> SystemId {
    SystemId::new(name).unwrap()
}

fn person(id: &str) -> SourcePersonId {
    SourcePersonId::new(id).unwrap()
}

fn event(name: &str, number: u128, at: Timestamp, body: Body) -> Event {
    Event {
        id: EventId(Uuid::from_u128(number)),
        recorded_at: at,
        system: system(name),
        jurisdiction: Jurisdiction::new("demo-county").unwrap(),
        decision_id: None,
        payload_version: 1,
        told: NewEvent::new(
            at,
            SourceEventId::new(format!("ev-{number}")).unwrap(),
            body,
        ),
    }
}

/// A gateway that knows referrals by their UUID and outcome messages by the same UUID.
struct KnownReferrals;

fn referral_of(body: &Body) -> Option<ReferralId> {
    match body {
        Body::ReferralRequested(request) => request.referral.id,
        Body::ReferralAccepted(update)
        | Body::ReferralRejected(update)
        | Body::ReferralOnHold(update)
        | Body::ReferralInProgress(update)
        | Body::ReferralClosed(update)
        | Body::ReferralError(update) => update.referral.id,
        _ => None,
    }
}

impl Resolver for KnownReferrals {
    fn referral(&self, event: &Event) -> Option<ReferralId> {
        referral_of(&event.told.body)
    }

    fn sides(&self, _: ReferralId) -> Option<Sides> {
        Some(Sides {
            source: system("cws-demo"),
            target: Some(system("hmis-demo")),
            gateway: system("tandem"),
        })
    }

    fn organizations(&self, _: ReferralId) -> Option<(String, String)> {
        Some(("org-cws".into(), "org-hmis".into()))
    }

    fn delivery(&self, event: &Event) -> Option<(ReferralId, ReferralFact)> {
        match &event.told.body {
            Body::DeliveryAcknowledged(told) => {
                let fact = ReferralFact::OutcomeAcknowledged {
                    at: event.told.occurred_at,
                };
                Some((ReferralId(told.message.0), fact))
            }
            _ => None,
        }
    }
}

fn request(number: u128, domain: Domain) -> Body {
    Body::ReferralRequested(Box::new(ReferralRequest {
        referral: reference(number),
        source: None,
        worker: None,
        target: ReferralTarget::default(),
        domain,
        original: None,
        subjects: vec![person("mother")],
        household: None,
        urgency: Urgency::Routine,
        need: None,
        safe_contact: None,
        goal: None,
        part_of: None,
        source_resources: vec![],
    }))
}

fn reference(number: u128) -> ReferralRef {
    ReferralRef {
        id: Some(ReferralId(Uuid::from_u128(number))),
        ..ReferralRef::default()
    }
}

fn update(number: u128, status: ReferralStatus, reason: Option<ReasonCode>) -> Body {
    let update = Box::new(ReferralUpdate {
        referral: reference(number),
        status,
        reason,
        reason_text: None,
        sub_status: None,
        role: None,
        outputs: vec![],
        original: None,
    });
    match status {
        ReferralStatus::Accepted => Body::ReferralAccepted(update),
        ReferralStatus::Rejected => Body::ReferralRejected(update),
        ReferralStatus::OnHold => Body::ReferralOnHold(update),
        ReferralStatus::InProgress => Body::ReferralInProgress(update),
        ReferralStatus::EnteredInError => Body::ReferralError(update),
        _ => Body::ReferralClosed(update),
    }
}

fn acknowledged(number: u128) -> Body {
    Body::DeliveryAcknowledged(Box::new(DeliveryTold {
        message: MessageId(Uuid::from_u128(number)),
        target: system("cws-demo"),
        attempt: 1,
    }))
}

fn story() -> Vec<Event> {
    use ReasonCode::{NoCapacity, ServiceReceived, Waitlisted};
    use ReferralStatus::{Accepted, Completed, EnteredInError, InProgress, OnHold, Rejected};
    let cws = "cws-demo";
    let hmis = "hmis-demo";
    let steps = [
        (cws, 10, request(1, Domain::Shelter)),
        (hmis, 11, update(1, Accepted, None)),
        (hmis, 16, update(1, Completed, Some(ServiceReceived))),
        (cws, 16, acknowledged(1)),
        (cws, 10, request(2, Domain::MentalHealth)),
        (hmis, 12, update(2, Accepted, None)),
        (hmis, 13, update(2, OnHold, Some(Waitlisted))),
        (hmis, 20, update(2, InProgress, None)),
        (hmis, 40, update(2, Completed, Some(ServiceReceived))),
        (cws, 40, acknowledged(2)),
        (cws, 10, request(3, Domain::ChildCare)),
        (hmis, 12, update(3, Rejected, Some(NoCapacity))),
        (cws, 12, acknowledged(3)),
        (cws, 13, request(4, Domain::ChildCare)),
        (hmis, 14, update(4, Accepted, None)),
        (hmis, 45, update(4, Completed, Some(ServiceReceived))),
        (cws, 45, acknowledged(4)),
        (cws, 13, request(5, Domain::Food)),
        (cws, 14, update(5, EnteredInError, None)),
    ];
    let numbered = (100_u128..).zip(steps);
    numbered
        .map(|(number, (from, at, body))| event(from, number, day(at), body))
        .collect()
}

fn report(events: &[Event], snapshot: &Snapshot, as_of: Timestamp) -> MeasureReport {
    let calendar = Calendar::new(TimeZone::get("America/Los_Angeles").unwrap(), []);
    let known = Known {
        resolver: &KnownReferrals,
        calendar: &calendar,
    };
    let facts = Facts::collect(events, &known);
    let pair = SystemPair {
        a: system("calworks-demo"),
        b: system("cws-demo"),
    };
    let parameters = Parameters {
        pairs: vec![pair],
        ..Parameters::default()
    };
    measure(&Scene {
        jurisdiction: &Jurisdiction::new("demo-county").unwrap(),
        period: Period::new(date(2026, 1, 1), date(2026, 3, 31)).unwrap(),
        as_of,
        facts: &facts,
        snapshot,
        calendar: &calendar,
        rules: &Rules::shipped().unwrap(),
        instruments: &Instruments::shipped().unwrap(),
        indicators: &Indicators::shipped(None).unwrap(),
        parameters: &parameters,
    })
}

fn counts(report: &MeasureReport, indicator: &str) -> (Option<u64>, Option<u64>) {
    let row = report.row(indicator, &Stratum::whole()).unwrap();
    (row.numerator, row.denominator)
}

fn value(report: &MeasureReport, indicator: &str) -> Option<f64> {
    report.row(indicator, &Stratum::whole()).unwrap().value
}

#[test]
fn the_storys_referrals_close_four_of_four_and_serve_three() {
    let report = report(&story(), &Snapshot::new("L-1", BTreeMap::new()), day(120));
    assert_eq!(counts(&report, "RF-1"), (Some(4), None));
    assert_eq!(counts(&report, "RF-2"), (Some(3), Some(4)));
    assert_eq!(counts(&report, "RF-3"), (Some(4), Some(4)));
    assert_eq!(counts(&report, "RF-4"), (Some(3), Some(4)));
    // Days to close 6, 30, 2 and 32: the mean of 6 and 30.
    assert_eq!(value(&report, "RF-5"), Some(18.0));
    assert_eq!(counts(&report, "RF-9"), (Some(1), Some(1)));
    assert_eq!(counts(&report, "RF-10"), (Some(0), Some(4)));
    let reason = Stratum::whole().with("reason", "no-capacity");
    assert_eq!(report.row("RF-8", &reason).unwrap().numerator, Some(1));
    let domain = Stratum::whole().with("domain", "child-care");
    assert_eq!(report.row("RF-4", &domain).unwrap().value, Some(0.5));
}

#[test]
fn a_cohort_is_counted_only_when_its_window_has_passed() {
    let report = report(&story(), &Snapshot::new("L-1", BTreeMap::new()), day(50));
    assert_eq!(counts(&report, "RF-3"), (Some(0), Some(0)));
    assert_eq!(value(&report, "RF-3"), None);
    assert_eq!(counts(&report, "RF-1"), (Some(4), None));
}

#[test]
fn an_outcome_that_the_source_never_acknowledged_closes_no_loop() {
    let mut events = story();
    events.retain(|event| !matches!(event.told.body, Body::DeliveryAcknowledged(_)));
    let report = report(&events, &Snapshot::new("L-1", BTreeMap::new()), day(120));
    assert_eq!(counts(&report, "RF-3"), (Some(0), Some(4)));
    assert_eq!(counts(&report, "RF-4"), (Some(3), Some(4)));
}

#[test]
fn a_rerun_gives_the_same_numbers_and_says_on_what_they_rest() {
    let snapshot = Snapshot::new("L-7", BTreeMap::new());
    let (one, again) = (
        report(&story(), &snapshot, day(120)),
        report(&story(), &snapshot, day(120)),
    );
    assert_eq!(one.rows, again.rows);
    assert_eq!(one.header.snapshot_id, "L-7");
    assert_eq!(one.header.event_position, 19);
}

fn involved(name: &str, case: &str, people: Vec<SourcePersonId>, is_case: bool) -> Event {
    let involvement = Box::new(Involvement {
        program: Program::Other,
        case: SourceCaseId::new(case).unwrap(),
        people,
        status: None,
        from: None,
        to: None,
        worker: None,
        project: None,
        original: None,
    });
    let body = match is_case {
        true => Body::CaseOpened(involvement),
        false => Body::EnrollmentActive(involvement),
    };
    event(name, 1, day(0), body)
}

/// The published California example, one to a hundred, with synthetic people.
#[test]
fn the_match_rates_of_the_published_example_come_out_in_both_directions() {
    let people = |range: std::ops::Range<u32>| range.map(|id| person(&id.to_string())).collect();
    let events = [
        involved("calworks-demo", "a", people(0..17_860), false),
        involved("cws-demo", "open", people(0..1_263), true),
        involved("cws-demo", "rest", people(1_263..6_906), false),
    ];
    // 599 of the open cases and 1,902 of the rest are linked.
    let linked = (0..599).chain(1_263..3_165);
    let persons = linked.flat_map(|id: u32| {
        let keys = ["calworks-demo", "cws-demo"].map(|name| RecordKey {
            system: system(name),
            person: person(&id.to_string()),
        });
        keys.map(|key| (key, PersonId(Uuid::from_u128(u128::from(id)))))
    });
    let report = report(&events, &Snapshot::new("L-1", persons.collect()), day(60));
    let stratum = Stratum::whole()
        .with("pair", "calworks-demo>cws-demo")
        .with("unit", "person");
    let rate = |indicator| {
        let row = report.row(indicator, &stratum).unwrap();
        let percent = (row.value.unwrap() * 100.0).round();
        (row.numerator.unwrap(), row.denominator.unwrap(), percent)
    };
    assert_eq!(rate("MC-1"), (2_501, 17_860, 14.0));
    assert_eq!(rate("MC-2"), (2_501, 6_906, 36.0));
    assert_eq!(rate("MC-3"), (599, 1_263, 47.0));
}

#[test]
fn a_family_known_to_two_systems_is_served_once() {
    let member = |name: &str, household: &str, id: &str| {
        let membership = HouseholdMembership {
            person: person(id),
            household: Some(SourceHouseholdId::new(household).unwrap()),
            relation: Relation::Unknown,
            relative: None,
            from: None,
            to: None,
            original: None,
        };
        event(
            name,
            1,
            day(0),
            Body::HouseholdMembership(Box::new(membership)),
        )
    };
    let mut events = vec![
        member("cws-demo", "case-1", "mother"),
        member("cws-demo", "case-1", "child"),
        member("hmis-demo", "h-9", "48211"),
    ];
    events.extend(story());
    let mother = PersonId(Uuid::from_u128(1));
    let key = |name: &str, id: &str| RecordKey {
        system: system(name),
        person: person(id),
    };
    let linked = BTreeMap::from([
        (key("cws-demo", "mother"), mother),
        (key("hmis-demo", "48211"), mother),
    ]);
    let report = report(&events, &Snapshot::new("L-1", linked), day(120));
    assert_eq!(counts(&report, "UN-1"), (Some(1), None));
    assert_eq!(counts(&report, "UN-2"), (Some(1), None));
}

#[test]
fn the_storys_ratings_lead_out_of_crisis_in_housing_and_child_care() {
    let rated = |at: i64, stage, levels: &[(Domain, u8)]| {
        let ratings = levels.iter().map(|&(domain, level)| Rating {
            domain,
            level: Some(level),
            instrument_domain: None,
            person: None,
        });
        let assessment = Assessment {
            instrument: InstrumentId::new("ssm-az").unwrap(),
            version: None,
            stage,
            people: vec![person("mother")],
            case: None,
            rated_on: date(2026, 2, 2)
                .checked_add(jiff::Span::new().days(at))
                .unwrap(),
            ratings: ratings.collect(),
        };
        event(
            "cws-demo",
            1,
            day(at),
            Body::AssessmentRecorded(Box::new(assessment)),
        )
    };
    use Domain::{ChildCare, Housing, IncomeBenefits, MentalHealth};
    let events = [
        rated(
            7,
            Stage::Initial,
            &[
                (Housing, 1),
                (IncomeBenefits, 2),
                (MentalHealth, 2),
                (ChildCare, 1),
            ],
        ),
        rated(
            50,
            Stage::Exit,
            &[(Housing, 3), (IncomeBenefits, 3), (ChildCare, 3)],
        ),
    ];
    let report = report(&events, &Snapshot::new("L-1", BTreeMap::new()), day(60));
    assert_eq!(counts(&report, "AS-3"), (Some(2), Some(2)));
    assert_eq!(counts(&report, "AS-4"), (Some(2), Some(2)));
    let housing = Stratum::whole().with("domain", "housing");
    assert_eq!(report.row("AS-4", &housing).unwrap().numerator, Some(1));
    let income = Stratum::whole().with("domain", "income-benefits");
    assert_eq!(report.row("AS-3", &income), None);
}
