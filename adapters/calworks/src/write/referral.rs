//! Referrals and their states.

use jiff::tz::TimeZone;
use tandem_adapter_port::outbound::{Outbound, ReferralStatusView, ReferralView};
use tandem_mappings::model::referral::{ReferralStatus, SafeContact};

use super::render::{day, worker};
use crate::linkages::{Fields, Message};

/// A referral asked of the recipient, or its withdrawal.
pub(super) fn request(
    message: &mut Message,
    view: &ReferralView,
    outbound: &Outbound,
    zone: &TimeZone,
) {
    let header = &mut message.header;
    header.set("referral_id", view.referral.to_string());
    if view.is_withdrawn {
        header.set("message_type", "referral_status");
        header.set("referral_status", ReferralStatus::Cancelled.code());
        header.set_some(
            "reason_code",
            view.withdrawn_reason.map(|reason| reason.code()),
        );
        header.set("status_date", day(outbound.created_at, zone).to_string());
        return;
    }
    header.set("message_type", "intake_referral");
    header.set("referral_status", ReferralStatus::Requested.code());
    header.set("status_date", day(view.requested_at, zone).to_string());
    header.set("domain", view.domain.code());
    header.set("urgency", view.urgency.code());
    header.set_some("need", view.need.as_ref());
    header.set_some("service_id", view.service.as_ref());
    header.set("target_organization", outbound.recipient.id.as_str());
    safe_contact(header, view.safe_contact.as_ref());
    worker(header, view.worker.as_ref());
}

/// Whether the client may be contacted comes first: it must not be overlooked.
fn safe_contact(header: &mut Fields, contact: Option<&SafeContact>) {
    let Some(contact) = contact else { return };
    let mut parts = Vec::new();
    match contact.may_contact {
        Some(false) => parts.push("do not contact".to_owned()),
        Some(true) => parts.push("may be contacted".to_owned()),
        None => {}
    }
    parts.extend(contact.how.clone());
    parts.extend(
        contact
            .language
            .as_ref()
            .map(|language| format!("language: {language}")),
    );
    if contact.interpreter == Some(true) {
        parts.push("interpreter needed".to_owned());
    }
    header.set("safe_contact", parts.join("; "));
}

/// How a referral stands. The recipient's own id is written where it is known, since the gateway's means nothing to a
/// system that sent the referral.
pub(super) fn status(message: &mut Message, view: &ReferralStatusView, zone: &TimeZone) {
    let header = &mut message.header;
    header.set("message_type", "referral_status");
    let gateway_id = view.referral.to_string();
    header.set(
        "referral_id",
        view.recipient_ref.as_ref().unwrap_or(&gateway_id),
    );
    header.set("referral_status", view.status.code());
    header.set_some("reason_code", view.reason.map(|reason| reason.code()));
    let output = view.outputs.iter().find_map(|output| output.text.as_ref());
    header.set_some("reason_text", view.reason_text.as_ref().or(output));
    header.set_some(
        "sub_status",
        view.sub_status.map(|sub_status| sub_status.code()),
    );
    header.set_some("domain", view.domain.map(|domain| domain.code()));
    header.set_some(
        "target_organization",
        view.target.as_ref().map(|party| party.id.as_str()),
    );
    header.set("status_date", day(view.at, zone).to_string());
}
