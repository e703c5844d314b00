//! How far a copy of the store has come, for a person who waits.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Time between two messages.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells on standard error which table is gone through: at a terminal in one line, elsewhere a line for each message.
#[derive(Debug, Default)]
pub(super) struct RowsLine {
    started: Option<Instant>,
    is_told: bool,
}

impl RowsLine {
    /// Shows the moment, unless one was shown just before.
    pub(super) fn show(&mut self, table: &str, rows: u64) {
        let started = *self.started.get_or_insert_with(Instant::now);
        if started.elapsed() < PAUSE {
            return;
        }
        self.started = Some(Instant::now());
        self.is_told = true;
        let mut err = io::stderr().lock();
        // Nobody is left to tell when standard error is closed.
        let _closed = if err.is_terminal() {
            write!(err, "\r\x1b[K{table}: {rows} rows").and_then(|()| err.flush())
        } else {
            writeln!(err, "{table}: {rows} rows")
        };
    }
}

impl Drop for RowsLine {
    fn drop(&mut self) {
        if self.is_told && io::stderr().is_terminal() {
            let _closed = writeln!(io::stderr().lock());
        }
    }
}
