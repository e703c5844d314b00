//! The circuit breaker of a lane: a destination that fails again and again is left alone for a while, then asked by a single
//! message whether it is back. What waits meanwhile uses up none of its attempts.

use std::time::Duration;

use jiff::Timestamp;
use tandem_adapter_port::write::{Delivery, Fault};

use super::backoff;
use crate::config::DeliveryConfig;

/// How much a lane may try now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// As much as is due.
    All,
    /// One message, to see whether the destination is back.
    Probe,
    /// Nothing before this instant.
    NotBefore(Timestamp),
}

/// How a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Deliveries run.
    Closed,
    /// One message asks whether the destination is back.
    HalfOpen,
    /// Nothing is tried before this instant.
    Open(Timestamp),
}

impl Standing {
    /// As text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open(_) => "open",
        }
    }

    /// As a number: 0 closed, 1 half open, 2 open.
    #[must_use]
    pub const fn level(self) -> i64 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open(_) => 2,
        }
    }
}

/// The breaker of one destination.
#[derive(Debug)]
pub(super) struct Breaker {
    destination: String,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Deliveries run; so many in a row have failed.
    Closed { failures: u32 },
    /// Nothing is tried between two instants; it is the n-th time in a row.
    Open {
        since: Timestamp,
        until: Timestamp,
        times: u32,
    },
    /// One message is under way, or wanted.
    HalfOpen { times: u32 },
}

impl Breaker {
    pub(super) fn new(destination: &str) -> Self {
        Self {
            destination: destination.to_owned(),
            state: State::Closed { failures: 0 },
        }
    }

    /// How it stands.
    pub(super) const fn standing(&self) -> Standing {
        match self.state {
            State::Closed { .. } => Standing::Closed,
            State::HalfOpen { .. } => Standing::HalfOpen,
            State::Open { until, .. } => Standing::Open(until),
        }
    }

    /// How much may be tried at an instant.
    pub(super) fn allows(&mut self, now: Timestamp) -> Allowed {
        if let State::Open { until, times, .. } = self.state {
            if self.is_closed_to(now) {
                return Allowed::NotBefore(until);
            }
            self.goes_to(State::HalfOpen { times });
        }
        match self.state {
            State::HalfOpen { .. } => Allowed::Probe,
            _ => Allowed::All,
        }
    }

