//! CarePlan and Goal to a plan (FHIR R4; US Core 7.0.0 CarePlan and Goal).

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{ActivityId, GoalId, PlanId, SourcePersonId};
use tandem_mappings::model::plan::{
    Achievement, Activity, ActivityKind, ActivityStatus, Goal, GoalLifecycle, PlanContent,
    PlanStatus,
};

use super::reference;
use super::referral::person;
use super::view::{Concept, View};
use crate::codes;
use crate::config::FhirConfig;
use crate::county::CodeTables;
use crate::terms;

/// Reads a CarePlan; `goals` are those that the payload holds, by id.
pub(crate) fn read<'a>(
    plan: &View<'a>,
    config: &FhirConfig,
    find_goal: impl Fn(&str) -> Option<Goal>,
) -> Option<PlanContent> {
    let id = PlanId::new(plan.text("id")?).ok()?;
    let status = status(plan)?;
    let period = plan.object("period");
    let date = |field: &str| period.as_ref().and_then(|period| day(period, field));
    let version = plan
        .object("meta")
        .and_then(|meta| meta.text("versionId")?.parse().ok());
    Some(PlanContent {
        plan: id,
        plan_type: config.plan_type,
        version,
        status,
        subjects: plan.object("subject").iter().filter_map(person).collect(),
        goals: goal_ids(plan)
            .iter()
            .filter_map(|id| find_goal(id))
            .collect(),
        activities: activities(plan, &config.codes),
        fundings: Vec::new(),
        from: date("start"),
        to: date("end"),
        review_due: None,
        reason: None,
    })
}

fn status(plan: &View<'_>) -> Option<PlanStatus> {
    let code = plan.text("status")?;
    match code {
        "entered-in-error" => Some(PlanStatus::Terminated),
        code => {
            let status = codes::read_plan_status(code);
            if status.is_none() {
                plan.note("status", "a code of request-status");
            }
            status
        }
    }
}

/// The event that tells a plan in its state.
pub(crate) fn body(content: PlanContent) -> Body {
    let status = content.status;
    let content = Box::new(content);
    match status {
        PlanStatus::Proposed => Body::PlanProposed(content),
        PlanStatus::Agreed => Body::PlanAgreed(content),
        PlanStatus::Active => Body::PlanActive(content),
        PlanStatus::Completed | PlanStatus::Disengaged | PlanStatus::Terminated => {
            Body::PlanEnded(content)
        }
        _ => Body::PlanUpdate(content),
    }
}

/// Ids of the goals that a CarePlan names.
pub(crate) fn goal_ids<'a>(plan: &View<'a>) -> Vec<&'a str> {
    plan.objects("goal")
        .iter()
        .filter_map(|goal| Some(reference::parse(goal.text("reference")?)?.id))
        .collect()
}

/// Reads a Goal.
pub(crate) fn goal(goal: &View<'_>, tables: &CodeTables) -> Option<Goal> {
    let lifecycle = GoalLifecycle::from_code(goal.text("lifecycleStatus")?);
    if lifecycle.is_none() {
        goal.note("lifecycleStatus", "a code of goal-status");
    }
    let description = goal.concept("description").unwrap_or_default();
    let targets = goal.objects("target");
    Some(Goal {
        id: GoalId::new(goal.text("id")?).ok()?,
        domain: domain(&goal.concepts("category"), tables),
        statement: description.words().map(str::to_owned),
        owner: None,
        lifecycle: lifecycle?,
        achievement: goal
            .concept("achievementStatus")
            .and_then(|status| Achievement::from_code(status.code_in(terms::GOAL_ACHIEVEMENT)?)),
        baseline_level: None,
        target_level: None,
        target_date: targets.first().and_then(|target| day(target, "dueDate")),
        original: description
            .codings
            .first()
            .map(|coding| Coding::new(coding.0, coding.1)),
    })
}

