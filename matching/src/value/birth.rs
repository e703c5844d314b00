//! Birth dates, whole, partial or estimated.

use std::fmt;

use jiff::civil::Date;

use super::Quality;

/// A birth date as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BirthDate {
    year: i16,
    month: u8,
    day: u8,
    quality: Quality,
}

impl BirthDate {
    /// A date that the source states with the given quality.
    pub fn new(date: Date, quality: Quality) -> Self {
        Self {
            year: date.year(),
            month: date.month().unsigned_abs(),
            day: date.day().unsigned_abs(),
            quality,
        }
    }

    /// A date of which only the year, or the year and the month, is known.
    ///
    /// Returns `None` when the year or the month is impossible.
    pub fn partial(year: i16, month: Option<u8>) -> Option<Self> {
        let has_real_month = month.is_none_or(|month| (1..=12).contains(&month));
        ((1850..=2200).contains(&year) && has_real_month).then_some(Self {
            year,
            month: month.unwrap_or(0),
            day: 0,
            quality: Quality::Approximate,
        })
    }

    /// Reads `YYYY-MM-DD`, `YYYYMMDD`, `MM/DD/YYYY`, `YYYY-MM` or `YYYY`; a day or month of `00`
    /// is unknown. A time after `T` or a blank is ignored.
    ///
    /// Returns `None` when the text has another shape or names no real day.
    pub fn parse(text: &str, quality: Quality) -> Option<Self> {
        let text = text.trim();
        let text = text.split(['T', ' ']).next().unwrap_or(text);
        let (year, month, day) = split_parts(text)?;
        let year: i16 = number(year)?;
        let month: u8 = number(month)?;
        let day: u8 = number(day)?;
        if day == 0 || month == 0 {
            return Self::partial(year, (month != 0).then_some(month));
        }
        let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        (1850..=2200)
            .contains(&year)
            .then(|| Self::new(date, quality))
    }

    /// The quality that the source states.
    pub fn quality(self) -> Quality {
        self.quality
    }

    /// Whole years at a date; an unknown month or day counts as the first. Negative before birth.
    pub(crate) fn age(self, at: Date) -> i16 {
        let day = (i16::from(at.month()), i16::from(at.day()));
        let birthday = (i16::from(self.month.max(1)), i16::from(self.day.max(1)));
        at.year() - self.year - i16::from(day < birthday)
    }

    pub(crate) fn year(self) -> i16 {
        self.year
    }

    pub(crate) fn parts(self) -> (i16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// Whether the day itself is evidence: known, stated as full, and not 1 January, which
    /// systems fill in when only the year is known.
    pub(crate) fn is_exact(self) -> bool {
        self.quality == Quality::Full && self.day != 0 && !self.is_first_of_january()
    }

    fn is_first_of_january(self) -> bool {
        self.month == 1 && self.day == 1
    }

    /// Whether the month is known and not the filler of 1 January.
    pub(crate) fn has_month(self) -> bool {
        self.month != 0 && !self.is_first_of_january()
    }

    /// Days since 1 January of year 0 in a calendar of 372-day years: good for distances of up
    /// to a few months between dates, partial ones included.
    pub(crate) fn rough_days(self) -> i32 {
        let month = if self.month == 0 {
            6
        } else {
            i32::from(self.month) - 1
        };
        let day = if self.day == 0 {
            15
        } else {
            i32::from(self.day) - 1
        };
        i32::from(self.year) * 372 + month * 31 + day
    }

    /// The eight digits of the date.
    pub(crate) fn digits(self) -> [u8; 8] {
        let mut rest = u32::from(self.year.unsigned_abs()) * 10_000
            + u32::from(self.month) * 100
            + u32::from(self.day);
        let mut digits = [0; 8];
        for digit in digits.iter_mut().rev() {
            *digit = (rest % 10) as u8;
            rest /= 10;
        }
        digits
    }
}

impl fmt::Debug for BirthDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BirthDate(redacted, {:?})", self.quality)
    }
}

fn split_parts(text: &str) -> Option<(&str, &str, &str)> {
    if let Some((first, rest)) = text.split_once('/') {
        let (second, year) = rest.split_once('/')?;
        return (year.len() == 4).then_some((year, first, second));
    }
    if let Some((year, rest)) = text.split_once('-') {
        let (month, day) = rest.split_once('-').unwrap_or((rest, "0"));
        return (year.len() == 4).then_some((year, month, day));
    }
    match text.len() {
        4 => Some((text, "0", "0")),
        8 => Some((text.get(0..4)?, text.get(4..6)?, text.get(6..8)?)),
        _ => None,
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let is_short_digits = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    is_short_digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_forms_of_one_day_are_equal() {
        let forms = [
            "2021-09-14",
            "20210914",
            "09/14/2021",
            "2021-09-14T00:00:00",
        ];
        let dates: Vec<_> = forms
            .map(|text| BirthDate::parse(text, Quality::Full))
            .into();
        assert!(dates.iter().all(|date| date.is_some() && *date == dates[0]));
    }

    #[test]
    fn impossible_days_are_refused() {
        for text in [
            "2021-02-30",
            "2021-13-01",
            "0000-01-01",
            "20210",
            "a021-01-01",
            "é021",
            "",
        ] {
            assert_eq!(BirthDate::parse(text, Quality::Full), None, "{text}");
        }
    }

    #[test]
    fn first_of_january_estimated_and_partial_dates_are_not_exact() {
        let exact = |text, quality| BirthDate::parse(text, quality).unwrap().is_exact();
        assert!(!exact("1990-01-01", Quality::Full));
        assert!(!exact("2021-09-01", Quality::Approximate));
        assert!(!exact("1990-05", Quality::Full));
        assert!(!exact("1990-05-00", Quality::Full));
        assert!(exact("1990-05-17", Quality::Full));
    }
}
