//! The state of one referral, folded from its facts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::referral::{
    ReasonCode, ReferralRef, ReferralRole, ReferralStatus, SubStatus, Urgency,
};

use super::{Decision, Move, ReferralFact, Refused, Rules, is_terminal};

/// A referral as its facts have made it. Holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Referral {
    status: Option<ReferralStatus>,
    reason: Option<ReasonCode>,
    reason_text: Option<String>,
    sub_status: Option<SubStatus>,
    urgency: Option<Urgency>,
    part_of: Option<ReferralRef>,
    requested_at: Option<Timestamp>,
    sent_at: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
    first_decision: Option<(ReferralStatus, Timestamp)>,
    accepted_at: Option<Timestamp>,
    first_contact_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    outcome_acknowledged_at: Option<Timestamp>,
    last_event_at: Option<Timestamp>,
}

impl Referral {
    /// The state; `None` before the first fact.
    #[must_use]
    pub fn status(&self) -> Option<ReferralStatus> {
        self.status
    }

    /// Why it stands there.
    #[must_use]
    pub fn reason(&self) -> Option<ReasonCode> {
        self.reason
    }

    /// Why, in words.
    #[must_use]
    pub fn reason_text(&self) -> Option<&str> {
        self.reason_text.as_deref()
    }

    /// Detail below the state.
    #[must_use]
    pub fn sub_status(&self) -> Option<SubStatus> {
        self.sub_status
    }

    /// How urgent it is.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        self.urgency.unwrap_or(Urgency::Routine)
    }

    /// The referral of which this one is a part.
    #[must_use]
    pub fn part_of(&self) -> Option<&ReferralRef> {
        self.part_of.as_ref()
    }

    /// When it entered `requested`.
    #[must_use]
    pub fn requested_at(&self) -> Option<Timestamp> {
        self.requested_at
    }

    /// When its message was handed to the transport.
    #[must_use]
    pub fn sent_at(&self) -> Option<Timestamp> {
        self.sent_at
    }

    /// When the target's system had it.
    #[must_use]
    pub fn delivered_at(&self) -> Option<Timestamp> {
        self.delivered_at
    }

    /// The first decision of the target, accepted or rejected, and when.
    #[must_use]
    pub fn first_decision(&self) -> Option<(ReferralStatus, Timestamp)> {
        self.first_decision
    }

    /// When it was accepted.
    #[must_use]
    pub fn accepted_at(&self) -> Option<Timestamp> {
        self.accepted_at
    }

    /// When the client was first reached.
    #[must_use]
    pub fn first_contact_at(&self) -> Option<Timestamp> {
        self.first_contact_at
    }

    /// When it reached a terminal state.
    #[must_use]
    pub fn closed_at(&self) -> Option<Timestamp> {
        self.closed_at
    }

    /// When the source's system acknowledged the outcome.
    #[must_use]
    pub fn outcome_acknowledged_at(&self) -> Option<Timestamp> {
        self.outcome_acknowledged_at
    }

    /// When something was last heard.
    #[must_use]
    pub fn last_event_at(&self) -> Option<Timestamp> {
        self.last_event_at
    }

    /// Whether it has begun and is not over.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.status.is_some_and(|state| !is_terminal(state))
    }

    /// When the loop closed: a terminal state reached and its outcome acknowledged by the source's
    /// system. Never for a referral entered in error.
    #[must_use]
    pub fn loop_closed_at(&self) -> Option<Timestamp> {
        if self.status == Some(ReferralStatus::EnteredInError) {
            return None;
        }
        Some(self.closed_at?.max(self.outcome_acknowledged_at?))
    }

    /// Whether it ended with the service received or started.
    #[must_use]
    pub fn service_was_received(&self) -> bool {
        self.status == Some(ReferralStatus::Completed)
            && matches!(
                self.reason,
                Some(ReasonCode::ServiceReceived | ReasonCode::ServiceStarted)
            )
    }

    /// Whether the loop closed with the service received or started.
    #[must_use]
    pub fn loop_closed_with_service(&self) -> bool {
        self.loop_closed_at().is_some() && self.service_was_received()
    }

    /// Folds one fact into the state. Applying the recorded facts of a referral in order rebuilds it.
    ///
    /// # Errors
    /// [`Refused`] when the fact is a move that the rules do not allow; the state stays as it was.
    pub fn apply(&mut self, rules: &Rules, fact: &ReferralFact) -> Result<Decision, Refused> {
        let at = fact.at();
        match fact {
            ReferralFact::Opened {
                wish,
                urgency,
                part_of,
                readiness,
            } => {
                let decision = rules.decide(self, wish, readiness)?;
                if decision == Decision::Moved {
                    self.urgency = Some(*urgency);
                    self.part_of.clone_from(part_of);
                }
                self.take(wish, decision);
                return Ok(decision);
            }
            ReferralFact::Moved(wish) => {
                // A request always comes with its content, as `Opened`; a bare update to it can
                // only repeat or detail the present state.
                if wish.to == ReferralStatus::Requested && self.status != Some(wish.to) {
                    return Err(Refused::NotListed {
                        from: self.status,
                        to: wish.to,
                    });
                }
                let decision = rules.decide(self, wish, &super::Readiness::complete())?;
                self.take(wish, decision);
                return Ok(decision);
            }
            ReferralFact::ClientContacted { .. } => keep_first(&mut self.first_contact_at, at),
            ReferralFact::ContactAttempted { .. } => {}
            ReferralFact::RequestSent { .. } => keep_first(&mut self.sent_at, at),
            ReferralFact::RequestDelivered { .. } => keep_first(&mut self.delivered_at, at),
            ReferralFact::OutcomeAcknowledged { .. } => {
                if self.closed_at.is_some() {
                    keep_first(&mut self.outcome_acknowledged_at, at);
                }
            }
        }
        self.last_event_at = self.last_event_at.max(Some(at));
        Ok(Decision::Detailed)
    }

    fn take(&mut self, wish: &Move, decision: Decision) {
        match decision {
            Decision::NoOp => return,
            Decision::Detailed => {
                if wish.reason.is_some() {
                    self.reason = wish.reason;
                    self.reason_text.clone_from(&wish.reason_text);
                }
                self.sub_status = wish.sub_status.or(self.sub_status);
            }
            Decision::Moved => self.enter(wish),
        }
        if wish.by == ReferralRole::Target && wish.sub_status == Some(SubStatus::ClientContacted) {
            keep_first(&mut self.first_contact_at, wish.at);
        }
        self.last_event_at = self.last_event_at.max(Some(wish.at));
    }

    fn enter(&mut self, wish: &Move) {
        self.status = Some(wish.to);
        self.reason = wish.reason;
        self.reason_text.clone_from(&wish.reason_text);
        self.sub_status = wish.sub_status;
        match wish.to {
            ReferralStatus::Requested => keep_first(&mut self.requested_at, wish.at),
            ReferralStatus::Accepted => {
                self.first_decision.get_or_insert((wish.to, wish.at));
                keep_first(&mut self.accepted_at, wish.at);
            }
            ReferralStatus::Rejected => {
                self.first_decision.get_or_insert((wish.to, wish.at));
            }
            _ => {}
        }
        if is_terminal(wish.to) {
            keep_first(&mut self.closed_at, wish.at);
        }
    }
}

fn keep_first(slot: &mut Option<Timestamp>, at: Timestamp) {
    slot.get_or_insert(at);
}
