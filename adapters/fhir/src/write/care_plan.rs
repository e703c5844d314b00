//! A plan as a CarePlan with its Goals contained (US Core 7.0.0 CarePlan; FHIR R4).

use serde_json::{Value, json};
use tandem_adapter_port::outbound::{Outbound, PlanView};
use tandem_mappings::model::plan::{Activity, ActivityKind, ActivityStatus, FundingLine, Goal};

use super::element;
use super::strict::{WriteError, checked};
use crate::codes;
use crate::config::{FhirConfig, OwnIdentifier};
use crate::terms;

/// The identifier value of a plan: plan ids are unique only at their owner.
pub(crate) fn plan_key(view: &PlanView) -> String {
    format!("{}:{}", view.owner.id, view.plan)
}

/// The CarePlan about `patient` (`Patient/{id}` at the target).
pub(crate) fn resource(
    config: &FhirConfig,
    outbound: &Outbound,
    view: &PlanView,
    patient: &str,
) -> Result<Value, WriteError> {
    let category = element::concept(terms::CARE_PLAN_CATEGORY, "assess-plan", None);
    let kind = element::own_concept(
        config,
        "plan-type",
        view.plan_type.code(),
        &view.plan_type.code().replace('-', " "),
    );
    let goals: Vec<Value> = view
        .goals
        .iter()
        .map(|goal| contained_goal(config, goal, patient))
        .collect();
    let system = config.own_system(OwnIdentifier::Plan);
    let mut notes = super::provenance::notes(outbound);
    notes.extend(
        view.fundings
            .iter()
            .map(|line| json!({"text": funding(line)})),
    );
    checked(
        "CarePlan",
        json!({
            "resourceType": "CarePlan",
            "meta": element::meta(&[terms::CARE_PLAN_PROFILE], &outbound.labels),
            "text": element::narrative(&paragraphs(view)),
            "contained": goals,
            "identifier": [element::identifier(&system, &plan_key(view))],
            "status": codes::write_plan_status(view.status),
            "intent": "plan",
            "category": [category, kind],
            "subject": {"reference": patient},
            "period": {
                "start": view.from.map(|day| day.to_string()),
                "end": view.to.map(|day| day.to_string()),
            },
            "created": view.updated_at.to_string(),
            "author": element::gateway(config),
            "contributor": [element::party(config, &view.owner)],
            "goal": (0..view.goals.len())
                .map(|at| json!({"reference": format!("#{}", local_id(at))}))
                .collect::<Vec<_>>(),
            "activity": view
                .activities
                .iter()
                .map(|activity| json!({"detail": detail(config, activity, view)}))
                .collect::<Vec<_>>(),
            "note": notes,
        }),
    )
    .map(with_goal_ids)
}

fn local_id(at: usize) -> String {
    format!("goal-{}", at + 1)
}

/// Gives the contained goals the local ids by which the plan names them.
fn with_goal_ids(mut plan: Value) -> Value {
    if let Some(goals) = plan.get_mut("contained").and_then(Value::as_array_mut) {
        for (at, goal) in goals.iter_mut().enumerate() {
            if let Some(fields) = goal.as_object_mut() {
                fields.insert("id".to_owned(), json!(local_id(at)));
            }
        }
    }
    plan
}

fn contained_goal(config: &FhirConfig, goal: &Goal, patient: &str) -> Value {
    let category = config.codes.write_category(goal.domain);
    let statement = goal
        .statement
        .clone()
        .unwrap_or_else(|| goal.domain.code().replace('-', " "));
    json!({
        "resourceType": "Goal",
        "lifecycleStatus": goal.lifecycle.code(),
        "achievementStatus": goal
            .achievement
            .map(|status| element::concept(terms::GOAL_ACHIEVEMENT, status.code(), None)),
        "category": [element::concept(category.system, category.code, None)],
        "description": {"text": statement},
        "subject": {"reference": patient},
        "target": goal.target_date.map(|day| vec![json!({"dueDate": day.to_string()})]),
    })
}

fn detail(config: &FhirConfig, activity: &Activity, view: &PlanView) -> Value {
    let (status, reason) = match activity.status {
        ActivityStatus::InProgress => ("in-progress", None),
        ActivityStatus::Completed => ("completed", None),
        ActivityStatus::Cancelled => ("cancelled", None),
        // R4 has no code for a missed appointment.
        ActivityStatus::Missed => ("stopped", Some(json!({"text": "missed"}))),
        _ => ("scheduled", None),
    };
    let kind = match activity.kind {
        ActivityKind::Appointment => Some("Appointment"),
        ActivityKind::Service | ActivityKind::Treatment => Some("ServiceRequest"),
        _ => None,
    };
    let code = config.codes.write_service_code(activity.domain);
    let name = activity
        .name
        .clone()
        .unwrap_or_else(|| activity.domain.code().replace('-', " "));
    let goal = activity
        .goal
        .as_ref()
        .and_then(|id| view.goals.iter().position(|g| g.id == *id));
    json!({
        "kind": kind,
        "code": {
            "coding": [{"system": code.system, "code": code.code, "display": code.display}],
            "text": name,
        },
        "goal": goal.map(|at| vec![json!({"reference": format!("#{}", local_id(at))})]),
        "status": status,
        "statusReason": reason,
        "scheduledPeriod": {
            "start": activity.starts_at.map(|at| at.to_string()),
            "end": activity.ends_at.map(|at| at.to_string()),
        },
        "performer": activity.provider.as_ref().map(|name| vec![json!({"display": name})]),
    })
}

fn funding(line: &FundingLine) -> String {
    let mut text = format!(
        "Paid by {}: {}",
        line.payer,
        line.category.code().replace('-', " ")
    );
    if let Some(amount) = line.amount {
        text.push_str(&format!(", up to {amount} US dollars"));
    }
    if line.payer_of_last_resort {
        text.push_str(", payer of last resort");
    }
    text
}

/// The narrative that US Core requires: the plan in sentences.
fn paragraphs(view: &PlanView) -> Vec<String> {
    let mut told = vec![format!(
        "{} plan of {}, {}.",
        view.plan_type.code().replace('-', " "),
        view.owner.name,
        view.status.code().replace('-', " ")
    )];
    for goal in &view.goals {
        let statement = goal.statement.as_deref().unwrap_or(goal.domain.code());
        told.push(format!("Goal: {statement} ({}).", goal.lifecycle.code()));
    }
    for activity in &view.activities {
        let name = activity.name.as_deref().unwrap_or(activity.domain.code());
        told.push(format!("Activity: {name} ({}).", activity.status.code()));
    }
    told
}
