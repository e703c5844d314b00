//! The parts of a NIEM message, as far as they interest the worker who reads it.

use super::niem_names::{HS, J, LK, NC};
use super::view::{
    NiemCaseEvent, NiemGoal, NiemKind, NiemMessage, NiemParty, NiemPerson, NiemPlan, NiemReferral,
    NiemRelatedCase, NiemService, NiemTask,
};
use super::xml::Element;

const ORGANIZATION_ID: [(&str, &str); 2] =
    [(NC, "OrganizationIdentification"), (NC, "IdentificationID")];
const STATUS: [(&str, &str); 2] = [(NC, "ActivityStatus"), (NC, "StatusText")];
const STATUS_DETAIL: [(&str, &str); 2] = [(NC, "ActivityStatus"), (NC, "StatusDescriptionText")];

/// The whole message; what is absent is blank.
pub(crate) fn view(kind: NiemKind, root: &Element, xml: &str) -> NiemMessage {
    let cases: Vec<&Element> = root.all(HS, "ChildWelfareCase").collect();
    let case_text = |name| -> Vec<String> {
        cases
            .iter()
            .flat_map(|case| case.all(HS, name))
            .map(|one| trimmed(&one.text))
            .collect()
    };
    let plan = cases
        .iter()
        .find_map(|case| case.at(&[(J, "CaseAugmentation"), (J, "CasePlan")]))
        .map(plan_view);
    let persons = [(HS, "Child"), (HS, "Parent")]
        .into_iter()
        .flat_map(|(space, name)| root.all(space, name))
        .map(person_view)
        .collect();
    let caseworkers = cases
        .iter()
        .flat_map(|case| case.all(HS, "Caseworker"))
        .map(|worker| worker.text_at(&[(NC, "PersonName"), (NC, "PersonFullName")]))
        .collect();
    NiemMessage {
        kind,
        category: root.text_at(&[(NC, "DocumentCategoryText")]),
        message_id: root.text_at(&[(NC, "DocumentIdentification"), (NC, "IdentificationID")]),
        created_at: root.text_at(&[(NC, "DocumentCreationDate"), (NC, "DateTime")]),
        recipient: organization(root, "DocumentRecipient"),
        submitter: organization(root, "DocumentSubmitter"),
        disclosure_basis: root.text_at(&[(LK, "DisclosureBasis")]),
        consent_reference: root.text_at(&[(LK, "ConsentReference")]),
        privacy: root
            .all(LK, "DataPrivacy")
            .map(|rule| rule.text_at(&[(HS, "DataPrivacyPolicyReferenceText")]))
            .collect(),
        persons,
        case_ids: case_text("ChildWelfareAgencyCaseID"),
        related_cases: root.all(HS, "RelatedCase").map(related_case_view).collect(),
        case_events: cases
            .iter()
            .filter_map(|case| case.at(&[(J, "CaseAugmentation")]))
            .flat_map(|case| {
                case.all(J, "CaseConference")
                    .chain(case.all(J, "CaseActivity"))
            })
            .map(case_event_view)
            .collect(),
        caseworkers,
        case_reason: case_text("ReferralReasonText").join("; "),
        plan,
        goals: root.all(HS, "ServicePlanGoal").map(goal_view).collect(),
        referrals: root.all(NC, "Referral").map(referral_view).collect(),
        services: root.all(HS, "RequestedService").map(service_view).collect(),
        raw: xml.to_owned(),
    }
}

fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

fn organization(element: &Element, role: &str) -> NiemParty {
    let Some(party) = element.at(&[(NC, role), (NC, "EntityOrganization")]) else {
        return NiemParty::default();
    };
    NiemParty {
        id: party.text_at(&ORGANIZATION_ID),
        name: party.text_at(&[(NC, "OrganizationName")]),
    }
}

/// (category, id) of each identification with that name.
fn ids(element: &Element, name: &str) -> Vec<(String, String)> {
    element
        .all(NC, name)
        .map(|id| {
            let category = id.text_at(&[(NC, "IdentificationCategoryText")]);
            (category, id.text_at(&[(NC, "IdentificationID")]))
        })
        .collect()
}

fn reasons(activity: &Element) -> Vec<String> {
    activity
        .all(NC, "ActivityReasonText")
        .map(|reason| trimmed(&reason.text))
        .collect()
}

fn related_case_view(case: &Element) -> NiemRelatedCase {
    NiemRelatedCase {
        category: case.text_at(&[(NC, "ActivityCategoryText")]),
        status: case.text_at(&STATUS),
        organization: case.text_at(&ORGANIZATION_ID),
        case_id: case.text_at(&[(HS, "OrganizationCaseID")]),
        reasons: reasons(case),
        date: date(case, "ActivityDate"),
        description: case.text_at(&[(NC, "ActivityDescriptionText")]),
    }
}

fn case_event_view(event: &Element) -> NiemCaseEvent {
    let comments = event
        .all(NC, "ActivityComment")
        .map(|one| {
            (
                one.text_at(&[(NC, "CommentTitleText")]),
                one.text_at(&[(NC, "CommentText")]),
            )
        })
        .collect();
    NiemCaseEvent {
        element: event.name.clone(),
        category: event.text_at(&[(NC, "ActivityCategoryText")]),
        name: event.text_at(&[(NC, "ActivityName")]),
        status: event.text_at(&STATUS),
        reasons: reasons(event),
        date: date(event, "ActivityDate"),
        comments,
        ids: ids(event, "ActivityIdentification"),
    }
}

