//! The machine's clock: against what was recorded last, and against a clock that nobody sets.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::examination::{Examination, Finding};
use crate::clock::Clock;

/// A step of this length within an examination is none of measuring.
const STEP: SignedDuration = SignedDuration::from_millis(250);
/// What was recorded may be ahead by this: another gateway's clock is another clock.
const AHEAD: SignedDuration = SignedDuration::from_secs(2);
/// Nothing recorded for so long: the gateway stood still, or the clock has jumped.
const SILENCE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// When the examination began, by both clocks.
#[derive(Debug)]
pub(super) struct Started {
    at: Timestamp,
    steady: Instant,
}

impl Started {
    /// The time by the machine's clock.
    pub(super) const fn at(&self) -> Timestamp {
        self.at
    }
}

/// The examination begins.
pub(super) fn started() -> Started {
    Started {
        at: Clock::System.now(),
        steady: Instant::now(),
    }
}

/// Looks at the clock at the end of the examination.
pub(super) fn examine(examination: &mut Examination, started: &Started, last: Option<Timestamp>) {
    let now = Clock::System.now();
    let steady = SignedDuration::try_from(started.steady.elapsed()).unwrap_or_default();
    examination.add(steps(now.duration_since(started.at), steady));
    examination.add(match last {
        Some(last) => since(last, now),
        None => {
            Finding::not_applicable("clock", "nothing was recorded yet against which to hold it")
        }
    });
}

fn steps(by_clock: SignedDuration, steady: SignedDuration) -> Finding {
    let check = "clock-steps";
    let step = by_clock.saturating_sub(steady).abs();
    let found = format!("{by_clock:#} passed by the machine's clock, {steady:#} by a steady one");
    if step > STEP {
        let help = "something sets the clock in steps: let one service keep it, slowly";
        Finding::warning(check, found, "the same", help)
    } else {
        Finding::ok(
            check,
            "it went as fast as a steady one during this examination",
        )
    }
}

fn since(last: Timestamp, now: Timestamp) -> Finding {
    let check = "clock";
    let passed = now.duration_since(last);
    if passed < -AHEAD {
        let found = format!("it says {now}, and something was recorded at {last}");
        let help = "the clock went back: set it right before the gateway goes on, since consents begin and end by it";
        Finding::failed(
            check,
            found,
            "an instant after what was recorded last",
            help,
        )
    } else if passed > SILENCE {
        let found = format!("it says {now}, and nothing was recorded since {last}");
        let help = "the gateway stood still, or the clock has jumped ahead: consents end by it, so look before it goes on";
        Finding::warning(check, found, "something recorded within a week", help)
    } else {
        Finding::ok(
            check,
            format!("it says {now}; the last was recorded at {last}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(finding: &Finding) -> serde_json::Value {
        serde_json::to_value(finding).unwrap()["standing"].clone()
    }

    #[test]
    fn a_clock_that_went_back_fails_and_one_that_jumped_ahead_warns() {
        let last: Timestamp = "2026-02-02T09:00:00Z".parse().unwrap();
        let after =
            |seconds: i64| standing(&since(last, last + SignedDuration::from_secs(seconds)));
        assert_eq!(after(60), "ok");
        assert_eq!(after(-1), "ok");
        assert_eq!(after(-60), "failed");
        assert_eq!(after(30 * 86_400), "warning");
    }

    #[test]
    fn a_clock_that_is_set_while_it_is_looked_at_warns() {
        let second = SignedDuration::from_secs(1);
        assert_eq!(standing(&steps(second, second)), "ok");
        assert_eq!(
            standing(&steps(SignedDuration::from_hours(1), second)),
            "warning"
        );
        assert_eq!(standing(&steps(-second, second)), "warning");
    }
}
