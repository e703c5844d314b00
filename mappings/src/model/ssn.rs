//! Social Security numbers, whole or partial.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::coding::codes;

codes! {
    /// How far a number can be trusted.
    SsnQuality {
        /// Given in full (HMIS 3.02.2 = 1).
        Full = "full",
        /// Approximate or partial (HMIS 3.02.2 = 2).
        Partial = "partial",
        /// Present though the quality code says there is none (HMIS 3.02.2 = 8, 9, 99): no evidence.
        Placeholder = "placeholder",
    }
}

/// Why a text is not a Social Security number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a Social Security number: expected nine digits, or x for each unknown digit")]
pub struct SsnError;

/// A Social Security number of which digits may be unknown (`xxxxx6944`). `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ssn([u8; 9]);

impl Ssn {
    /// The nine characters: `0`-`9`, or `x` for an unknown digit.
    #[must_use]
    pub fn characters(&self) -> &[u8; 9] {
        &self.0
    }

    /// Whether all nine digits are known.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.iter().all(u8::is_ascii_digit)
    }

    /// The last four digits when all four are known.
    #[must_use]
    pub fn last_four(&self) -> Option<&str> {
        let last = self.0.get(5..)?;
        if last.iter().all(u8::is_ascii_digit) {
            std::str::from_utf8(last).ok()
        } else {
            None
        }
    }

    /// Whether the number can stand for a person at all: not one repeated digit, no area 000 or 666, group 00 or
    /// serial 0000 (SSA, "Social Security number randomization"). Areas from 900 pass: they are never issued, and
    /// synthetic data use them.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        let known = self.0.iter().filter(|byte| byte.is_ascii_digit()).count();
        if known < 4 {
            return false;
        }
        let repeated = self.0.iter().all(|byte| *byte == self.0[0]);
        let part = |range: std::ops::Range<usize>| self.0.get(range).unwrap_or_default();
        !repeated
            && part(0..3) != b"000"
            && part(0..3) != b"666"
            && part(3..5) != b"00"
            && part(5..9) != b"0000"
            && self.0 != *b"123456789"
            && self.0 != *b"987654321"
    }

    /// The number as text, for a format that carries it. Handle as personal data.
    #[must_use]
    pub fn expose(&self) -> String {
        self.0.iter().map(|byte| char::from(*byte)).collect()
    }
}

impl Drop for Ssn {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Ssn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ssn([redacted])")
    }
}

impl FromStr for Ssn {
    type Err = SsnError;

    fn from_str(text: &str) -> Result<Self, SsnError> {
        let mut digits = [0_u8; 9];
        let mut count = 0;
        for byte in text
            .trim()
            .bytes()
            .filter(|byte| *byte != b'-' && *byte != b' ')
        {
            let byte = byte.to_ascii_lowercase();
            if !(byte.is_ascii_digit() || byte == b'x') {
                return Err(SsnError);
            }
            *digits.get_mut(count).ok_or(SsnError)? = byte;
            count += 1;
        }
        if count == 9 {
            Ok(Self(digits))
        } else {
            Err(SsnError)
        }
    }
}

impl TryFrom<String> for Ssn {
    type Error = SsnError;

    fn try_from(text: String) -> Result<Self, SsnError> {
        text.parse()
    }
}

impl From<Ssn> for String {
    fn from(ssn: Ssn) -> String {
        ssn.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_number_knows_its_last_four() {
        let ssn: Ssn = "XXX-XX-6944".parse().unwrap();
        assert_eq!(ssn.last_four(), Some("6944"));
        assert!(!ssn.is_full());
        assert!(ssn.is_plausible());
    }

    #[test]
    fn numbers_that_stand_for_nobody_are_implausible() {
        for text in [
            "000000000",
            "999999999",
            "666121234",
            "900001234",
            "900120000",
            "xxxxxxxxx",
        ] {
            assert!(!text.parse::<Ssn>().unwrap().is_plausible(), "{text}");
        }
        assert!("900123456".parse::<Ssn>().unwrap().is_plausible());
    }

    #[test]
    fn debug_shows_no_digit() {
        assert_eq!(
            format!("{:?}", "900123456".parse::<Ssn>().unwrap()),
            "Ssn([redacted])"
        );
    }
}
