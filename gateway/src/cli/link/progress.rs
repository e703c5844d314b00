//! How far a run has come, for a person who waits.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use tandem_matching::{Phase, Progress};

/// Time between two messages at a terminal, where one takes the other's place.
const AT_TERMINAL: Duration = Duration::from_millis(200);
/// Time between two messages elsewhere, where each is a line.
const ELSEWHERE: Duration = Duration::from_secs(5);

/// One line on standard error.
#[derive(Debug)]
pub(super) struct ProgressLine {
    is_shown: bool,
    is_terminal: bool,
    phase: Option<Phase>,
    told_at: Option<Instant>,
    is_dirty: bool,
}

impl ProgressLine {
    /// Shown where somebody waits at a terminal, or asked for it.
    pub(super) fn new(is_asked: bool, is_json: bool) -> Self {
        let is_terminal = io::stderr().is_terminal();
        Self {
            is_shown: is_asked || (is_terminal && !is_json),
            is_terminal,
            phase: None,
            told_at: None,
            is_dirty: false,
        }
    }

    /// Shows the moment, unless one was shown just before; the end of a phase always.
    pub(super) fn show(&mut self, progress: Progress) {
        if !self.is_shown {
            return;
        }
        let pause = if self.is_terminal {
            AT_TERMINAL
        } else {
            ELSEWHERE
        };
        let is_early = self.told_at.is_some_and(|told| told.elapsed() < pause);
        let is_end = progress.of_records == Some(progress.records);
        if is_early && !is_end && self.phase == Some(progress.phase) {
            return;
        }
        self.phase = Some(progress.phase);
        self.told_at = Some(Instant::now());
        let text = text(progress);
        // Nobody is left to tell when standard error is closed.
        let _closed = if self.is_terminal {
            self.is_dirty = true;
            write!(io::stderr().lock(), "\r\x1b[K{text}")
        } else {
            writeln!(io::stderr().lock(), "{text}")
        };
    }

    /// Leaves the terminal's line as it was.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_dirty) {
            let _closed = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

fn text(progress: Progress) -> String {
    let label = progress.phase.label();
    let mut text = match progress.of_records {
        Some(all) => format!("{label}: {} of {all} records", progress.records),
        None if progress.records > 0 => format!("{label}: {} so far", progress.records),
        None => label.to_owned(),
    };
    if progress.pairs > 0 {
        text.push_str(&format!(", {} pairs", progress.pairs));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_names_what_is_done_of_how_much() {
        let moment = |phase, records, of_records, pairs| Progress {
            phase,
            records,
            of_records,
            pairs,
        };
        assert_eq!(
            text(moment(Phase::Reading, 8192, None, 0)),
            "reading records: 8192 so far"
        );
        assert_eq!(
            text(moment(Phase::Comparing, 10, Some(40), 7)),
            "comparing: 10 of 40 records, 7 pairs"
        );
        assert_eq!(
            text(moment(Phase::Estimating, 0, None, 0)),
            "estimating probabilities"
        );
    }
}
