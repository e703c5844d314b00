//! Rules of referrals, seen from outside.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tandem_coordination::referral::{
    ContentGap, Decision, Move, Readiness, Referral, ReferralFact, Refused, Rules, Sender,
    TRANSITIONS, calaim_status, content_gaps,
};
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::id::{OrganizationId, SourcePersonId};
use tandem_mappings::model::referral::{
    ReasonCode, ReferralRef, ReferralRequest, ReferralRole, ReferralStatus, ReferralTarget,
    SubStatus, Urgency,
};

use ReferralRole::{Gateway, Source, Target};
use ReferralStatus as S;

fn start() -> Timestamp {
    "2026-02-02T17:00:00Z".parse().unwrap()
}

fn day(number: i64) -> Timestamp {
    start() + SignedDuration::from_hours(24 * number)
}

fn requested() -> (Rules, Referral) {
    let (rules, mut referral) = (Rules::shipped().unwrap(), Referral::default());
    let opened = opened(Readiness::complete());
    assert_eq!(referral.apply(&rules, &opened), Ok(Decision::Moved));
    (rules, referral)
}

fn opened(readiness: Readiness) -> ReferralFact {
    let wish = Move::new(S::Requested, Source, start());
    ReferralFact::Opened {
        wish,
        urgency: Urgency::Routine,
        part_of: None,
        readiness,
    }
}

fn play(rules: &Rules, referral: &mut Referral, wishes: &[Move]) {
    for wish in wishes {
        let moved = referral.apply(rules, &ReferralFact::Moved(wish.clone()));
        assert_eq!(moved, Ok(Decision::Moved), "{wish:?}");
    }
}

#[test]
fn a_referral_is_not_requested_without_content_permit_and_active_target() {
    let rules = Rules::shipped().unwrap();
    let refused = |readiness| {
        Referral::default()
            .apply(&rules, &opened(readiness))
            .unwrap_err()
    };
    let gaps = vec![ContentGap::Target];
    assert_eq!(
        refused(Readiness {
            gaps: gaps.clone(),
            ..Readiness::complete()
        }),
        Refused::Incomplete { gaps }
    );
    assert_eq!(
        refused(Readiness {
            is_permitted: false,
            ..Readiness::complete()
        }),
        Refused::NotPermitted
    );
    assert_eq!(
        refused(Readiness {
            target_is_active: false,
            ..Readiness::complete()
        }),
        Refused::TargetInactive
    );
}

#[test]
fn a_bare_update_cannot_slip_past_the_guard_of_requested() {
    let rules = Rules::shipped().unwrap();
    let mut referral = Referral::default();
    let fact = ReferralFact::Moved(Move::new(S::Requested, Source, start()));
    assert!(matches!(
        referral.apply(&rules, &fact),
        Err(Refused::NotListed { .. })
    ));
}

#[test]
fn the_source_cannot_accept_its_own_referral() {
    let (rules, mut referral) = requested();
    let fact = ReferralFact::Moved(Move::new(S::Accepted, Source, day(1)));
    let refused = referral.apply(&rules, &fact).unwrap_err();
    assert_eq!(
        refused,
        Refused::WrongSide {
            by: Source,
            to: S::Accepted
        }
    );
    assert_eq!(referral.status(), Some(S::Requested));
}

#[test]
fn a_rejection_needs_a_reason_that_fits() {
    let (rules, referral) = requested();
    let decide = |wish: Move| rules.decide(&referral, &wish, &Readiness::complete());
    let reject = Move::new(S::Rejected, Target, day(1));
    assert_eq!(
        decide(reject.clone()),
        Err(Refused::ReasonMissing { to: S::Rejected })
    );
    assert!(matches!(
        decide(reject.clone().because(ReasonCode::ServiceReceived)),
        Err(Refused::ReasonUnfit { .. })
    ));
    assert_eq!(
        decide(reject.because(ReasonCode::NoCapacity)),
        Ok(Decision::Moved)
    );
}

