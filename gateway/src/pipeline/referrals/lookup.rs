//! Finds the referral that a message means.

use tandem_mappings::model::id::SystemId;
use tandem_mappings::model::referral::ReferralRef;

use crate::state::referral::ReferralDoc;
use crate::store::{StoreError, Tx};

/// The referral that a message names, as its sender names it.
///
/// # Errors
/// When the store fails.
pub async fn resolve(
    tx: &mut Tx,
    system: &SystemId,
    reference: &ReferralRef,
) -> Result<Option<ReferralDoc>, StoreError> {
    if let Some(id) = reference.id {
        return tx.get::<ReferralDoc>(&id.to_string()).await;
    }
    for own in [&reference.source_ref, &reference.target_ref]
        .into_iter()
        .flatten()
    {
        let found = tx
            .find::<ReferralDoc>("referral.ref", &format!("{system}\u{1f}{own}"))
            .await?;
        if let Some(document) = found.into_iter().next() {
            return Ok(Some(document));
        }
    }
    Ok(None)
}
