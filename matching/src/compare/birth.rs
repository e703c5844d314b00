//! Birth dates.

use crate::field::BirthLevel;
use crate::value::BirthDate;

/// Years between a parent and a child, at least.
const GENERATION_YEARS: i16 = 15;
/// Days between two dates, one of them estimated, that still agree: two months.
const CLOSE_DAYS: u32 = 62;

/// The level at which two birth dates agree.
pub(super) fn level(a: Option<BirthDate>, b: Option<BirthDate>) -> BirthLevel {
    let (Some(a), Some(b)) = (a, b) else {
        return BirthLevel::Missing;
    };
    if !a.is_exact() || !b.is_exact() {
        return estimated(a, b);
    }
    if a.parts() == b.parts() {
        return BirthLevel::Exact;
    }
    let (year, month, day) = a.parts();
    let (other_year, other_month, other_day) = b.parts();
    if year == other_year && month == other_day && day == other_month {
        return BirthLevel::Swapped;
    }
    if is_slip(a.digits(), b.digits()) {
        return BirthLevel::OneDigit;
    }
    // A daughter can be born on her mother's birthday.
    if year.abs_diff(other_year) >= GENERATION_YEARS.unsigned_abs() {
        return BirthLevel::Generation;
    }
    let agreeing =
        u8::from(year == other_year) + u8::from(month == other_month) + u8::from(day == other_day);
    if agreeing >= 2 {
        BirthLevel::TwoParts
    } else {
        BirthLevel::Different
    }
}

/// At least one date is estimated, partial or 1 January.
fn estimated(a: BirthDate, b: BirthDate) -> BirthLevel {
    let years = a.year().abs_diff(b.year());
    if !a.has_month() || !b.has_month() {
        return match years {
            0 => BirthLevel::EstimateNear,
            years if years >= GENERATION_YEARS.unsigned_abs() => BirthLevel::Generation,
            _ => BirthLevel::EstimateFar,
        };
    }
    let days = a.rough_days().abs_diff(b.rough_days());
    if days <= CLOSE_DAYS {
        BirthLevel::EstimateClose
    } else if days <= 372 {
        BirthLevel::EstimateNear
    } else if years >= GENERATION_YEARS.unsigned_abs() {
        BirthLevel::Generation
    } else {
        BirthLevel::EstimateFar
    }
}

/// One digit differs, or two neighbouring digits have changed places. The first digits of the
/// year do not count: a slip there would be a century.
fn is_slip(a: [u8; 8], b: [u8; 8]) -> bool {
    let mut differing = (0..8).filter(|place| a.get(*place) != b.get(*place));
    match (differing.next(), differing.next(), differing.next()) {
        (Some(first), None, None) => first >= 2,
        (Some(first), Some(second), None) => {
            first >= 2
                && second == first + 1
                && a.get(first) == b.get(second)
                && a.get(second) == b.get(first)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Quality;

    fn compare(a: &str, b: &str) -> BirthLevel {
        level(
            BirthDate::parse(a, Quality::Full),
            BirthDate::parse(b, Quality::Full),
        )
    }

    #[test]
    fn levels_of_exact_dates() {
        assert_eq!(compare("1994-05-17", "1994-05-17"), BirthLevel::Exact);
        assert_eq!(compare("1994-05-07", "1994-07-05"), BirthLevel::Swapped);
        assert_eq!(compare("1994-05-17", "1994-05-18"), BirthLevel::OneDigit);
        assert_eq!(compare("1994-05-17", "1949-05-17"), BirthLevel::OneDigit);
        assert_eq!(compare("1994-05-17", "1994-05-29"), BirthLevel::TwoParts);
        assert_eq!(compare("1994-05-17", "2018-03-02"), BirthLevel::Generation);
        assert_eq!(compare("1994-05-17", "2015-05-17"), BirthLevel::Generation);
        assert_eq!(compare("2018-03-02", "2021-09-14"), BirthLevel::Different);
        assert_eq!(compare("", "2021-09-14"), BirthLevel::Missing);
    }

    #[test]
    fn estimated_birth_date_does_not_count_as_exact_agreement() {
        let estimate = BirthDate::parse("2021-09-14", Quality::Approximate);
        let exact = BirthDate::parse("2021-09-14", Quality::Full);
        assert_eq!(level(estimate, exact), BirthLevel::EstimateClose);
        assert_eq!(level(estimate, estimate), BirthLevel::EstimateClose);
    }

    #[test]
    fn first_of_january_agrees_on_the_year_only() {
        assert_eq!(
            compare("1990-01-01", "1990-01-01"),
            BirthLevel::EstimateNear
        );
        assert_eq!(
            compare("1990-01-01", "1990-11-23"),
            BirthLevel::EstimateNear
        );
        assert_eq!(compare("1990-01-01", "1988-11-23"), BirthLevel::EstimateFar);
        assert_eq!(compare("1990", "1960-11-23"), BirthLevel::Generation);
    }
}
