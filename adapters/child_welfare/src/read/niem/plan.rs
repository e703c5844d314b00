//! `j:CasePlan` with its tasks, `hs:ServicePlanGoal`, and who pays.

use tandem_adapter_port::read::{Sink, Stopped};
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{ActivityId, GoalId, OrganizationId, PlanId, SourcePersonId};
use tandem_mappings::model::involvement::{Participation, ParticipationStatus, Program};
use tandem_mappings::model::plan::{
    Achievement, Activity, ActivityKind, ActivityStatus, FundingLine, Goal, GoalLifecycle,
    GoalUpdated, MandatedBy, PlanContent, PlanStatus, PlanType, ResourceCategory,
};
use tandem_mappings::model::referral::ReferralRef;

use super::referral::domain;
use super::told::Message;
use super::tree::Element;
use super::value::{date, day, moment};
use crate::write::plan::PERMANENCY_GOALS;

/// Tells every plan; goals without a plan are told alone.
pub(crate) fn tell(message: &Message<'_>, sink: &mut dyn Sink) -> Result<(), Stopped> {
    let augmentation = message.root.at("hs:ChildWelfareCase/j:CaseAugmentation");
    let plans: Vec<&Element> = augmentation
        .into_iter()
        .flat_map(|one| one.all("j:CasePlan"))
        .collect();
    let goals = goals(message, sink);
    let fundings: Vec<FundingLine> = message
        .root
        .all("hs:RequestedService")
        .filter_map(funding)
        .collect();
    if plans.is_empty() {
        return lone_goals(message, goals, sink);
    }
    for (index, element) in plans.into_iter().enumerate() {
        let category = element.text_at("nc:PlanIdentification/nc:IdentificationCategoryText");
        if category == Some("participation") {
            participation(message, element, index, sink)?;
            continue;
        }
        let id = element.text_at("nc:PlanIdentification/nc:IdentificationID");
        let Some(plan) = id.and_then(|id| PlanId::new(id).ok()) else {
            let expected = "nc:PlanIdentification, the plan's id";
            message.drop_record(element, "required-element-missing", expected, sink);
            continue;
        };
        let content = PlanContent {
            plan,
            plan_type: category
                .and_then(PlanType::from_code)
                .unwrap_or(PlanType::ChildWelfare),
            version: version(element),
            status: plan_status(message, element),
            subjects: message.everybody(),
            goals: goals.clone(),
            activities: activities(message, element, sink),
            fundings: fundings.clone(),
            from: day(element.at("nc:PlanDateRange/nc:StartDate")),
            to: day(element.at("nc:PlanDateRange/nc:EndDate")),
            review_due: day(augmentation.and_then(|one| one.at("j:CaseReviewDueDate"))),
            reason: None,
        };
        let when = moment(element.at("nc:PlanUpdatedDate"), &message.context.zone);
        let subjects = content.subjects.clone();
        message.tell(
            &format!("plan:{index}"),
            when,
            subjects.first(),
            body(content),
            sink,
        )?;
    }
    Ok(())
}

fn body(content: PlanContent) -> Body {
    let content = Box::new(content);
    match content.status {
        PlanStatus::Proposed => Body::PlanProposed(content),
        PlanStatus::Agreed => Body::PlanAgreed(content),
        PlanStatus::Completed | PlanStatus::Disengaged | PlanStatus::Terminated => {
            Body::PlanEnded(content)
        }
        _ => Body::PlanUpdate(content),
    }
}

fn plan_status(message: &Message<'_>, element: &Element) -> PlanStatus {
    let text = element.text_at("nc:PlanComment/nc:CommentText");
    let code = text.and_then(|text| message.tables.status("plan", text));
    code.and_then(|code| PlanStatus::from_code(&code))
        .unwrap_or(PlanStatus::Active)
}

fn version(element: &Element) -> Option<u32> {
    let title = element.text_at("nc:PlanComment/nc:CommentTitleText")?;
    title.strip_prefix("version ")?.parse().ok()
}

