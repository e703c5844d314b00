use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tandem_coordination::comanagement::{
    Episode, EpisodeFact, EpisodeRefused, PauseReason, Trigger,
};
use tandem_mappings::model::comanagement::{
    Comanagement, ComanagementState, EndReason, StartReason,
};
use tandem_mappings::model::event::{Body, Event, NewEvent};
use tandem_mappings::model::id::{
    EventId, Jurisdiction, OrganizationId, SourceEventId, SourcePersonId, SystemId,
};
use tandem_mappings::model::involvement::{DatedChange, Placement, PlacementChange};
use tandem_mappings::model::worker::WorkerContact;
use uuid::Uuid;

fn at(hour: i64) -> Timestamp {
    "2026-02-02T17:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour)
}

fn system(name: &str) -> SystemId {
    SystemId::new(name).unwrap()
}

fn joined(name: &str, hour: i64) -> EpisodeFact {
    let worker = Some(WorkerContact {
        id: Some("W1".into()),
        ..WorkerContact::default()
    });
    EpisodeFact::Joined {
        system: system(name),
        case: None,
        worker,
        at: at(hour),
    }
}

fn coordinating() -> Episode {
    let mut episode = Episode::default();
    for fact in [
        EpisodeFact::Confirmed {
            has_basis: true,
            at: at(0),
        },
        joined("calworks-demo", 1),
        EpisodeFact::StartReasonSet {
            reason: StartReason::FamilyMaintenance,
            at: at(2),
        },
        joined("cws-demo", 3),
    ] {
        episode.apply(&fact).unwrap();
    }
    episode
}

#[test]
fn coordination_starts_only_when_both_programmes_named_a_worker_and_a_reason_is_set() {
    let mut episode = Episode::default();
    let mut state_after = |fact| {
        episode.apply(&fact).unwrap();
        episode.state().unwrap()
    };
    let confirmed = EpisodeFact::Confirmed {
        has_basis: true,
        at: at(0),
    };
    assert_eq!(state_after(confirmed), ComanagementState::Confirmed);
    assert_eq!(
        state_after(joined("calworks-demo", 1)),
        ComanagementState::Confirmed
    );
    assert_eq!(
        state_after(joined("cws-demo", 2)),
        ComanagementState::Confirmed
    );
    let reason = EpisodeFact::StartReasonSet {
        reason: StartReason::Other,
        at: at(3),
    };
    assert_eq!(state_after(reason), ComanagementState::Coordinating);
    assert_eq!(episode.started_at(), Some(at(3)));
}

#[test]
fn a_family_is_not_confirmed_without_a_basis_to_tell_both_sides() {
    let mut episode = Episode::default();
    let fact = EpisodeFact::Confirmed {
        has_basis: false,
        at: at(0),
    };
    assert_eq!(episode.apply(&fact), Err(EpisodeRefused::NoBasis));
    assert_eq!(episode.state(), None);
}

#[test]
fn nobody_is_told_anything_unless_the_episode_is_coordinating() {
    let mut episode = coordinating();
    let calworks = system("calworks-demo");
    let told = |episode: &Episode| episode.told_by(&calworks).cloned().collect::<Vec<_>>();
    assert_eq!(told(&episode), [system("cws-demo")]);
    assert_eq!(episode.told_by(&system("stranger")).count(), 0);
    let pause = EpisodeFact::Paused {
        reason: PauseReason::ConsentGap,
        at: at(5),
    };
    episode.apply(&pause).unwrap();
    assert_eq!(told(&episode), []);
    episode.apply(&EpisodeFact::Resumed { at: at(6) }).unwrap();
    assert_eq!(told(&episode), [system("cws-demo")]);
    let end = EpisodeFact::Ended {
        reason: EndReason::GoalsMet,
        at: at(7),
    };
    episode.apply(&end).unwrap();
    assert_eq!(told(&episode), []);
}

#[test]
fn either_programme_ends_an_episode_and_only_a_new_one_can_follow() {
    let mut episode = coordinating();
    let end = |reason| EpisodeFact::Ended { reason, at: at(9) };
    episode.apply(&end(EndReason::GoalsMet)).unwrap();
    episode.apply(&end(EndReason::Moved)).unwrap();
    assert_eq!(episode.end_reason(), Some(EndReason::GoalsMet));
    assert_eq!(
        episode.apply(&joined("cws-demo", 10)),
        Err(EpisodeRefused::Over)
    );
}

#[test]
fn there_is_one_lead_and_a_review_flags_without_ending() {
    let mut episode = coordinating();
    for lead in ["org-calworks", "org-cws"] {
        let lead = OrganizationId::new(lead).unwrap();
        episode
            .apply(&EpisodeFact::LeadSet { lead, at: at(4) })
            .unwrap();
    }
    assert_eq!(episode.lead().unwrap().as_str(), "org-cws");
    let due = jiff::civil::date(2026, 8, 2);
    episode
        .apply(&EpisodeFact::ReviewSet { due, at: at(4) })
        .unwrap();
    assert!(!episode.is_review_due(due.yesterday().unwrap()));
    assert!(episode.is_review_due(due));
    assert_eq!(episode.state(), Some(ComanagementState::Coordinating));
}

