//! From a permitted view to a message.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tandem_adapter_port::outbound::{Outbound, OutboundBody, OutboundPerson};
use tandem_adapter_port::write::WriteContext;
use tandem_mappings::model::person::Sex;
use tandem_mappings::model::worker::WorkerContact;

use super::{referral, situation};
use crate::describe::effect_key;
use crate::linkages::{Fields, Message};
use crate::tables::LineType;

/// The message of a view, complete or not.
pub(super) fn message(outbound: &Outbound, context: &WriteContext) -> Message {
    let mut message = Message {
        id: effect_key(outbound),
        ..Message::default()
    };
    let header = &mut message.header;
    header.set("created_at", moment(outbound.created_at, &context.zone));
    header.set("sender", outbound.sender.id.as_str());
    header.set("recipient", outbound.recipient.id.as_str());
    header.set_some("case_number", outbound.recipient_case.as_ref());
    header.set("disclosure_basis", outbound.basis.join(";"));
    header.set("decision_id", outbound.decision.to_string());
    let notices: Vec<&str> = outbound
        .notices
        .iter()
        .map(|notice| notice.code.as_str())
        .collect();
    header.set("notices", notices.join(";"));
    let is_recall = matches!(outbound.body, OutboundBody::Recall(_));
    if !is_recall {
        // A person whom the recipient does not know under an id of its own is named only where the recipient is asked to
        // take somebody on.
        let is_asked = matches!(outbound.body, OutboundBody::Referral(_));
        for (place, told) in outbound.people.iter().enumerate() {
            if told.person.is_some() || is_asked {
                message.push(LineType::Person, person(told, place));
            }
        }
    }
    let zone = &context.zone;
    match &outbound.body {
        OutboundBody::MutualClient(view) => situation::mutual_client(&mut message, view),
        OutboundBody::Referral(view) => referral::request(&mut message, view, outbound, zone),
        OutboundBody::ReferralStatus(view) => referral::status(&mut message, view, zone),
        OutboundBody::Plan(view) => situation::plan(&mut message, view, zone),
        OutboundBody::Participation(view) => situation::participation(&mut message, view),
        OutboundBody::Comanagement(view) => situation::comanagement(&mut message, view, zone),
        OutboundBody::Meeting(view) => situation::meeting(&mut message, view, zone),
        OutboundBody::Assessment(view) => situation::assessment(&mut message, view),
        OutboundBody::Conflict(view) => situation::conflict(&mut message, view, zone),
        OutboundBody::Change(view) => situation::change(&mut message, view),
        OutboundBody::Recall(view) => situation::recall(&mut message, view),
        OutboundBody::ConsentReminder(view) => situation::consent_reminder(&mut message, view),
    }
    message
}

/// A moment as RFC 3339 with the jurisdiction's offset.
pub(super) fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.display_with_offset(zone.to_offset(at)).to_string()
}

/// The day of a moment in the jurisdiction's zone.
pub(super) fn day(at: Timestamp, zone: &TimeZone) -> Date {
    at.to_zoned(zone.clone()).date()
}

/// The worker in charge, where the view names one.
pub(super) fn worker(header: &mut Fields, worker: Option<&WorkerContact>) {
    if let Some(worker) = worker {
        header.set_some("worker_name", worker.name.as_ref());
        header.set_some("worker_phone", worker.phone.as_ref());
        header.set_some("worker_email", worker.email.as_ref());
    }
}

fn person(person: &OutboundPerson, place: usize) -> Fields {
    let mut fields = Fields::default();
    match &person.person {
        Some(id) => fields.set("person_id", id.as_str()),
        None => fields.set("person_id", format!("unknown-{}", place + 1)),
    }
    let is_role = matches!(person.role.as_str(), "parent" | "child" | "caretaker");
    fields.set(
        "person_role",
        if is_role {
            person.role.as_str()
        } else {
            "other"
        },
    );
    fields.set_some("first_name", person.given.as_ref());
    fields.set_some("middle_name", person.middle.as_ref());
    fields.set_some("last_name", person.family.as_ref());
    fields.set_some(
        "birth_date",
        person
            .birth
            .and_then(|birth| birth.full())
            .map(|day| day.to_string()),
    );
    let sex = person.sex.map(|sex| match sex {
        Sex::Female => "F",
        Sex::Male => "M",
        _ => "U",
    });
    fields.set_some("sex", sex);
    fields.set_some("cin", person.cin.as_ref());
    fields
}