fn lone_goals(message: &Message<'_>, goals: Vec<Goal>, sink: &mut dyn Sink) -> Result<(), Stopped> {
    let Some(plan) = message
        .case
        .as_ref()
        .and_then(|case| PlanId::new(case.as_str()).ok())
    else {
        for element in message.root.all("hs:ServicePlanGoal") {
            let expected = "j:CasePlan or a case number: nobody knows whose goal it is";
            message.drop_record(element, "goal-without-plan", expected, sink);
        }
        return Ok(());
    };
    for (index, goal) in goals.into_iter().enumerate() {
        let body = Body::GoalUpdated(Box::new(GoalUpdated {
            plan: plan.clone(),
            goal,
        }));
        message.tell(
            &format!("goal:{index}"),
            None,
            message.only_child(),
            body,
            sink,
        )?;
    }
    Ok(())
}

fn goals(message: &Message<'_>, sink: &mut dyn Sink) -> Vec<Goal> {
    let mut goals = Vec::new();
    for (index, element) in message.root.all("hs:ServicePlanGoal").enumerate() {
        let own = element.text_at("nc:ActivityIdentification/nc:IdentificationID");
        let id = own.map_or_else(|| format!("goal-{}", index + 1), str::to_owned);
        match GoalId::new(id) {
            Ok(id) => goals.push(goal(message, element, id, sink)),
            Err(_) => message.drop_record(element, "value-not-allowed", "a short id", sink),
        }
    }
    goals
}

fn goal(message: &Message<'_>, element: &Element, id: GoalId, sink: &mut dyn Sink) -> Goal {
    let code = element.text_at("hs:AFCARSPermanencyGoalCode");
    let own = element
        .text_at("nc:ActivityCategoryText")
        .and_then(Domain::from_code);
    // A permanency goal is about the family; other goals say what they are about.
    let fallback = if code.is_some() {
        Domain::ParentingFamily
    } else {
        Domain::Other
    };
    let text = element.text_at("nc:ActivityStatus/nc:StatusText");
    let lifecycle = text.and_then(|text| message.tables.status("goal", text));
    if let Some(status) = element
        .at("nc:ActivityStatus")
        .filter(|_| text.is_some() && lifecycle.is_none())
    {
        message.drop_value(
            status,
            "status-unknown",
            "a status of a goal, such as active",
            sink,
        );
    }
    let achievement = element.text_at("nc:ActivityStatus/nc:StatusDescriptionText");
    let level = |title| Message::comments(element, title).and_then(|text| text.parse().ok());
    let target = element.at("lk:GoalAugmentation/hs:PermanencyAchievementDate");
    Goal {
        id,
        domain: own.unwrap_or(fallback),
        statement: element
            .text_at("nc:ActivityDescriptionText")
            .map(str::to_owned),
        owner: None,
        lifecycle: lifecycle
            .and_then(|code| GoalLifecycle::from_code(&code))
            .unwrap_or(GoalLifecycle::Active),
        achievement: achievement.and_then(Achievement::from_code),
        baseline_level: level("baseline-level"),
        target_level: level("target-level"),
        target_date: day(target).or_else(|| day(element.at("nc:ActivityDueDate"))),
        original: code.map(|code| Coding::new(PERMANENCY_GOALS, code)),
    }
}

fn activities(message: &Message<'_>, plan: &Element, sink: &mut dyn Sink) -> Vec<Activity> {
    let mut activities = Vec::new();
    for task in plan.all("nc:PlanTask") {
        let id = task
            .text_at("nc:TaskID")
            .and_then(|id| ActivityId::new(id).ok());
        let text = task.text_at("nc:TaskStatus/nc:StatusText");
        let status = text.and_then(|text| message.tables.status("task", text));
        let status = status.and_then(|code| ActivityStatus::from_code(&code));
        match (id, status) {
            (Some(id), Some(status)) => activities.push(activity(message, task, id, status)),
            (None, _) => {
                message.drop_record(task, "required-element-missing", "nc:TaskID", sink);
            }
            (_, None) => {
                let expected = "nc:TaskStatus with a status of a task, such as in-progress";
                message.drop_record(task, "status-unknown", expected, sink);
            }
        }
    }
    activities
}