#[test]
fn a_removed_child_and_a_safety_alert_are_triggers_of_their_own() {
    let person = SourcePersonId::new("c1").unwrap();
    let removed = Body::PlacementChanged(Box::new(Placement {
        person: person.clone(),
        change: PlacementChange::Removed,
        date: None,
        reunification_plan: None,
        original: None,
    }));
    assert_eq!(Trigger::of(&removed), Some(Trigger::ChildRemoved));
    let alert = Body::SafetyAlert(Box::new(DatedChange {
        person,
        date: None,
        what: None,
    }));
    assert!(Trigger::of(&alert).unwrap().needs_authority());
}

#[test]
fn two_started_events_make_an_episode_coordinate_and_a_third_resumes_it() {
    let started = |name: &str, number: u128| Event {
        id: EventId(Uuid::from_u128(number)),
        recorded_at: at(1),
        system: system(name),
        jurisdiction: Jurisdiction::new("demo-county").unwrap(),
        decision_id: None,
        payload_version: 1,
        told: NewEvent::new(
            at(1),
            SourceEventId::new(number.to_string()).unwrap(),
            Body::ComanagementStarted(Box::new(Comanagement {
                episode: None,
                people: vec![],
                case: None,
                partner: None,
                worker: Some(WorkerContact::default()),
                lead: None,
                start_reason: Some(StartReason::FamilyMaintenance),
                end_reason: None,
                review: None,
                note: None,
            })),
        ),
    };
    let mut episode = Episode::default();
    episode
        .apply(&EpisodeFact::Confirmed {
            has_basis: true,
            at: at(0),
        })
        .unwrap();
    let mut play = |event: Event| {
        for fact in EpisodeFact::of(&event, &episode) {
            episode.apply(&fact).unwrap();
        }
        let state = episode.state().unwrap();
        let pause = EpisodeFact::Paused {
            reason: PauseReason::FamilyAway,
            at: at(2),
        };
        let _not_yet = episode.apply(&pause);
        state
    };
    assert_eq!(play(started("cws-demo", 1)), ComanagementState::Confirmed);
    assert_eq!(
        play(started("calworks-demo", 2)),
        ComanagementState::Coordinating
    );
    assert_eq!(
        play(started("cws-demo", 3)),
        ComanagementState::Coordinating
    );
}

fn any_fact() -> impl Strategy<Value = EpisodeFact> {
    let hour = 0_i64..100;
    prop_oneof![
        hour.clone()
            .prop_map(|hour| EpisodeFact::Proposed { at: at(hour) }),
        (proptest::bool::ANY, hour.clone()).prop_map(|(has_basis, hour)| EpisodeFact::Confirmed {
            has_basis,
            at: at(hour)
        }),
        (0_u8..3, hour.clone()).prop_map(|(number, hour)| joined(&format!("s{number}"), hour)),
        hour.clone().prop_map(|hour| EpisodeFact::StartReasonSet {
            reason: StartReason::Other,
            at: at(hour)
        }),
        hour.clone().prop_map(|hour| EpisodeFact::Paused {
            reason: PauseReason::CourtOrder,
            at: at(hour)
        }),
        hour.clone()
            .prop_map(|hour| EpisodeFact::Resumed { at: at(hour) }),
        hour.prop_map(|hour| EpisodeFact::Ended {
            reason: EndReason::Other,
            at: at(hour)
        }),
    ]
}

proptest! {
    #[test]
    fn random_facts_keep_the_life_cycle(facts in proptest::collection::vec(any_fact(), 0..40)) {
        use ComanagementState as C;
        let allowed = [
            (None, C::Candidate), (None, C::Confirmed), (Some(C::Candidate), C::Confirmed),
            (Some(C::Candidate), C::Ended), (Some(C::Confirmed), C::Coordinating),
            (Some(C::Confirmed), C::Ended), (Some(C::Coordinating), C::Paused),
            (Some(C::Paused), C::Coordinating), (Some(C::Coordinating), C::Ended),
            (Some(C::Paused), C::Ended),
            // A worker who joined while a candidate waited: confirmation starts coordination at once.
            (Some(C::Candidate), C::Coordinating),
        ];
        let mut episode = Episode::default();
        for fact in &facts {
            let before = episode.clone();
            let result = episode.apply(fact);
            if result.is_err() {
                prop_assert_eq!(&episode, &before);
            }
            if let Some(after) = episode.state().filter(|_| episode.state() != before.state()) {
                prop_assert!(allowed.contains(&(before.state(), after)), "{:?}", before.state());
            }
        }
    }
}