fn person_view(person: &Element) -> NiemPerson {
    let name = |part| person.text_at(&[(NC, "PersonName"), (NC, part)]);
    let kinds = [
        "PersonOtherIdentification",
        "PersonStateIdentification",
        "PersonSSNIdentification",
    ];
    let identifiers = person
        .children
        .iter()
        .filter(|child| child.namespace == NC && kinds.contains(&child.name.as_str()))
        .map(|id| {
            let category = id.text_at(&[(NC, "IdentificationCategoryText")]);
            let category = if category.is_empty() {
                id.name.clone()
            } else {
                category
            };
            (category, id.text_at(&[(NC, "IdentificationID")]))
        })
        .collect();
    NiemPerson {
        role: person.name.clone(),
        given_name: name("PersonGivenName"),
        surname: name("PersonSurName"),
        full_name: name("PersonFullName"),
        birth_date: date(person, "PersonBirthDate"),
        sex: person.text_at(&[(J, "PersonSexCode")]),
        identifiers,
    }
}

/// A date or a date with time under a NIEM date element.
fn date(element: &Element, name: &str) -> String {
    let day = element.text_at(&[(NC, name), (NC, "Date")]);
    if day.is_empty() {
        element.text_at(&[(NC, name), (NC, "DateTime")])
    } else {
        day
    }
}

fn plan_view(plan: &Element) -> NiemPlan {
    let category = [
        (NC, "PlanIdentification"),
        (NC, "IdentificationCategoryText"),
    ];
    NiemPlan {
        plan_type: plan.text_at(&category),
        status: plan.text_at(&[(NC, "PlanComment"), (NC, "CommentText")]),
        plan_id: plan.text_at(&[(NC, "PlanIdentification"), (NC, "IdentificationID")]),
        created: date(plan, "PlanCreatedDate"),
        updated: date(plan, "PlanUpdatedDate"),
        tasks: plan.all(NC, "PlanTask").map(task_view).collect(),
    }
}

fn task_view(task: &Element) -> NiemTask {
    let worker = [
        (NC, "TaskAssignedEntity"),
        (NC, "EntityPerson"),
        (NC, "PersonName"),
        (NC, "PersonFullName"),
    ];
    let assigned = task.text_at(&worker);
    NiemTask {
        task_id: task.text_at(&[(NC, "TaskID")]),
        name: task.text_at(&[(NC, "TaskName")]),
        description: task.text_at(&[(NC, "TaskDescriptionText")]),
        status: task.text_at(&[(NC, "TaskStatus"), (NC, "StatusText")]),
        status_detail: task.text_at(&[(NC, "TaskStatus"), (NC, "StatusDescriptionText")]),
        start: date(task, "TaskStartDate"),
        end: date(task, "TaskEndDate"),
        due: date(task, "TaskDueDate"),
        assigned,
        service: task
            .at(&[(HS, "TaskAugmentation"), (HS, "Service")])
            .map(service_view),
    }
}

fn service_view(service: &Element) -> NiemService {
    NiemService {
        name: service.text_at(&[(NC, "ActivityName")]),
        payer: service.text_at(&[(HS, "ResponsibilityForServiceCostText")]),
        category: service.text_at(&[(HS, "ServiceCategoryCode")]),
        domain: service.text_at(&[(NC, "ActivityCategoryText")]),
        amount: service.text_at(&[(HS, "ServiceCostValue")]),
    }
}

fn goal_view(goal: &Element) -> NiemGoal {
    let target = goal.at(&[(LK, "GoalAugmentation")]);
    NiemGoal {
        goal_id: goal.text_at(&[(NC, "ActivityIdentification"), (NC, "IdentificationID")]),
        domain: goal.text_at(&[(NC, "ActivityCategoryText")]),
        achievement: goal.text_at(&STATUS_DETAIL),
        text: goal.text_at(&[(NC, "ActivityDescriptionText")]),
        status: goal.text_at(&[(NC, "ActivityStatus"), (NC, "StatusText")]),
        permanency_goal: goal.text_at(&[(HS, "AFCARSPermanencyGoalCode")]),
        target_date: target.map_or_else(String::new, |target| {
            target.text_at(&[(HS, "PermanencyAchievementDate"), (NC, "Date")])
        }),
    }
}

fn referral_view(referral: &Element) -> NiemReferral {
    let ids = ids(referral, "ActivityIdentification");
    let details = referral
        .at(&[(NC, "ActivityStatus")])
        .into_iter()
        .flat_map(|status| status.all(NC, "StatusDescriptionText"))
        .map(|detail| trimmed(&detail.text))
        .collect();
    NiemReferral {
        referral_id: ids.first().map_or_else(String::new, |(_, id)| id.clone()),
        ids,
        status: referral.text_at(&STATUS),
        status_details: details,
        status_comment: referral.text_at(&[(NC, "ActivityStatus"), (NC, "StatusCommentText")]),
        reason: referral.text_at(&[(NC, "ActivityReasonText")]),
        description: referral.text_at(&[(NC, "ActivityDescriptionText")]),
        date: date(referral, "ActivityDate"),
        issuer: organization(referral, "ReferralIssuer"),
        entity: organization(referral, "ReferralEntity"),
        due: referral.text_at(&[
            (J, "ReferralAugmentation"),
            (J, "ReferralDueDate"),
            (NC, "Date"),
        ]),
    }
}
