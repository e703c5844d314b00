//! The tables of referrals in the specification, tried whole: every state, every side, every reason.

use jiff::{SignedDuration, Timestamp};
use tandem_coordination::referral::{
    Decision, Move, Readiness, Referral, ReferralFact, Refused, Rules,
};
use tandem_mappings::model::referral::{ReasonCode, ReferralRole, ReferralStatus as S, Urgency};

use ReferralRole::{Gateway, Source, Target};

const MOVES: &str = include_str!("referral_moves.csv");
const REASONS: &str = include_str!("referral_reasons.csv");
const SIDES: [ReferralRole; 3] = [Source, Target, Gateway];

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.map(|line| line.split(',').collect())
}

fn at(hour: i64) -> Timestamp {
    "2026-02-02T17:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour)
}

/// The row of the written table for a move.
fn written(from: Option<S>, to: S) -> Option<(Vec<ReferralRole>, bool)> {
    let from = from.map_or("new", S::code);
    let row = rows(MOVES).find(|row| row[0] == from && row[1] == to.code())?;
    let sides = row[2]
        .split('|')
        .map(|side| ReferralRole::from_code(side).unwrap());
    Some((sides.collect(), row[3] == "required"))
}

/// Whether the written table of reasons lets a side give a reason in a state. The gateway gives its own alone.
fn reason_fits(reason: ReasonCode, to: S, by: ReferralRole) -> bool {
    let row = rows(REASONS).find(|row| row[0] == reason.code()).unwrap();
    let side = match row[2] {
        "" => by != Gateway,
        only => only == by.code(),
    };
    side && row[1].split('|').any(|state| state == to.code())
}

fn open(rules: &Rules, to: S) -> Referral {
    let mut referral = Referral::default();
    let fact = ReferralFact::Opened {
        wish: Move::new(to, Source, at(0)),
        urgency: Urgency::Routine,
        part_of: None,
        readiness: Readiness::complete(),
    };
    referral.apply(rules, &fact).unwrap();
    referral
}

/// A referral in a state, reached by moves of the table.
fn standing(rules: &Rules, state: Option<S>) -> Referral {
    let Some(state) = state else {
        return Referral::default();
    };
    let way: &[(S, ReferralRole, Option<ReasonCode>)] = match state {
        S::Draft => return open(rules, S::Draft),
        S::Requested => &[],
        S::Accepted => &[(S::Accepted, Target, None)],
        S::Rejected => &[(S::Rejected, Target, Some(ReasonCode::NoCapacity))],
        S::Cancelled => &[(S::Cancelled, Source, Some(ReasonCode::Duplicate))],
        S::InProgress => &[(S::Accepted, Target, None), (S::InProgress, Target, None)],
        S::OnHold => &[
            (S::Accepted, Target, None),
            (S::OnHold, Target, Some(ReasonCode::Waitlisted)),
        ],
        S::Completed => &[
            (S::Accepted, Target, None),
            (S::Completed, Target, Some(ReasonCode::ServiceReceived)),
        ],
        S::Failed => &[
            (S::Accepted, Target, None),
            (S::Failed, Target, Some(ReasonCode::ClientNoShow)),
        ],
        _ => &[(S::EnteredInError, Source, None)],
    };
    let mut referral = open(rules, S::Requested);
    for (number, (to, by, reason)) in (1..).zip(way) {
        let mut wish = Move::new(*to, *by, at(number));
        wish.reason = *reason;
        referral.apply(rules, &ReferralFact::Moved(wish)).unwrap();
    }
    assert_eq!(referral.status(), Some(state));
    referral
}

#[test]
fn every_move_of_every_side_with_and_without_every_reason_follows_the_written_table() {
    let rules = Rules::shipped().unwrap();
    let states = || std::iter::once(None).chain(S::ALL.iter().copied().map(Some));
    let reasons = || std::iter::once(None).chain(ReasonCode::ALL.iter().copied().map(Some));
    let mut allowed = 0;
    for from in states() {
        let referral = standing(&rules, from);
        for (to, by) in S::ALL.iter().flat_map(|to| SIDES.map(|by| (*to, by))) {
            if from == Some(to) {
                continue;
            }
            for reason in reasons() {
                let mut wish = Move::new(to, by, at(9));
                wish.reason = reason;
                let decided = rules.decide(&referral, &wish, &Readiness::complete());
                let is_allowed = written(from, to).is_some_and(|(sides, needs_reason)| {
                    let reason_is_right = match reason {
                        None => !needs_reason,
                        Some(reason) => to == S::EnteredInError || reason_fits(reason, to, by),
                    };
                    sides.contains(&by) && reason_is_right
                });
                assert_eq!(
                    decided.is_ok(),
                    is_allowed,
                    "{from:?} -> {to} by {by} because {reason:?}: {decided:?}"
                );
                allowed += usize::from(is_allowed);
            }
        }
    }
    assert!(allowed > 100, "the table was hardly tried: {allowed}");
}

#[test]
fn a_repeated_identical_move_is_a_no_op_in_every_state_and_another_reason_is_not() {
    let rules = Rules::shipped().unwrap();
    for &state in S::ALL {
        let referral = standing(&rules, Some(state));
        for by in SIDES {
            let mut wish = Move::new(state, by, at(9));
            wish.reason = referral.reason();
            assert_eq!(
                rules.decide(&referral, &wish, &Readiness::complete()),
                Ok(Decision::NoOp),
                "{state} by {by}"
            );
            wish.reason = Some(ReasonCode::ClientMoved);
            let other = rules.decide(&referral, &wish, &Readiness::complete());
            assert!(other.is_err(), "{state} by {by}: {other:?}");
        }
    }
}

#[test]
fn a_request_is_refused_for_each_missing_guard_whoever_opens_it() {
    let rules = Rules::shipped().unwrap();
    let draft = standing(&rules, Some(S::Draft));
    let wish = Move::new(S::Requested, Source, at(1));
    for (is_permitted, target_is_active) in [(false, true), (true, false), (false, false)] {
        let readiness = Readiness {
            gaps: Vec::new(),
            is_permitted,
            target_is_active,
        };
        for referral in [&draft, &Referral::default()] {
            let decided = rules.decide(referral, &wish, &readiness);
            assert!(
                matches!(
                    decided,
                    Err(Refused::NotPermitted | Refused::TargetInactive)
                ),
                "{decided:?}"
            );
        }
    }
}

#[test]
fn reasons_mean_in_hmis_calaim_and_findhelp_what_the_written_table_says() {
    let rules = Rules::shipped().unwrap();
    let table = rules.reasons();
    assert_eq!(rows(REASONS).count(), ReasonCode::ALL.len());
    for row in rows(REASONS) {
        let reason = ReasonCode::from_code(row[0]).unwrap();
        for state in row[1].split('|').map(|state| S::from_code(state).unwrap()) {
            let (hmis, calaim) = if state == S::OnHold {
                ("", "")
            } else {
                (row[3], row[4])
            };
            let told = table
                .hmis_result(state, reason)
                .map(|result| result.code().to_string());
            assert_eq!(told.unwrap_or_default(), hmis, "{reason} in {state}");
            assert_eq!(
                table.calaim(state, reason).unwrap_or_default(),
                calaim,
                "{reason} in {state}"
            );
        }
        assert_eq!(
            table.findhelp(reason).unwrap_or_default(),
            row[5],
            "{reason}"
        );
    }
}
