//! Goes on with what is still to be looked at: a part for each person in turn, until nothing is left.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::go_on;
use crate::pipeline::core::Core;
use crate::state::recalling::RecallingDoc;
use crate::store::{Found, Place, StoreError};

/// Persons whose turn is known at once.
const PAGE: u32 = 64;
/// After how long it is tried again for somebody for whom it failed.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// Those for whom it failed, and when it is tried again.
type Aside = BTreeMap<Place, Timestamp>;

/// Looks until cancelled.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    let mut changed = core.changed.subscribe();
    let mut aside = Aside::new();
    loop {
        let has_more = round(&core, &mut aside, &stop)
            .await
            .unwrap_or_else(|error| {
                tracing::error!(%error, "what was told cannot be looked at for what must be recalled; it is at the next change");
                false
            });
        if has_more && !stop.is_cancelled() {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            woken = changed.changed() => if woken.is_err() { return },
        }
    }
}

/// Gives each person a turn. Returns whether there is more to do for somebody.
async fn round(
    core: &Core,
    aside: &mut Aside,
    stop: &CancellationToken,
) -> Result<bool, StoreError> {
    let (mut after, mut has_more) = (Vec::new(), false);
    loop {
        let mut tx = core.store.snapshot().await?;
        let (found, last) = tx.page_each::<RecallingDoc>(&after, PAGE).await?;
        drop(tx);
        if found.is_empty() {
            return Ok(has_more);
        }
        after = last;
        for one in found {
            if stop.is_cancelled() {
                return Ok(false);
            }
            has_more |= turn(core, one, aside).await;
        }
    }
}

/// A person's turn. One for whom it fails holds up no other, and is tried again. Returns whether there is more to do at once.
async fn turn(core: &Core, found: Found<RecallingDoc>, aside: &mut Aside) -> bool {
    let (now, place) = (core.clock.now(), found.place);
    if aside.get(&place).is_some_and(|again| now < *again) {
        return false;
    }
    let gone_on = match found.document {
        Ok(document) => Box::pin(go_on(core, document.person)).await,
        Err(error) => Err(error),
    };
    match gone_on {
        Ok(is_last) => {
            aside.remove(&place);
            !is_last
        }
        Err(error) => {
            tracing::error!(%place, %error, "what was told of a person cannot be looked at for what must be recalled; it is tried again");
            aside.insert(place, now.checked_add(AGAIN).unwrap_or(now));
            false
        }
    }
}
