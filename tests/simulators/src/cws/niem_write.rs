//! The NIEM messages that the child welfare worker sends, in the shape of the published examples.

use quick_xml::escape::escape;

use super::niem_names::{HS, J, LK, NC, STRUCTURES};
use crate::family;

/// A task of a case plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanTaskDraft {
    /// Id of the task in the worker's system.
    pub task_id: String,
    /// What is to be done.
    pub name: String,
    /// E.g. `in_progress`, `completed`.
    pub status: String,
    /// Day by which it is due, `YYYY-MM-DD`; may be blank.
    pub due: String,
    /// Who does it, e.g. `Marisol Demofield`; may be blank.
    pub assigned: String,
    /// Which agency pays; may be blank.
    pub payer: String,
    /// NIEM service category, e.g. `Mental Health Services`; may be blank.
    pub category: String,
}

/// A case plan to send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanUpdateDraft {
    /// Id of the plan in the worker's system.
    pub plan_id: String,
    /// Day of its creation, `YYYY-MM-DD`.
    pub created: String,
    /// Day of this change, `YYYY-MM-DD`.
    pub updated: String,
    /// Tasks in order.
    pub tasks: Vec<PlanTaskDraft>,
    /// Text of the goal, e.g. `Children remain safely at home`.
    pub goal: String,
    /// Day by which the goal is to be reached; may be blank.
    pub goal_date: String,
}

/// A service referral, or a change of one, to send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferralDraft {
    /// Id of the referral in the worker's system.
    pub referral_id: String,
    /// E.g. `referred`, `cancelled`.
    pub status: String,
    /// Why.
    pub reason: String,
    /// Organisation asked to serve.
    pub recipient: String,
    /// What is asked for, e.g. `Child care`.
    pub service: String,
    /// NIEM service category, e.g. `Other Services`.
    pub category: String,
    /// Which agency pays; may be blank.
    pub payer: String,
    /// The CalWORKs case number when it is known; may be blank.
    pub related_case: String,
    /// Day by which an answer is wanted; may be blank.
    pub due: String,
}

/// What every message carries.
#[derive(Debug, Clone)]
pub(crate) struct Envelope<'text> {
    pub(crate) message_id: &'text str,
    pub(crate) created_at: &'text str,
    pub(crate) submitter: &'text str,
    pub(crate) basis: &'text str,
}

/// Text in an element; blank text gives no element.
fn leaf(name: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("<{name}>{}</{name}>", escape(text))
    }
}

/// Content wrapped in elements, outermost first; blank content gives nothing.
fn nest(names: &[&str], content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    names.iter().rev().fold(content.to_owned(), |inner, name| {
        format!("<{name}>{inner}</{name}>")
    })
}

fn day(name: &str, date: &str) -> String {
    nest(&[name], &leaf("nc:Date", date))
}

fn organization(role: &str, name: &str) -> String {
    nest(
        &[role, "nc:EntityOrganization"],
        &leaf("nc:OrganizationName", name),
    )
}

fn document(root: &str, envelope: &Envelope<'_>, recipient: &str, parts: &str) -> String {
    let created = nest(
        &["nc:DocumentCreationDate"],
        &leaf("nc:DateTime", envelope.created_at),
    );
    let id = nest(
        &["nc:DocumentIdentification"],
        &leaf("nc:IdentificationID", envelope.message_id),
    );
    let to = organization("nc:DocumentRecipient", recipient);
    let from = organization("nc:DocumentSubmitter", envelope.submitter);
    let basis = leaf("lk:DisclosureBasis", envelope.basis);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns:lk=\"{LK}\" xmlns:hs=\"{HS}\" \
         xmlns:j=\"{J}\" xmlns:nc=\"{NC}\" xmlns:structures=\"{STRUCTURES}\">\
         {created}{id}{to}{from}{basis}{parts}</{root}>\n"
    )
}

/// A person under the worker's own client key.
fn person(element: &str, id: &str, key: &str, given: &str, surname: &str, born: &str) -> String {
    let name = leaf("nc:PersonGivenName", given) + &leaf("nc:PersonSurName", surname);
    let identification =
        leaf("nc:IdentificationID", key) + &leaf("nc:IdentificationCategoryText", "cws-cms-client");
    let content = day("nc:PersonBirthDate", born)
        + &nest(&["nc:PersonName"], &name)
        + &nest(&["nc:PersonOtherIdentification"], &identification);
    format!("<{element} structures:id=\"{id}\">{content}</{element}>")
}

fn daughter() -> String {
    person(
        "hs:Child",
        "c1",
        family::CWS_ANA,
        "Ana",
        family::CWS_SURNAME,
        "2018-03-02",
    )
}

fn mother() -> String {
    person(
        "hs:Parent",
        "p1",
        family::CWS_MARISOL,
        "Marisol",
        "Demofield",
        "1994-05-17",
    )
}

fn association() -> &'static str {
    "<hs:ParentChildAssociation><hs:Child structures:ref=\"c1\"/><hs:Parent structures:ref=\"p1\"/>\
     <hs:ParentChildKinshipCategoryCode>Biological</hs:ParentChildKinshipCategoryCode>\
     </hs:ParentChildAssociation>"
}

