//! The life cycles of plans, episodes and steps in the specification, tried whole.

use jiff::{SignedDuration, Timestamp};
use tandem_coordination::comanagement::{Episode, EpisodeFact, PauseReason};
use tandem_coordination::plan::{Overlay, PlanFact, Writer};
use tandem_coordination::steps::{Coordination, StepFact};
use tandem_mappings::model::comanagement::{ComanagementState, EndReason, StartReason};
use tandem_mappings::model::plan::{Achievement, GoalLifecycle, PlanStatus};
use tandem_mappings::model::referral::{ReferralStatus as S, SubStatus};
use tandem_mappings::model::step::Step;
use tandem_mappings::model::worker::WorkerContact;

fn at(hour: i64) -> Timestamp {
    "2026-02-02T17:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour)
}

#[test]
fn codes_are_those_of_the_specification_and_no_others() {
    let codes = |all: &[&'static str]| {
        let mut all = all.to_vec();
        all.sort_unstable();
        all
    };
    let of = |told: Vec<&'static str>| codes(&told);
    assert_eq!(
        of(SubStatus::ALL.iter().map(|one| one.code()).collect()),
        codes(&[
            "awaiting-consent",
            "sent",
            "delivered",
            "viewed",
            "contact-attempted",
            "client-contacted",
            "needs-client-action",
            "appointment-scheduled",
            "eligible-not-started",
            "waitlisted",
            "enrolled",
            "service-started",
        ])
    );
    assert_eq!(
        of(S::ALL.iter().map(|one| one.code()).collect()),
        codes(&[
            "draft",
            "requested",
            "accepted",
            "rejected",
            "cancelled",
            "in-progress",
            "on-hold",
            "completed",
            "failed",
            "entered-in-error",
        ])
    );
    assert_eq!(
        of(GoalLifecycle::ALL.iter().map(|one| one.code()).collect()),
        codes(&[
            "proposed",
            "planned",
            "accepted",
            "active",
            "on-hold",
            "completed",
            "cancelled",
            "rejected",
            "entered-in-error",
        ])
    );
    assert_eq!(
        of(Achievement::ALL.iter().map(|one| one.code()).collect()),
        codes(&[
            "in-progress",
            "improving",
            "worsening",
            "no-change",
            "achieved",
            "sustaining",
            "not-achieved",
            "no-progress",
            "not-attainable",
        ])
    );
}

/// Specs coordination 5. Leaving and ending a plan is taken as open at any time, since a family may go and a case may
/// close before a review.
const PLAN_MOVES: &[(&str, &str)] = &[
    ("proposed", "agreed"),
    ("agreed", "active"),
    ("active", "under-review"),
    ("under-review", "active"),
    ("active", "completed"),
    ("under-review", "completed"),
    ("proposed", "disengaged"),
    ("agreed", "disengaged"),
    ("active", "disengaged"),
    ("under-review", "disengaged"),
    ("proposed", "terminated"),
    ("agreed", "terminated"),
    ("active", "terminated"),
    ("under-review", "terminated"),
];

fn plan_standing(status: PlanStatus) -> Overlay {
    let writer = Writer {
        system: "cws-demo".parse().unwrap(),
        organization: "org-cws".parse().unwrap(),
    };
    let mut facts = vec![PlanFact::Joined {
        writer: writer.clone(),
        at: at(0),
    }];
    if status != PlanStatus::Proposed {
        facts.push(PlanFact::Agreed {
            system: writer.system,
            at: at(1),
        });
        facts.push(PlanFact::FamilyAgreed { at: at(1) });
    }
    let way: &[PlanStatus] = match status {
        PlanStatus::Proposed | PlanStatus::Agreed => &[],
        PlanStatus::Active => &[PlanStatus::Active],
        other => &[PlanStatus::Active, PlanStatus::UnderReview, other],
    };
    facts.extend(way.iter().map(|to| PlanFact::Moved { to: *to, at: at(2) }));
    let mut overlay = Overlay::default();
    for fact in &facts {
        overlay.apply(fact).unwrap();
    }
    assert_eq!(overlay.status(), Some(status));
    overlay
}

#[test]
fn every_move_of_a_plan_follows_the_written_table() {
    for &from in PlanStatus::ALL {
        for &to in PlanStatus::ALL {
            let mut overlay = plan_standing(from);
            let moved = overlay.apply(&PlanFact::Moved { to, at: at(5) }).is_ok();
            // A plan is agreed by agreement, which a bare move does not make.
            let is_agreement = (from.code(), to.code()) == ("proposed", "agreed");
            let is_listed = from == to || PLAN_MOVES.contains(&(from.code(), to.code()));
            assert_eq!(moved, is_listed && !is_agreement, "{from} -> {to}");
        }
    }
}

