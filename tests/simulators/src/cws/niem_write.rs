//! The NIEM messages that the child welfare worker sends, in the shape of the published examples.

use quick_xml::escape::escape;

use super::draft::{
    ComanagementDraft, FundingDraft, PlanTaskDraft, PlanUpdateDraft, ReferralDraft,
};
use super::niem_names::{HS, J, LK, NC, STRUCTURES};
use crate::family;

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

fn time(name: &str, moment: &str) -> String {
    nest(&[name], &leaf("nc:DateTime", moment))
}

/// An identification with its category; a blank id gives nothing.
fn identification(name: &str, id: &str, category: &str) -> String {
    if id.is_empty() {
        return String::new();
    }
    let content =
        leaf("nc:IdentificationID", id) + &leaf("nc:IdentificationCategoryText", category);
    nest(&[name], &content)
}

fn organization(role: &str, id: &str) -> String {
    let known =
        identification("nc:OrganizationIdentification", id, "") + &leaf("nc:OrganizationName", id);
    nest(&[role, "nc:EntityOrganization"], &known)
}

fn comment(title: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let content = leaf("nc:CommentText", text) + &leaf("nc:CommentTitleText", title);
    nest(&["nc:ActivityComment"], &content)
}

fn caseworker() -> String {
    let name = leaf("nc:PersonFullName", family::CWS_WORKER);
    nest(&["hs:Caseworker", "nc:PersonName"], &name)
}

fn case_number() -> String {
    leaf("hs:ChildWelfareAgencyCaseID", family::CWS_CASE_ANA_SCREEN)
}

