//! A point in time that a form may give as a day or as an instant.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// A day or an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Moment {
    /// A calendar day of the jurisdiction.
    Day(Date),
    /// An instant.
    Instant(Timestamp),
}

/// The text is neither a day (`2026-02-03`) nor an instant (RFC 3339 with offset).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a day (YYYY-MM-DD) or an instant with offset")]
pub struct MomentError;

impl Moment {
    /// The first instant that belongs to the moment, in the zone of the jurisdiction.
    /// `None` when the calendar ends before it.
    #[must_use]
    pub fn start(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Instant(instant) => Some(instant),
            Self::Day(day) => midnight(day, zone),
        }
    }

    /// The first instant after the moment: a day counts to its end, as FHIR periods do.
    /// `None` when the calendar ends before it.
    #[must_use]
    pub fn end(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Instant(instant) => Some(instant),
            Self::Day(day) => midnight(day.checked_add(1.day()).ok()?, zone),
        }
    }

    /// Which of two moments comes first; `None` for a day and an instant, which can be compared only in some zone.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Day(one), Self::Day(other)) => Some(one.cmp(&other)),
            (Self::Instant(one), Self::Instant(other)) => Some(one.cmp(&other)),
            _ => None,
        }
    }
}

fn midnight(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    day.to_zoned(zone.clone())
        .ok()
        .map(|zoned| zoned.timestamp())
}

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // An instant is tried first: a date parser would drop its time of day.
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Ok(Self::Instant(instant));
        }
        if text.len() != "2026-02-03".len() {
            return Err(MomentError);
        }
        text.parse().map(Self::Day).map_err(|_| MomentError)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(formatter),
            Self::Instant(instant) => instant.fmt(formatter),
        }
    }
}

impl TryFrom<String> for Moment {
    type Error = MomentError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}
