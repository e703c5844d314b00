//! What the gateway flags when plans are lined up. It flags; it never decides.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tandem_mappings::model::id::{OrganizationId, RecordKey};
use tandem_mappings::model::plan::{
    Activity, ActivityStatus, ConflictKind, FundingLine, GoalLifecycle, MandatedBy,
    ResourceCategory,
};

use super::{Overlay, OwnedActivity, is_live_activity, is_live_goal};
use crate::calendar::Calendar;

/// One flag. The ids are the owners' own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Conflict {
    /// What it is.
    pub kind: ConflictKind,
    /// The programmes concerned.
    pub organizations: Vec<OrganizationId>,
    /// The goals or activities concerned, or the resource category.
    pub objects: Vec<String>,
}

/// When a programme counts as silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConflictSettings {
    /// Calendar days between reviews.
    pub review_interval_days: u16,
}

impl Default for ConflictSettings {
    fn default() -> Self {
        Self {
            review_interval_days: 90,
        }
    }
}

/// All conflicts of an overlay at an instant, in a fixed order. `person` tells which person a record is, so that
/// activities of one person in two systems meet.
pub fn conflicts<P: Eq>(
    overlay: &Overlay,
    person: impl Fn(&RecordKey) -> P,
    settings: ConflictSettings,
    calendar: &Calendar,
    now: Timestamp,
) -> Vec<Conflict> {
    let mut found = overlapping_times(overlay, person);
    found.extend(same_service_two_payers(overlay));
    found.extend(required_and_missing(overlay));
    found.extend(goal_conflicts(overlay));
    let silent = overlay
        .participants
        .values()
        .filter(|one| calendar.after_days(one.last_heard, settings.review_interval_days) < now);
    found.extend(silent.map(|one| Conflict {
        kind: ConflictKind::ProgrammeSilent,
        organizations: vec![one.organization.clone()],
        objects: Vec::new(),
    }));
    found.sort();
    found.dedup();
    found
}

/// Two appointments of one person at the same time. Activities that last longer than a day name a first and a last
/// occurrence, which says nothing about hours.
fn overlapping_times<P: Eq>(overlay: &Overlay, person: impl Fn(&RecordKey) -> P) -> Vec<Conflict> {
    let timed: Vec<(&OwnedActivity, P, (Timestamp, Timestamp))> = overlay
        .activities
        .values()
        .filter(|owned| is_live_activity(&owned.activity))
        .filter_map(|owned| {
            Some((
                owned,
                person(owned.person.as_ref()?),
                hours(&owned.activity)?,
            ))
        })
        .collect();
    let mut found = Vec::new();
    for (index, (one, who, (start, end))) in timed.iter().enumerate() {
        for (other, whose, (other_start, other_end)) in timed.iter().skip(index + 1) {
            if who == whose && start < other_end && other_start < end {
                found.push(between(ConflictKind::OverlappingTimes, one, other));
            }
        }
    }
    found
}

fn hours(activity: &Activity) -> Option<(Timestamp, Timestamp)> {
    let start = activity.starts_at?;
    // An appointment without an end takes at least a moment.
    let moment = start
        .saturating_add(SignedDuration::from_secs(1))
        .unwrap_or(start);
    let end = activity.ends_at.unwrap_or(moment).max(moment);
    (end.duration_since(start) <= SignedDuration::from_hours(24)).then_some((start, end))
}

fn between(kind: ConflictKind, one: &OwnedActivity, other: &OwnedActivity) -> Conflict {
    let mut organizations = vec![one.owner.clone(), other.owner.clone()];
    organizations.dedup();
    let objects = vec![one.activity.id.to_string(), other.activity.id.to_string()];
    Conflict {
        kind,
        organizations,
        objects,
    }
}

fn same_service_two_payers(overlay: &Overlay) -> Vec<Conflict> {
    let mut found = Vec::new();
    for (index, one) in overlay.fundings.iter().enumerate() {
        for other in overlay.fundings.iter().skip(index + 1) {
            if one.payer != other.payer && is_same_service(one, other) && periods_meet(one, other) {
                let mut organizations = vec![one.payer.clone(), other.payer.clone()];
                organizations.sort();
                found.push(Conflict {
                    kind: ConflictKind::SameServiceTwoPayers,
                    organizations,
                    objects: vec![one.category.code().to_owned()],
                });
            }
        }
    }
    found
}

/// Two lines of one category; "other" is the same service only when the notes say the same.
fn is_same_service(one: &FundingLine, other: &FundingLine) -> bool {
    let says_same = one.note.is_some() && one.note == other.note;
    one.category == other.category && (one.category != ResourceCategory::Other || says_same)
}

fn periods_meet(one: &FundingLine, other: &FundingLine) -> bool {
    let starts_before_end = |first: &FundingLine, second: &FundingLine| {
        first
            .from
            .zip(second.to)
            .is_none_or(|(from, to)| from <= to)
    };
    starts_before_end(one, other) && starts_before_end(other, one)
}

/// An activity that a court or the work programme requires and that counts toward another programme's plan, where
/// that plan has called it off or does not have it.
fn required_and_missing(overlay: &Overlay) -> Vec<Conflict> {
    let mut found = Vec::new();
    let required = overlay.activities.values().filter(|owned| {
        let is_mandated = matches!(
            owned.activity.mandated_by,
            Some(MandatedBy::Court | MandatedBy::WorkProgramme)
        );
        is_mandated && is_live_activity(&owned.activity)
    });
    for owned in required {
        let others = overlay.sources.values().filter(|source| {
            source.owner != owned.owner && owned.activity.counts_toward.contains(&source.plan_type)
        });
        for source in others {
            let has_it = overlay.activities.values().any(|other| {
                other.owner == source.owner
                    && other.plan == source.id
                    && other.activity.domain == owned.activity.domain
                    && (is_live_activity(&other.activity)
                        || other.activity.status == ActivityStatus::Completed)
            });
            if !has_it {
                found.push(Conflict {
                    kind: ConflictKind::RequiredAndMissing,
                    organizations: vec![owned.owner.clone(), source.owner.clone()],
                    objects: vec![owned.activity.id.to_string()],
                });
            }
        }
    }
    found
}

fn goal_conflicts(overlay: &Overlay) -> Vec<Conflict> {
    let mut found = Vec::new();
    let goals = overlay.goals.values().filter(|owned| {
        is_live_goal(&owned.goal)
            && !matches!(
                owned.goal.lifecycle,
                GoalLifecycle::Completed | GoalLifecycle::Proposed
            )
    });
    for owned in goals {
        let mut flag = |kind| {
            found.push(Conflict {
                kind,
                organizations: vec![owned.owner.clone()],
                objects: vec![owned.goal.id.to_string()],
            });
        };
        let source = overlay
            .sources
            .get(&(owned.owner.clone(), owned.plan.clone()));
        let plan_end = source.and_then(|source| source.to);
        if owned
            .goal
            .target_date
            .zip(plan_end)
            .is_some_and(|(target, end)| target > end)
        {
            flag(ConflictKind::GoalAfterPlanEnd);
        }
        let serves = |activity: &Activity| {
            activity.goal.as_ref() == Some(&owned.goal.id)
                && !matches!(activity.status, ActivityStatus::Cancelled)
        };
        if !overlay
            .activities
            .values()
            .any(|other| serves(&other.activity))
        {
            flag(ConflictKind::GoalWithoutActivity);
        }
    }
    found
}
