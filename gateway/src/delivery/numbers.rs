//! The numbers by which a lane's files are named.

use std::ops::RangeInclusive;

use tandem_mappings::model::id::SystemId;
use tokio::sync::Mutex;

use crate::pipeline::core::Core;
use crate::store::StoreError;

/// Numbers of a lane that are taken and not used yet.
#[derive(Debug)]
pub(super) struct Numbers {
    left: Mutex<RangeInclusive<i64>>,
    /// How many are taken at one time.
    count: u32,
}

impl Numbers {
    /// None yet, of which so many are taken at one time: what is taken and not used when the gateway stops is never used.
    pub(super) fn taking(count: u32) -> Self {
        Self {
            left: Mutex::new(RangeInclusive::new(1, 0)),
            count: count.max(1),
        }
    }

    /// The next one. It is durable that it is taken: it is nobody else's, whatever happens.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn next(&self, core: &Core, lane: &SystemId) -> Result<i64, StoreError> {
        let mut left = self.left.lock().await;
        if let Some(number) = left.next() {
            return Ok(number);
        }
        let mut tx = core.store.begin().await?;
        let last = tx.take_numbers(lane.as_str(), self.count).await?;
        tx.commit().await?;
        let first = last - i64::from(self.count) + 1;
        *left = first + 1..=last;
        Ok(first)
    }
}
