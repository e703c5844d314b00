//! What an answer says of the messages whose holders are told to stop. Most is known at once; where more was told than is looked at at
//! once, the answer waits for the rest, for a bounded time.

use std::time::Duration;

use tandem_mappings::model::id::{MessageId, RecordKey};

use crate::api::Api;
use crate::api::problem::ApiError;
use crate::pipeline::recalling::{self, Recalls};

/// How long an answer waits until all that was told has been looked at.
const RECALL_LIMIT: Duration = Duration::from_secs(20);

/// The messages whose holders are told to stop.
#[derive(Debug)]
pub(super) struct Recalled {
    pub(super) messages: Vec<MessageId>,
    /// Whether the gateway still looks at more.
    pub(super) goes_on: bool,
}

/// What was recalled of the people of some records. What was taken back counts, whether anybody waits for this or not.
///
/// # Errors
/// When the store fails.
pub(super) async fn recalled(
    api: &Api,
    covers: &[RecordKey],
    recalls: Recalls,
) -> Result<Recalled, ApiError> {
    if !recalls.goes_on {
        return Ok(Recalled {
            messages: recalls.messages,
            goes_on: false,
        });
    }
    let store = &api.core().store;
    let mut changed = api.core().changed.subscribe();
    let looked = async {
        loop {
            let mut tx = store.snapshot().await?;
            let goes_on = recalling::goes_on(&mut tx, covers).await?;
            drop(tx);
            if !goes_on || changed.changed().await.is_err() {
                return Ok::<_, ApiError>(goes_on);
            }
        }
    };
    let looked = tokio::time::timeout(RECALL_LIMIT, looked).await;
    let goes_on = looked.unwrap_or(Ok(true))?;
    let mut tx = store.snapshot().await?;
    let messages = recalling::since(&mut tx, covers, recalls.since).await?;
    Ok(Recalled { messages, goes_on })
}
