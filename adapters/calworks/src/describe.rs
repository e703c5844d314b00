//! What the adapter reads and writes, and the keys of what it makes at the partner.
//!
//! Effect key: a Linkages message carries its `message_id`, the control number by which a system takes each message once.
//! It is the id of the outbound message and the same for every attempt. What a message tells has its own key in the
//! message: the referral id, the plan id, the episode id.

use tandem_adapter_port::format::Format;
use tandem_adapter_port::outbound::Outbound;

/// The formats that the adapter reads.
pub const READS: &[Format] = &[Format::Acf199, Format::Caseload, Format::Linkages];
/// The formats that the adapter writes.
pub const WRITES: &[Format] = &[Format::Linkages];

/// What a CalWORKs system can take.
pub const CAPABILITIES: &[&str] = &[
    "mutual-client",
    "referral",
    "referral-status",
    "referral-withdrawal",
    "plan",
    "participation",
    "comanagement",
    "meeting",
    "assessment",
    "conflict",
    "change",
    "recall",
    "consent-reminder",
];

/// Code system of codes out of ACF-199 files, written `field:code`.
pub const ACF_199_CODES: &str = "acf-199";
/// Code system of aid codes.
pub const AID_CODES: &str = "meds-aid-code";
/// Code system of codes out of Linkages messages.
pub const LINKAGES_CODES: &str = "linkages-1.0";

/// The key under which a message has its one effect at the partner.
#[must_use]
pub fn effect_key(outbound: &Outbound) -> String {
    outbound.id.to_string()
}
