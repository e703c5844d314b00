//! Plans and standing in a work programme: `j:CasePlan`, `hs:ServicePlanGoal`, who pays.

use tandem_adapter_port::outbound::{Outbound, ParticipationView, PlanView};
use tandem_adapter_port::write::WriteContext;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::plan::{Activity, ActivityStatus, FundingLine, Goal, ResourceCategory};

use super::message::Parts;
use super::party::{categorised, identification};
use super::referral::{GATEWAY_ID, comment, domain_nodes};
use super::time::{date, date_time, day_and_moment, partial, range};
use super::xml::{Node, optional};
use crate::tables::Tables;

/// Code system of a goal whose original code is one of NIEM's permanency goals.
pub(crate) const PERMANENCY_GOALS: &str = "niem:AFCARSPermanencyGoalCode";
/// List of those codes.
const PERMANENCY_LIST: &str = "hs:AFCARSPermanencyGoalCodeType";

/// A plan, or what changed in it.
pub(crate) fn plan(view: &PlanView, tables: &Tables, context: &WriteContext) -> Parts {
    let version = view.version.map(|version| format!("version {version}"));
    let told = Node::new("nc:PlanComment")
        .child(Node::text("nc:CommentAuthorText", &view.owner.name))
        .child(Node::text("nc:CommentText", view.status.code()))
        .with(optional("nc:CommentTitleText", version));
    let tasks = view
        .activities
        .iter()
        .map(|activity| task(activity, tables, context));
    let plan = Node::new("j:CasePlan")
        .child(told)
        .with(range_of_plan(view))
        .child(categorised(
            "nc:PlanIdentification",
            view.plan.as_str(),
            view.plan_type.code(),
        ))
        .with(tasks)
        .child(day_and_moment(
            "nc:PlanUpdatedDate",
            view.updated_at,
            &context.zone,
        ));
    Parts {
        names_people: true,
        augmentation: vec![plan],
        services: view
            .fundings
            .iter()
            .map(|line| funding(line, tables))
            .collect(),
        goals: view
            .goals
            .iter()
            .enumerate()
            .map(|(index, one)| goal(one, index == 0, tables))
            .collect(),
        ..Parts::default()
    }
}

/// `nc:PlanDateRange` is a range itself, without `nc:DateRange` around it.
fn range_of_plan(view: &PlanView) -> Option<Node> {
    Node::new("nc:PlanDateRange")
        .with(view.from.map(|day| date("nc:StartDate", day)))
        .with(view.to.map(|day| date("nc:EndDate", day)))
        .unless_empty()
}

fn task(activity: &Activity, tables: &Tables, context: &WriteContext) -> Node {
    let done = activity.status == ActivityStatus::Completed;
    let zone = &context.zone;
    let hours = activity
        .hours_per_week
        .map(|hours| format!("{hours} hours a week"));
    let augmentation = Node::new("hs:TaskAugmentation")
        .with(optional("hs:TaskTimeFrameDescriptionText", hours))
        .child(task_service(activity, tables));
    Node::new("nc:PlanTask")
        .child(Node::text(
            "nc:TaskCompletedIndicator",
            if done { "true" } else { "false" },
        ))
        .child(Node::text("nc:TaskDescriptionText", activity.kind.code()))
        .with(
            activity
                .ends_at
                .map(|at| date_time("nc:TaskEndDate", at, zone)),
        )
        .child(Node::text("nc:TaskID", activity.id.as_str()))
        .with(optional("nc:TaskName", activity.name.as_ref()))
        .with(
            activity
                .starts_at
                .map(|at| date_time("nc:TaskStartDate", at, zone)),
        )
        .child(task_status(activity.status.code(), None))
        .child(augmentation)
}

/// The service behind a task: what it is about, what it counts toward, who provides it.
fn task_service(activity: &Activity, tables: &Tables) -> Node {
    let (domain, category) = domain_nodes(activity.domain, tables);
    let referral = activity.referral.as_ref().and_then(|referral| referral.id);
    let referral =
        referral.map(|id| categorised("nc:ActivityIdentification", id.to_string(), GATEWAY_ID));
    let toward = activity
        .counts_toward
        .iter()
        .map(|plan| comment("counts-toward", plan.code()));
    let goal = activity
        .goal
        .as_ref()
        .map(|goal| comment("goal", goal.as_str()));
    Node::new("hs:Service")
        .with(referral)
        .child(domain)
        .with(toward)
        .with(goal)
        .with(optional(
            "nc:ActivityReasonText",
            activity.mandated_by.map(|by| by.code()),
        ))
        .with(optional(
            "hs:ResponsibleEntityDescriptionText",
            activity.provider.as_ref(),
        ))
        .with(category)
}

