//! `nc:Referral`: a referral asked for, or how one stands.

use tandem_adapter_port::deviation::Deviation;
use tandem_adapter_port::read::{Sink, Stopped};
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{ServiceId, SourcePersonId};
use tandem_mappings::model::referral::{
    ReasonCode, ReferralOutput, ReferralRef, ReferralRequest, ReferralStatus, ReferralTarget,
    ReferralUpdate, SubStatus, Urgency,
};

use super::check::place;
use super::person::worker;
use super::told::{Message, organization};
use super::tree::Element;
use super::value::moment;
use crate::tables::SERVICE_CATEGORY;

/// Titles of comments that are no outcome of the service.
const PART_OF: &str = "part-of";

/// Tells every referral of a message.
pub(crate) fn tell(message: &Message<'_>, sink: &mut dyn Sink) -> Result<(), Stopped> {
    for (index, element) in message.root.all("nc:Referral").enumerate() {
        let Some(referral) = reference(element) else {
            let expected = "nc:ActivityIdentification, the referral's id";
            message.drop_record(element, "required-element-missing", expected, sink);
            continue;
        };
        let Some(status) = status(message, element, sink) else {
            continue;
        };
        let subjects = subjects(message, element);
        let body = match status {
            ReferralStatus::Draft | ReferralStatus::Requested => {
                match request(message, element, referral, subjects.clone(), sink) {
                    Some(request) if status == ReferralStatus::Draft => {
                        Body::ReferralDrafted(Box::new(request))
                    }
                    Some(request) => Body::ReferralRequested(Box::new(request)),
                    None => continue,
                }
            }
            _ => moved(status, update(element, referral, status)),
        };
        let zone = &message.context.zone;
        let when = moment(element.at("nc:ActivityStatus/nc:StatusDate"), zone)
            .or_else(|| moment(element.at("nc:ActivityDate"), zone));
        message.tell(
            &format!("referral:{index}"),
            when,
            subjects.first(),
            body,
            sink,
        )?;
    }
    Ok(())
}

/// Both sides' ids: a UUID is the gateway's, anything else the sender's own.
fn reference(element: &Element) -> Option<ReferralRef> {
    let mut whole: Option<ReferralRef> = None;
    for id in element.all("nc:ActivityIdentification") {
        let Some(text) = id.text_at("nc:IdentificationID") else {
            continue;
        };
        let part = ReferralRef::from_message(text);
        let known = whole.get_or_insert_with(ReferralRef::default);
        known.id = known.id.or(part.id);
        known.source_ref = known.source_ref.take().or(part.source_ref);
        known.target_ref = known.target_ref.take().or(part.target_ref);
    }
    whole
}

fn status(message: &Message<'_>, element: &Element, sink: &mut dyn Sink) -> Option<ReferralStatus> {
    let Some(text) = element.text_at("nc:ActivityStatus/nc:StatusText") else {
        let expected = "nc:ActivityStatus with nc:StatusText";
        message.drop_record(element, "required-element-missing", expected, sink);
        return None;
    };
    let code = message.tables.status("referral", text);
    let status = code.and_then(|code| ReferralStatus::from_code(&code));
    if status.is_none() {
        let expected = "a status of a referral, such as requested, accepted or completed";
        message.drop_record(element, "status-unknown", expected, sink);
    }
    status
}

fn subjects(message: &Message<'_>, element: &Element) -> Vec<SourcePersonId> {
    let people = element
        .all("nc:ReferralPerson")
        .filter_map(|one| message.person(one));
    people.map(|known| known.id.clone()).collect()
}

fn request(
    message: &Message<'_>,
    element: &Element,
    referral: ReferralRef,
    subjects: Vec<SourcePersonId>,
    sink: &mut dyn Sink,
) -> Option<ReferralRequest> {
    if subjects.is_empty() {
        let expected = "nc:ReferralPerson that refers to a child or parent of the message";
        message.drop_record(element, "referral-without-person", expected, sink);
        return None;
    }
    let service = service(message, element);
    let (domain, original) = domain(message, service);
    let target = target(message, element, service, sink);
    if element.at("nc:ActivityDescriptionText").is_some() {
        let expected = "no note: it stays with the original and is not forwarded";
        let place = place(message.file, element).field("nc:ActivityDescriptionText");
        sink.deviation(Deviation::info("note-not-forwarded", place, expected));
    }
    let supervisor = element.at("nc:ReferralSupervisor/nc:EntityPerson");
    let caseworker = message.root.at("hs:ChildWelfareCase/hs:Caseworker");
    let urgency = element
        .text_at("nc:ActivityCategoryText")
        .and_then(Urgency::from_code);
    let need = element.text_at("nc:ActivityReasonText");
    let need = need.or_else(|| service?.text_at("nc:ActivityName"));
    Some(ReferralRequest {
        referral,
        source: organization(element.at("nc:ReferralIssuer")),
        worker: supervisor.or(caseworker).and_then(worker),
        target,
        domain,
        original,
        subjects,
        household: None,
        urgency: urgency.unwrap_or(Urgency::Routine),
        need: need.map(str::to_owned),
        safe_contact: None,
        goal: None,
        part_of: Message::comments(element, PART_OF).map(ReferralRef::from_message),
        source_resources: Vec::new(),
    })
}

