//! Keeps a gateway awake to what others write into the store, and to what it missed itself.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::pipeline::core::Core;
use crate::policy;
use crate::store::Heard;

/// After so long everything is looked at again, told or not: a message may have been lost, and what failed is tried again.
const LOOK: Duration = Duration::from_secs(5);

/// Runs until cancelled.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    let mut heard = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            told = listen(&core, &mut heard) => {
                if told {
                    core.wake_timers();
                }
            }
            () = tokio::time::sleep(LOOK) => {}
        }
        if core.store.is_shared()
            && let Err(error) = policy::follow(&core).await
        {
            tracing::error!(%error, "the rules in force cannot be followed; nothing is decided by others");
        }
        if core.store.is_shared()
            && let Err(error) = core.store.follow_keys().await
        {
            tracing::error!(%error, "the root keys cannot be followed");
        }
        core.wake();
    }
}

/// Waits for what another gateway tells. Returns whether one did; when the database can't be reached, that is looked at
/// later.
async fn listen(core: &Core, heard: &mut Option<Heard>) -> bool {
    if heard.is_none() {
        *heard = core.store.listen().await.ok().flatten();
    }
    let told = match heard {
        Some(listening) => listening.next().await.is_ok(),
        None => false,
    };
    if !told {
        *heard = None;
        return std::future::pending().await;
    }
    true
}
