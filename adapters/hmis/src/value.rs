//! Lexical forms of dates, times, numbers and money: the specification's own, and those that real
//! exports carry instead.
//!
//! Specification forms: `YYYY-MM-DD`, `YYYY-MM-DD hh:mm:ss`, non-negative whole numbers, amounts with two
//! decimals. Met in exports: datetimes without time, `MM-DD-YYYY hh:mm:ss`, two-digit years,
//! `08-MAY-67`, blanks and tabs after the value.

use jiff::civil::{Date, DateTime, Time};

/// A value with whether it stood in the specification's own form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read<T> {
    /// The value.
    pub value: T,
    /// Whether the text was in the form that the specification asks for.
    pub is_exact: bool,
}

/// Reads a date in any form met. `reference_year` decides the century of two-digit years: they fall on or
/// before the year after it.
#[must_use]
pub fn date(text: &str, reference_year: i16) -> Option<Read<Date>> {
    if let Some(value) = iso_date(text) {
        return Some(Read {
            value,
            is_exact: true,
        });
    }
    let (day_part, time_part) = split_time(text.trim());
    let value = iso_date(day_part).or_else(|| loose_date(day_part, reference_year))?;
    if let Some(time_text) = time_part {
        loose_time(time_text)?;
    }
    Some(Read {
        value,
        is_exact: false,
    })
}

/// Reads a local date and time in any form met; a missing time is midnight.
#[must_use]
pub fn instant(text: &str, reference_year: i16) -> Option<Read<DateTime>> {
    let (day_part, time_part) = split_time(text.trim());
    let exact_day = iso_date(day_part);
    let day = exact_day.or_else(|| loose_date(day_part, reference_year))?;
    let time = match time_part {
        Some(time_text) => loose_time(time_text)?,
        None => Time::midnight(),
    };
    let is_exact = exact_day.is_some() && has_instant_shape(text);
    Some(Read {
        value: day.to_datetime(time),
        is_exact,
    })
}

/// Whether digits and separators stand where `YYYY-MM-DD hh:mm:ss` has them.
fn has_instant_shape(text: &str) -> bool {
    const SHAPE: &[u8] = b"9999-99-99 99:99:99";
    text.len() == SHAPE.len()
        && text.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'9' => byte.is_ascii_digit(),
            separator => byte == *separator,
        })
}

