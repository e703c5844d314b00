//! Reads the two NIEM messages as a strict stranger: by namespace, with every broken rule named.

use super::key;
use super::niem_names::{
    FIRST_OWN_PART, HS, INNER_ORDER, J, LK, NC, ORDER, STRUCTURES, code_lists,
};
use super::view::{
    NiemCaseEvent, NiemGoal, NiemKind, NiemMessage, NiemParty, NiemPerson, NiemPlan, NiemReferral,
    NiemRelatedCase, NiemService, NiemTask,
};
use super::xml::Element;

/// (rule, detail) of a complaint; the caller knows the place.
pub(crate) type Complaint = (&'static str, String);

const ORGANIZATION_ID: [(&str, &str); 2] =
    [(NC, "OrganizationIdentification"), (NC, "IdentificationID")];
const STATUS: [(&str, &str); 2] = [(NC, "ActivityStatus"), (NC, "StatusText")];
const STATUS_DETAIL: [(&str, &str); 2] = [(NC, "ActivityStatus"), (NC, "StatusDescriptionText")];

/// Reads a message; complaints come instead of it.
pub(crate) fn read(xml: &str) -> Result<NiemMessage, Vec<Complaint>> {
    let root = Element::parse(xml).map_err(|error| vec![("xml", format!("{error:#}"))])?;
    let kind = match (root.namespace.as_str(), root.name.as_str()) {
        (LK, "CoordinatedReferralMessage") => NiemKind::CoordinatedReferral,
        (LK, "CasePlanUpdateMessage") => NiemKind::CasePlanUpdate,
        _ => return Err(vec![("root", "neither of the two messages".to_owned())]),
    };
    let message = view(kind, &root, xml);
    let mut complaints = order(&root);
    complaints.extend(references(&root));
    complaints.extend(codes(&root));
    complaints.extend(required(&message));
    if complaints.is_empty() {
        Ok(message)
    } else {
        Err(complaints)
    }
}

fn view(kind: NiemKind, root: &Element, xml: &str) -> NiemMessage {
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

/// Children of the message stand in schema order, and none is unknown.
fn order(root: &Element) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut last = 0;
    for child in &root.children {
        let place = ORDER
            .iter()
            .position(|(space, name)| child.namespace == *space && child.name == *name);
        let is_document_part = child.namespace == NC && child.name.starts_with("Document");
        match place {
            // The document type has forty more parts; they stand before the extension's own.
            None if is_document_part && last < FIRST_OWN_PART => {}
            None => complaints.push(("unknown-element", child.name.clone())),
            Some(place) if place < last => complaints.push(("order", child.name.clone())),
            Some(place) => last = place,
        }
    }
    for element in root.walk() {
        let Some((_, parts)) = INNER_ORDER.iter().find(|(name, _)| *name == element.name) else {
            continue;
        };
        let places = element
            .children
            .iter()
            .filter_map(|child| parts.iter().position(|part| *part == child.name));
        if !places.is_sorted() {
            complaints.push(("order", format!("inside {}", element.name)));
        }
    }
    complaints
}

/// Every `structures:ref` points at one `structures:id` of the same kind of element.
fn references(root: &Element) -> Vec<Complaint> {
    let elements = root.walk();
    let mut complaints = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    for element in &elements {
        if let Some(id) = element.attribute(STRUCTURES, "id") {
            if ids.contains(&id) {
                complaints.push(("id-twice", id.to_owned()));
            }
            ids.push(id);
        }
    }
    for element in &elements {
        if let Some(reference) = element.attribute(STRUCTURES, "ref")
            && !ids.contains(&reference)
        {
            complaints.push((
                "dangling-reference",
                format!("{} -> {reference}", element.name),
            ));
        }
    }
    complaints
}

/// Values of closed NIEM lists, dates, and screen forms of case ids.
fn codes(root: &Element) -> Vec<Complaint> {
    let Ok(lists) = code_lists() else {
        return vec![(
            "code-lists",
            "the embedded code lists are malformed".to_owned(),
        )];
    };
    let mut complaints = Vec::new();
    for element in root.walk() {
        let value = element.text.trim();
        if let Some(values) = lists.get(element.name.as_str())
            && !values.iter().any(|allowed| allowed == value)
        {
            complaints.push(("code", format!("{} = {value}", element.name)));
        }
        let well_formed = match (element.namespace.as_str(), element.name.as_str()) {
            (NC, "Date") => value.len() == 10 && value.parse::<jiff::civil::Date>().is_ok(),
            (NC, "DateTime") => value.parse::<jiff::Timestamp>().is_ok(),
            (HS, "ChildWelfareAgencyCaseID") => key::is_screen_form(value),
            _ => true,
        };
        if !well_formed {
            complaints.push(("value", format!("{} is malformed", element.name)));
        }
    }
    complaints
}

/// What the receiving desk cannot do without.
fn required(message: &NiemMessage) -> Vec<Complaint> {
    let mut missing = Vec::new();
    let mut need = |value: &str, name: &'static str| {
        if value.is_empty() {
            missing.push(("required", name.to_owned()));
        }
    };
    need(&message.message_id, "DocumentIdentification");
    need(&message.created_at, "DocumentCreationDate");
    need(&message.disclosure_basis, "DisclosureBasis");
    match message.kind {
        NiemKind::CoordinatedReferral => {
            for (party, name) in [
                (&message.recipient, "DocumentRecipient"),
                (&message.submitter, "DocumentSubmitter"),
            ] {
                if party.is_nobody() {
                    need("", name);
                }
            }
            if message.referrals.is_empty() {
                need("", "Referral");
            }
            for referral in &message.referrals {
                need(
                    &referral.referral_id,
                    "ActivityIdentification of the Referral",
                );
                need(&referral.status, "ActivityStatus of the Referral");
                need(&referral.date, "ActivityDate of the Referral");
                if referral.status == "requested" || referral.status == "referred" {
                    let wanted = message.services.iter().any(|one| {
                        !(one.name.is_empty() && one.category.is_empty() && one.domain.is_empty())
                    });
                    need(if wanted { "yes" } else { "" }, "RequestedService");
                }
            }
        }
        NiemKind::CasePlanUpdate => {
            let is_empty = message.plan.is_none()
                && message.goals.is_empty()
                && message.case_events.is_empty()
                && message.related_cases.is_empty();
            if is_empty {
                need("", "CasePlan, ServicePlanGoal, CaseActivity or RelatedCase");
            }
            if let Some(plan) = &message.plan {
                need(&plan.plan_id, "PlanIdentification");
                for task in &plan.tasks {
                    need(&task.task_id, "TaskID");
                    need(&task.status, "TaskStatus");
                }
            }
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::cws::view::NiemKind;

    const REFERRAL: &str = include_str!("../../fixtures/referral_example.xml");
    const PLAN: &str = include_str!("../../fixtures/case_plan_update_example.xml");

    fn rules(xml: &str) -> Vec<&'static str> {
        read(xml)
            .unwrap_err()
            .into_iter()
            .map(|(rule, _)| rule)
            .collect()
    }

    #[test]
    fn published_examples_are_read_whole() {
        let referral = read(REFERRAL).unwrap();
        assert_eq!(referral.kind, NiemKind::CoordinatedReferral);
        assert_eq!(referral.message_id, "MSG-0001");
        assert_eq!(referral.consent_reference, "CONSENT-77");
        assert_eq!(referral.related_cases[0].case_id, "CALWORKS-CASE-1");
        assert_eq!(referral.referrals[0].status, "referred");
        assert_eq!(referral.referrals[0].due, "2026-03-05");
        assert_eq!(referral.services[0].payer, "CalWORKs");
        assert_eq!(
            referral.persons[0].identifiers,
            [("cws-cms-client".to_owned(), "5Y3vKVs0X5".to_owned())]
        );
        let plan = read(PLAN).unwrap();
        assert_eq!(plan.privacy, ["WIC 832"]);
        assert_eq!(plan.goals[0].target_date, "2026-08-20");
        let task = &plan.plan.unwrap().tasks[0];
        assert_eq!(
            (task.name.as_str(), task.due.as_str()),
            ("Parenting education", "2026-06-30")
        );
        assert_eq!(task.assigned, "Maria Example");
    }

    #[test]
    fn dangling_reference_wrong_code_and_missing_parts_are_refused() {
        assert_eq!(
            rules(&REFERRAL.replace("ref=\"s1\"", "ref=\"s9\"")),
            ["dangling-reference"]
        );
        assert_eq!(rules(&REFERRAL.replace(">F<", ">Q<")), ["code", "code"]);
        assert_eq!(rules(&PLAN.replace(">ca_832_cft<", "><")), ["required"]);
        assert_eq!(rules(&PLAN.replace("-8002051", "-999999")), ["value"]);
        assert_eq!(
            rules(&PLAN.replace("<nc:TaskID>T1</nc:TaskID>", "")),
            ["required"]
        );
    }

    #[test]
    fn strange_or_misplaced_element_is_refused() {
        assert_eq!(
            rules(&PLAN.replace("hs:Placement>", "hs:Displacement>")),
            ["unknown-element"]
        );
        let basis = "<lk:DisclosureBasis>ca_832_cft</lk:DisclosureBasis>";
        let late = PLAN.replace(basis, "").replace(
            "</lk:CasePlanUpdateMessage>",
            &format!("{basis}</lk:CasePlanUpdateMessage>"),
        );
        assert_eq!(rules(&late), ["order"]);
        let swapped = PLAN.replace("<nc:TaskID>T1</nc:TaskID>", "").replace(
            "</nc:TaskStatus>",
            "</nc:TaskStatus><nc:TaskID>T1</nc:TaskID>",
        );
        assert_eq!(rules(&swapped), ["order"]);
        assert_eq!(rules("<other/>"), ["root"]);
    }
}
