use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tandem_coordination::calendar::Calendar;
use tandem_coordination::plan::{
    Conflict, ConflictSettings, Overlay, PLAN_TRANSITIONS, PlanFact, PlanObject, PlanRefused,
    Writer, conflicts,
};
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::id::{
    ActivityId, GoalId, OrganizationId, PlanId, RecordKey, SourcePersonId, SystemId,
};
use tandem_mappings::model::plan::{
    Activity, ActivityKind, ActivityStatus, ConflictKind, FundingLine, Goal, GoalLifecycle,
    MandatedBy, PlanContent, PlanStatus, PlanType, ResourceCategory,
};

fn at(hour: i64) -> Timestamp {
    "2026-02-02T17:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour)
}

fn organization(name: &str) -> OrganizationId {
    OrganizationId::new(format!("org-{name}")).unwrap()
}

fn writer(name: &str) -> Writer {
    let system = SystemId::new(format!("{name}-demo")).unwrap();
    Writer {
        system,
        organization: organization(name),
    }
}

fn goal(id: &str) -> Goal {
    Goal {
        id: GoalId::new(id).unwrap(),
        domain: Domain::Employment,
        statement: None,
        owner: None,
        lifecycle: GoalLifecycle::Active,
        achievement: None,
        baseline_level: None,
        target_level: None,
        target_date: None,
        original: None,
    }
}

fn activity(id: &str, goal: &str) -> Activity {
    Activity {
        id: ActivityId::new(id).unwrap(),
        kind: ActivityKind::Appointment,
        domain: Domain::MentalHealth,
        name: None,
        person: None,
        goal: Some(GoalId::new(goal).unwrap()),
        provider: None,
        starts_at: None,
        ends_at: None,
        hours_per_week: None,
        mandated_by: None,
        counts_toward: vec![],
        referral: None,
        status: ActivityStatus::Scheduled,
        original: None,
    }
}

fn plan(name: &str, goals: Vec<Goal>, activities: Vec<Activity>) -> PlanContent {
    PlanContent {
        plan: PlanId::new(format!("{name}-plan")).unwrap(),
        plan_type: if name == "cws" {
            PlanType::ChildWelfare
        } else {
            PlanType::WelfareToWork
        },
        version: None,
        status: PlanStatus::Proposed,
        subjects: vec![SourcePersonId::new(format!("{name}-mother")).unwrap()],
        goals,
        activities,
        fundings: vec![],
        from: None,
        to: None,
        review_due: None,
        reason: None,
    }
}

fn told(name: &str, plan: PlanContent, hour: i64) -> PlanFact {
    PlanFact::Told {
        writer: writer(name),
        plan: Box::new(plan),
        at: at(hour),
    }
}

fn overlay(facts: &[PlanFact]) -> Overlay {
    let mut overlay = Overlay::default();
    for fact in facts {
        overlay.apply(fact).unwrap();
    }
    overlay
}

fn two_plans() -> Overlay {
    overlay(&[
        told(
            "cws",
            plan("cws", vec![goal("G1")], vec![activity("A1", "G1")]),
            1,
        ),
        told(
            "calworks",
            plan("calworks", vec![goal("G1")], vec![activity("A1", "G1")]),
            2,
        ),
    ])
}

#[test]
fn two_programmes_may_use_the_same_ids_for_their_own_objects() {
    let overlay = two_plans();
    assert_eq!(
        (overlay.goals().count(), overlay.activities().count()),
        (2, 2)
    );
    assert_eq!(overlay.version(), 2);
}