fn task_status(code: &str, reason: Option<&str>) -> Node {
    Node::new("nc:TaskStatus")
        .child(Node::text("nc:StatusText", code))
        .with(optional("nc:StatusDescriptionText", reason))
}

fn goal(goal: &Goal, is_first: bool, tables: &Tables) -> Node {
    let permanency = goal.original.as_ref().filter(|coding| {
        coding.system == PERMANENCY_GOALS && tables.has_code(PERMANENCY_LIST, &coding.code)
    });
    let level = |title, level: Option<u8>| level.map(|level| comment(title, &level.to_string()));
    let achieved = goal.achievement.map(|achievement| achievement.code());
    let status = Node::new("nc:ActivityStatus")
        .child(Node::text("nc:StatusText", goal.lifecycle.code()))
        .with(optional("nc:StatusDescriptionText", achieved));
    let target = goal.target_date.map(|day| {
        Node::new("lk:GoalAugmentation").child(date("hs:PermanencyAchievementDate", day))
    });
    Node::new("hs:ServicePlanGoal")
        .child(identification(
            "nc:ActivityIdentification",
            goal.id.as_str(),
        ))
        .child(Node::text("nc:ActivityCategoryText", goal.domain.code()))
        .with(level("baseline-level", goal.baseline_level))
        .with(level("target-level", goal.target_level))
        .with(optional(
            "nc:ActivityDescriptionText",
            goal.statement.as_ref(),
        ))
        .with(goal.target_date.map(|day| date("nc:ActivityDueDate", day)))
        .child(status)
        .child(Node::text(
            "hs:PrimaryGoalIndicator",
            if is_first { "true" } else { "false" },
        ))
        .with(permanency.map(|coding| Node::text("hs:AFCARSPermanencyGoalCode", &coding.code)))
        .with(target.filter(|_| permanency.is_some()))
}

/// A funding line as a service that somebody pays: NIEM has no element for a budget.
fn funding(line: &FundingLine, tables: &Tables) -> Node {
    let last_resort = line.payer_of_last_resort.then_some("payer of last resort");
    let amount = line.amount.map(|amount| amount.to_string());
    let (_, category) = domain_nodes(domain_of(line.category), tables);
    Node::new("hs:RequestedService")
        .child(Node::text("nc:ActivityCategoryText", line.category.code()))
        .with(line.note.as_ref().map(|note| comment("note", note)))
        .with(range("nc:ActivityDate", line.from, line.to))
        .with(optional("nc:ActivityDescriptionText", last_resort))
        .child(Node::text(
            "hs:ResponsibilityForServiceCostText",
            line.payer.as_str(),
        ))
        .with(optional("hs:ServiceCostValue", amount))
        .with(category)
}

fn domain_of(category: ResourceCategory) -> Domain {
    match category {
        ResourceCategory::Transportation => Domain::Transportation,
        ResourceCategory::Housing => Domain::Housing,
        ResourceCategory::MentalHealthTreatment => Domain::MentalHealth,
        ResourceCategory::AodTreatment => Domain::SubstanceUse,
        ResourceCategory::ChildCare => Domain::ChildCare,
        _ => Domain::Other,
    }
}

/// Standing in a work programme: a plan with the one task of taking part.
pub(crate) fn participation(
    outbound: &Outbound,
    view: &ParticipationView,
    context: &WriteContext,
) -> Parts {
    let task = Node::new("nc:PlanTask")
        .child(Node::text("nc:TaskID", &outbound.effect_key))
        .child(Node::text("nc:TaskName", "Welfare-to-Work participation"))
        .with(view.effective.map(|day| partial("nc:TaskStartDate", day)))
        .child(task_status(view.status.code(), view.reason.as_deref()));
    let plan = Node::new("j:CasePlan")
        .child(categorised(
            "nc:PlanIdentification",
            &outbound.effect_key,
            "participation",
        ))
        .child(task)
        .child(day_and_moment(
            "nc:PlanUpdatedDate",
            outbound.created_at,
            &context.zone,
        ));
    Parts {
        names_people: true,
        augmentation: vec![plan],
        ..Parts::default()
    }
}
