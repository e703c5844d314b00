//! From the text of a cell to a value.

use std::collections::HashMap;
use std::fmt;

use jiff::civil::Date;
use tandem_mappings::model::ssn::Ssn;

use crate::identifiers::{Cin, CountyId};

/// How a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateFormat {
    Dashed,
    Compact,
    Slashed,
    MonthFirst,
}

impl DateFormat {
    pub(super) fn from_code(code: &str) -> Option<Self> {
        match code {
            "YYYY-MM-DD" => Some(Self::Dashed),
            "YYYYMMDD" => Some(Self::Compact),
            "MM/DD/YYYY" => Some(Self::Slashed),
            "MMDDYYYY" => Some(Self::MonthFirst),
            _ => None,
        }
    }

    fn read(self, text: &str) -> Option<Date> {
        let split = |separator| {
            let mut parts = text.split(separator);
            Some((parts.next()?, parts.next()?, parts.next()?)).filter(|_| parts.next().is_none())
        };
        let (year, month, day) = match self {
            Self::Dashed => split('-')?,
            Self::Slashed => split('/').map(|(month, day, year)| (year, month, day))?,
            Self::Compact if text.len() == 8 => (text.get(0..4)?, text.get(4..6)?, text.get(6..8)?),
            Self::MonthFirst if text.len() == 8 => {
                (text.get(4..8)?, text.get(0..2)?, text.get(2..4)?)
            }
            _ => return None,
        };
        let is_plain =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if year.len() != 4 || !is_plain(year) || !is_plain(month) || !is_plain(day) {
            return None;
        }
        Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
    }
}

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Code,
    Digits,
    Date(DateFormat),
    Ssn,
    Cin,
    CountyId,
    AidCode,
}

/// A value. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Date(Date),
    Ssn(Ssn),
    CountyId(CountyId),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value([redacted])")
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Date(date) => date.fmt(f),
            Self::Ssn(_) => f.write_str("[redacted]"),
            Self::CountyId(id) => id.fmt(f),
        }
    }
}

/// Reads a text that is not blank; the error says what was expected.
pub(super) fn read(
    kind: Kind,
    codes: &HashMap<String, String>,
    text: &str,
) -> Result<Value, &'static str> {
    let text = text.trim();
    match kind {
        Kind::Text => {
            let plain = text.chars().map(|character| {
                if character.is_control() {
                    ' '
                } else {
                    character
                }
            });
            Ok(Value::Text(plain.collect()))
        }
        Kind::Code => codes
            .get(&text.to_lowercase())
            .map(|code| Value::Text(code.clone()))
            .ok_or("a code that the layout maps"),
        Kind::Digits => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let is_plain = text
                .chars()
                .all(|character| character.is_ascii_digit() || " ()-.+".contains(character));
            if is_plain && !digits.is_empty() {
                Ok(Value::Text(digits))
            } else {
                Err("digits")
            }
        }
        Kind::Date(format) => format
            .read(text)
            .map(Value::Date)
            .ok_or("a date in the layout's format"),
        Kind::Ssn => match text.parse::<Ssn>() {
            Ok(ssn) if ssn.is_full() && ssn.is_plausible() => Ok(Value::Ssn(ssn)),
            _ => Err("nine digits that can be a Social Security number"),
        },
        Kind::Cin => text
            .parse::<Cin>()
            .map(|cin| Value::Text(cin.to_string()))
            .map_err(|_| "a digit, seven digits and a letter"),
        Kind::CountyId => text
            .parse::<CountyId>()
            .map(Value::CountyId)
            .map_err(|_| "14 characters: county, aid code, serial, unit, person"),
        Kind::AidCode => {
            let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if is_code {
                Ok(Value::Text(text.to_ascii_uppercase()))
            } else {
                Err("an aid code of two characters")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_the_layouts_format_only() {
        let expected = Date::new(2018, 3, 2).ok();
        for (format, text) in [
            ("YYYY-MM-DD", "2018-03-02"),
            ("YYYYMMDD", "20180302"),
            ("MM/DD/YYYY", "3/2/2018"),
            ("MMDDYYYY", "03022018"),
        ] {
            assert_eq!(
                DateFormat::from_code(format).unwrap().read(text),
                expected,
                "{format}"
            );
        }
        assert_eq!(DateFormat::Dashed.read("2018-02-30"), None);
        assert_eq!(DateFormat::Slashed.read("03/02/18"), None);
        assert_eq!(DateFormat::Compact.read("2018éé"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in "\\PC{0,16}") {
            let date = Kind::Date(DateFormat::MonthFirst);
            for kind in [Kind::Text, Kind::Code, Kind::Digits, date, Kind::Ssn, Kind::Cin, Kind::CountyId, Kind::AidCode] {
                let _ = read(kind, &HashMap::new(), &text);
            }
        }
    }
}
