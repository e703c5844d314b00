//! What other programmes call the states of a referral.

use tandem_mappings::model::referral::{ReferralStatus, SubStatus, Urgency};

/// CalAIM closed-loop referral status of a referral; `None` for what CalAIM does not count (drafts
/// and errors). The list of statuses is not confirmed by the state: adapters keep it configurable.
#[must_use]
pub fn calaim_status(
    status: ReferralStatus,
    sub_status: Option<SubStatus>,
) -> Option<&'static str> {
    let outreach = matches!(
        sub_status,
        Some(SubStatus::ContactAttempted | SubStatus::ClientContacted)
    );
    match status {
        ReferralStatus::Draft | ReferralStatus::EnteredInError => None,
        ReferralStatus::Rejected => Some("Declined"),
        ReferralStatus::Cancelled | ReferralStatus::Completed | ReferralStatus::Failed => {
            Some("Referral Loop Closed")
        }
        _ if outreach => Some("Outreach Initiated"),
        ReferralStatus::Requested => Some("Pending"),
        _ => Some("Accepted"),
    }
}

/// FHIR request priority of an urgency (R4 request-priority).
#[must_use]
pub fn fhir_priority(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Urgent => "urgent",
        Urgency::Crisis => "stat",
        _ => "routine",
    }
}
