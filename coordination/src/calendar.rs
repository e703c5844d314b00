//! The calendar of a jurisdiction: its zone and its business days.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// Zone and holidays of a jurisdiction. Saturdays, Sundays and holidays are no business days.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    holidays: BTreeSet<Date>,
}

impl Calendar {
    /// A calendar of a zone with the given holidays.
    #[must_use]
    pub fn new(zone: TimeZone, holidays: impl IntoIterator<Item = Date>) -> Self {
        Self {
            zone,
            holidays: holidays.into_iter().collect(),
        }
    }

    /// The calendar day of an instant in the jurisdiction.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    /// Calendar days from one instant to another, by the days on which they fall.
    #[must_use]
    pub fn days_between(&self, from: Timestamp, to: Timestamp) -> i64 {
        // A span of days between two civil dates is exact; dates outside the range of years are
        // not in use.
        self.day(from)
            .until(self.day(to))
            .map_or(0, |span| i64::from(span.get_days()))
    }

    /// Whether offices work on a day.
    #[must_use]
    pub fn is_business_day(&self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
            && !self.holidays.contains(&day)
    }

    /// The same time of day a number of calendar days later.
    #[must_use]
    pub fn after_days(&self, from: Timestamp, days: u16) -> Timestamp {
        self.on(from, self.day(from).saturating_add(i32::from(days).days()))
    }

    /// The same time of day on the n-th business day after the day of `from`. What starts on a
    /// weekend or a holiday has its first business day next.
    #[must_use]
    pub fn after_business_days(&self, from: Timestamp, days: u16) -> Timestamp {
        let mut day = self.day(from);
        let mut left = days;
        while left > 0 && day < Date::MAX {
            day = day.saturating_add(1.day());
            left -= u16::from(self.is_business_day(day));
        }
        self.on(from, day)
    }

    /// The first instant of a day.
    #[must_use]
    pub fn start_of(&self, day: Date) -> Option<Timestamp> {
        day.to_zoned(self.zone.clone())
            .ok()
            .map(|zoned| zoned.timestamp())
    }

    fn on(&self, from: Timestamp, day: Date) -> Timestamp {
        let time = from.to_zoned(self.zone.clone()).time();
        // A time that the change to summer time leaves out moves to the next one that exists.
        day.to_datetime(time)
            .to_zoned(self.zone.clone())
            .map_or(from, |zoned: Zoned| zoned.timestamp())
    }
}
