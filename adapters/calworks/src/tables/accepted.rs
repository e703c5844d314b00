//! The column `accepted_values` of a layout table: what the federal portal lets pass.

/// A text in `accepted_values` that says nothing known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("accepted values `{0}` are not understood")]
pub struct AcceptedError(String);

/// Which values a field may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accepted {
    /// Anything.
    Any,
    /// Anything that is not blank.
    NotBlank,
    /// Digits only.
    Digits,
    /// One of the alternatives.
    OneOf(Vec<Alternative>),
    /// A number greater than this one.
    Above(u64),
    /// A number of at least this one.
    AtLeast(u64),
    /// `YYYYMM` with the year greater than this one.
    MonthAfter(u64),
    /// `YYYYQ` with the year greater than this one.
    QuarterAfter(u64),
    /// `YYYYMMDD` with the year greater than this one; checked part by part.
    DayAfter(u64),
    /// A state's FIPS code (a state, DC, Guam, Puerto Rico, Virgin Islands), or 00.
    StateFips,
}

/// One alternative of [`Accepted::OneOf`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alternative {
    /// A number from..=to.
    Range(u64, u64),
    /// This text.
    Text(String),
    /// Blanks.
    Blank,
}

/// FIPS state codes: the fifty states, DC, 66 Guam, 72 Puerto Rico, 78 Virgin Islands; 00 stands for none.
fn is_state_fips(code: u64) -> bool {
    matches!(code, 0 | 1 | 2 | 4..=6 | 8..=13 | 15..=42 | 44..=51 | 53..=56 | 66 | 72 | 78)
}

impl Accepted {
    /// Reads the column's text.
    ///
    /// # Errors
    /// When the text is in none of the known forms.
    pub fn parse(text: &str) -> Result<Self, AcceptedError> {
        let unknown = || AcceptedError(text.to_owned());
        let number = |digits: &str| digits.trim().parse::<u64>().map_err(|_| unknown());
        let year_of = |part: &str| {
            part.split(',')
                .next()
                .map_or_else(|| Err(unknown()), number)
        };
        match text.trim() {
            "" => return Ok(Self::Any),
            "not blank" => return Ok(Self::NotBlank),
            "digits" => return Ok(Self::Digits),
            named if named.starts_with("50 states") => return Ok(Self::StateFips),
            _ => {}
        }
        if let Some(rest) = text.strip_prefix("8-digit date, year>") {
            return Ok(Self::DayAfter(year_of(rest)?));
        }
        if let Some(rest) = text.strip_prefix("year>") {
            let year = year_of(rest)?;
            let is_quarter = rest.contains("quarter");
            return Ok(if is_quarter {
                Self::QuarterAfter(year)
            } else {
                Self::MonthAfter(year)
            });
        }
        if let Some(rest) = text.strip_prefix(">=") {
            return Ok(Self::AtLeast(number(rest)?));
        }
        if let Some(rest) = text.strip_prefix('>') {
            return Ok(Self::Above(number(rest)?));
        }
        text.split('|')
            .map(|part| alternative(part.trim()).ok_or_else(unknown))
            .collect::<Result<_, _>>()
            .map(Self::OneOf)
    }

    /// Whether a value that is not blank may stand in the field. A [`Accepted::DayAfter`] is answered as a whole here.
    #[must_use]
    pub fn allows(&self, value: &str) -> bool {
        let value = value.trim();
        match self {
            Self::Any => true,
            Self::NotBlank => !value.is_empty(),
            Self::Digits => !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()),
            Self::OneOf(alternatives) => alternatives.iter().any(|one| one.allows(value)),
            Self::Above(limit) => digits(value).is_some_and(|number| number > *limit),
            Self::AtLeast(limit) => digits(value).is_some_and(|number| number >= *limit),
            Self::MonthAfter(year) => period(value, 2, *year, 12),
            Self::QuarterAfter(year) => period(value, 1, *year, 4),
            Self::DayAfter(year) => day_faults(value, *year).is_empty(),
            Self::StateFips => value.len() == 2 && digits(value).is_some_and(is_state_fips),
        }
    }
}

impl Alternative {
    fn allows(&self, value: &str) -> bool {
        match self {
            Self::Range(from, to) => {
                digits(value).is_some_and(|number| (*from..=*to).contains(&number))
            }
            Self::Text(text) => text == value,
            Self::Blank => value.is_empty(),
        }
    }
}

/// The parts of a birth date `YYYYMMDD` that fail: the portal reports each of them as an error of its own.
#[must_use]
pub fn day_faults(value: &str, year_after: u64) -> Vec<&'static str> {
    let value = value.trim();
    let part = |range: std::ops::Range<usize>| value.get(range).and_then(digits);
    let checks = [
        (value.len() == 8 && digits(value).is_some(), "eight digits"),
        (
            part(0..4).is_some_and(|year| year > year_after),
            "a year in range",
        ),
        (
            part(4..6).is_some_and(|month| (1..=12).contains(&month)),
            "a month from 1 to 12",
        ),
        (
            part(6..8).is_some_and(|day| (1..=31).contains(&day)),
            "a day from 1 to 31",
        ),
    ];
    checks
        .into_iter()
        .filter(|(passes, _)| !passes)
        .map(|(_, fault)| fault)
        .collect()
}

fn alternative(part: &str) -> Option<Alternative> {
    if part == "blank" {
        return Some(Alternative::Blank);
    }
    if let Some((from, to)) = part.split_once("..") {
        return Some(Alternative::Range(digits(from)?, digits(to)?));
    }
    if let Some(number) = digits(part) {
        return Some(Alternative::Range(number, number));
    }
    let is_code = !part.is_empty()
        && part
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    is_code.then(|| Alternative::Text(part.to_owned()))
}

fn digits(text: &str) -> Option<u64> {
    let plain =
        !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn period(value: &str, width: usize, year_after: u64, last: u64) -> bool {
    let Some((year, part)) = value.split_at_checked(4) else {
        return false;
    };
    part.len() == width
        && digits(year).is_some_and(|year| year > year_after)
        && digits(part).is_some_and(|part| (1..=last).contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_compare_numbers_and_texts() {
        let accepted = Accepted::parse("0..9|11|12").unwrap();
        assert!(accepted.allows("08") && accepted.allows(" 8") && accepted.allows("11"));
        assert!(!accepted.allows("10") && !accepted.allows("A"));
        let program = Accepted::parse("TAN|SSP").unwrap();
        assert!(program.allows("TAN") && !program.allows("TAX"));
    }

    #[test]
    fn a_month_needs_six_digits_and_a_late_enough_year() {
        let accepted = Accepted::parse("year>1998, month 1..12").unwrap();
        assert!(accepted.allows("202012"));
        assert!(
            !accepted.allows("199812") && !accepted.allows("202013") && !accepted.allows("20201")
        );
    }

    #[test]
    fn each_part_of_a_bad_birth_date_is_named() {
        assert_eq!(
            day_faults("99999999", 1900),
            ["a month from 1 to 12", "a day from 1 to 31"]
        );
        assert_eq!(day_faults("1997", 1900).len(), 3);
        assert!(day_faults("19970523", 1900).is_empty());
    }

    #[test]
    fn an_unknown_phrase_is_refused() {
        assert!(Accepted::parse("whatever they like").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_value_makes_a_check_panic(value in "\\PC{0,12}") {
            for text in ["digits", "year>1998, month 1..12", "0..9|blank", ">=0", "50 states, DC"] {
                let _ = Accepted::parse(text).unwrap().allows(&value);
            }
            let _ = day_faults(&value, 1900);
        }
    }
}
