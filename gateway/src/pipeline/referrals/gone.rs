//! Referrals about a person whose record left its source: what they rested on is gone.

use jiff::Timestamp;
use tandem_coordination::referral::Move;
use tandem_mappings::model::id::RecordKey;
use tandem_mappings::model::referral::{ReasonCode, ReferralRole, ReferralStatus};

use super::{Tells, follow_telling};
use crate::pipeline::core::Core;
use crate::state::record::RecordDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{StoreError, Tx};

/// Cancels the open referrals of which the record is the main subject, while links still tell whom its target knows. The
/// target is told by its own ids, like of every cancellation. Whoever sealed a record knows it: its id travels no more.
/// Programmes that only look on are told nothing. A draft stays one: nobody was asked.
///
/// # Errors
/// When the store fails.
pub(in crate::pipeline) async fn record_gone(
    core: &Core,
    tx: &mut Tx,
    record: &RecordDoc,
    is_sealed: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let person = record.person_id.to_string();
    for document in tx.find::<ReferralDoc>("referral.person", &person).await? {
        if !is_asked_about(&document, &record.key) {
            continue;
        }
        let wish = Move::new(ReferralStatus::Cancelled, ReferralRole::Gateway, now)
            .because(ReasonCode::LegalRestriction);
        let tells = Tells {
            source: !is_sealed,
            target: true,
            onlookers: false,
        };
        follow_telling(core, tx, document, wish, &core.gateway, tells).await?;
    }
    Ok(())
}

fn is_asked_about(document: &ReferralDoc, key: &RecordKey) -> bool {
    let is_asked = document.state.status() != Some(ReferralStatus::Draft);
    is_asked && document.state.is_open() && document.people.first() == Some(key)
}
