//! The periods that are published: calendar quarters that have ended, and nothing that overlaps them.

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

/// The period from one day to another, when it is one that is published: a calendar quarter that has ended, of this year
/// or the last. Nothing overlaps: a year beside three of its quarters would give the fourth away. A quarter that still
/// runs would be published anew each day, and each day's difference would tell of few people.
pub(super) fn published(from: Date, to: Date, today: Date) -> Option<Period> {
    let asked = Period::new(from, to).ok()?;
    let is_recent = from.year() >= today.year() - 1;
    (is_recent && to < today && quarter_of(from) == Some(asked)).then_some(asked)
}

/// The last quarter that has ended.
pub(super) fn last_ended(today: Date) -> Option<Period> {
    let running = quarter_of(today)?;
    quarter_of(running.start().yesterday().ok()?)
}

/// The quarters of this year and the last that have ended, the latest first.
pub(super) fn ended(today: Date) -> Vec<Period> {
    let quarters = std::iter::successors(last_ended(today), |one| last_ended(one.start()));
    quarters
        .take_while(|one| one.start().year() >= today.year() - 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn only_whole_quarters_that_have_ended_are_published() {
        let today = date(2026, 5, 4);
        assert!(published(date(2026, 1, 1), date(2026, 3, 31), today).is_some());
        assert!(published(date(2025, 1, 1), date(2025, 12, 31), today).is_none());
        assert!(published(date(2026, 4, 1), date(2026, 6, 30), today).is_none());
        assert!(published(date(2026, 1, 2), date(2026, 3, 31), today).is_none());
        assert!(published(date(2026, 1, 1), date(2026, 6, 30), today).is_none());
        assert!(published(date(2026, 7, 1), date(2026, 9, 30), today).is_none());
        assert!(published(date(2025, 10, 1), date(2025, 12, 31), today).is_some());
        assert!(published(date(2024, 10, 1), date(2024, 12, 31), today).is_none());
    }

    #[test]
    fn the_ended_quarters_of_this_year_and_the_last_are_offered() {
        let starts: Vec<Date> = ended(date(2026, 5, 4)).iter().map(Period::start).collect();
        assert_eq!(
            starts,
            [
                date(2026, 1, 1),
                date(2025, 10, 1),
                date(2025, 7, 1),
                date(2025, 4, 1),
                date(2025, 1, 1)
            ]
        );
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
