//! The 10-character key of CWS/CMS rows and its 19-digit screen form.
//!
//! Base 62 (digits, capitals, small letters). The first seven characters pack the local time of
//! creation: from the low bits year-1900 (8), month-1 (4), day (5), hour (5), minute (6), second (6),
//! hundredths (8). The last three are the writer's staff id.

use anyhow::{Context, ensure};
use jiff::civil::DateTime;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The key of a row that `staff` created at local time `created`.
///
/// # Errors
/// When the staff id is not three characters or the year is out of range.
pub(crate) fn encode(created: DateTime, staff: &str) -> anyhow::Result<String> {
    ensure!(
        staff.len() == 3 && value(staff).is_ok(),
        "staff id is not three base-62 characters"
    );
    let year = u64::try_from(i32::from(created.year()) - 1900).context("year before 1900")?;
    ensure!(year < 256, "year beyond 2155");
    let hundredths = u64::try_from(created.subsec_nanosecond() / 10_000_000)?;
    let parts = [
        (year, 8),
        (u64::try_from(created.month() - 1)?, 4),
        (u64::try_from(created.day())?, 5),
        (u64::try_from(created.hour())?, 5),
        (u64::try_from(created.minute())?, 6),
        (u64::try_from(created.second())?, 6),
        (hundredths, 8),
    ];
    let mut packed = 0_u64;
    let mut shift = 0;
    for (part, width) in parts {
        packed |= part << shift;
        shift += width;
    }
    Ok(format!("{}{staff}", base62(packed, 7)))
}

/// The 19-digit screen form, by which the constants of the demo family are checked: written 4-4-4-7 with hyphens.
///
/// # Errors
/// When `key` is not ten base-62 characters.
#[cfg(test)]
pub(crate) fn screen_form(key: &str) -> anyhow::Result<String> {
    ensure!(
        key.len() == 10 && key.is_ascii(),
        "key is not ten characters"
    );
    let (time, staff) = key.split_at(7);
    let digits = format!("{:013}{:06}", value(time)?, value(staff)?);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    Ok(format!(
        "{}-{}-{}-{}",
        part(0, 4),
        part(4, 8),
        part(8, 12),
        part(12, 19)
    ))
}

/// Whether a text is a screen form: exactly 19 digits once hyphens are taken out, and a staff part
/// that three characters can hold.
pub(crate) fn is_screen_form(text: &str) -> bool {
    let digits: String = text.chars().filter(|character| *character != '-').collect();
    let staff = digits.get(13..).and_then(|staff| staff.parse::<u64>().ok());
    digits.len() == 19
        && digits.chars().all(|digit| digit.is_ascii_digit())
        && staff.is_some_and(|staff| staff < 62 * 62 * 62)
}

fn base62(mut number: u64, width: usize) -> String {
    let mut digits = Vec::new();
    for _ in 0..width {
        let place = usize::try_from(number % 62).unwrap_or(0);
        digits.push(char::from(DIGITS.get(place).copied().unwrap_or(b'0')));
        number /= 62;
    }
    digits.iter().rev().collect()
}

fn value(text: &str) -> anyhow::Result<u64> {
    text.bytes().try_fold(0_u64, |number, byte| {
        let place = DIGITS.iter().position(|digit| *digit == byte);
        let place = place.context("character outside base 62")?;
        Ok(number * 62 + u64::try_from(place)?)
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::DateTime;

    use super::{encode, is_screen_form, screen_form};
    use crate::family;
    use crate::table;

    #[test]
    fn published_keys_are_made_and_shown_as_published() {
        let vectors = table::rows(include_str!("../../tables/cws/key_vectors.csv")).unwrap();
        assert!(vectors.len() >= 13);
        for row in vectors {
            let created: DateTime = row["decoded_local_timestamp"].parse().unwrap();
            assert_eq!(
                encode(created, &row["staff_id"]).unwrap(),
                row["key_base62"]
            );
            assert_eq!(
                screen_form(&row["key_base62"]).unwrap(),
                row["ui_identifier"]
            );
            assert!(is_screen_form(&row["ui_identifier"]));
        }
    }

    #[test]
    fn keys_of_the_demo_family_decode_to_january_2026() {
        let created: DateTime = "2026-01-26T10:15:00.11".parse().unwrap();
        assert_eq!(encode(created, "0X5").unwrap(), family::CWS_CASE_ANA);
        assert_eq!(
            screen_form(family::CWS_CASE_ANA).unwrap(),
            family::CWS_CASE_ANA_SCREEN
        );
        assert_eq!(
            screen_form(family::CWS_CASE_LEO).unwrap(),
            family::CWS_CASE_LEO_SCREEN
        );
    }

    #[test]
    fn eighteen_digits_or_an_impossible_staff_part_are_no_screen_form() {
        assert!(!is_screen_form("589-7630-0758-6027230"));
        assert!(!is_screen_form("2760-3761-4095-7777777"));
        assert!(!is_screen_form("some-text"));
    }
}
