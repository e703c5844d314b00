//! Time is an input: everything that asks for the time asks a clock that tests and the demo can move.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

/// Tells the time, and waits for it.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is moved.
    Moved(Arc<watch::Sender<Timestamp>>),
}

impl Clock {
    /// A clock that stands at `start` until it is moved.
    #[must_use]
    pub fn standing_at(start: Timestamp) -> Self {
        Self::Moved(Arc::new(watch::Sender::new(start)))
    }

    /// The time, in whole microseconds (the store's unit).
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = match self {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that reads the machine's clock"
            )]
            Self::System => Timestamp::now(),
            Self::Moved(time) => *time.borrow(),
        };
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// Sets a standing clock. The machine's clock is not moved.
    pub fn set(&self, to: Timestamp) {
        if let Self::Moved(time) = self {
            time.send_replace(to);
        }
    }

    /// Waits until the clock has reached `until`.
    pub async fn sleep_until(&self, until: Timestamp) {
        match self {
            Self::System => {
                let wait = until.duration_since(self.now());
                if let Ok(wait) = Duration::try_from(wait) {
                    tokio::time::sleep(wait).await;
                }
            }
            Self::Moved(time) => {
                let mut watched = time.subscribe();
                // The sender lives in `self`, so waiting can't fail before it is reached.
                let _reached = watched.wait_for(|now| *now >= until).await;
            }
        }
    }
}
