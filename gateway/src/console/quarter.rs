//! The periods that are published: calendar quarters and calendar years, nothing shorter and nothing in between.

use jiff::ToSpan as _;
use jiff::civil::Date;
use tandem_coordination::period::Period;

/// The calendar quarter of a day.
pub(super) fn quarter_of(day: Date) -> Option<Period> {
    let first_month = (day.month() - 1) / 3 * 3 + 1;
    let start = Date::new(day.year(), first_month, 1).ok()?;
    let end = start.checked_add(2.months()).ok()?.last_of_month();
    Period::new(start, end).ok()
}

/// The calendar year of a day.
pub(super) fn year_of(day: Date) -> Option<Period> {
    Period::new(day.first_of_year(), day.last_of_year()).ok()
}

/// The period from one day to another, when it is one that is published: whole, begun, of this year or the last. So
/// few that each is computed once a day, whatever visitors ask for.
pub(super) fn published(from: Date, to: Date, today: Date) -> Option<Period> {
    let asked = Period::new(from, to).ok()?;
    let has_begun = from <= today && from.year() >= today.year() - 1;
    let is_whole = [quarter_of(from), year_of(from)].contains(&Some(asked));
    (has_begun && is_whole).then_some(asked)
}

/// The quarters of a year that have begun, and the year.
pub(super) fn begun(today: Date) -> Vec<Period> {
    let months = [1, 4, 7, 10]
        .into_iter()
        .filter(|month| *month <= today.month());
    let quarters = months.filter_map(|month| quarter_of(Date::new(today.year(), month, 1).ok()?));
    quarters.chain(year_of(today)).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn only_whole_quarters_and_years_that_have_begun_are_published() {
        let today = date(2026, 5, 4);
        assert!(published(date(2026, 1, 1), date(2026, 3, 31), today).is_some());
        assert!(published(date(2026, 1, 1), date(2026, 12, 31), today).is_some());
        assert!(published(date(2026, 1, 2), date(2026, 3, 31), today).is_none());
        assert!(published(date(2026, 1, 1), date(2026, 6, 30), today).is_none());
        assert!(published(date(2026, 7, 1), date(2026, 9, 30), today).is_none());
        assert!(published(date(2025, 10, 1), date(2025, 12, 31), today).is_some());
        assert!(published(date(2024, 10, 1), date(2024, 12, 31), today).is_none());
    }

    #[test]
    fn a_quarter_ends_with_the_last_day_of_its_third_month() {
        let quarter = quarter_of(date(2026, 11, 22)).unwrap();
        assert_eq!(
            (quarter.start(), quarter.end()),
            (date(2026, 10, 1), date(2026, 12, 31))
        );
    }
}
