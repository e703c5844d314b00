//! When answers leave whose time must tell nothing: on a multiple of a quantum, and none sooner than the slowest needed of
//! late. On a loaded machine the work on somebody who is known elsewhere may take longer than a quantum; then the answers
//! about everybody do.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long all answers take as many quanta as the slowest did.
const HOLD: Duration = Duration::from_secs(60);
/// Quanta beyond which an answer is late for itself alone: such a stall comes of the machine, not of what was asked.
const MOST: u32 = 20;

/// The pace at which answers leave.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    level: Mutex<Level>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Level {
    /// Quanta that every answer takes.
    quanta: u32,
    /// When an answer last needed as many.
    needed_at: Option<Instant>,
}

impl Pace {
    /// Waits until an answer may leave whose work began at an instant and is done.
    pub(crate) async fn leave(&self, started: Instant, quantum: Duration) {
        let after = self.departure(started.elapsed(), quantum, Instant::now());
        tokio::time::sleep_until(started + after).await;
    }

    /// How long after its beginning an answer leaves whose work took some time.
    fn departure(&self, worked: Duration, quantum: Duration, now: Instant) -> Duration {
        let quantum = quantum.max(Duration::from_millis(1));
        let passed = u32::try_from(worked.as_nanos() / quantum.as_nanos()).unwrap_or(u32::MAX);
        let needed = passed.saturating_add(1);
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |at: Instant| now.saturating_duration_since(at) >= HOLD;
        if needed >= level.quanta || level.needed_at.is_none_or(is_over) {
            *level = Level {
                quanta: needed.min(MOST),
                needed_at: Some(now),
            };
        }
        quantum.saturating_mul(level.quanta.max(needed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUANTUM: Duration = Duration::from_millis(50);

    fn after(pace: &Pace, worked: u64, now: Instant) -> u128 {
        let left = pace.departure(Duration::from_millis(worked), QUANTUM, now);
        left.as_millis()
    }

    #[tokio::test]
    async fn an_answer_leaves_on_a_multiple_of_the_quantum() {
        let now = Instant::now();
        for (worked, leaves) in [(0, 50), (49, 50), (50, 100), (59, 100), (120, 150)] {
            assert_eq!(after(&Pace::default(), worked, now), leaves, "{worked}");
        }
        let no_quantum = Pace::default().departure(Duration::from_millis(3), Duration::ZERO, now);
        assert_eq!(no_quantum, Duration::from_millis(4));
    }

    #[tokio::test]
    async fn after_a_slow_answer_the_quick_ones_take_as_long_for_a_while() {
        let (pace, start) = (Pace::default(), Instant::now());
        assert_eq!(after(&pace, 3, start), 50);
        assert_eq!(after(&pace, 72, start), 100);
        assert_eq!(after(&pace, 3, start), 100, "not told from the slow one");
        let later = start + HOLD;
        assert_eq!(after(&pace, 3, later), 50);
        assert_eq!(after(&pace, 60_010, later), 60_050);
        assert_eq!(
            after(&pace, 3, later),
            1_000,
            "a stall is not passed on whole"
        );
    }
}