#[test]
fn the_gateway_cancels_only_when_the_basis_ends() {
    let (rules, referral) = requested();
    let decide = |by, reason| {
        let wish = Move::new(S::Cancelled, by, day(1)).because(reason);
        rules.decide(&referral, &wish, &Readiness::complete())
    };
    assert_eq!(
        decide(Gateway, ReasonCode::ConsentRevoked),
        Ok(Decision::Moved)
    );
    assert!(matches!(
        decide(Gateway, ReasonCode::Duplicate),
        Err(Refused::ReasonUnfit { .. })
    ));
    assert!(matches!(
        decide(Source, ReasonCode::ConsentRevoked),
        Err(Refused::ReasonUnfit { .. })
    ));
    assert!(matches!(
        decide(Target, ReasonCode::ClientDeclined),
        Err(Refused::WrongSide { by: Target, .. })
    ));
}

#[test]
fn a_repeated_identical_move_changes_nothing() {
    let (rules, mut referral) = requested();
    play(
        &rules,
        &mut referral,
        &[Move::new(S::Accepted, Target, day(1))],
    );
    let before = referral.clone();
    let again = ReferralFact::Moved(Move::new(S::Accepted, Target, day(2)));
    assert_eq!(referral.apply(&rules, &again), Ok(Decision::NoOp));
    assert_eq!(referral, before);
}

#[test]
fn a_closed_referral_cannot_get_another_reason() {
    let (rules, mut referral) = requested();
    let reject = Move::new(S::Rejected, Target, day(1));
    play(
        &rules,
        &mut referral,
        &[reject.clone().because(ReasonCode::NoCapacity)],
    );
    let changed = ReferralFact::Moved(reject.because(ReasonCode::OutOfArea));
    assert_eq!(
        referral.apply(&rules, &changed),
        Err(Refused::Terminal { from: S::Rejected })
    );
}

#[test]
fn detail_below_the_state_is_no_move() {
    let (rules, mut referral) = requested();
    play(
        &rules,
        &mut referral,
        &[Move::new(S::Accepted, Target, day(1))],
    );
    let detail = Move::new(S::Accepted, Target, day(2)).with(SubStatus::ClientContacted);
    assert_eq!(
        referral.apply(&rules, &ReferralFact::Moved(detail)),
        Ok(Decision::Detailed)
    );
    assert_eq!(referral.status(), Some(S::Accepted));
    assert_eq!(referral.first_contact_at(), Some(day(2)));
    assert_eq!(
        calaim_status(S::Accepted, referral.sub_status()),
        Some("Outreach Initiated")
    );
}

#[test]
fn the_loop_closes_only_when_the_source_has_acknowledged_the_outcome() {
    let (rules, mut referral) = requested();
    // An acknowledgement before there is an outcome is one of another message.
    let early = ReferralFact::OutcomeAcknowledged { at: day(1) };
    referral.apply(&rules, &early).unwrap();
    play(
        &rules,
        &mut referral,
        &[
            Move::new(S::Accepted, Target, day(1)),
            Move::new(S::Completed, Target, day(6)).because(ReasonCode::ServiceReceived),
        ],
    );
    assert_eq!(
        (referral.closed_at(), referral.loop_closed_at()),
        (Some(day(6)), None)
    );
    referral
        .apply(&rules, &ReferralFact::OutcomeAcknowledged { at: day(7) })
        .unwrap();
    assert_eq!(referral.loop_closed_at(), Some(day(7)));
    assert!(referral.loop_closed_with_service());
}

#[test]
fn a_referral_entered_in_error_closes_no_loop_and_only_the_source_may_say_so() {
    let (rules, mut referral) = requested();
    play(
        &rules,
        &mut referral,
        &[Move::new(S::Rejected, Target, day(1)).because(ReasonCode::NoCapacity)],
    );
    let by = |role| ReferralFact::Moved(Move::new(S::EnteredInError, role, day(2)));
    assert!(matches!(
        referral.apply(&rules, &by(Target)),
        Err(Refused::WrongSide { .. })
    ));
    assert_eq!(referral.apply(&rules, &by(Source)), Ok(Decision::Moved));
    referral
        .apply(&rules, &ReferralFact::OutcomeAcknowledged { at: day(3) })
        .unwrap();
    assert_eq!(referral.loop_closed_at(), None);
}

