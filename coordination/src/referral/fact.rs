//! What happened to a referral, as the fold takes it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::SystemId;
use tandem_mappings::model::referral::{ReferralRef, ReferralRole, ReferralStatus, Urgency};

use super::{Move, Readiness};

/// One fact about one referral. The gateway has found out which referral it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ReferralFact {
    /// The source drafted or requested it.
    Opened {
        /// To `draft` or `requested`.
        wish: Move,
        /// How urgent.
        urgency: Urgency,
        /// The referral of which it is a part.
        part_of: Option<ReferralRef>,
        /// What was known when it was accepted.
        readiness: Readiness,
    },
    /// A side moved it or gave detail.
    Moved(Move),
    /// A contact with the client was tried.
    ContactAttempted {
        /// When.
        at: Timestamp,
    },
    /// The client was reached.
    ClientContacted {
        /// When.
        at: Timestamp,
    },
    /// Its message was handed to the transport.
    RequestSent {
        /// When.
        at: Timestamp,
    },
    /// The target's system has it.
    RequestDelivered {
        /// When.
        at: Timestamp,
    },
    /// The source's system acknowledged the message with the outcome.
    OutcomeAcknowledged {
        /// When.
        at: Timestamp,
    },
}

impl ReferralFact {
    /// When it happened.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Opened { wish, .. } | Self::Moved(wish) => wish.at,
            Self::ContactAttempted { at }
            | Self::ClientContacted { at }
            | Self::RequestSent { at }
            | Self::RequestDelivered { at }
            | Self::OutcomeAcknowledged { at } => *at,
        }
    }

    /// The fact that an event of the catalogue tells about its referral; `None` when the event is of
    /// another kind or its sender stands on neither side. `readiness` is what the gateway found when
    /// it accepted the event. Delivery events name messages: the gateway, which knows which
    /// message carried what, makes those facts itself.
    #[must_use]
    pub fn of(event: &Event, sides: &Sides, readiness: Readiness) -> Option<Self> {
        let at = event.told.occurred_at;
        match &event.told.body {
            Body::ReferralDrafted(request) | Body::ReferralRequested(request) => {
                let to = match event.told.body {
                    Body::ReferralDrafted(_) => ReferralStatus::Draft,
                    _ => ReferralStatus::Requested,
                };
                let by = sides.role(&event.system, Some(ReferralRole::Source))?;
                let (urgency, part_of) = (request.urgency, request.part_of.clone());
                Some(Self::Opened {
                    wish: Move::new(to, by, at),
                    urgency,
                    part_of,
                    readiness,
                })
            }
            Body::ReferralAccepted(update)
            | Body::ReferralRejected(update)
            | Body::ReferralInProgress(update)
            | Body::ReferralOnHold(update)
            | Body::ReferralClosed(update)
            | Body::ReferralCancelled(update)
            | Body::ReferralError(update) => {
                let by = sides.role(&event.system, update.role)?;
                Some(Self::Moved(Move::of(update, by, at)))
            }
            Body::ReferralContact(contact) if contact.result == "contacted" => {
                Some(Self::ClientContacted { at })
            }
            Body::ReferralContact(_) => Some(Self::ContactAttempted { at }),
            _ => None,
        }
    }
}

/// The systems on the sides of a referral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sides {
    /// The system that refers.
    pub source: SystemId,
    /// The system of the target, once known.
    pub target: Option<SystemId>,
    /// The name under which the gateway itself writes events.
    pub gateway: SystemId,
}

impl Sides {
    /// On which side a system stands. What a message claims counts only where its sender stands on
    /// both sides (a referral within one system).
    #[must_use]
    pub fn role(&self, system: &SystemId, claimed: Option<ReferralRole>) -> Option<ReferralRole> {
        let is_source = *system == self.source;
        let is_target = Some(system) == self.target.as_ref();
        match (is_source, is_target) {
            (true, true) => claimed.filter(|role| *role != ReferralRole::Gateway),
            (true, false) => Some(ReferralRole::Source),
            (false, true) => Some(ReferralRole::Target),
            (false, false) => (*system == self.gateway).then_some(ReferralRole::Gateway),
        }
    }
}