#[test]
fn what_a_non_owner_writes_becomes_a_proposal_and_changes_nothing() {
    let mut overlay = two_plans();
    let before: Vec<_> = overlay.goals().cloned().collect();
    let mut changed = goal("G1");
    changed.lifecycle = GoalLifecycle::Cancelled;
    let fact = PlanFact::Goal {
        writer: writer("calworks"),
        plan: PlanId::new("cws-plan").unwrap(),
        goal: Box::new(changed.clone()),
        at: at(3),
    };
    let effects = overlay.apply(&fact).unwrap();
    assert!(!effects.changed && !effects.new_version);
    let proposal = &effects.proposals[0];
    assert_eq!(
        (&proposal.to, &proposal.from),
        (&organization("cws"), &organization("calworks"))
    );
    assert_eq!(proposal.object, PlanObject::Goal(changed));
    assert_eq!(overlay.goals().cloned().collect::<Vec<_>>(), before);
}

#[test]
fn a_goal_that_names_another_owner_is_a_proposal_too() {
    let mut foreign = goal("G9");
    foreign.owner = Some(organization("cws"));
    let mut overlay = two_plans();
    let effects = overlay
        .apply(&told(
            "calworks",
            plan("calworks", vec![foreign], vec![]),
            3,
        ))
        .unwrap();
    assert_eq!(effects.proposals.len(), 1);
    assert_eq!(overlay.goals().count(), 2);
}

#[test]
fn a_version_begins_with_a_new_goal_lead_or_system_and_the_old_one_stays_readable() {
    let mut overlay = two_plans();
    let mut version_after = |fact: PlanFact| {
        overlay.apply(&fact).unwrap();
        overlay.version()
    };
    let same = told(
        "cws",
        plan("cws", vec![goal("G1")], vec![activity("A2", "G1")]),
        3,
    );
    assert_eq!(version_after(same), 2);
    assert_eq!(
        version_after(told("cws", plan("cws", vec![goal("G2")], vec![]), 4)),
        3
    );
    let lead = PlanFact::LeadSet {
        lead: organization("cws"),
        at: at(5),
    };
    assert_eq!(version_after(lead.clone()), 4);
    assert_eq!(version_after(lead), 4);
    assert_eq!(
        version_after(PlanFact::Joined {
            writer: writer("clinic"),
            at: at(6)
        }),
        5
    );
    let history = overlay.history();
    assert_eq!(history.len(), 4);
    assert_eq!(
        (history[2].version, history[2].goals.len(), history[2].until),
        (3, 3, at(5))
    );
}

#[test]
fn a_plan_is_agreed_when_every_programme_and_the_family_agreed() {
    let mut overlay = two_plans();
    let agreed = |name: &str| PlanFact::Agreed {
        system: writer(name).system,
        at: at(4),
    };
    overlay.apply(&agreed("cws")).unwrap();
    overlay
        .apply(&PlanFact::FamilyAgreed { at: at(5) })
        .unwrap();
    assert_eq!(overlay.status(), Some(PlanStatus::Proposed));
    let to_active = PlanFact::Moved {
        to: PlanStatus::Active,
        at: at(5),
    };
    assert!(matches!(
        overlay.apply(&to_active),
        Err(PlanRefused::NotListed { .. })
    ));
    assert_eq!(
        overlay.apply(&agreed("clinic")),
        Err(PlanRefused::NotParticipating)
    );
    overlay.apply(&agreed("calworks")).unwrap();
    assert_eq!(overlay.status(), Some(PlanStatus::Agreed));
    overlay.apply(&to_active).unwrap();
    let completed = PlanFact::Moved {
        to: PlanStatus::Completed,
        at: at(9),
    };
    overlay.apply(&completed).unwrap();
    assert_eq!(overlay.apply(&completed), Ok(Default::default()));
    assert!(matches!(
        overlay.apply(&agreed("cws")),
        Err(PlanRefused::Over { .. })
    ));
}

#[test]
fn an_overlay_is_stored_and_read_back_whole() {
    let overlay = two_plans();
    let json = serde_json::to_string(&overlay).unwrap();
    assert_eq!(serde_json::from_str::<Overlay>(&json).unwrap(), overlay);
}

