//! `intake_referral` and `referral_status`.

use tandem_adapter_port::read::Stopped;
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{OrganizationId, ServiceId};
use tandem_mappings::model::referral::{
    ReasonCode, ReferralContact, ReferralRef, ReferralRequest, ReferralStatus, ReferralTarget,
    ReferralUpdate, SafeContact, SubStatus, Urgency,
};

use super::event::{CODE_SYSTEM, Telling};

/// `intake_referral`: a referral is asked, or drafted when its status says so.
pub(super) fn request(telling: &mut Telling<'_>) -> Result<(), Stopped> {
    let header = telling.header().clone();
    let status = header.get("referral_status");
    if !matches!(status, "" | "requested" | "draft") {
        telling.drop(
            "field-value",
            "referral_status",
            "requested or draft in an intake referral",
        );
        return Ok(());
    }
    let line = telling.message.line;
    if header.get("domain").is_empty() {
        telling.warn(
            "domain-blank",
            line,
            "domain",
            "a canonical domain code; read as other",
        );
    }
    let (domain, original) = telling.domain(&header, line);
    let target = ReferralTarget {
        organization: OrganizationId::new(header.get("target_organization"))
            .or_else(|_| OrganizationId::new(header.get("recipient")))
            .ok(),
        service: ServiceId::new(header.get("service_id")).ok(),
    };
    let subjects = telling.people();
    let first = subjects.first().cloned();
    let request = Box::new(ReferralRequest {
        referral: ReferralRef {
            source_ref: header.some("referral_id"),
            ..ReferralRef::default()
        },
        source: OrganizationId::new(header.get("sender")).ok(),
        worker: telling.worker(),
        target,
        domain,
        original,
        subjects,
        household: telling.household(),
        urgency: Urgency::from_code(header.get("urgency")).unwrap_or(Urgency::Routine),
        need: header.some("need"),
        safe_contact: header.some("safe_contact").map(|how| SafeContact {
            how: Some(how),
            ..SafeContact::default()
        }),
        goal: None,
        part_of: None,
        source_resources: Vec::new(),
    });
    let body = if status == "draft" {
        Body::ReferralDrafted(request)
    } else {
        Body::ReferralRequested(request)
    };
    telling.event(telling.created_at, body, first)
}

/// `referral_status`: a referral moves, or something is told below its state.
pub(super) fn status(telling: &mut Telling<'_>) -> Result<(), Stopped> {
    let header = telling.header().clone();
    let line = telling.message.line;
    let Some(status) = ReferralStatus::from_code(header.get("referral_status")) else {
        telling.drop("field-value", "referral_status", "a state of a referral");
        return Ok(());
    };
    let referral = ReferralRef::from_message(header.get("referral_id"));
    let reason = ReasonCode::from_code(header.get("reason_code"));
    let mut original = None;
    if reason.is_none() && !header.get("reason_code").is_empty() {
        original = Some(Coding::new(CODE_SYSTEM, header.get("reason_code")));
        telling.leave_out(
            "unknown-reason",
            line,
            "reason_code",
            "a reason code of the referral states",
        );
    }
    let sub_status = SubStatus::from_code(header.get("sub_status"));
    if sub_status.is_none() && !header.get("sub_status").is_empty() {
        telling.leave_out(
            "unknown-sub-status",
            line,
            "sub_status",
            "a sub-status of a referral",
        );
    }
    let at = telling.moment_of(header.parsed("status_date"));
    let first = telling.people().into_iter().next();
    let update = Box::new(ReferralUpdate {
        referral: referral.clone(),
        status,
        reason,
        reason_text: header.some("reason_text"),
        sub_status,
        role: None,
        outputs: Vec::new(),
        original,
    });
    let body = match status {
        ReferralStatus::Accepted => Body::ReferralAccepted(update),
        ReferralStatus::Rejected => Body::ReferralRejected(update),
        ReferralStatus::InProgress => Body::ReferralInProgress(update),
        ReferralStatus::OnHold => Body::ReferralOnHold(update),
        ReferralStatus::Completed | ReferralStatus::Failed => Body::ReferralClosed(update),
        ReferralStatus::Cancelled => Body::ReferralCancelled(update),
        ReferralStatus::EnteredInError => Body::ReferralError(update),
        _ => match contact(referral, sub_status) {
            Some(contact) => Body::ReferralContact(Box::new(contact)),
            None => {
                telling.drop(
                    "not-a-move",
                    "referral_status",
                    "a state other than draft or requested",
                );
                return Ok(());
            }
        },
    };
    telling.event(at, body, first)
}

/// A referral that is still only requested can have been followed by a contact.
fn contact(referral: ReferralRef, sub_status: Option<SubStatus>) -> Option<ReferralContact> {
    let result = match sub_status? {
        SubStatus::ContactAttempted => "attempted",
        SubStatus::ClientContacted => "contacted",
        _ => return None,
    };
    Some(ReferralContact {
        referral,
        kind: "message".to_owned(),
        result: result.to_owned(),
    })
}
