//! Another worker is in charge of a case.

use tandem_mappings::model::event::Event;
use tandem_mappings::model::involvement::WorkerChange;

use super::core::Core;
use crate::state::involvement::InvolvementDoc;
use crate::store::{StoreError, Tx};

/// Keeps the new worker with the case.
///
/// # Errors
/// When the store fails.
pub(super) async fn changed(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    told: &WorkerChange,
) -> Result<(), StoreError> {
    let key = InvolvementDoc::key_of(&event.system, told.case.as_str());
    if let Some(mut document) = tx.get::<InvolvementDoc>(&key).await? {
        document.told.worker = Some(told.worker.clone());
        tx.put(&document, core.clock.now()).await?;
    }
    Ok(())
}
