//! Signs checkpoints while the gateway serves: at least every minute, and after a thousand leaves (specs consent 12).

use std::sync::Arc;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::figures;
use crate::pipeline::core::Core;

/// Longest time between two checkpoints of a log that grows.
const EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Most leaves between two checkpoints.
const LEAVES: u64 = 1_000;

/// Signs until cancelled, and once more then.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    let mut logged = core.store.logged();
    loop {
        let before = *logged.borrow_and_update();
        let is_stopping = stop.is_cancelled();
        sign(&core).await;
        if is_stopping {
            return;
        }
        let now = core.clock.now();
        let due = now.checked_add(EVERY).unwrap_or(now);
        tokio::select! {
            () = stop.cancelled() => {}
            () = core.clock.sleep_until(due) => {}
            // The counter lives in the store, which outlives this task.
            _ = logged.wait_for(|count| count.wrapping_sub(before) >= LEAVES) => {}
        }
    }
}

async fn sign(core: &Core) {
    match core.audit.sign(&core.store, core.clock.now()).await {
        Ok(_) => {}
        Err(error) => {
            figures::unsigned(1);
            tracing::error!(%error, "no checkpoint of the audit log could be signed");
        }
    }
}
