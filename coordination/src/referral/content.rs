//! The minimum data set that a referral needs before it may leave `draft`.

use tandem_mappings::model::referral::ReferralRequest;

/// What a referral still lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ContentGap {
    /// The organisation that refers.
    Source,
    /// A worker whom the target can ask.
    WorkerContact,
    /// A way for the answer to come back.
    ReturnChannel,
    /// A service or an organisation that is asked.
    Target,
    /// A person or a household.
    Subject,
}

impl ContentGap {
    /// Name for a problem document.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::WorkerContact => "worker-contact",
            Self::ReturnChannel => "return-channel",
            Self::Target => "target",
            Self::Subject => "subject",
        }
    }
}

/// What the registry knows about the sender; it fills what a message leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    /// The sending system is bound to an organisation.
    pub has_organization: bool,
    /// The organisation has a standing contact for referrals.
    pub has_contact: bool,
    /// Answers can be delivered to the sending system.
    pub has_return_channel: bool,
}

/// What is missing before the referral may be requested; empty when it is complete.
#[must_use]
pub fn content_gaps(request: &ReferralRequest, sender: Sender) -> Vec<ContentGap> {
    let worker_reachable = request.worker.as_ref().is_some_and(|worker| {
        [&worker.id, &worker.name, &worker.phone, &worker.email]
            .into_iter()
            .flatten()
            .any(|text| !text.trim().is_empty())
    });
    let has_target = request.target.organization.is_some() || request.target.service.is_some();
    let has_subject = !request.subjects.is_empty() || request.household.is_some();
    let checks = [
        (
            request.source.is_some() || sender.has_organization,
            ContentGap::Source,
        ),
        (
            worker_reachable || sender.has_contact,
            ContentGap::WorkerContact,
        ),
        (sender.has_return_channel, ContentGap::ReturnChannel),
        (has_target, ContentGap::Target),
        (has_subject, ContentGap::Subject),
    ];
    checks
        .into_iter()
        .filter(|(is_there, _)| !is_there)
        .map(|(_, gap)| gap)
        .collect()
}