/// A case-plan update about the daughter's case.
pub(crate) fn plan_update(envelope: &Envelope<'_>, plan: &PlanUpdateDraft) -> String {
    let tasks: String = plan.tasks.iter().map(task).collect();
    let content = day("nc:PlanCreatedDate", &plan.created)
        + &nest(
            &["nc:PlanIdentification"],
            &leaf("nc:IdentificationID", &plan.plan_id),
        )
        + &tasks
        + &day("nc:PlanUpdatedDate", &plan.updated);
    let case = nest(&["j:CaseAugmentation", "j:CasePlan"], &content)
        + &leaf("hs:ChildWelfareAgencyCaseID", family::CWS_CASE_ANA_SCREEN);
    let target = nest(
        &["lk:GoalAugmentation"],
        &day("hs:PermanencyAchievementDate", &plan.goal_date),
    );
    let goal = leaf("nc:ActivityDescriptionText", &plan.goal)
        + &leaf("hs:PrimaryGoalIndicator", "true")
        + &target;
    let goal = if plan.goal.is_empty() {
        String::new()
    } else {
        goal
    };
    let parts = daughter()
        + &mother()
        + association()
        + &nest(&["hs:ChildWelfareCase"], &case)
        + &nest(&["hs:ServicePlanGoal"], &goal);
    document("lk:CasePlanUpdateMessage", envelope, "", &parts)
}

fn task(task: &PlanTaskDraft) -> String {
    let assigned = nest(
        &["nc:TaskAssignedEntity", "nc:EntityPerson", "nc:PersonName"],
        &leaf("nc:PersonFullName", &task.assigned),
    );
    let service = leaf("hs:ResponsibilityForServiceCostText", &task.payer)
        + &leaf("hs:ServiceCategoryCode", &task.category);
    let content = assigned
        + &day("nc:TaskDueDate", &task.due)
        + &leaf("nc:TaskID", &task.task_id)
        + &leaf("nc:TaskName", &task.name)
        + &nest(&["nc:TaskStatus"], &leaf("nc:StatusText", &task.status))
        + &nest(&["hs:TaskAugmentation", "hs:Service"], &service);
    nest(&["nc:PlanTask"], &content)
}

/// A referral of the mother, in the daughter's case.
pub(crate) fn referral(envelope: &Envelope<'_>, referral: &ReferralDraft) -> String {
    let worker = nest(
        &["nc:PersonName"],
        &leaf("nc:PersonFullName", family::CWS_WORKER),
    );
    let case = nest(&["hs:Caseworker"], &worker)
        + &leaf("hs:ReferralReasonText", &referral.reason)
        + &leaf("hs:ChildWelfareAgencyCaseID", family::CWS_CASE_ANA_SCREEN);
    let activity = nest(
        &["nc:ActivityIdentification"],
        &leaf("nc:IdentificationID", &referral.referral_id),
    ) + &nest(
        &["nc:ActivityDate"],
        &leaf("nc:DateTime", envelope.created_at),
    ) + &leaf("nc:ActivityReasonText", &referral.reason)
        + &nest(
            &["nc:ActivityStatus"],
            &leaf("nc:StatusText", &referral.status),
        )
        + "<nc:ReferralActivity structures:ref=\"s1\"/>"
        + &organization("nc:ReferralIssuer", envelope.submitter)
        + &organization("nc:ReferralEntity", &referral.recipient)
        + "<nc:ReferralPerson structures:ref=\"p1\"/>"
        + &nest(
            &["j:ReferralAugmentation"],
            &day("j:ReferralDueDate", &referral.due),
        );
    let service = leaf("nc:ActivityName", &referral.service)
        + &leaf("hs:ResponsibilityForServiceCostText", &referral.payer)
        + &leaf("hs:ServiceCategoryCode", &referral.category);
    let related = nest(
        &["hs:RelatedCase"],
        &leaf("hs:OrganizationCaseID", &referral.related_case),
    );
    let parts = daughter()
        + &mother()
        + association()
        + &nest(&["hs:ChildWelfareCase"], &case)
        + &related
        + &nest(&["nc:Referral"], &activity)
        + &format!("<hs:RequestedService structures:id=\"s1\">{service}</hs:RequestedService>");
    document(
        "lk:CoordinatedReferralMessage",
        envelope,
        &referral.recipient,
        &parts,
    )
}

#[cfg(test)]
mod tests {
    use super::{Envelope, PlanTaskDraft, PlanUpdateDraft, ReferralDraft, plan_update, referral};
    use crate::cws::niem_read::read;

    const ENVELOPE: Envelope<'_> = Envelope {
        message_id: "CWS-1",
        created_at: "2026-02-10T09:00:00-08:00",
        submitter: "org-cws",
        basis: "ca_18986_46",
    };

    #[test]
    fn written_plan_passes_the_strict_reader() {
        let draft = PlanUpdateDraft {
            plan_id: "PLAN-1".into(),
            created: "2026-02-05".into(),
            updated: "2026-02-10".into(),
            goal: "Children remain safely at home & well".into(),
            goal_date: "2026-08-01".into(),
            tasks: vec![PlanTaskDraft {
                task_id: "T1".into(),
                name: "Counselling".into(),
                status: "in_progress".into(),
                due: "2026-04-01".into(),
                assigned: "Marisol Demofield".into(),
                payer: "org-cws".into(),
                category: "Mental Health Services".into(),
            }],
        };
        let message = read(&plan_update(&ENVELOPE, &draft)).unwrap();
        assert_eq!(
            message.goals[0].text,
            "Children remain safely at home & well"
        );
        assert_eq!(
            message.plan.unwrap().tasks[0]
                .service
                .as_ref()
                .unwrap()
                .payer,
            "org-cws"
        );
    }

    #[test]
    fn written_referral_passes_the_strict_reader() {
        let draft = ReferralDraft {
            referral_id: "REF-1".into(),
            status: "referred".into(),
            reason: "work hours".into(),
            recipient: "org-calworks".into(),
            service: "Child care".into(),
            category: "Other Services".into(),
            ..ReferralDraft::default()
        };
        let message = read(&referral(&ENVELOPE, &draft)).unwrap();
        assert_eq!(message.referrals[0].entity, "org-calworks");
        assert_eq!(message.services[0].name, "Child care");
        assert_eq!(message.persons.len(), 2);
    }
}
