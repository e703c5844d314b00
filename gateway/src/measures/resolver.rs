//! Which referral an event is about, as the store knows it.

use std::collections::HashMap;

use tandem_coordination::measures::Resolver;
use tandem_coordination::referral::{ReferralFact, Sides};
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{MessageId, ReferralId, SystemId};
use tandem_mappings::model::referral::ReferralRef;

use crate::pipeline::core::GATEWAY_SYSTEM;
use crate::state::referral::ReferralDoc;

/// The referrals by id, by either side's own id, and by message.
#[derive(Debug)]
pub(super) struct StoredReferrals {
    by_id: HashMap<ReferralId, ReferralDoc>,
    by_reference: HashMap<(SystemId, String), ReferralId>,
    by_message: HashMap<MessageId, ReferralId>,
}

impl StoredReferrals {
    pub(super) fn new(documents: Vec<ReferralDoc>) -> Self {
        let mut referrals = Self { by_id: HashMap::new(), by_reference: HashMap::new(), by_message: HashMap::new() };
        for document in documents {
            let id = document.id;
            let sides = [
                (Some(&document.source), &document.source_ref),
                (document.target.as_ref(), &document.target_ref),
            ];
            for side in sides {
                if let (Some(system), Some(reference)) = side {
                    referrals.by_reference.insert((system.clone(), reference.clone()), id);
                }
            }
            let messages = [document.request_message, document.outcome_message];
            referrals.by_message.extend(messages.into_iter().flatten().map(|message| (message, id)));
            referrals.by_id.insert(id, document);
        }
        referrals
    }

    fn named(&self, system: &SystemId, reference: &ReferralRef) -> Option<ReferralId> {
        if let Some(id) = reference.id {
            return Some(id);
        }
        let own = [&reference.source_ref, &reference.target_ref];
        own.into_iter().flatten().find_map(|text| self.by_reference.get(&(system.clone(), text.clone())).copied())
    }
}

impl Resolver for StoredReferrals {
    fn referral(&self, event: &Event) -> Option<ReferralId> {
        let reference = match &event.told.body {
            Body::ReferralDrafted(request) | Body::ReferralRequested(request) => &request.referral,
            Body::ReferralAccepted(update)
            | Body::ReferralRejected(update)
            | Body::ReferralInProgress(update)
            | Body::ReferralOnHold(update)
            | Body::ReferralClosed(update)
            | Body::ReferralCancelled(update)
            | Body::ReferralError(update) => &update.referral,
            Body::ReferralContact(contact) => &contact.referral,
            Body::ServiceDelivered(service) => service.referral.as_ref()?,
            _ => return None,
        };
        self.named(&event.system, reference)
    }

    fn sides(&self, referral: ReferralId) -> Option<Sides> {
        let document = self.by_id.get(&referral)?;
        Some(Sides {
            source: document.source.clone(),
            target: document.target.clone(),
            gateway: GATEWAY_SYSTEM.parse().ok()?,
        })
    }

    fn organizations(&self, referral: ReferralId) -> Option<(String, String)> {
        let document = self.by_id.get(&referral)?;
        Some((document.source_organization.to_string(), document.target_organization.to_string()))
    }

    fn delivery(&self, event: &Event) -> Option<(ReferralId, ReferralFact)> {
        let (told, is_acknowledged) = match &event.told.body {
            Body::DeliverySent(told) => (told, false),
            Body::DeliveryAcknowledged(told) => (told, true),
            _ => return None,
        };
        let id = *self.by_message.get(&told.message)?;
        let document = self.by_id.get(&id)?;
        let at = event.told.occurred_at;
        if document.outcome_message == Some(told.message) {
            return is_acknowledged.then_some((id, ReferralFact::OutcomeAcknowledged { at }));
        }
        Some((id, ReferralFact::RequestDelivered { at }))
    }
}