fn document(root: &str, envelope: &Envelope<'_>, recipient: &str, parts: &str) -> String {
    let created = time("nc:DocumentCreationDate", envelope.created_at);
    let id = identification("nc:DocumentIdentification", envelope.message_id, "");
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
fn person(element: &str, id: &str, key: &str, name: (&str, &str), born: &str) -> String {
    let (given, surname) = name;
    let name = leaf("nc:PersonGivenName", given) + &leaf("nc:PersonSurName", surname);
    let content = day("nc:PersonBirthDate", born)
        + &nest(&["nc:PersonName"], &name)
        + &identification("nc:PersonOtherIdentification", key, "cws-cms-client");
    format!("<{element} structures:id=\"{id}\">{content}</{element}>")
}

/// The daughter, the mother, and how they are related.
fn people() -> String {
    let daughter = person(
        "hs:Child",
        "c1",
        family::CWS_ANA,
        ("Ana", family::CWS_SURNAME),
        "2018-03-02",
    );
    let mother = person(
        "hs:Parent",
        "p1",
        family::CWS_MARISOL,
        ("Marisol", "Demofield"),
        "1994-05-17",
    );
    daughter
        + &mother
        + "<hs:ParentChildAssociation><hs:Child structures:ref=\"c1\"/>\
           <hs:Parent structures:ref=\"p1\"/>\
           <hs:ParentChildKinshipCategoryCode>Biological</hs:ParentChildKinshipCategoryCode>\
           </hs:ParentChildAssociation>"
}

/// A case-plan update about the daughter's case.
pub(crate) fn plan_update(envelope: &Envelope<'_>, plan: &PlanUpdateDraft) -> String {
    let version = if plan.version == 0 {
        String::new()
    } else {
        format!("version {}", plan.version)
    };
    let told = leaf("nc:CommentText", &plan.status) + &leaf("nc:CommentTitleText", &version);
    let tasks: String = plan.tasks.iter().map(task).collect();
    let content = nest(
        &["nc:PlanComment"],
        if plan.status.is_empty() { "" } else { &told },
    ) + &day("nc:PlanCreatedDate", &plan.created)
        + &identification("nc:PlanIdentification", &plan.plan_id, "child-welfare")
        + &tasks
        + &day("nc:PlanUpdatedDate", &plan.updated);
    let case = nest(&["j:CaseAugmentation", "j:CasePlan"], &content) + &case_number();
    let fundings: String = plan.fundings.iter().map(funding).collect();
    let parts = people()
        + &nest(&["hs:ChildWelfareCase"], &case)
        + &fundings
        + &nest(&["hs:ServicePlanGoal"], &goal(plan));
    document("lk:CasePlanUpdateMessage", envelope, "", &parts)
}

fn task(task: &PlanTaskDraft) -> String {
    let assigned = nest(
        &["nc:TaskAssignedEntity", "nc:EntityPerson", "nc:PersonName"],
        &leaf("nc:PersonFullName", &task.assigned),
    );
    let toward: String = task
        .counts_toward
        .iter()
        .map(|plan| comment("counts-toward", plan))
        .collect();
    let service = leaf("nc:ActivityCategoryText", &task.domain)
        + &toward
        + &comment("goal", &task.goal_id)
        + &leaf("hs:ResponsibilityForServiceCostText", &task.payer)
        + &leaf("hs:ServiceCategoryCode", &task.category);
    let content = assigned
        + &leaf("nc:TaskDescriptionText", &task.kind)
        + &day("nc:TaskDueDate", &task.due)
        + &time("nc:TaskEndDate", &task.end)
        + &leaf("nc:TaskID", &task.task_id)
        + &leaf("nc:TaskName", &task.name)
        + &time("nc:TaskStartDate", &task.start)
        + &nest(&["nc:TaskStatus"], &leaf("nc:StatusText", &task.status))
        + &nest(&["hs:TaskAugmentation", "hs:Service"], &service);
    nest(&["nc:PlanTask"], &content)
}

fn goal(plan: &PlanUpdateDraft) -> String {
    if plan.goal.is_empty() {
        return String::new();
    }
    identification("nc:ActivityIdentification", &plan.goal_id, "")
        + &leaf("nc:ActivityCategoryText", &plan.goal_domain)
        + &leaf("nc:ActivityDescriptionText", &plan.goal)
        + &day("nc:ActivityDueDate", &plan.goal_date)
        + &nest(
            &["nc:ActivityStatus"],
            &leaf("nc:StatusText", &plan.goal_status),
        )
        + &leaf("hs:PrimaryGoalIndicator", "true")
}

fn funding(line: &FundingDraft) -> String {
    let content = leaf("nc:ActivityCategoryText", &line.category)
        + &leaf("hs:ResponsibilityForServiceCostText", &line.payer)
        + &leaf("hs:ServiceCostValue", &line.amount);
    nest(&["hs:RequestedService"], &content)
}

/// The standing of co-management, with the worker in charge.
pub(crate) fn comanagement(envelope: &Envelope<'_>, standing: &ComanagementDraft) -> String {
    let related = leaf("nc:ActivityCategoryText", "comanagement")
        + &time("nc:ActivityDate", envelope.created_at)
        + &leaf("nc:ActivityDescriptionText", &standing.transition_plan)
        + &leaf("nc:ActivityReasonText", &standing.reason)
        + &nest(
            &["nc:ActivityStatus"],
            &leaf("nc:StatusText", &standing.state),
        )
        + &identification("nc:OrganizationIdentification", &standing.lead, "")
        + &leaf("hs:OrganizationCaseID", &standing.related_case);
    let parts = people()
        + &nest(&["hs:ChildWelfareCase"], &(caseworker() + &case_number()))
        + &nest(&["hs:RelatedCase"], &related);
    document("lk:CasePlanUpdateMessage", envelope, "", &parts)
}

/// A referral of the mother, in the daughter's case.
pub(crate) fn referral(envelope: &Envelope<'_>, referral: &ReferralDraft) -> String {
    let case = caseworker() + &leaf("hs:ReferralReasonText", &referral.reason) + &case_number();
    let status = leaf("nc:StatusText", &referral.status)
        + &leaf("nc:StatusDescriptionText", &referral.reason_code);
    let name = "nc:ActivityIdentification";
    let activity = identification(name, &referral.referral_id, "")
        + &identification(name, &referral.gateway_referral_id, "gateway")
        + &time("nc:ActivityDate", envelope.created_at)
        + &leaf("nc:ActivityReasonText", &referral.reason)
        + &nest(&["nc:ActivityStatus"], &status)
        + "<nc:ReferralActivity structures:ref=\"s1\"/>"
        + &organization("nc:ReferralIssuer", envelope.submitter)
        + &organization("nc:ReferralEntity", &referral.recipient)
        + "<nc:ReferralPerson structures:ref=\"p1\"/>"
        + &nest(
            &["j:ReferralAugmentation"],
            &day("j:ReferralDueDate", &referral.due),
        );
    let service = leaf("nc:ActivityCategoryText", &referral.domain)
        + &leaf("nc:ActivityName", &referral.service)
        + &leaf("hs:ResponsibilityForServiceCostText", &referral.payer)
        + &leaf("hs:ServiceCategoryCode", &referral.category);
    let parts = people()
        + &nest(&["hs:ChildWelfareCase"], &case)
        + &nest(
            &["hs:RelatedCase"],
            &leaf("hs:OrganizationCaseID", &referral.related_case),
        )
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
    use super::{Envelope, comanagement, plan_update, referral};
    use crate::cws::draft::{
        ComanagementDraft, FundingDraft, PlanTaskDraft, PlanUpdateDraft, ReferralDraft,
    };
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
            status: "agreed".into(),
            version: 1,
            goal: "Children remain safely at home & well".into(),
            goal_domain: "safety".into(),
            tasks: vec![PlanTaskDraft {
                task_id: "T1".into(),
                name: "Counselling".into(),
                status: "in_progress".into(),
                start: "2026-02-12T10:00:00-08:00".into(),
                counts_toward: vec!["welfare-to-work".into()],
                assigned: "Marisol Demofield".into(),
                payer: "org-cws".into(),
                category: "Mental Health Services".into(),
                ..PlanTaskDraft::default()
            }],
            fundings: vec![FundingDraft {
                category: "housing".into(),
                payer: "org-cws".into(),
                amount: "900".into(),
            }],
            ..PlanUpdateDraft::default()
        };
        let message = read(&plan_update(&ENVELOPE, &draft)).unwrap();
        assert_eq!(
            message.goals[0].text,
            "Children remain safely at home & well"
        );
        assert_eq!(
            (message.services[0].amount.as_str(), message.services.len()),
            ("900", 1)
        );
        let plan = message.plan.unwrap();
        assert_eq!(
            (plan.status.as_str(), plan.plan_type.as_str()),
            ("agreed", "child-welfare")
        );
        assert_eq!(plan.tasks[0].start, "2026-02-12T10:00:00-08:00");
        assert_eq!(plan.tasks[0].service.as_ref().unwrap().payer, "org-cws");
    }

    #[test]
    fn written_referral_passes_the_strict_reader() {
        let draft = ReferralDraft {
            referral_id: "REF-1".into(),
            status: "referred".into(),
            reason: "work hours".into(),
            recipient: "org-calworks".into(),
            service: "Child care".into(),
            domain: "child-care".into(),
            category: "Other Services".into(),
            ..ReferralDraft::default()
        };
        let message = read(&referral(&ENVELOPE, &draft)).unwrap();
        assert_eq!(message.referrals[0].entity.id, "org-calworks");
        assert_eq!(message.services[0].domain, "child-care");
        assert_eq!(message.persons.len(), 2);
    }

    #[test]
    fn written_comanagement_passes_the_strict_reader() {
        let draft = ComanagementDraft {
            state: "coordinating".into(),
            reason: "family-maintenance".into(),
            lead: "org-cws".into(),
            ..ComanagementDraft::default()
        };
        let message = read(&comanagement(&ENVELOPE, &draft)).unwrap();
        assert_eq!(message.related_cases[0].status, "coordinating");
        assert_eq!(message.related_cases[0].reasons, ["family-maintenance"]);
        assert_eq!(message.caseworkers, [crate::family::CWS_WORKER]);
    }
}
