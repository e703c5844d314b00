//! Tokens that are nobody's (specs consent 12: login failures of privacy staff; whose a wrong token was meant to be, nobody
//! knows). The first at a route is audited at once, others within a minute are counted and told with the next, so that
//! whoever guesses cannot fill the log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp};

use crate::pipeline::core::Core;
use crate::store::StoreError;

/// Between two entries about one route.
const EVERY: SignedDuration = SignedDuration::from_mins(1);

/// The last entry about each route, and how many were not told since. Routes are as many as the program has.
#[derive(Debug, Default)]
pub(super) struct FailedLogins(Mutex<HashMap<String, (Timestamp, u64)>>);

impl FailedLogins {
    /// How many to tell of now; `None` when it is too early.
    fn count(&self, route: &str, now: Timestamp) -> Option<u64> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get_mut(route) {
            Some((at, untold)) if now.duration_since(*at) < EVERY => {
                *untold += 1;
                None
            }
            Some((at, untold)) => {
                *at = now;
                Some(std::mem::take(untold) + 1)
            }
            None => {
                known.insert(route.to_owned(), (now, 0));
                Some(1)
            }
        }
    }

    /// Notes an answer to a request with these headers, when it refused a token.
    pub(super) async fn note(
        &self,
        core: &Core,
        route: &str,
        headers: &HeaderMap,
        status: StatusCode,
    ) {
        if status != StatusCode::UNAUTHORIZED || !headers.contains_key(header::AUTHORIZATION) {
            return;
        }
        let now = core.clock.now();
        let Some(count) = self.count(route, now) else {
            return;
        };
        if let Err(error) = audit(core, route, count, now).await {
            tracing::error!(%error, "a refused token could not be audited");
        }
    }
}

async fn audit(core: &Core, route: &str, count: u64, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = core.store.begin().await?;
    let actor = core.gateway.as_str();
    tx.audit(now, actor, "login.failed", route, &count.to_string())
        .await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_others_of_a_minute_with_the_next() {
        let failed = FailedLogins::default();
        let at = |seconds: i64| Timestamp::from_second(1_770_051_600 + seconds).unwrap();
        assert_eq!(failed.count("/v1/audit", at(0)), Some(1));
        assert_eq!(failed.count("/v1/audit", at(1)), None);
        assert_eq!(failed.count("/v1/audit", at(59)), None);
        assert_eq!(failed.count("/v1/decisions", at(59)), Some(1));
        assert_eq!(failed.count("/v1/audit", at(60)), Some(3));
    }
}