fn activity(
    message: &Message<'_>,
    task: &Element,
    id: ActivityId,
    status: ActivityStatus,
) -> Activity {
    let zone = &message.context.zone;
    let service = task.at("hs:TaskAugmentation/hs:Service");
    let (domain, original) = domain(message, service);
    let kind = task
        .text_at("nc:TaskDescriptionText")
        .and_then(ActivityKind::from_code);
    let texts = |path: &str| service.and_then(|service| service.text_at(path));
    let toward = service
        .into_iter()
        .flat_map(|service| service.all("nc:ActivityComment"));
    let toward = toward
        .filter(|comment| comment.text_at("nc:CommentTitleText") == Some("counts-toward"))
        .filter_map(|comment| PlanType::from_code(comment.text_at("nc:CommentText")?));
    let goal = service.and_then(|service| Message::comments(service, "goal"));
    let hours = task.text_at("hs:TaskAugmentation/hs:TaskTimeFrameDescriptionText");
    let ends = task
        .at("nc:TaskEndDate")
        .or_else(|| task.at("nc:TaskDueDate"));
    Activity {
        id,
        kind: kind.unwrap_or(ActivityKind::Service),
        domain,
        name: task.text_at("nc:TaskName").map(str::to_owned),
        person: assigned(message, task),
        goal: goal.and_then(|goal| GoalId::new(goal).ok()),
        provider: texts("hs:ResponsibleEntityDescriptionText").map(str::to_owned),
        starts_at: moment(task.at("nc:TaskStartDate"), zone),
        ends_at: moment(ends, zone),
        hours_per_week: hours.and_then(|text| text.strip_suffix(" hours a week")?.parse().ok()),
        mandated_by: texts("nc:ActivityReasonText").and_then(MandatedBy::from_code),
        counts_toward: toward.collect(),
        referral: texts("nc:ActivityIdentification/nc:IdentificationID")
            .map(ReferralRef::from_message),
        status,
        original,
    }
}

/// The person who has the task, when the name is that of a person of the message.
fn assigned(message: &Message<'_>, task: &Element) -> Option<SourcePersonId> {
    let person = task.at("nc:TaskAssignedEntity/nc:EntityPerson")?;
    if let Some(known) = message.person(person) {
        return Some(known.id.clone());
    }
    let full = person.text_at("nc:PersonName/nc:PersonFullName")?;
    let same = |element: &Element| {
        let part = |name: &str| {
            element
                .text_at(&format!("nc:PersonName/{name}"))
                .unwrap_or_default()
        };
        format!(
            "{} {}",
            part("nc:PersonGivenName"),
            part("nc:PersonSurName")
        )
        .eq_ignore_ascii_case(full)
    };
    message
        .people
        .iter()
        .find(|known| same(known.element))
        .map(|known| known.id.clone())
}

/// A service that names who pays under one of the resource categories is a funding line.
fn funding(element: &Element) -> Option<FundingLine> {
    let payer = element.text_at("hs:ResponsibilityForServiceCostText")?;
    let category = ResourceCategory::from_code(element.text_at("nc:ActivityCategoryText")?)?;
    let range = element.at("nc:ActivityDate/nc:DateRange");
    let amount = element.text_at("hs:ServiceCostValue");
    Some(FundingLine {
        category,
        payer: OrganizationId::new(payer).ok()?,
        payer_of_last_resort: element.at("nc:ActivityDescriptionText").is_some(),
        from: day(range.and_then(|range| range.at("nc:StartDate"))),
        to: day(range.and_then(|range| range.at("nc:EndDate"))),
        amount: amount.and_then(|amount| amount.parse().ok()),
        note: Message::comments(element, "note").map(str::to_owned),
    })
}

fn participation(
    message: &Message<'_>,
    plan: &Element,
    index: usize,
    sink: &mut dyn Sink,
) -> Result<(), Stopped> {
    let Some(task) = plan.at("nc:PlanTask") else {
        return Ok(());
    };
    let status = task
        .text_at("nc:TaskStatus/nc:StatusText")
        .and_then(ParticipationStatus::from_code);
    let adult = message.people.iter().find(|known| !known.is_child);
    let (Some(status), Some(person)) = (status, adult.map(|known| known.id.clone())) else {
        let expected = "a standing in a work programme, and the parent whom it is about";
        message.drop_record(task, "participation-incomplete", expected, sink);
        return Ok(());
    };
    let body = Body::ParticipationStatus(Box::new(Participation {
        person: person.clone(),
        program: Program::Calworks,
        status,
        effective: date(task.at("nc:TaskStartDate")),
        reason: task
            .text_at("nc:TaskStatus/nc:StatusDescriptionText")
            .map(str::to_owned),
        original: None,
    }));
    message.tell(
        &format!("participation:{index}"),
        None,
        Some(&person),
        body,
        sink,
    )
}
