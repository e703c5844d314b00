//! Keeps a gateway awake to what others write into the store, and to what it missed itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::pipeline::core::Core;
use crate::policy;
use crate::store::Heard;

/// After so long everything is looked at again, told or not: a message may have been lost, and what failed is tried again.
const LOOK: Duration = Duration::from_secs(5);
/// How often it is asked which tables have grown: until then the database plans as if they had not.
const COUNT: Duration = Duration::from_secs(1);

/// Runs until cancelled.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    let mut heard = None;
    let mut looking = tokio::time::interval(LOOK);
    looking.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut counting = tokio::time::interval(COUNT);
    counting.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            told = listen(&core, &mut heard) => {
                if told {
                    core.wake_timers();
                }
            }
            _ = looking.tick() => {}
            _ = counting.tick() => {
                if let Err(error) = core.store.renew_statistics().await {
                    tracing::warn!(%error, "the database's statistics cannot be renewed; it may answer slowly until it does so itself");
                }
                continue;
            }
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
