//! The clock that the demo moves by hand; no simulator ever asks the machine for the time.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Pacific time as a POSIX rule, so that a machine without a time zone database can run the demo.
const PACIFIC: &str = "PST8PDT,M3.2.0,M11.1.0";

/// A shared, settable clock in the zone of the demo county. Clones show the same time.
#[derive(Debug, Clone)]
pub struct SimClock {
    now: Arc<Mutex<Timestamp>>,
    zone: TimeZone,
}

impl SimClock {
    /// A clock that stands still at `now` until somebody moves it.
    ///
    /// # Errors
    /// When the zone rule cannot be read.
    pub fn starting_at(now: Timestamp) -> anyhow::Result<Self> {
        let zone = TimeZone::posix(PACIFIC).context("reading the zone rule")?;
        Ok(Self {
            now: Arc::new(Mutex::new(now)),
            zone,
        })
    }

    /// Moves the clock; backwards is allowed, since a caller may replay a day.
    pub fn set(&self, now: Timestamp) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present moment on the county's wall clock.
    #[must_use]
    pub fn local(&self) -> Zoned {
        self.now().to_zoned(self.zone.clone())
    }

    /// Today in the county.
    #[must_use]
    pub fn today(&self) -> Date {
        self.local().date()
    }

    /// RFC 3339 with the county's offset, to the second: `2026-02-02T09:00:00-08:00`.
    #[must_use]
    pub fn rfc3339(&self) -> String {
        self.local().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::SimClock;

    #[test]
    fn clock_shows_the_county_wall_time_and_follows_the_demo() {
        let clock = SimClock::starting_at("2026-02-02T17:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(clock.rfc3339(), "2026-02-02T09:00:00-08:00");
        let shown_elsewhere = clock.clone();
        clock.set("2026-07-02T03:00:00Z".parse().unwrap());
        assert_eq!(shown_elsewhere.rfc3339(), "2026-07-01T20:00:00-07:00");
    }
}