fn flags(overlay: &Overlay, now: Timestamp) -> Vec<Conflict> {
    let calendar = Calendar::new(TimeZone::get("America/Los_Angeles").unwrap(), []);
    // Both records are the same mother.
    let person = |_: &RecordKey| 1;
    conflicts(overlay, person, ConflictSettings::default(), &calendar, now)
}

fn kinds(facts: &[PlanFact]) -> Vec<ConflictKind> {
    flags(&overlay(facts), at(100))
        .into_iter()
        .map(|conflict| conflict.kind)
        .collect()
}

fn appointment(id: &str, from: i64, to: i64) -> Activity {
    Activity {
        starts_at: Some(at(from)),
        ends_at: Some(at(to)),
        ..activity(id, "G1")
    }
}

#[test]
fn overlapping_appointments_of_one_person_in_two_plans_are_flagged() {
    let plans = |from, to| {
        [
            told(
                "cws",
                plan("cws", vec![goal("G1")], vec![appointment("A1", 10, 12)]),
                1,
            ),
            told(
                "calworks",
                plan("calworks", vec![], vec![appointment("B1", from, to)]),
                1,
            ),
        ]
    };
    assert_eq!(kinds(&plans(11, 13)), [ConflictKind::OverlappingTimes]);
    assert_eq!(kinds(&plans(12, 13)), []);
    // First and last occurrence of a weekly activity say nothing about hours.
    assert_eq!(kinds(&plans(11, 11 + 24 * 60)), []);
    let other_person = |key: &RecordKey| key.clone();
    let calendar = Calendar::new(TimeZone::UTC, []);
    let settings = ConflictSettings::default();
    let found = conflicts(
        &overlay(&plans(11, 13)),
        other_person,
        settings,
        &calendar,
        at(100),
    );
    assert_eq!(found, []);
}

fn line(payer: &str, category: ResourceCategory, from: Date, to: Date) -> PlanFact {
    let line = FundingLine {
        category,
        payer: organization(payer),
        payer_of_last_resort: false,
        from: Some(from),
        to: Some(to),
        amount: None,
        note: None,
    };
    PlanFact::Funding {
        writer: writer(payer),
        line: Box::new(line),
        at: at(1),
    }
}

#[test]
fn the_same_service_from_two_payers_is_flagged_and_braided_funds_are_not() {
    use ResourceCategory::{ChildCare, Housing};
    let (march, april, may) = (date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1));
    let cws = line("cws", ChildCare, march, april);
    assert_eq!(
        kinds(&[cws.clone(), line("calworks", ChildCare, april, may)]),
        [ConflictKind::SameServiceTwoPayers]
    );
    assert_eq!(
        kinds(&[cws.clone(), line("calworks", ChildCare, may, may)]),
        []
    );
    assert_eq!(kinds(&[cws, line("calworks", Housing, march, may)]), []);
}

#[test]
fn a_line_that_names_another_payer_is_a_proposal() {
    let PlanFact::Funding { line, at, .. } = line(
        "cws",
        ResourceCategory::Housing,
        date(2026, 3, 1),
        date(2026, 4, 1),
    ) else {
        unreachable!()
    };
    let mut overlay = Overlay::default();
    let foreign = PlanFact::Funding {
        writer: writer("calworks"),
        line,
        at,
    };
    assert_eq!(overlay.apply(&foreign).unwrap().proposals.len(), 1);
    assert_eq!(overlay.fundings(), []);
}

