//! Service referrals and how they stand: `nc:Referral` with `hs:RequestedService`.

use tandem_adapter_port::outbound::{Outbound, ReferralStatusView, ReferralView};
use tandem_adapter_port::write::WriteContext;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::referral::SafeContact;

use super::message::{Parts, person_id};
use super::party::{categorised, entity, is_named, worker_entity};
use super::time::date_time;
use super::xml::{Node, optional};
use crate::tables::Tables;

/// Reference id of the service in a message.
const SERVICE: &str = "s1";
/// Category of the gateway's own id of a referral.
pub(crate) const GATEWAY_ID: &str = "gateway";
/// Category of the recipient's own id of a referral.
pub(crate) const OWN_ID: &str = "recipient";

/// What a service is about: NIEM's closed category, and the project's domain beside it.
pub(crate) fn domain_nodes(domain: Domain, tables: &Tables) -> (Node, Option<Node>) {
    let category = tables
        .category(domain)
        .map(|code| Node::text("hs:ServiceCategoryCode", code));
    (
        Node::text("nc:ActivityCategoryText", domain.code()),
        category,
    )
}

/// A referral asked of the recipient, or withdrawn from it.
pub(crate) fn referral(
    outbound: &Outbound,
    view: &ReferralView,
    tables: &Tables,
    context: &WriteContext,
) -> Parts {
    let state = if view.is_withdrawn {
        "cancelled"
    } else {
        "requested"
    };
    let reason = view.withdrawn_reason.map(|reason| reason.code());
    let status = Node::new("nc:ActivityStatus")
        .child(Node::text("nc:StatusText", state))
        .with(optional("nc:StatusDescriptionText", reason));
    let part_of = view.part_of.map(|id| comment("part-of", &id.to_string()));
    let supervisor = view.worker.as_ref();
    let supervisor = supervisor.and_then(|worker| worker_entity("nc:ReferralSupervisor", worker));
    let node = Node::new("nc:Referral")
        .child(categorised(
            "nc:ActivityIdentification",
            view.referral.to_string(),
            GATEWAY_ID,
        ))
        .child(Node::text("nc:ActivityCategoryText", view.urgency.code()))
        .with(part_of)
        .child(date_time(
            "nc:ActivityDate",
            view.requested_at,
            &context.zone,
        ))
        .with(optional(
            "nc:ActivityDescriptionText",
            view.safe_contact.as_ref().map(safe_contact),
        ))
        .with(optional("nc:ActivityReasonText", view.need.as_ref()))
        .child(status)
        .child(Node::new("nc:ReferralActivity").reference(SERVICE))
        .child(entity("nc:ReferralIssuer", &outbound.sender))
        .with(supervisor)
        .child(entity("nc:ReferralEntity", &outbound.recipient))
        .with(referred(outbound));
    let service = requested_service(view, tables);
    Parts {
        names_people: true,
        referral: Some(node),
        services: vec![service],
        ..Parts::default()
    }
}

/// The people referred, by reference.
fn referred(outbound: &Outbound) -> impl Iterator<Item = Node> {
    let everybody = outbound.people.iter().enumerate();
    let named = everybody.filter(|(_, one)| is_named(one));
    named.map(|(index, _)| Node::new("nc:ReferralPerson").reference(person_id(index)))
}

/// The service asked for, under the recipient's own id of it where that is known.
fn requested_service(view: &ReferralView, tables: &Tables) -> Node {
    let directory = || view.service.as_ref().map(ToString::to_string);
    let reference = view.service_reference.clone().or_else(directory);
    let (domain, category) = domain_nodes(view.domain, tables);
    Node::new("hs:RequestedService")
        .id(SERVICE)
        .with(reference.map(|id| categorised("nc:ActivityIdentification", id, "service")))
        .child(domain)
        .with(optional("nc:ActivityName", view.service_name.as_ref()))
        .with(category)
}

/// How a referral stands.
pub(crate) fn status(
    outbound: &Outbound,
    view: &ReferralStatusView,
    tables: &Tables,
    context: &WriteContext,
) -> Parts {
    let own = view.recipient_ref.as_ref();
    let own = own.map(|id| categorised("nc:ActivityIdentification", id, OWN_ID));
    let outputs = view.outputs.iter().filter_map(|output| {
        let text = output.text.as_deref().or(output.reference.as_deref())?;
        Some(comment(&output.kind, text))
    });
    let service = view.domain.map(|domain| {
        let (domain, category) = domain_nodes(domain, tables);
        Node::new("hs:RequestedService")
            .id(SERVICE)
            .child(domain)
            .with(category)
    });
    let node = Node::new("nc:Referral")
        .with(own)
        .child(categorised(
            "nc:ActivityIdentification",
            view.referral.to_string(),
            GATEWAY_ID,
        ))
        .with(outputs)
        .child(date_time("nc:ActivityDate", view.at, &context.zone))
        .child(standing(view, context))
        .with(
            service
                .as_ref()
                .map(|_| Node::new("nc:ReferralActivity").reference(SERVICE)),
        )
        .with(
            view.target
                .as_ref()
                .map(|target| entity("nc:ReferralEntity", target)),
        )
        .with(referred(outbound));
    let services = service.into_iter().collect();
    Parts {
        names_people: true,
        referral: Some(node),
        services,
        ..Parts::default()
    }
}

/// State, reason in words, reason code, sub-status, since when.
fn standing(view: &ReferralStatusView, context: &WriteContext) -> Node {
    Node::new("nc:ActivityStatus")
        .child(Node::text("nc:StatusText", view.status.code()))
        .with(optional("nc:StatusCommentText", view.reason_text.as_ref()))
        .with(optional(
            "nc:StatusDescriptionText",
            view.reason.map(|reason| reason.code()),
        ))
        .with(optional(
            "nc:StatusDescriptionText",
            view.sub_status.map(|sub| sub.code()),
        ))
        .child(date_time("nc:StatusDate", view.at, &context.zone))
}

/// A short text with a title that says what it is.
pub(crate) fn comment(title: &str, text: &str) -> Node {
    Node::new("nc:ActivityComment")
        .child(Node::text("nc:CommentText", text))
        .child(Node::text("nc:CommentTitleText", title))
}

fn safe_contact(contact: &SafeContact) -> String {
    let may = match contact.may_contact {
        Some(true) => Some("client may be contacted".to_owned()),
        Some(false) => Some("client must not be contacted".to_owned()),
        None => None,
    };
    let language = contact
        .language
        .as_ref()
        .map(|language| format!("language: {language}"));
    let interpreter = contact
        .interpreter
        .filter(|needed| *needed)
        .map(|_| "interpreter needed".to_owned());
    [may, contact.how.clone(), language, interpreter]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
}
