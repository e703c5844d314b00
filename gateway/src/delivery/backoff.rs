//! When to try again: exponential, with full jitter, so that many messages don't come back at once.

use std::time::Duration;

use crate::config::DeliveryConfig;
use crate::seal::fill_random;

/// How long to wait after a number of failed attempts. At least half of the first wait, at most the longest.
#[must_use]
pub(super) fn wait(config: &DeliveryConfig, attempts: i64) -> Duration {
    let exponent = u32::try_from(attempts.saturating_sub(1).clamp(0, 20)).unwrap_or(20);
    let ceiling = u64::from(config.first_retry_seconds)
        .saturating_mul(1 << exponent)
        .min(u64::from(config.longest_retry_seconds))
        .max(1);
    let mut random = [0_u8; 8];
    // Without randomness the wait is the ceiling: late is safe.
    let drawn = match fill_random(&mut random) {
        Ok(()) => u64::from_be_bytes(random) % (ceiling * 1_000),
        Err(_) => ceiling * 1_000,
    };
    Duration::from_millis(drawn.max(u64::from(config.first_retry_seconds) * 500))
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
