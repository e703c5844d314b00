//! What the adapter reads and writes, and the keys of what it makes at the partner.
//!
//! Effect key: a NIEM message carries its id in `nc:DocumentIdentification`, by which a system takes
//! each message once. It is the id of the outbound message and the same for every attempt. What a
//! message tells has its own key in it: the referral id, the plan id, the episode id.

use tandem_adapter_port::format::Format;
use tandem_adapter_port::outbound::{Outbound, OutboundBody};

/// The formats that the adapter reads.
pub const READS: &[Format] = &[Format::CwsCms, Format::Niem];
/// The formats that the adapter writes.
pub const WRITES: &[Format] = &[Format::Niem];

/// Which of the two messages carries something, and the element that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carrier {
    /// Root element.
    pub message: &'static str,
    /// Path of the element below the root.
    pub element: &'static str,
    /// The kind as `nc:DocumentCategoryText` names it.
    pub kind: &'static str,
}

/// The message for referrals.
pub const REFERRAL_MESSAGE: &str = "lk:CoordinatedReferralMessage";
/// The message for everything else.
pub const PLAN_MESSAGE: &str = "lk:CasePlanUpdateMessage";

const CASE_PLAN: &str = "hs:ChildWelfareCase/j:CaseAugmentation/j:CasePlan";
const CASE_ACTIVITY: &str = "hs:ChildWelfareCase/j:CaseAugmentation/j:CaseActivity";
const CASE_CONFERENCE: &str = "hs:ChildWelfareCase/j:CaseAugmentation/j:CaseConference";

/// How a view reaches a partner.
#[must_use]
pub fn carrier(body: &OutboundBody) -> Carrier {
    let (message, element, kind) = match body {
        OutboundBody::MutualClient(_) => (PLAN_MESSAGE, "hs:RelatedCase", "mutual-client"),
        OutboundBody::Referral(_) => (REFERRAL_MESSAGE, "nc:Referral", "referral"),
        OutboundBody::ReferralStatus(_) => (REFERRAL_MESSAGE, "nc:Referral", "referral-status"),
        OutboundBody::Plan(_) => (PLAN_MESSAGE, CASE_PLAN, "plan"),
        OutboundBody::Participation(_) => (PLAN_MESSAGE, CASE_PLAN, "participation"),
        OutboundBody::Comanagement(_) => (PLAN_MESSAGE, "hs:RelatedCase", "comanagement"),
        OutboundBody::Meeting(_) => (PLAN_MESSAGE, CASE_CONFERENCE, "meeting"),
        OutboundBody::Assessment(_) => (PLAN_MESSAGE, CASE_ACTIVITY, "assessment"),
        OutboundBody::Conflict(_) => (PLAN_MESSAGE, CASE_ACTIVITY, "conflict"),
        OutboundBody::Change(_) => (PLAN_MESSAGE, CASE_ACTIVITY, "change"),
        OutboundBody::Recall(_) => (PLAN_MESSAGE, CASE_ACTIVITY, "recall"),
        OutboundBody::ConsentReminder(_) => (PLAN_MESSAGE, CASE_ACTIVITY, "consent-reminder"),
    };
    Carrier {
        message,
        element,
        kind,
    }
}

/// The key under which a message has its one effect at the partner.
#[must_use]
pub fn effect_key(outbound: &Outbound) -> String {
    outbound.id.to_string()
}
