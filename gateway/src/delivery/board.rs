//! The lanes that this gateway serves now: how many of their messages are under way, and how their breakers stand.
//! Where several gateways share a store, another one knows of the others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::breaker::{Breaker, Standing};

/// The lanes that are served here, by destination.
#[derive(Debug, Default)]
pub struct Board(Mutex<BTreeMap<String, Signs>>);

/// A lane that is served here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The destination.
    pub lane: String,
    /// Messages whose attempt has begun and not ended.
    pub in_flight: i64,
    /// The breaker.
    pub breaker: Standing,
}

/// What is to be seen of a lane while it runs.
#[derive(Debug, Clone)]
pub(super) struct Signs {
    under_way: Arc<AtomicI64>,
    breaker: Arc<Mutex<Breaker>>,
}

/// Messages that are under way until this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay {
    count: i64,
    of: Arc<AtomicI64>,
}

/// A lane is on the board until this is dropped.
#[derive(Debug)]
pub(super) struct OnBoard<'a> {
    board: &'a Board,
    lane: String,
}

impl Signs {
    pub(super) fn new(breaker: Breaker) -> Self {
        Self {
            under_way: Arc::default(),
            breaker: Arc::new(Mutex::new(breaker)),
        }
    }

    pub(super) fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many messages are under way from now on.
    pub(super) fn begin(&self, messages: usize) -> UnderWay {
        let count = i64::try_from(messages).unwrap_or(i64::MAX);
        self.under_way.fetch_add(count, Ordering::Relaxed);
        UnderWay {
            count,
            of: Arc::clone(&self.under_way),
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.of.fetch_sub(self.count, Ordering::Relaxed);
    }
}

impl Board {
    /// The lanes, in the order of their names.
    #[must_use]
    pub fn lanes(&self) -> Vec<Served> {
        let lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let served = lanes.iter().map(|(lane, signs)| Served {
            lane: lane.clone(),
            in_flight: signs.under_way.load(Ordering::Relaxed),
            breaker: signs.breaker().standing(),
        });
        served.collect()
    }

    /// Lets a lane that is served here try again at once, whatever its destination answered before.
    pub fn reset(&self, lane: &str) {
        let lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signs) = lanes.get(lane) {
            signs.breaker().reset();
        }
    }

    /// Shows a lane as long as it is served.
    pub(super) fn show(&self, lane: &str, signs: Signs) -> OnBoard<'_> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.insert(lane.to_owned(), signs);
        OnBoard {
            board: self,
            lane: lane.to_owned(),
        }
    }
}

impl Drop for OnBoard<'_> {
    fn drop(&mut self) {
        let lanes = self.board.0.lock();
        lanes
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.lane);
    }
}
