//! Tells a lane that something of its own was written: each other lane would look for nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// A bell for each lane that listens. It rings when what was written is durable.
#[derive(Debug, Clone, Default)]
pub(super) struct Bells(Arc<Mutex<HashMap<String, watch::Sender<u64>>>>);

impl Bells {
    /// Listens to the bell of a lane.
    pub(super) fn of(&self, lane: &str) -> watch::Receiver<u64> {
        self.all().entry(lane.to_owned()).or_default().subscribe()
    }

    /// Rings for some lanes.
    pub(super) fn ring(&self, lanes: &BTreeSet<String>) {
        let all = self.all();
        lanes.iter().filter_map(|lane| all.get(lane)).for_each(ring);
    }

    /// Rings for every lane.
    pub(super) fn ring_all(&self) {
        self.all().values().for_each(ring);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<u64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ring(bell: &watch::Sender<u64>) {
    bell.send_modify(|count| *count = count.wrapping_add(1));
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Place, contract, row};
    use super::super::{OutboxRow, OutboxState};

    async fn a_bell_rings_for_its_lane_once_that_is_durable(place: Place) {
        let store = &place.store;
        let mut tx = store.begin().await.unwrap();
        let message = row(&tx, "a case");
        let (own, other) = (store.bell(&message.lane), store.bell("another lane"));
        let rang = || own.has_changed().unwrap();
        tx.add_outbox(&message).await.unwrap();
        assert!(!rang(), "nothing is durable yet");
        tx.commit().await.unwrap();
        assert!(rang());
        // Its case may be free for the next message.
        let own = store.bell(&message.lane);
        let withdrawn = OutboxRow {
            state: OutboxState::Withdrawn,
            ..message.clone()
        };
        let mut tx = store.begin().await.unwrap();
        let moved = tx.move_outbox(&withdrawn, message.state, message.due_at);
        assert!(moved.await.unwrap());
        tx.commit().await.unwrap();
        assert!(own.has_changed().unwrap());
        assert!(!other.has_changed().unwrap());
        store.ring_all_bells();
        assert!(other.has_changed().unwrap());
    }

    async fn what_was_given_up_rings_no_bell(place: Place) {
        let store = &place.store;
        let mut tx = store.begin().await.unwrap();
        let message = row(&tx, "a case");
        let own = store.bell(&message.lane);
        tx.add_outbox(&message).await.unwrap();
        drop(tx);
        store.begin().await.unwrap().commit().await.unwrap();
        assert!(!own.has_changed().unwrap());
    }

    contract!(
        a_bell_rings_for_its_lane_once_that_is_durable,
        what_was_given_up_rings_no_bell,
    );
}