fn request() -> ReferralRequest {
    ReferralRequest {
        referral: ReferralRef {
            source_ref: Some("R-204".into()),
            ..ReferralRef::default()
        },
        source: None,
        worker: None,
        target: ReferralTarget {
            organization: Some(OrganizationId::new("org-hmis").unwrap()),
            service: None,
        },
        domain: Domain::Shelter,
        original: None,
        subjects: vec![SourcePersonId::new("48211").unwrap()],
        household: None,
        urgency: Urgency::Urgent,
        need: None,
        safe_contact: None,
        goal: None,
        part_of: None,
        source_resources: vec![],
    }
}

#[test]
fn the_registry_fills_what_a_message_leaves_out() {
    let known = Sender {
        has_organization: true,
        has_contact: true,
        has_return_channel: true,
    };
    assert_eq!(content_gaps(&request(), known), []);
    let unknown = Sender {
        has_organization: false,
        has_contact: false,
        has_return_channel: false,
    };
    let bare = ReferralRequest {
        target: ReferralTarget::default(),
        subjects: vec![],
        ..request()
    };
    assert_eq!(content_gaps(&bare, unknown).len(), 5);
}

#[test]
fn forwarding_completes_the_original_and_opens_a_child() {
    let (rules, mut referral) = requested();
    let target = || ReferralTarget {
        organization: Some(OrganizationId::new("org-other").unwrap()),
        service: None,
    };
    assert!(
        rules
            .forward(&referral, &request(), target(), day(2))
            .is_err()
    );
    play(
        &rules,
        &mut referral,
        &[Move::new(S::Accepted, Target, day(1))],
    );
    let forwarded = rules
        .forward(&referral, &request(), target(), day(2))
        .unwrap();
    assert_eq!(forwarded.close.reason, Some(ReasonCode::ReferredOnward));
    assert_eq!(forwarded.child.part_of, Some(request().referral));
    assert_eq!(forwarded.child.target, target());
}

fn any_move() -> impl Strategy<Value = Move> {
    let of = |list: &'static [S]| proptest::sample::select(list);
    (
        of(S::ALL),
        proptest::sample::select(ReferralRole::ALL),
        proptest::option::weighted(0.7, proptest::sample::select(ReasonCode::ALL)),
        proptest::option::of(proptest::sample::select(SubStatus::ALL)),
        0_i64..60,
    )
        .prop_map(|(to, by, reason, sub_status, number)| Move {
            to,
            by,
            reason,
            reason_text: None,
            sub_status,
            at: day(number),
        })
}

fn any_fact() -> impl Strategy<Value = ReferralFact> {
    prop_oneof![
        1 => (proptest::bool::ANY, proptest::bool::ANY).prop_map(|(is_permitted, active)| {
            opened(Readiness { gaps: vec![], is_permitted, target_is_active: active })
        }),
        8 => any_move().prop_map(ReferralFact::Moved),
        1 => (0_i64..60).prop_map(|number| ReferralFact::OutcomeAcknowledged { at: day(number) }),
        1 => (0_i64..60).prop_map(|number| ReferralFact::ClientContacted { at: day(number) }),
    ]
}

proptest! {
    #[test]
    fn random_facts_never_make_a_move_that_the_table_does_not_list(
        facts in proptest::collection::vec(any_fact(), 0..60)
    ) {
        let rules = Rules::shipped().unwrap();
        let mut referral = Referral::default();
        for fact in &facts {
            let before = referral.clone();
            let result = referral.apply(&rules, fact);
            if referral.status() != before.status() {
                let listed = TRANSITIONS.iter().any(|row| {
                    row.from == before.status() && Some(row.to) == referral.status()
                });
                prop_assert!(listed, "{:?} -> {:?}", before.status(), referral.status());
                prop_assert_eq!(result, Ok(Decision::Moved));
            } else if result.is_err() || result == Ok(Decision::NoOp) {
                prop_assert_eq!(&referral, &before);
            }
        }
    }

    #[test]
    fn folding_the_same_facts_gives_the_same_referral_also_when_refused_ones_are_left_out(
        facts in proptest::collection::vec(any_fact(), 0..60)
    ) {
        let rules = Rules::shipped().unwrap();
        let (mut once, mut again) = (Referral::default(), Referral::default());
        let kept: Vec<_> =
            facts.iter().filter(|fact| once.apply(&rules, fact).is_ok()).collect();
        for fact in kept {
            prop_assert!(again.apply(&rules, fact).is_ok());
        }
        prop_assert_eq!(once, again);
    }
}
