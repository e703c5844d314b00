//! `plan_update` and `assessment`.

use tandem_adapter_port::read::Stopped;
use tandem_mappings::model::assessment::{Assessment, Rating, Stage};
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{
    ActivityId, GoalId, InstrumentId, OrganizationId, PlanId, SourcePersonId,
};
use tandem_mappings::model::plan::{
    Achievement, Activity, ActivityKind, ActivityStatus, FundingLine, Goal, GoalLifecycle,
    MandatedBy, PlanContent, PlanStatus, PlanType, ResourceCategory,
};
use tandem_mappings::model::referral::ReferralRef;

use super::event::Telling;
use crate::linkages::{Fields, Part};
use crate::tables::LineType;

/// `plan_update`: one event with the plan and every goal, activity and funding line that the message tells.
pub(super) fn update(telling: &mut Telling<'_>) -> Result<(), Stopped> {
    let header = telling.header().clone();
    let (Ok(plan), Some(plan_type)) = (
        PlanId::new(header.get("plan_id")),
        PlanType::from_code(header.get("plan_type")),
    ) else {
        telling.drop(
            "field-value",
            "plan_id",
            "a plan id and the type of the plan",
        );
        return Ok(());
    };
    let line = telling.message.line;
    if header.get("plan_status").is_empty() {
        telling.warn(
            "plan-status-blank",
            line,
            "plan_status",
            "the state of the plan; read as active",
        );
    }
    let status = PlanStatus::from_code(header.get("plan_status")).unwrap_or(PlanStatus::Active);
    let content = Box::new(PlanContent {
        plan,
        plan_type,
        version: header.parsed("plan_version"),
        status,
        subjects: telling.people(),
        goals: rows(telling, LineType::Goal, goal),
        activities: rows(telling, LineType::Activity, activity),
        fundings: rows(telling, LineType::Funding, funding),
        from: None,
        to: None,
        review_due: None,
        reason: header.some("reason_text"),
    });
    let body = match status {
        PlanStatus::Proposed => Body::PlanProposed(content),
        PlanStatus::Agreed => Body::PlanAgreed(content),
        PlanStatus::Completed | PlanStatus::Disengaged | PlanStatus::Terminated => {
            Body::PlanEnded(content)
        }
        _ => Body::PlanUpdate(content),
    };
    let first = telling.people().into_iter().next();
    telling.event(
        telling.moment_of(header.parsed("effective_date")),
        body,
        first,
    )
}

