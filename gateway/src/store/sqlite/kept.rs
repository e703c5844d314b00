//! Snapshots that stay open for the next reader.
//!
//! A connection that begins a snapshot after a commit forgets all pages that it has read, and reads them from the file again. While
//! nobody commits, one snapshot shows what the next would: so who is done with one leaves it open, and the next reader goes on in
//! it with the pages that are there. With the next commit it is over, so that nobody reads what is older than what somebody was told,
//! and nobody holds up the log (<https://sqlite.org/wal.html#avoiding_excessively_large_wal_files>).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// How long a snapshot is used at most: no other process writes to a store that is served, and if one did, it would be seen as soon.
const LONGEST: Duration = Duration::from_millis(5);

/// The snapshots that nobody uses at the moment.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Counts the commits.
    commits: u64,
    snapshots: Vec<(Connection, Taken)>,
}

/// When a snapshot was taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    commits: u64,
    at: Instant,
}

impl Taken {
    fn is_of_late(&self) -> bool {
        self.at.elapsed() < LONGEST
    }
}

impl Kept {
    /// Now: a snapshot that begins after this shows every commit so far.
    pub(super) fn now(&self) -> Taken {
        Taken {
            commits: self.state().commits,
            at: Instant::now(),
        }
    }

    /// A snapshot that shows every commit so far; one that was not taken of late is over, and comes without its time.
    pub(super) fn next(&self) -> Option<(Connection, Option<Taken>)> {
        let (connection, taken) = self.state().snapshots.pop()?;
        Some((connection, Some(taken).filter(|taken| taken.is_of_late())))
    }

    /// Keeps a snapshot; gives back one that is over.
    pub(super) fn keep(&self, connection: Connection, taken: Taken) -> Option<Connection> {
        let mut state = self.state();
        if taken.commits != state.commits || !taken.is_of_late() {
            return Some(connection);
        }
        state.snapshots.push((connection, taken));
        None
    }

    /// Gives all of them up.
    pub(super) fn let_go(&self) -> Vec<Connection> {
        let all = std::mem::take(&mut self.state().snapshots);
        all.into_iter().map(|(connection, _)| connection).collect()
    }

    /// Somebody has committed: no snapshot from before is kept any more.
    pub(super) fn committed(&self) {
        let mut state = self.state();
        state.commits = state.commits.wrapping_add(1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
