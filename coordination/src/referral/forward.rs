//! Forwarding: a target that cannot serve passes the referral on.

use tandem_mappings::model::referral::{
    ReasonCode, ReferralRef, ReferralRequest, ReferralRole, ReferralStatus, ReferralTarget,
};

use super::{Move, Readiness, Referral, Refused, Rules};

/// What forwarding comes to: the forwarder's own part ends, a child referral begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarded {
    /// Completes the original with `referred-onward`.
    pub close: Move,
    /// The child, `part_of` the original. It needs a consent decision of its own; the original's
    /// source sees both.
    pub child: ReferralRequest,
}

impl Rules {
    /// Forwards a referral to another target.
    ///
    /// # Errors
    /// [`Refused`] when the target may not complete the referral now.
    pub fn forward(
        &self,
        referral: &Referral,
        original: &ReferralRequest,
        target: ReferralTarget,
        at: jiff::Timestamp,
    ) -> Result<Forwarded, Refused> {
        let close = Move::new(ReferralStatus::Completed, ReferralRole::Target, at)
            .because(ReasonCode::ReferredOnward);
        self.decide(referral, &close, &Readiness::complete())?;
        let child = ReferralRequest {
            referral: ReferralRef::default(),
            target,
            part_of: Some(original.referral.clone()),
            source_resources: Vec::new(),
            ..original.clone()
        };
        Ok(Forwarded { close, child })
    }
}