/// The requested service: the one referred to, else the only one of the message.
fn service<'e>(message: &'e Message<'_>, element: &'e Element) -> Option<&'e Element> {
    let referred = element
        .at("nc:ReferralActivity")
        .and_then(|one| message.resolve(one));
    referred.or_else(|| message.root.at("hs:RequestedService"))
}

/// The canonical domain: the project's own code where the sender gives it, else by NIEM's category.
pub(crate) fn domain(message: &Message<'_>, service: Option<&Element>) -> (Domain, Option<Coding>) {
    let Some(service) = service else {
        return (Domain::Other, None);
    };
    let category = service.text_at("hs:ServiceCategoryCode");
    let original = category.map(|code| Coding::new(format!("niem:{SERVICE_CATEGORY}"), code));
    let own = service
        .text_at("nc:ActivityCategoryText")
        .and_then(Domain::from_code);
    let by_category = || category.and_then(|code| message.tables.domain(code));
    (own.or_else(by_category).unwrap_or(Domain::Other), original)
}

fn target(
    message: &Message<'_>,
    element: &Element,
    service: Option<&Element>,
    sink: &mut dyn Sink,
) -> ReferralTarget {
    let named = organization(element.at("nc:ReferralEntity"));
    let organization = named.or_else(|| organization(message.root.at("nc:DocumentRecipient")));
    let id = "nc:ActivityIdentification/nc:IdentificationID";
    let service = service.and_then(|service| service.text_at(id));
    let target = ReferralTarget {
        organization,
        service: service.and_then(|id| ServiceId::new(id).ok()),
    };
    if target == ReferralTarget::default() {
        let expected =
            "nc:OrganizationIdentification of the receiving agency: a name alone finds nobody";
        let place = place(message.file, element).field("nc:ReferralEntity");
        sink.deviation(Deviation::warning("target-without-id", place, expected));
    }
    target
}

fn update(element: &Element, referral: ReferralRef, status: ReferralStatus) -> ReferralUpdate {
    let standing = element.at("nc:ActivityStatus");
    let details: Vec<&str> = standing
        .into_iter()
        .flat_map(|standing| standing.all("nc:StatusDescriptionText"))
        .map(|detail| detail.text.as_str())
        .collect();
    let reason = details
        .iter()
        .find_map(|detail| ReasonCode::from_code(detail));
    // A word of both lists is the reason where it comes first.
    let is_reason = |detail: &&&str| reason.is_some_and(|reason| reason.code() == **detail);
    let rest = details
        .iter()
        .filter(|detail| !is_reason(detail) || details.len() > 1);
    let sub_status = rest.rev().find_map(|detail| SubStatus::from_code(detail));
    let words = |path: &str| standing.and_then(|one| one.text_at(path));
    let reason_text =
        words("nc:StatusCommentText").or_else(|| element.text_at("nc:ActivityReasonText"));
    let outputs = element.all("nc:ActivityComment").filter_map(output);
    ReferralUpdate {
        referral,
        status,
        reason,
        reason_text: reason_text.map(str::to_owned),
        sub_status,
        role: None,
        outputs: outputs.collect(),
        original: words("nc:StatusText").map(|text| Coding::new("niem:StatusText", text)),
    }
}

fn output(comment: &Element) -> Option<ReferralOutput> {
    let kind = comment.text_at("nc:CommentTitleText").unwrap_or("text");
    let text = comment
        .text_at("nc:CommentText")
        .filter(|_| kind != PART_OF)?;
    Some(ReferralOutput {
        kind: kind.to_owned(),
        text: Some(text.to_owned()),
        coding: None,
        reference: None,
    })
}

fn moved(status: ReferralStatus, update: ReferralUpdate) -> Body {
    let update = Box::new(update);
    match status {
        ReferralStatus::Accepted => Body::ReferralAccepted(update),
        ReferralStatus::Rejected => Body::ReferralRejected(update),
        ReferralStatus::InProgress => Body::ReferralInProgress(update),
        ReferralStatus::OnHold => Body::ReferralOnHold(update),
        ReferralStatus::Cancelled => Body::ReferralCancelled(update),
        ReferralStatus::Completed | ReferralStatus::Failed => Body::ReferralClosed(update),
        _ => Body::ReferralError(update),
    }
}