/// Specs coordination 6. A family may go at every step, so each leads to `disengaged`.
const STEP_MOVES: &[(&str, &str)] = &[
    ("assessment", "plan"),
    ("plan", "linking"),
    ("linking", "monitoring"),
    ("monitoring", "disengaged"),
    ("monitoring", "plan"),
    ("monitoring", "linking"),
    ("disengaged", "assessment"),
    ("assessment", "disengaged"),
    ("plan", "disengaged"),
    ("linking", "disengaged"),
];

#[test]
fn every_move_between_the_five_steps_follows_the_written_table() {
    let order = [
        Step::Assessment,
        Step::Plan,
        Step::Linking,
        Step::Monitoring,
        Step::Disengaged,
    ];
    let enter = |coordination: &mut Coordination, step| {
        let end_reason = (step == Step::Disengaged).then_some(EndReason::GoalsMet);
        coordination
            .apply(&StepFact::Entered {
                step,
                end_reason,
                at: at(1),
            })
            .is_ok()
    };
    for (place, from) in order.iter().enumerate() {
        for to in order {
            let mut coordination = Coordination::default();
            for step in order.iter().take(place + 1) {
                assert!(enter(&mut coordination, *step));
            }
            let is_listed = *from == to || STEP_MOVES.contains(&(from.code(), to.code()));
            assert_eq!(enter(&mut coordination, to), is_listed, "{from} -> {to}");
        }
    }
    for to in order {
        assert_eq!(
            enter(&mut Coordination::default(), to),
            to == Step::Assessment,
            "new -> {to}"
        );
    }
    let no_reason = StepFact::Entered {
        step: Step::Disengaged,
        end_reason: None,
        at: at(1),
    };
    let mut begun = Coordination::default();
    assert!(enter(&mut begun, Step::Assessment));
    assert!(begun.apply(&no_reason).is_err());
}

fn episode_standing(state: ComanagementState) -> Episode {
    let joined = |name: &str| EpisodeFact::Joined {
        system: name.parse().unwrap(),
        case: None,
        worker: Some(WorkerContact {
            id: Some("W-1".into()),
            ..WorkerContact::default()
        }),
        at: at(1),
    };
    let confirmed = EpisodeFact::Confirmed {
        has_basis: true,
        at: at(0),
    };
    let started = || {
        let reason = StartReason::FamilyMaintenance;
        vec![
            confirmed.clone(),
            joined("calworks-demo"),
            joined("cws-demo"),
            EpisodeFact::StartReasonSet { reason, at: at(2) },
        ]
    };
    let facts = match state {
        ComanagementState::Candidate => vec![EpisodeFact::Proposed { at: at(0) }],
        ComanagementState::Confirmed => vec![confirmed],
        ComanagementState::Coordinating => started(),
        ComanagementState::Paused => {
            let paused = EpisodeFact::Paused {
                reason: PauseReason::ConsentGap,
                at: at(3),
            };
            started().into_iter().chain([paused]).collect()
        }
        _ => started()
            .into_iter()
            .chain([EpisodeFact::Ended {
                reason: EndReason::GoalsMet,
                at: at(3),
            }])
            .collect(),
    };
    let mut episode = Episode::default();
    for fact in &facts {
        episode.apply(fact).unwrap();
    }
    assert_eq!(episode.state(), Some(state));
    episode
}

/// Specs coordination 4: the state after each fact in each state; `-` where it is refused.
const EPISODE: &str = "\
state        proposed     confirmed    paused       resumed      ended
candidate    candidate    confirmed    -            -            ended
confirmed    confirmed    confirmed    -            -            ended
coordinating coordinating coordinating paused       coordinating ended
paused       paused       paused       paused       coordinating ended
ended        -            -            -            -            ended";

#[test]
fn every_fact_in_every_state_of_an_episode_follows_the_written_table() {
    let facts = [
        EpisodeFact::Proposed { at: at(9) },
        EpisodeFact::Confirmed {
            has_basis: true,
            at: at(9),
        },
        EpisodeFact::Paused {
            reason: PauseReason::CourtOrder,
            at: at(9),
        },
        EpisodeFact::Resumed { at: at(9) },
        EpisodeFact::Ended {
            reason: EndReason::Moved,
            at: at(9),
        },
    ];
    let lines: Vec<Vec<&str>> = EPISODE
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines.len(), ComanagementState::ALL.len());
    for line in lines {
        let state = ComanagementState::from_code(line[0]).unwrap();
        for (fact, expected) in facts.iter().zip(&line[1..]) {
            let mut episode = episode_standing(state);
            let told = episode.apply(fact);
            let after = if told.is_ok() {
                episode.state().unwrap().code()
            } else {
                "-"
            };
            assert_eq!(after, *expected, "{state} takes {fact:?}");
            if told.is_err() {
                assert_eq!(
                    episode,
                    episode_standing(state),
                    "a refused fact changes nothing"
                );
            }
        }
    }
}