#[test]
fn what_one_plan_requires_and_the_other_lacks_is_flagged() {
    let mandated = Activity {
        mandated_by: Some(MandatedBy::Court),
        counts_toward: vec![PlanType::WelfareToWork],
        ..activity("A1", "G1")
    };
    let plans = |other: Vec<Activity>| {
        [
            told(
                "cws",
                plan("cws", vec![goal("G1")], vec![mandated.clone()]),
                1,
            ),
            told("calworks", plan("calworks", vec![], other), 1),
        ]
    };
    assert_eq!(kinds(&plans(vec![])), [ConflictKind::RequiredAndMissing]);
    let called_off = Activity {
        status: ActivityStatus::Cancelled,
        ..activity("B1", "G1")
    };
    assert_eq!(
        kinds(&plans(vec![called_off])),
        [ConflictKind::RequiredAndMissing]
    );
    assert_eq!(kinds(&plans(vec![activity("B1", "G1")])), []);
}

#[test]
fn a_goal_after_the_plans_end_or_without_activity_is_flagged() {
    let late = Goal {
        target_date: Some(date(2026, 9, 1)),
        ..goal("G1")
    };
    let ending = PlanContent {
        to: Some(date(2026, 8, 31)),
        ..plan("cws", vec![late, goal("G2")], vec![activity("A1", "G1")])
    };
    assert_eq!(
        kinds(&[told("cws", ending, 1)]),
        [
            ConflictKind::GoalAfterPlanEnd,
            ConflictKind::GoalWithoutActivity
        ]
    );
}

#[test]
fn a_programme_that_is_silent_for_longer_than_the_review_interval_is_flagged() {
    let overlay = two_plans();
    assert_eq!(flags(&overlay, at(24 * 90)), []);
    let silent = flags(&overlay, at(24 * 90 + 3));
    assert_eq!(silent.len(), 2);
    assert!(
        silent
            .iter()
            .all(|one| one.kind == ConflictKind::ProgrammeSilent)
    );
}

fn any_fact() -> impl Strategy<Value = PlanFact> {
    let name = || proptest::sample::select(vec!["cws", "calworks", "clinic"]);
    let hour = || 0_i64..500;
    prop_oneof![
        (name(), name(), 0_u8..4, hour()).prop_map(|(who, whose, id, hour)| {
            let goals = vec![goal(&format!("G{id}"))];
            told(
                who,
                plan(whose, goals, vec![activity(&format!("A{id}"), "G1")]),
                hour,
            )
        }),
        (name(), hour()).prop_map(|(who, hour)| PlanFact::Joined {
            writer: writer(who),
            at: at(hour)
        }),
        (name(), hour()).prop_map(|(who, hour)| PlanFact::Left {
            system: writer(who).system,
            at: at(hour)
        }),
        (name(), hour()).prop_map(|(who, hour)| PlanFact::Agreed {
            system: writer(who).system,
            at: at(hour)
        }),
        hour().prop_map(|hour| PlanFact::FamilyAgreed { at: at(hour) }),
        (proptest::sample::select(PlanStatus::ALL), hour())
            .prop_map(|(to, hour)| PlanFact::Moved { to, at: at(hour) }),
    ]
}

proptest! {
    #[test]
    fn random_facts_follow_the_table_and_never_touch_what_another_owns(
        facts in proptest::collection::vec(any_fact(), 0..40)
    ) {
        let mut overlay = Overlay::default();
        for fact in &facts {
            let before = overlay.clone();
            let Ok(effects) = overlay.apply(fact) else {
                prop_assert_eq!(&overlay, &before);
                continue;
            };
            let (from, to) = (before.status(), overlay.status());
            if let (Some(from), Some(to)) = (from, to) {
                prop_assert!(from == to || PLAN_TRANSITIONS.contains(&(from, to)));
            }
            prop_assert_eq!(overlay.version(), before.version() + u32::from(effects.new_version));
            let writer = fact.writer().map(|writer| writer.organization.clone());
            for goal in overlay.goals().filter(|goal| !before.goals().any(|old| old == *goal)) {
                prop_assert_eq!(Some(&goal.owner), writer.as_ref());
            }
        }
        let mut again = Overlay::default();
        for fact in &facts {
            let _refused = again.apply(fact);
        }
        prop_assert_eq!(again, overlay);
    }
}
