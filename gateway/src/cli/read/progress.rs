//! How far the reading of a large file has come, for a person who waits at a terminal.

use std::io::{self, IsTerminal as _, Read, Seek, SeekFrom, Write as _};

/// Smaller files are read before anybody wonders.
const LARGE_BYTES: u64 = 50_000_000;
const MEGABYTE: u64 = 1_000_000;
/// Bytes between two messages.
const STEP_BYTES: u64 = 10 * MEGABYTE;

/// Passes reads on and tells how many bytes there were.
#[derive(Debug)]
pub(super) struct Progress<R> {
    inner: R,
    total: u64,
    done: u64,
    told: u64,
    is_shown: bool,
}

impl<R> Progress<R> {
    /// Watches a file of `total` bytes.
    pub(super) fn new(inner: R, total: u64) -> Self {
        let is_shown = total >= LARGE_BYTES && io::stderr().is_terminal();
        Self {
            inner,
            total,
            done: 0,
            told: 0,
            is_shown,
        }
    }

    fn count(&mut self, bytes: usize) {
        self.done = self.done.saturating_add(bytes as u64);
        if self.is_shown && self.done >= self.told.saturating_add(STEP_BYTES) {
            self.told = self.done;
            // A zip's entries may be read more than once.
            let (done, total) = (self.done.min(self.total) / MEGABYTE, self.total / MEGABYTE);
            let _closed = write!(io::stderr().lock(), "\rread {done} of {total} MB");
        }
    }
}

impl<R: Read> Read for Progress<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count(count);
        Ok(count)
    }
}

impl<R: Seek> Seek for Progress<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

impl<R> Drop for Progress<R> {
    fn drop(&mut self) {
        if self.told > 0 {
            let _closed = writeln!(io::stderr().lock());
        }
    }
}
