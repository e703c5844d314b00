use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tandem_coordination::steps::{Coordination, Recorded, STEP_TRANSITIONS, StepFact, StepRefused};
use tandem_mappings::model::comanagement::EndReason;
use tandem_mappings::model::step::{CrisisKind, Intensity, Step};

fn entered(step: Step) -> StepFact {
    entered_for(step, None)
}

fn entered_for(step: Step, end_reason: Option<EndReason>) -> StepFact {
    let at: Timestamp = "2026-02-02T17:00:00Z".parse().unwrap();
    StepFact::Entered {
        step,
        end_reason,
        at: at + SignedDuration::from_hours(1),
    }
}

fn recorded(recorded: Recorded) -> StepFact {
    StepFact::Recorded(recorded)
}

#[test]
fn a_step_left_before_its_work_is_done_is_flagged() {
    let mut family = Coordination::default();
    assert_eq!(family.apply(&entered(Step::Assessment)), Ok(None));
    let mut unrated = family.clone();
    assert_eq!(
        unrated.apply(&entered(Step::Plan)),
        Ok(Some(Step::Assessment))
    );
    let rated = Recorded {
        domains_rated: 4,
        ..Recorded::default()
    };
    family.apply(&recorded(rated)).unwrap();
    assert_eq!(family.apply(&entered(Step::Plan)), Ok(None));
}

#[test]
fn linking_is_done_when_every_planned_service_has_a_referral() {
    let planned = Recorded {
        services_planned: 2,
        services_linked: 1,
        ..Recorded::default()
    };
    assert!(!planned.is_done(Step::Linking, None));
    let linked = Recorded {
        services_linked: 2,
        ..planned
    };
    assert!(linked.is_done(Step::Linking, None));
    assert!(!Recorded::default().is_done(Step::Linking, None));
}

#[test]
fn monitoring_leads_back_to_plan_and_linking_and_an_ended_family_begins_anew() {
    let mut family = Coordination::default();
    for step in [
        Step::Assessment,
        Step::Plan,
        Step::Linking,
        Step::Monitoring,
        Step::Linking,
    ] {
        family.apply(&entered(step)).unwrap();
    }
    family.apply(&entered(Step::Monitoring)).unwrap();
    assert_eq!(
        family.apply(&entered(Step::Disengaged)),
        Err(StepRefused::NoReason)
    );
    let plan = Recorded {
        transition_plan: true,
        ..Recorded::default()
    };
    family.apply(&recorded(plan)).unwrap();
    family
        .apply(&entered_for(Step::Disengaged, Some(EndReason::GoalsMet)))
        .unwrap();
    assert!(family.ended_as_planned());
    family.apply(&entered(Step::Assessment)).unwrap();
    assert_eq!((family.episode(), family.end_reason()), (2, None));
    assert_eq!(family.recorded(), &Recorded::default());
}

#[test]
fn an_end_without_transition_plan_is_not_as_planned() {
    let mut family = Coordination::default();
    family.apply(&entered(Step::Assessment)).unwrap();
    family
        .apply(&entered_for(Step::Disengaged, Some(EndReason::GoalsMet)))
        .unwrap();
    assert!(!family.ended_as_planned());
}

#[test]
fn any_crisis_or_high_risk_makes_coordination_intensive() {
    let set = |crisis: Vec<CrisisKind>, high_risk| {
        let mut family = Coordination::default();
        let intensity = Intensity::Information;
        family
            .apply(&StepFact::IntensitySet {
                intensity,
                crisis,
                high_risk,
            })
            .unwrap();
        family.intensity()
    };
    assert_eq!(set(vec![], false), Intensity::Information);
    assert_eq!(
        set(vec![CrisisKind::FamilyEconomics], false),
        Intensity::Intensive
    );
    assert_eq!(set(vec![], true), Intensity::Intensive);
}

proptest! {
    #[test]
    fn random_steps_follow_the_table(
        steps in proptest::collection::vec(proptest::sample::select(Step::ALL), 0..30)
    ) {
        let mut family = Coordination::default();
        for &step in &steps {
            let before = family.clone();
            match family.apply(&entered_for(step, Some(EndReason::Other))) {
                Err(_) => prop_assert_eq!(&family, &before),
                Ok(_) if before.step() == Some(step) => prop_assert_eq!(&family, &before),
                Ok(_) => match before.step() {
                    Some(from) => prop_assert!(STEP_TRANSITIONS.contains(&(from, step))),
                    None => prop_assert_eq!(step, Step::Assessment),
                },
            }
        }
    }
}
