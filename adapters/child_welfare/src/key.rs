//! The record key of CWS/CMS and its two written forms.
//!
//! A key has ten characters of base 62 (digits, then capitals, then small letters). The first
//! seven are the packed local time at which the row was created, the last three the staff id of
//! whoever created it. Screens show the same key as nineteen digits: thirteen for the first
//! seven characters, six for the last three, written 4-4-4-7 with hyphens.
//!
//! Facts: published test pairs of the CWS/CMS programming interface (`cws_cms_key_vectors.csv`).

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const TIME_CHARACTERS: usize = 7;
const STAFF_CHARACTERS: usize = 3;
/// One more than the largest packed time that seven base-62 characters can hold.
const TIME_LIMIT: u64 = 62u64.pow(7);
/// One more than the largest staff number that three base-62 characters can hold.
const STAFF_LIMIT: u64 = 62u64.pow(3);
/// Digits of the screen form: thirteen for the time, six for the staff id.
const SCREEN_DIGITS: usize = 19;
const SCREEN_TIME_DIGITS: usize = 13;
/// The years in which a key can have been made by the system itself; others were typed by hand.
const PLAUSIBLE_YEARS: std::ops::RangeInclusive<i16> = 1985..=2099;

/// Why a text is not a CWS/CMS key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A key has exactly ten characters.
    #[error("a key has ten characters")]
    Length,
    /// A key is written in base 62.
    #[error("a key holds only digits and letters")]
    Character,
    /// The screen form has nineteen digits; hyphens do not count.
    #[error("the screen form has nineteen digits")]
    ScreenDigits,
    /// The screen form names a number that ten base-62 characters cannot hold.
    #[error("the screen form is out of range")]
    ScreenRange,
}

/// A CWS/CMS record key.
///
/// Any ten base-62 characters are accepted, since project-made keys exist whose time part is no
/// calendar date; [`CmsKey::is_plausible`] tells them apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CmsKey(u64);

impl CmsKey {
    /// Reads either form: ten characters, or nineteen digits with hyphens anywhere.
    ///
    /// # Errors
    /// [`KeyError`] if the text is neither.
    pub fn parse_any(text: &str) -> Result<Self, KeyError> {
        match text.len() {
            10 => text.parse(),
            _ => Self::from_screen(text),
        }
    }

    /// Reads the nineteen-digit screen form; hyphens are ignored wherever they stand.
    ///
    /// # Errors
    /// [`KeyError::ScreenDigits`] or [`KeyError::ScreenRange`].
    pub fn from_screen(text: &str) -> Result<Self, KeyError> {
        let mut time = 0u64;
        let mut staff = 0u64;
        let mut count = 0usize;
        for byte in text.bytes().filter(|byte| *byte != b'-') {
            if !byte.is_ascii_digit() || count == SCREEN_DIGITS {
                return Err(KeyError::ScreenDigits);
            }
            let part = if count < SCREEN_TIME_DIGITS {
                &mut time
            } else {
                &mut staff
            };
            *part = *part * 10 + u64::from(byte - b'0');
            count += 1;
        }
        if count != SCREEN_DIGITS {
            return Err(KeyError::ScreenDigits);
        }
        if time >= TIME_LIMIT || staff >= STAFF_LIMIT {
            return Err(KeyError::ScreenRange);
        }
        Ok(Self(time * STAFF_LIMIT + staff))
    }

    /// The screen form with its hyphens: `0315-2076-8676-8002051`.
    #[must_use]
    pub fn to_screen(self) -> String {
        let digits = format!("{:013}{:06}", self.time(), self.staff());
        let (first, rest) = digits.split_at(4);
        let (second, rest) = rest.split_at(4);
        let (third, fourth) = rest.split_at(4);
        format!("{first}-{second}-{third}-{fourth}")
    }

    /// When the row was created, in Pacific wall-clock time (the key carries no zone).
    ///
    /// `None` when the packed fields are no calendar date and time.
    #[must_use]
    pub fn created_at(self) -> Option<DateTime> {
        let field =
            |shift: u32, bits: u32| i32::try_from((self.time() >> shift) & ((1 << bits) - 1));
        let year = 1900 + i16::try_from(field(0, 8).ok()?).ok()?;
        let month = 1 + i8::try_from(field(8, 4).ok()?).ok()?;
        let day = i8::try_from(field(12, 5).ok()?).ok()?;
        let hour = i8::try_from(field(17, 5).ok()?).ok()?;
        let minute = i8::try_from(field(22, 6).ok()?).ok()?;
        let second = i8::try_from(field(28, 6).ok()?).ok()?;
        let hundredths = field(34, 8).ok().filter(|value| *value < 100)?;
        DateTime::new(
            year,
            month,
            day,
            hour,
            minute,
            second,
            hundredths * 10_000_000,
        )
        .ok()
    }

    /// The three characters that name the staff person who created the row.
    #[must_use]
    pub fn staff_id(self) -> String {
        base62(self.staff(), STAFF_CHARACTERS)
    }

    fn time(self) -> u64 {
        self.0 / STAFF_LIMIT
    }

    fn staff(self) -> u64 {
        self.0 % STAFF_LIMIT
    }

    /// True when the key can have been made by CWS/CMS: a calendar date of the system's years.
    #[must_use]
    pub fn is_plausible(self) -> bool {
        self.created_at()
            .is_some_and(|created| PLAUSIBLE_YEARS.contains(&created.year()))
    }
}

impl FromStr for CmsKey {
    type Err = KeyError;

    /// Reads the ten-character form.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != TIME_CHARACTERS + STAFF_CHARACTERS {
            return Err(KeyError::Length);
        }
        let mut number = 0u64;
        for byte in text.bytes() {
            let digit = ALPHABET.iter().position(|letter| *letter == byte);
            let digit = digit.and_then(|digit| u64::try_from(digit).ok());
            number = number * 62 + digit.ok_or(KeyError::Character)?;
        }
        Ok(Self(number))
    }
}

impl fmt::Display for CmsKey {
    /// Writes the ten-character form.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&base62(self.0, TIME_CHARACTERS + STAFF_CHARACTERS))
    }
}

impl fmt::Debug for CmsKey {
    /// Keeps the value out of logs: a client key names a person.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CmsKey(..)")
    }
}

fn base62(mut number: u64, width: usize) -> String {
    let mut letters = vec!['0'; width];
    for letter in letters.iter_mut().rev() {
        let digit = usize::try_from(number % 62).unwrap_or(0);
        *letter = ALPHABET.get(digit).map_or('0', |byte| char::from(*byte));
        number /= 62;
    }
    letters.into_iter().collect()
}