    /// Whether nothing may be tried at an instant. Before the breaker opened, by a clock that was ahead then, everything may.
    pub(super) fn is_closed_to(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Open { since, until, .. } if (since..until).contains(&now))
    }

    /// Takes in what came of an attempt.
    pub(super) fn ended(&mut self, config: &DeliveryConfig, delivery: &Delivery, now: Timestamp) {
        let Delivery::Retry { fault, after, .. } = delivery else {
            // Whoever accepts or refuses a message for good is there.
            let is_ours = matches!(
                delivery,
                Delivery::Park {
                    fault: Fault::Ours,
                    ..
                }
            );
            if !is_ours {
                self.goes_to(State::Closed { failures: 0 });
            }
            return;
        };
        if self.is_closed_to(now) {
            self.fails_once_more(after.unwrap_or_default(), now);
            return;
        }
        let (failures, times) = match self.state {
            State::Closed { failures } => (failures.saturating_add(1), 0),
            State::HalfOpen { times } | State::Open { times, .. } => (u32::MAX, times),
        };
        // A destination that says when it may be asked again means all of its messages.
        let is_told_to_wait = *fault == Fault::Partner && after.is_some();
        if failures < config.breaker_failures.max(1) && !is_told_to_wait {
            self.state = State::Closed { failures };
            return;
        }
        let times = times.saturating_add(1);
        let pause = backoff::pause(
            Duration::from_secs(u64::from(config.breaker_seconds)),
            Duration::from_secs(u64::from(config.breaker_longest_seconds)),
            times,
        );
        let pause = pause.max(after.unwrap_or_default());
        let until = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        self.goes_to(State::Open {
            since: now,
            until,
            times,
        });
    }

    /// What was under way when the breaker opened says no more than the first that failed, unless it says when to come back.
    fn fails_once_more(&mut self, after: Duration, now: Timestamp) {
        if let State::Open { until, .. } = &mut self.state {
            *until = (*until).max(now.checked_add(after).unwrap_or(Timestamp::MAX));
        }
    }

    /// Somebody knows that the destination is back: as much as is due may be tried at once.
    pub(super) fn reset(&mut self) {
        self.goes_to(State::Closed { failures: 0 });
    }

    fn goes_to(&mut self, state: State) {
        let was_open = self.is_open();
        self.state = state;
        if was_open != self.is_open() {
            let destination = self.destination.as_str();
            if was_open {
                tracing::info!(destination, "the destination may be asked again");
            } else {
                tracing::warn!(
                    destination,
                    ?state,
                    "the destination fails and is left alone"
                );
            }
        }
    }

    const fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config() -> DeliveryConfig {
        DeliveryConfig {
            breaker_failures: 3,
            breaker_seconds: 10,
            breaker_longest_seconds: 60,
            ..DeliveryConfig::default()
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn failed(after: Option<u64>) -> Delivery {
        Delivery::Retry {
            fault: Fault::Partner,
            after: after.map(Duration::from_secs),
            text: String::new(),
        }
    }

    fn delivered() -> Delivery {
        Delivery::Delivered { reference: None }
    }

    #[test]
    fn after_failures_in_a_row_a_single_probe_decides() {
        let mut breaker = Breaker::new("hmis-demo");
        for _ in 0..2 {
            breaker.ended(&config(), &failed(None), at(0));
            assert_eq!(breaker.allows(at(0)), Allowed::All);
        }
        breaker.ended(&config(), &delivered(), at(0));
        for _ in 0..2 {
            breaker.ended(&config(), &failed(None), at(0));
            assert_eq!(
                breaker.allows(at(0)),
                Allowed::All,
                "they were not in a row"
            );
        }
        breaker.ended(&config(), &failed(None), at(0));
        assert!(matches!(breaker.allows(at(4)), Allowed::NotBefore(_)));
        assert_eq!(breaker.allows(at(10)), Allowed::Probe);
        breaker.ended(&config(), &failed(None), at(10));
        // A pause is drawn, from half of the first on.
        assert!(matches!(breaker.allows(at(14)), Allowed::NotBefore(_)));
        assert_eq!(breaker.allows(at(30)), Allowed::Probe);
        breaker.ended(&config(), &delivered(), at(30));
        assert_eq!(breaker.allows(at(30)), Allowed::All);
    }

    #[test]
    fn a_destination_that_says_when_is_left_alone_until_then() {
        let mut breaker = Breaker::new("hmis-demo");
        breaker.ended(&config(), &failed(Some(900)), at(0));
        assert_eq!(breaker.allows(at(899)), Allowed::NotBefore(at(900)));
        assert_eq!(breaker.allows(at(900)), Allowed::Probe);
    }

    #[test]
    fn attempts_that_were_under_way_when_it_opened_make_no_pause_longer() {
        let mut breaker = Breaker::new("hmis-demo");
        for _ in 0..40 {
            breaker.ended(&config(), &failed(None), at(0));
        }
        assert_eq!(breaker.allows(at(10)), Allowed::Probe, "the first pause");
    }

    #[test]
    fn a_clock_that_was_ahead_leaves_no_destination_alone_for_as_long() {
        let mut breaker = Breaker::new("hmis-demo");
        breaker.ended(&config(), &failed(Some(60)), at(1_000_000));
        assert!(breaker.is_closed_to(at(1_000_000)));
        assert_eq!(breaker.allows(at(0)), Allowed::Probe);
        breaker.ended(&config(), &failed(Some(60)), at(0));
        assert_eq!(breaker.allows(at(59)), Allowed::NotBefore(at(60)));
    }

    #[test]
    fn a_destination_of_which_somebody_knows_that_it_is_back_is_asked_at_once() {
        let mut breaker = Breaker::new("hmis-demo");
        breaker.ended(&config(), &failed(Some(86_400)), at(0));
        assert!(matches!(breaker.allows(at(1)), Allowed::NotBefore(_)));
        breaker.reset();
        assert_eq!(breaker.allows(at(1)), Allowed::All);
    }

    #[test]
    fn a_refusal_for_good_shows_that_the_destination_is_there() {
        let mut breaker = Breaker::new("hmis-demo");
        for _ in 0..9 {
            breaker.ended(&config(), &failed(None), at(0));
            let fault = Fault::Partner;
            let text = String::new();
            breaker.ended(&config(), &Delivery::Park { fault, text }, at(0));
        }
        assert_eq!(breaker.allows(at(0)), Allowed::All);
    }

    proptest! {
        /// However attempts end, a lane is never closed for longer than the longest pause after the last of them.
        #[test]
        fn no_destination_is_left_alone_for_ever(ends in prop::collection::vec((0..3_u8, 0..100_i64), 1..60)) {
            let mut breaker = Breaker::new("hmis-demo");
            let mut now = 0;
            for (end, step) in ends {
                now += step;
                let _allowed = breaker.allows(at(now));
                let delivery = if end == 0 { delivered() } else { failed(None) };
                breaker.ended(&config(), &delivery, at(now));
            }
            prop_assert!(!matches!(breaker.allows(at(now + 60)), Allowed::NotBefore(_)));
        }
    }
}