fn domain(categories: &[Concept<'_>], tables: &CodeTables) -> Domain {
    categories
        .iter()
        .find_map(|category| tables.read_category(category.code_in(terms::SDOHCC_CODES)?))
        .unwrap_or(Domain::Other)
}

fn activities(plan: &View<'_>, tables: &CodeTables) -> Vec<Activity> {
    let mut activities = Vec::new();
    for (position, activity) in plan.objects("activity").iter().enumerate() {
        let Some(detail) = activity.object("detail") else {
            continue;
        };
        let Some(status) = activity_status(&detail) else {
            continue;
        };
        // An activity has no id of its own in R4 unless its element id is given.
        let id = activity.text("id").or(detail.text("id")).map(str::to_owned);
        let id = id.unwrap_or_else(|| format!("activity-{}", position + 1));
        let Ok(id) = ActivityId::new(id) else {
            continue;
        };
        activities.push(read_activity(&detail, id, status, tables));
    }
    activities
}

fn read_activity(
    detail: &View<'_>,
    id: ActivityId,
    status: ActivityStatus,
    tables: &CodeTables,
) -> Activity {
    let code = detail.concept("code").unwrap_or_default();
    let period = detail.object("scheduledPeriod");
    let at = |field: &str| period.as_ref().and_then(|period| instant(period, field));
    let kind = match detail.text("kind") {
        Some("Appointment") => ActivityKind::Appointment,
        Some("ServiceRequest" | "CommunicationRequest" | "Task") => ActivityKind::Service,
        Some("MedicationRequest" | "NutritionOrder") => ActivityKind::Treatment,
        _ => ActivityKind::Other,
    };
    let goals = detail.objects("goal");
    Activity {
        id,
        kind,
        domain: code
            .codings
            .iter()
            .find_map(|(system, code, _)| tables.read_service_code(system, code))
            .unwrap_or(Domain::Other),
        name: code
            .words()
            .or(detail.text("description"))
            .map(str::to_owned),
        person: None::<SourcePersonId>,
        goal: goals
            .first()
            .and_then(|goal| GoalId::new(reference::parse(goal.text("reference")?)?.id).ok()),
        provider: detail
            .objects("performer")
            .iter()
            .find_map(|who| who.text("display").map(str::to_owned)),
        starts_at: at("start"),
        ends_at: at("end"),
        hours_per_week: None,
        mandated_by: None,
        counts_toward: Vec::new(),
        referral: None,
        status,
        original: code
            .codings
            .first()
            .map(|coding| Coding::new(coding.0, coding.1)),
    }
}

/// FHIR care-plan-activity-status; an activity entered in error is left out.
fn activity_status(detail: &View<'_>) -> Option<ActivityStatus> {
    match detail.text("status")? {
        "not-started" | "scheduled" | "on-hold" | "unknown" => Some(ActivityStatus::Scheduled),
        "in-progress" => Some(ActivityStatus::InProgress),
        "completed" => Some(ActivityStatus::Completed),
        "cancelled" | "stopped" => Some(ActivityStatus::Cancelled),
        "entered-in-error" => None,
        _ => {
            detail.note("status", "a code of care-plan-activity-status");
            None
        }
    }
}

/// The calendar day of a date or dateTime; a partial one has none.
fn day(view: &View<'_>, field: &str) -> Option<Date> {
    let text = view.text(field)?;
    match text.split('T').next().unwrap_or(text).parse() {
        Ok(date) => Some(date),
        Err(_) => {
            if text.len() != 4 && text.len() != 7 {
                view.note(field, "a date");
            }
            None
        }
    }
}

/// The instant of a dateTime with time and zone; a bare date has none.
pub(crate) fn instant(view: &View<'_>, field: &str) -> Option<Timestamp> {
    let text = view.text(field)?;
    let instant = text.parse().ok();
    if instant.is_none() && text.contains('T') {
        view.note(field, "a dateTime with zone");
    }
    instant
}