/// Reads each row of a line type; a row that cannot be used has said why.
fn rows<T>(
    telling: &mut Telling<'_>,
    line_type: LineType,
    read: impl Fn(&mut Telling<'_>, &Fields, u64) -> Option<T>,
) -> Vec<T> {
    let parts: Vec<Part> = telling.message.rows(line_type).cloned().collect();
    parts
        .iter()
        .filter_map(|part| read(telling, &part.fields, part.line))
        .collect()
}

fn goal(telling: &mut Telling<'_>, fields: &Fields, line: u64) -> Option<Goal> {
    let Ok(id) = GoalId::new(fields.get("goal_id")) else {
        telling.leave_out("row-without-id", line, "goal_id", "the id of the goal");
        return None;
    };
    let (domain, original) = telling.domain(fields, line);
    Some(Goal {
        id,
        domain,
        statement: fields.some("goal_statement"),
        owner: OrganizationId::new(fields.get("goal_owner")).ok(),
        lifecycle: GoalLifecycle::from_code(fields.get("goal_lifecycle"))
            .unwrap_or(GoalLifecycle::Active),
        achievement: Achievement::from_code(fields.get("goal_achievement")),
        baseline_level: None,
        target_level: None,
        target_date: fields.parsed("target_date"),
        original,
    })
}

fn activity(telling: &mut Telling<'_>, fields: &Fields, line: u64) -> Option<Activity> {
    let Ok(id) = ActivityId::new(fields.get("activity_id")) else {
        telling.leave_out(
            "row-without-id",
            line,
            "activity_id",
            "the id of the activity",
        );
        return None;
    };
    let (domain, original) = telling.domain(fields, line);
    let mut counts_toward = Vec::new();
    for code in fields
        .get("counts_toward")
        .split(';')
        .map(str::trim)
        .filter(|code| !code.is_empty())
    {
        match PlanType::from_code(code) {
            Some(plan_type) => counts_toward.push(plan_type),
            None => telling.leave_out(
                "unknown-plan-type",
                line,
                "counts_toward",
                "plan types joined by ;",
            ),
        }
    }
    Some(Activity {
        id,
        kind: ActivityKind::from_code(fields.get("activity_kind")).unwrap_or(ActivityKind::Other),
        domain,
        name: fields.some("activity_name"),
        person: None,
        goal: GoalId::new(fields.get("goal_id")).ok(),
        provider: fields.some("provider"),
        starts_at: fields.parsed("starts_at"),
        ends_at: fields.parsed("ends_at"),
        hours_per_week: fields.parsed("hours_per_week"),
        mandated_by: MandatedBy::from_code(fields.get("mandated_by")),
        counts_toward,
        referral: fields
            .some("activity_referral_id")
            .map(|id| ReferralRef::from_message(&id)),
        status: ActivityStatus::from_code(fields.get("activity_status"))
            .unwrap_or(ActivityStatus::Scheduled),
        original,
    })
}

fn funding(telling: &mut Telling<'_>, fields: &Fields, line: u64) -> Option<FundingLine> {
    let payer = OrganizationId::new(fields.get("payer"));
    let category = ResourceCategory::from_code(fields.get("resource_category"));
    let (Ok(payer), Some(category)) = (payer, category) else {
        telling.leave_out(
            "funding-incomplete",
            line,
            "payer",
            "a payer and a resource category",
        );
        return None;
    };
    Some(FundingLine {
        category,
        payer,
        payer_of_last_resort: fields.get("payer_of_last_resort") == "yes",
        from: fields.parsed("period_start"),
        to: fields.parsed("period_end"),
        amount: fields.parsed("amount"),
        note: None,
    })
}

/// `assessment`: levels rated on an instrument.
pub(super) fn assessment(telling: &mut Telling<'_>) -> Result<(), Stopped> {
    let header = telling.header().clone();
    let Ok(instrument) = InstrumentId::new(header.get("instrument")) else {
        telling.drop("field-value", "instrument", "the id of an instrument");
        return Ok(());
    };
    let line = telling.message.line;
    let stage = Stage::from_code(header.get("stage"));
    if stage.is_none() {
        telling.warn(
            "stage-blank",
            line,
            "stage",
            "initial, interim or exit; read as interim",
        );
    }
    let rated_on = header
        .parsed("effective_date")
        .or_else(|| header.parsed("status_date"))
        .unwrap_or_else(|| telling.written_on());
    let assessment = Assessment {
        instrument,
        version: None,
        stage: stage.unwrap_or(Stage::Interim),
        people: telling.people(),
        case: telling.case(),
        rated_on,
        ratings: rows(telling, LineType::Rating, rating),
    };
    let first = telling.people().into_iter().next();
    telling.event(
        telling.moment_of(Some(rated_on)),
        Body::AssessmentRecorded(Box::new(assessment)),
        first,
    )
}

fn rating(telling: &mut Telling<'_>, fields: &Fields, line: u64) -> Option<Rating> {
    let code = fields.some("domain");
    let (domain, original) = telling.domain(fields, line);
    if code.is_none() {
        telling.leave_out("rating-without-domain", line, "domain", "the domain rated");
        return None;
    }
    Some(Rating {
        domain,
        level: fields.parsed("rating_level"),
        instrument_domain: original.map(|coding| coding.code),
        person: SourcePersonId::new(fields.get("rated_person_id")).ok(),
    })
}
