//! The frame of a message: header, legal basis, notices, people, and the order of the parts.

use tandem_adapter_port::outbound::Outbound;
use tandem_adapter_port::write::WriteContext;

use super::party::{entity, identification, is_child, is_named, person};
use super::time::date_time;
use super::xml::Node;
use crate::describe::{carrier, effect_key};
use crate::key::CmsKey;

/// The parts of a message below its header, in the order of the schema.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Whether the people may be named.
    pub(crate) names_people: bool,
    /// What goes into `hs:ChildWelfareCase` before the case number, in schema order.
    pub(crate) case: Vec<Node>,
    /// `j:CaseAugmentation` content.
    pub(crate) augmentation: Vec<Node>,
    /// `hs:Caseworker`.
    pub(crate) caseworker: Option<Node>,
    /// `hs:ReferralReasonText`.
    pub(crate) referral_reason: Option<Node>,
    /// `hs:RelatedCase`.
    pub(crate) related: Option<Node>,
    /// `nc:Referral`.
    pub(crate) referral: Option<Node>,
    /// `hs:RequestedService`.
    pub(crate) services: Vec<Node>,
    /// `hs:ServicePlanGoal`.
    pub(crate) goals: Vec<Node>,
    /// `hs:Placement`.
    pub(crate) placement: Option<Node>,
}

/// Reference id of a person by place in the message.
pub(crate) fn person_id(index: usize) -> String {
    format!("p{}", index + 1)
}

/// Puts a message together.
pub(crate) fn message(outbound: &Outbound, parts: Parts, context: &WriteContext) -> Node {
    let case = case(outbound, &parts);
    header(outbound, context)
        .with(people(outbound, &parts))
        .with(case)
        .with(parts.related)
        .with(parts.referral)
        .with(parts.services)
        .with(parts.goals)
        .with(parts.placement)
}

fn header(outbound: &Outbound, context: &WriteContext) -> Node {
    let carrier = carrier(&outbound.body);
    let labels = outbound
        .labels
        .iter()
        .map(|label| Node::text("nc:DocumentSensitivityText", label));
    let consent = outbound
        .consent
        .iter()
        .map(|id| Node::text("lk:ConsentReference", id));
    let notices = outbound.notices.iter().map(|notice| {
        Node::new("lk:DataPrivacy")
            .child(Node::text("hs:DataPrivacyIndicator", "true"))
            .child(Node::text(
                "hs:DataPrivacyPolicyReferenceText",
                &notice.code,
            ))
            .child(Node::text("hs:DataPrivacyRuleText", &notice.text))
    });
    Node::new(carrier.message)
        .child(Node::text("nc:DocumentCategoryText", carrier.kind))
        .child(date_time(
            "nc:DocumentCreationDate",
            outbound.created_at,
            &context.zone,
        ))
        .child(identification(
            "nc:DocumentIdentification",
            effect_key(outbound),
        ))
        .child(entity("nc:DocumentRecipient", &outbound.recipient))
        .with(labels)
        .child(entity("nc:DocumentSubmitter", &outbound.sender))
        .child(Node::text("lk:DisclosureBasis", basis(outbound)))
        .with(consent)
        .with(notices)
}

/// The rules on which the disclosure rests. A recall rests on none: it tells nothing new, and names
/// the decision that it follows from.
fn basis(outbound: &Outbound) -> String {
    match outbound.basis.as_slice() {
        [] => format!("decision {}", outbound.decision),
        rules => rules.join(" "),
    }
}

/// Children before parents, as the schema wants; each keeps the reference id of its place.
fn people(outbound: &Outbound, parts: &Parts) -> Vec<Node> {
    if !parts.names_people {
        return Vec::new();
    }
    let everybody = outbound.people.iter().enumerate();
    let mut indexed: Vec<_> = everybody.filter(|(_, one)| is_named(one)).collect();
    indexed.sort_by_key(|(_, one)| !is_child(one));
    indexed
        .into_iter()
        .map(|(index, one)| person(one, &person_id(index)))
        .collect()
}

fn case(outbound: &Outbound, parts: &Parts) -> Option<Node> {
    let number = outbound
        .recipient_case
        .as_deref()
        .filter(|_| parts.names_people);
    let number = number.map(|number| {
        let screen = number.parse::<CmsKey>().map(CmsKey::to_screen);
        Node::text(
            "hs:ChildWelfareAgencyCaseID",
            screen.as_deref().unwrap_or(number),
        )
    });
    let augmentation = Node::new("j:CaseAugmentation")
        .with(parts.augmentation.iter().cloned())
        .unless_empty();
    Node::new("hs:ChildWelfareCase")
        .with(parts.case.iter().cloned())
        .with(augmentation)
        .with(parts.caseworker.clone())
        .with(parts.referral_reason.clone())
        .with(number)
        .unless_empty()
}
