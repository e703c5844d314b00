//! Reads the two NIEM messages as a strict stranger: by namespace, with every broken rule named.

use super::key;
use super::niem_names::{FIRST_OWN_PART, HS, INNER_ORDER, LK, NC, ORDER, STRUCTURES, code_lists};
use super::niem_parts::view;
use super::view::{NiemKind, NiemMessage};
use super::xml::Element;

/// (rule, detail) of a complaint; the caller knows the place.
pub(crate) type Complaint = (&'static str, String);

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
