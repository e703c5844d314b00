//! When to try again: exponential, with full jitter, so that many messages don't come back at once.

use std::time::Duration;

use jiff::Timestamp;
use tandem_adapter_port::retry_after::LONGEST_WAIT;

use crate::config::DeliveryConfig;
use crate::seal::fill_random;

/// How long to wait after a number of failed attempts. At least half of the first wait, at most the longest.
#[must_use]
pub(super) fn wait(config: &DeliveryConfig, attempts: i64) -> Duration {
    let times = u32::try_from(attempts.clamp(1, 40)).unwrap_or(1);
    let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
    pause(
        seconds(config.first_retry_seconds),
        seconds(config.longest_retry_seconds),
        times,
    )
}

/// The latest time until which a message may wait for its next attempt, whoever said how long.
#[must_use]
pub(super) fn latest(config: &DeliveryConfig, now: Timestamp) -> Timestamp {
    let longest = Duration::from_secs(u64::from(config.longest_retry_seconds));
    // A clock that is set right by some seconds has put nothing off.
    let latest = now.checked_add(longest.max(LONGEST_WAIT) + Duration::from_secs(600));
    latest.unwrap_or(Timestamp::MAX)
}

/// A pause for the n-th time in a row: drawn from half of the first to a ceiling that doubles each time up to the longest.
#[must_use]
pub(super) fn pause(first: Duration, longest: Duration, times: u32) -> Duration {
    let ceiling = first
        .saturating_mul(1 << times.saturating_sub(1).min(20))
        .min(longest)
        .max(Duration::from_secs(1));
    let ceiling = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX);
    let mut random = [0_u8; 8];
    // Without randomness the wait is the ceiling: late is safe.
    let drawn = match fill_random(&mut random) {
        Ok(()) => u64::from_be_bytes(random) % ceiling,
        Err(_) => ceiling,
    };
    Duration::from_millis(drawn).max(first / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_below_the_longest() {
        let config = DeliveryConfig {
            first_retry_seconds: 2,
            longest_retry_seconds: 60,
            attempts: 10,
            ..DeliveryConfig::default()
        };
        for attempts in 1..40 {
            let wait = wait(&config, attempts);
            assert!(
                wait >= Duration::from_secs(1) && wait <= Duration::from_secs(60),
                "{attempts}: {wait:?}"
            );
        }
    }
}
