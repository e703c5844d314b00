//! How many connections may be open: in all, and from one address. One more is closed at once, so that whoever opens them
//! without end takes no file handle from the store, the folders and the other clients.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::Instant;

/// One address may have this part of all places.
const PART: usize = 4;
/// Refusals are told to the log together, this often.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// The places of connections.
#[derive(Debug)]
pub(super) struct Places {
    all: usize,
    of_one_peer: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
    /// Refused since that was last told.
    refused: u64,
    told_at: Option<Instant>,
}

/// The place of one connection. It is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    peer: IpAddr,
}

impl Places {
    /// So many places, or as many as the process has file handles for.
    pub(super) fn fitting(wanted: u32) -> Self {
        let handles = file_handles();
        let all = most(wanted, handles);
        if usize::try_from(wanted).is_ok_and(|wanted| all < wanted) {
            tracing::warn!(
                connections = all,
                ?handles,
                "listen.connections: fewer are served, since the process may open too few files"
            );
        }
        Self::new(all)
    }

    /// So many places; none at all counts as one.
    pub(super) fn new(all: usize) -> Self {
        Self {
            all: all.max(1),
            of_one_peer: (all / PART).max(1),
            taken: Mutex::default(),
        }
    }

    /// Takes a place for a connection from an address; `None` when all that it may have are taken.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let mut taken = self.lock();
        let of_peer = taken.by_peer.get(&peer).copied().unwrap_or_default();
        if taken.all >= self.all || of_peer >= self.of_one_peer {
            taken.refuse();
            return None;
        }
        taken.all += 1;
        taken.by_peer.insert(peer, of_peer + 1);
        Some(Place {
            places: Arc::clone(self),
            peer,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn refuse(&mut self) {
        self.refused += 1;
        if self.told_at.is_none_or(|at| at.elapsed() >= TOLD_EVERY) {
            tracing::warn!(
                refused = self.refused,
                open = self.all,
                "connections were closed at once: too many are open, or too many from one address"
            );
            self.refused = 0;
            self.told_at = Some(Instant::now());
        }
    }

    fn free(&mut self, peer: IpAddr) {
        self.all = self.all.saturating_sub(1);
        if let Entry::Occupied(mut of_peer) = self.by_peer.entry(peer) {
            let left = of_peer.get().saturating_sub(1);
            if left == 0 {
                of_peer.remove();
            } else {
                of_peer.insert(left);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().free(self.peer);
    }
}

/// The wanted number, or what leaves the gateway a quarter of its file handles for its own needs.
fn most(wanted: u32, handles: Option<u64>) -> usize {
    let fitting = handles.map_or(u64::MAX, |handles| handles - handles / 4);
    usize::try_from(fitting.min(wanted.into())).unwrap_or(usize::MAX)
}

/// How many files the process may open, once that is as many as the system lets it; `None` when nothing limits it.
fn file_handles() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn peer(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, last).into()
    }

    #[test]
    fn one_address_has_at_most_a_quarter_of_all_places() {
        let places = Arc::new(Places::new(8));
        let first = places.take(peer(1));
        let second = places.take(peer(1));
        assert!(first.is_some() && second.is_some());
        assert!(places.take(peer(1)).is_none());
        assert!(
            places.take(peer(2)).is_some(),
            "another address has its own"
        );
        drop(first);
        assert!(places.take(peer(1)).is_some());
    }

    #[test]
    fn there_are_no_more_places_than_all() {
        let places = Arc::new(Places::new(4));
        let taken: Vec<_> = (1..=4).map(|last| places.take(peer(last))).collect();
        assert!(taken.iter().all(Option::is_some));
        assert!(places.take(peer(5)).is_none());
        drop(taken);
        assert!(places.take(peer(5)).is_some());
        assert!(places.lock().by_peer.is_empty(), "who is gone is forgotten");
    }

    #[test]
    fn a_quarter_of_the_file_handles_stays_for_the_gateway_itself() {
        for (handles, places) in [
            (Some(1_024), 768),
            (Some(5_464), 4_096),
            (Some(3), 3),
            (None, 4_096),
        ] {
            assert_eq!(most(4_096, handles), places, "{handles:?}");
        }
    }
}
