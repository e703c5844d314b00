//! Legal holds are placed and released by a privacy officer.

use uuid::Uuid;

use crate::pipeline::core::Core;
use crate::state::episode::EpisodeDoc;
use crate::state::legal_hold::{HoldScope, LegalHoldDoc, Release};
use crate::state::record::RecordDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{StoreError, Tx};

/// Why a hold is not released.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HoldError {
    /// There is none of this id.
    #[error("no such hold")]
    NotFound,
    /// It ended before.
    #[error("the hold was released before")]
    Released,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Places a hold. From then on nothing in its scope is disposed of. What is held need not be known (yet).
///
/// # Errors
/// When the store fails.
pub async fn place(
    core: &Core,
    by: &str,
    scope: HoldScope,
    reason: String,
) -> Result<LegalHoldDoc, StoreError> {
    let now = core.clock.now();
    let hold = LegalHoldDoc {
        id: Uuid::now_v7(),
        scope,
        reason,
        by: by.to_owned(),
        at: now,
        released: None,
    };
    let mut tx = core.store.begin().await?;
    tx.put(&hold, now).await?;
    let object = hold.id.to_string();
    tx.audit(now, by, "hold.place", &object, hold.scope.code())
        .await?;
    tx.commit().await?;
    Ok(hold)
}

/// Releases a hold. What it kept goes with the next run, as far as its term is over.
///
/// # Errors
/// When there is no such hold, or none that stands.
pub async fn release(
    core: &Core,
    by: &str,
    id: Uuid,
    reason: String,
) -> Result<LegalHoldDoc, HoldError> {
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    let object = id.to_string();
    let hold = tx.get::<LegalHoldDoc>(&object).await?;
    let mut hold = hold.ok_or(HoldError::NotFound)?;
    if hold.released.is_some() {
        return Err(HoldError::Released);
    }
    hold.released = Some(Release {
        by: by.to_owned(),
        at: now,
        reason,
    });
    tx.put(&hold, now).await?;
    tx.audit(now, by, "hold.release", &object, hold.scope.code())
        .await?;
    tx.commit().await?;
    Ok(hold)
}

/// Whether what a hold names is known: until it comes, a hold keeps no more than what may be anybody's. The key of a case
/// can't be told from others.
///
/// # Errors
/// When the store fails.
pub async fn is_known(core: &Core, tx: &mut Tx, scope: &HoldScope) -> Result<bool, StoreError> {
    match scope {
        HoldScope::Record(key) => {
            let known = tx.get::<RecordDoc>(&RecordDoc::key_of(key)).await?;
            Ok(known.is_some())
        }
        HoldScope::Case(case) => {
            let is_key = hex::decode(case).is_ok_and(|key| key.len() == 32);
            let is_referral = tx.get::<ReferralDoc>(case).await?.is_some();
            Ok(is_key || is_referral || tx.get::<EpisodeDoc>(case).await?.is_some())
        }
        HoldScope::Organization(id) => Ok(core.loaded.registry.organization(id).is_some()),
    }
}