/// Reads a non-negative whole number; leading zeroes, blanks around it and `.0` behind it are not exact.
#[must_use]
pub fn whole(text: &str) -> Option<Read<u64>> {
    let trimmed = text.trim();
    let digits = match trimmed.split_once('.') {
        Some((digits, zeroes)) if !zeroes.is_empty() && zeroes.bytes().all(|b| b == b'0') => digits,
        Some(_) => return None,
        None => trimmed,
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse().ok()?;
    let is_exact = digits.len() == text.len() && (digits == "0" || !digits.starts_with('0'));
    Some(Read { value, is_exact })
}

/// Reads an amount as cents; `None` when it is no amount, or negative without being allowed to.
#[must_use]
pub fn cents(text: &str, is_signed: bool) -> Option<Read<i64>> {
    let trimmed = text.trim();
    let (sign, digits) = match trimmed.strip_prefix('-') {
        Some(rest) if is_signed => (-1, rest),
        Some(_) => return None,
        None => (1, trimmed),
    };
    let (units, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if units.is_empty() || !all_digits(units) || !all_digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 2 {
        return None;
    }
    let hundredths: i64 = format!("{fraction:0<2}").parse().ok()?;
    let value = units
        .parse::<i64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(hundredths)?;
    Some(Read {
        value: sign * value,
        is_exact: text
            .rsplit_once('.')
            .is_some_and(|(_, cents)| cents.len() == 2),
    })
}

/// Writes cents as the specification's two decimals.
#[must_use]
pub fn cents_text(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!(
        "{sign}{}.{:02}",
        cents.unsigned_abs() / 100,
        cents.unsigned_abs() % 100
    )
}

/// Writes a local date and time in the specification's form.
#[must_use]
pub fn instant_text(value: DateTime) -> String {
    value.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn split_time(text: &str) -> (&str, Option<&str>) {
    match text.split_once([' ', 'T']) {
        // `T` also stands inside month names (OCT): only a digit before it makes it a separator.
        Some((day, time)) if day.ends_with(|c: char| c.is_ascii_digit()) => {
            (day, Some(time.trim()))
        }
        _ => (text, None),
    }
}

fn iso_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let year = number(text.get(0..4)?)?;
    Date::new(
        i16::try_from(year).ok()?,
        small(text.get(5..7)?)?,
        small(text.get(8..10)?)?,
    )
    .ok()
}

fn loose_date(text: &str, reference_year: i16) -> Option<Date> {
    let mut parts = text.split(['-', '/']);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    if let Some(month) = month_number(second) {
        return Date::new(year(third, reference_year)?, month, small(first)?).ok();
    }
    if first.len() == 4 {
        return Date::new(year(first, reference_year)?, small(second)?, small(third)?).ok();
    }
    Date::new(year(third, reference_year)?, small(first)?, small(second)?).ok()
}

fn loose_time(text: &str) -> Option<Time> {
    let main = text.trim_end_matches('Z');
    let (clock, fraction) = main.split_once('.').unwrap_or((main, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut parts = clock.split(':');
    let (hour, minute) = (small(parts.next()?)?, small(parts.next()?)?);
    let second = match parts.next() {
        Some(text) => small(text)?,
        None => 0,
    };
    if parts.next().is_some() {
        return None;
    }
    Time::new(hour, minute, second, 0).ok()
}

fn year(text: &str, reference_year: i16) -> Option<i16> {
    let value = i16::try_from(number(text)?).ok()?;
    match text.len() {
        4 => Some(value),
        2 => {
            let century = reference_year - reference_year % 100;
            let candidate = century + value;
            Some(if candidate > reference_year + 1 {
                candidate - 100
            } else {
                candidate
            })
        }
        _ => None,
    }
}

fn month_number(text: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let lower = text.get(0..3)?.to_ascii_lowercase();
    let index = MONTHS.iter().position(|month| *month == lower)?;
    i8::try_from(index + 1).ok()
}

fn number(text: &str) -> Option<u32> {
    let is_digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    if is_digits { text.parse().ok() } else { None }
}

fn small(text: &str) -> Option<i8> {
    i8::try_from(number(text)?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_read_in_every_form_met() {
        for (text, expected, is_exact) in [
            ("1994-05-17", civil::date(1994, 5, 17), true),
            ("1994-05-17\t", civil::date(1994, 5, 17), false),
            ("05-17-1994 10:11:12", civil::date(1994, 5, 17), false),
            ("05/17/94", civil::date(1994, 5, 17), false),
            ("08-MAY-67", civil::date(1967, 5, 8), false),
            ("14-OCT-21", civil::date(2021, 10, 14), false),
            ("1994-05-17 00:00:00", civil::date(1994, 5, 17), false),
            ("1994-05-17T00:00:00", civil::date(1994, 5, 17), false),
        ] {
            assert_eq!(
                date(text, 2026),
                Some(Read {
                    value: expected,
                    is_exact
                }),
                "{text}"
            );
        }
    }

    #[test]
    fn impossible_dates_are_not_read() {
        for text in [
            "1994-02-30",
            "17-05-1994",
            "99999999",
            "",
            "08-XXX-67",
            "1994-05-17 25:00:00",
        ] {
            assert_eq!(date(text, 2026), None, "{text}");
        }
    }

    #[test]
    fn instants_without_time_or_with_loose_time_are_read_as_not_exact() {
        let exact = instant("2026-02-03 17:20:04", 2026).unwrap();
        assert!(exact.is_exact);
        assert_eq!(instant_text(exact.value), "2026-02-03 17:20:04");
        let bare = instant("2026-02-03", 2026).unwrap();
        assert!(!bare.is_exact);
        assert_eq!(instant_text(bare.value), "2026-02-03 00:00:00");
        assert!(!instant("2026-02-03  7:20:04", 2026).unwrap().is_exact);
        let loose = instant("02-03-2026 7:05", 2026).unwrap();
        assert_eq!(instant_text(loose.value), "2026-02-03 07:05:00");
    }

    #[test]
    fn amounts_keep_their_cents_and_their_sign_rule() {
        assert_eq!(cents("12.5", false).map(|read| read.value), Some(1250));
        assert_eq!(cents("-12.50", true).map(|read| read.value), Some(-1250));
        assert_eq!(cents("-12.50", false), None);
        assert_eq!(cents("12.505", false), None);
        assert_eq!(cents_text(-5), "-0.05");
    }

    #[test]
    fn whole_numbers_refuse_signs_and_fractions() {
        assert_eq!(
            whole("01").map(|read| (read.value, read.is_exact)),
            Some((1, false))
        );
        assert_eq!(whole("1.0").map(|read| read.value), Some(1));
        assert_eq!(whole("-1"), None);
        assert_eq!(whole("1.5"), None);
        assert_eq!(whole("99999999999999999999999"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_a_reader_panic(text in "\\PC{0,30}", reference in 1900i16..2100) {
            let _ = date(&text, reference);
            let _ = instant(&text, reference);
            let _ = whole(&text);
            let _ = cents(&text, true);
        }

        #[test]
        fn written_dates_are_read_back(days in 0i32..60_000) {
            let day = civil::date(1900, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            prop_assert_eq!(date(&day.to_string(), 2026), Some(Read { value: day, is_exact: true }));
        }
    }
}
