//! Dates that can be partial or estimated.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::coding::codes;

codes! {
    /// How far a date can be trusted.
    DateQuality {
        /// Entered as known.
        Exact = "exact",
        /// Estimated by a worker (CWS/CMS `EST_DOB_CD` = Y), or approximate (HMIS 3.03.2 = 2).
        Estimated = "estimated",
        /// A value made up to create the record (HMIS 3.03.2 = 8, 9, 99): no evidence.
        Placeholder = "placeholder",
    }
}

/// Why a text is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date: expected YYYY, YYYY-MM or YYYY-MM-DD of a calendar day")]
pub struct DateError;

/// A calendar date of which the day, or the month and day, may be unknown. Text form: `YYYY[-MM[-DD]]`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartialDate {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
}

impl PartialDate {
    /// A date from its known parts.
    ///
    /// # Errors
    /// When the parts are no calendar date, or a day is given without a month, or the year is outside 1..=9999.
    pub fn new(year: i16, month: Option<i8>, day: Option<i8>) -> Result<Self, DateError> {
        if !(1..=9999).contains(&year) || (day.is_some() && month.is_none()) {
            return Err(DateError);
        }
        Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).map_err(|_| DateError)?;
        Ok(Self { year, month, day })
    }

    /// The year.
    #[must_use]
    pub fn year(&self) -> i16 {
        self.year
    }

    /// The month, 1 to 12, when known.
    #[must_use]
    pub fn month(&self) -> Option<i8> {
        self.month
    }

    /// The day of the month, when known.
    #[must_use]
    pub fn day(&self) -> Option<i8> {
        self.day
    }

    /// The full calendar date, when every part is known.
    #[must_use]
    pub fn full(&self) -> Option<Date> {
        Date::new(self.year, self.month?, self.day?).ok()
    }
}

impl From<Date> for PartialDate {
    fn from(date: Date) -> Self {
        Self {
            year: date.year(),
            month: Some(date.month()),
            day: Some(date.day()),
        }
    }
}

impl FromStr for PartialDate {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let mut parts = text.trim().split('-');
        let number = |part: Option<&str>, width: usize| -> Result<Option<i16>, DateError> {
            let Some(part) = part else { return Ok(None) };
            if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(DateError);
            }
            part.parse().map(Some).map_err(|_| DateError)
        };
        let year = number(parts.next(), 4)?.ok_or(DateError)?;
        let month = number(parts.next(), 2)?.map(|month| month as i8);
        let day = number(parts.next(), 2)?.map(|day| day as i8);
        if parts.next().is_some() {
            return Err(DateError);
        }
        Self::new(year, month, day)
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        if let Some(month) = self.month {
            write!(f, "-{month:02}")?;
        }
        if let Some(day) = self.day {
            write!(f, "-{day:02}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for PartialDate {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

impl From<PartialDate> for String {
    fn from(date: PartialDate) -> String {
        date.to_string()
    }
}

/// A birth date and how far it can be trusted. `Debug` shows nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BirthDate {
    /// The date.
    pub date: PartialDate,
    /// How far it can be trusted.
    pub quality: DateQuality,
}

impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BirthDate([redacted], {})", self.quality)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_date_keeps_what_is_known() {
        let date: PartialDate = "2021-09".parse().unwrap();
        assert_eq!(
            (date.year(), date.month(), date.day()),
            (2021, Some(9), None)
        );
        assert_eq!(date.to_string(), "2021-09");
        assert_eq!(date.full(), None);
    }

    #[test]
    fn a_day_that_no_calendar_has_is_refused() {
        assert!("2021-02-30".parse::<PartialDate>().is_err());
        assert!("2021-13".parse::<PartialDate>().is_err());
        assert!("21-01-01".parse::<PartialDate>().is_err());
        assert!("+021-01-01".parse::<PartialDate>().is_err());
    }

    proptest::proptest! {
        #[test]
        fn parsing_never_panics_and_round_trips(text in "\\PC{0,12}") {
            if let Ok(date) = text.parse::<PartialDate>() {
                proptest::prop_assert_eq!(date.to_string().parse::<PartialDate>().unwrap(), date);
            }
        }
    }
}
