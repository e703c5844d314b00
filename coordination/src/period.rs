//! Reporting periods.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A reporting period: from the first to the last day, both inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Ends")]
pub struct Period {
    start: Date,
    end: Date,
}

/// A period's ends as they are written, not yet checked.
#[derive(Deserialize)]
struct Ends {
    start: Date,
    end: Date,
}

impl TryFrom<Ends> for Period {
    type Error = PeriodError;

    fn try_from(ends: Ends) -> Result<Self, PeriodError> {
        Self::new(ends.start, ends.end)
    }
}

/// The last day lies before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a period cannot end before it starts")]
pub struct PeriodError;

impl Period {
    /// A period of days, both inside.
    ///
    /// # Errors
    /// [`PeriodError`] when the last day lies before the first.
    pub fn new(start: Date, end: Date) -> Result<Self, PeriodError> {
        if end < start {
            Err(PeriodError)
        } else {
            Ok(Self { start, end })
        }
    }

    /// First day.
    #[must_use]
    pub fn start(&self) -> Date {
        self.start
    }

    /// Last day.
    #[must_use]
    pub fn end(&self) -> Date {
        self.end
    }

    /// Whether a day lies inside.
    #[must_use]
    pub fn holds(&self, day: Date) -> bool {
        (self.start..=self.end).contains(&day)
    }

    /// Whether it is a quarter of a year or longer.
    #[must_use]
    pub fn is_quarter_or_longer(&self) -> bool {
        self.end.saturating_add(1.day()) >= self.start.saturating_add(3.months())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_quarter_is_three_calendar_months() {
        let period = |end| Period::new(date(2026, 1, 1), end).unwrap();
        assert!(period(date(2026, 3, 31)).is_quarter_or_longer());
        assert!(!period(date(2026, 3, 30)).is_quarter_or_longer());
        assert!(Period::new(date(2026, 1, 2), date(2026, 1, 1)).is_err());
    }
}
