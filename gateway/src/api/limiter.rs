//! How much one client may ask: a bucket per token, and per peer address for whoever has none. And how much memory the bodies
//! of all of them may take.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::caller::Caller;
use super::room::{Part, Room};
use crate::config::Limits;

/// Buckets are swept once there are so many.
const SWEEP_AT: usize = 10_000;

/// A client, as far as limits are concerned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Client {
    Token(String),
    Peer(Option<IpAddr>),
}

/// The buckets. They count real time: a moved clock does not fill them.
#[derive(Debug)]
pub(super) struct Limiter {
    buckets: DefaultKeyedRateLimiter<Client>,
    clock: DefaultClock,
    room: Room,
}

impl Limiter {
    /// Buckets of the configured size; a limit of 0 counts as 1.
    pub(super) fn new(limits: &Limits) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(limits.requests_per_second))
            .allow_burst(at_least_one(limits.burst));
        Self {
            buckets: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            room: Room::new(limits),
        }
    }

    /// What the body of one request takes of the room for all.
    pub(super) fn part(&self) -> Part {
        self.room.part()
    }

    /// Takes one request of a client.
    ///
    /// # Errors
    /// With the seconds to wait when the bucket is empty.
    pub(super) fn take(&self, caller: Option<&Caller>, peer: Option<IpAddr>) -> Result<(), u64> {
        if self.buckets.len() > SWEEP_AT {
            self.buckets.retain_recent();
        }
        let client = caller.map_or(Client::Peer(peer), |caller| {
            Client::Token(caller.name().to_owned())
        });
        self.buckets.check_key(&client).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
        })
    }
}
