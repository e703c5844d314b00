//! Consents for which nothing that is due can be done. One of them holds up no other: what was begun for it is undone, and
//! it is set aside with its reason, shown to the privacy officer and tried again until it can be looked after.

use jiff::{SignedDuration, Timestamp};

use super::core::Core;
use crate::state::directive::DirectiveDoc;
use crate::state::stuck::StuckDoc;
use crate::store::{Place, StoreError, Tx};

/// After how long it is tried again; whatever writes it lets it be tried at once.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// Whether a failure may lie in the one consent alone.
pub(super) const fn is_its_own(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Database(_) | StoreError::Seal(_) | StoreError::Shape { .. }
    )
}

/// Sets a consent aside. When the store itself fails, this fails with it.
///
/// # Errors
/// When the store fails.
pub(super) async fn set_aside(
    core: &Core,
    tx: &mut Tx,
    place: &Place,
    id: Option<String>,
    error: &StoreError,
    now: Timestamp,
) -> Result<(), StoreError> {
    let known = tx.get::<StuckDoc>(&place.to_string()).await?;
    let is_new = known.is_none();
    let told = known.as_ref().and_then(|known| known.consent.clone());
    let consent = match id.or(told) {
        None if is_new => {
            tx.object_at::<DirectiveDoc>(place, "consent.capture")
                .await?
        }
        id => id,
    };
    let next = now.checked_add(AGAIN).unwrap_or(now);
    let document = StuckDoc {
        place: place.to_string(),
        consent,
        error: error.to_string(),
        since: known.map_or(now, |known| known.since),
        next,
    };
    tx.put(&document, now).await?;
    tx.look_at::<DirectiveDoc>(place, Some(next)).await?;
    let (name, error) = (document.name(), &document.error);
    if is_new {
        let gateway = core.gateway.as_str();
        tx.audit(now, gateway, "consent.stuck", &name, error)
            .await?;
        metrics::counter!("tandem_consents_stuck_total").increment(1);
    }
    tracing::error!(consent = %name, %error, "a consent cannot be looked after; it is set aside and tried again");
    Ok(())
}

/// A consent was looked after that had been set aside.
///
/// # Errors
/// When the store fails.
pub(super) async fn freed(
    core: &Core,
    tx: &mut Tx,
    document: &StuckDoc,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.remove::<StuckDoc>(&document.place).await?;
    let (gateway, name) = (core.gateway.as_str(), document.name());
    tx.audit(now, gateway, "consent.freed", &name, "").await
}
