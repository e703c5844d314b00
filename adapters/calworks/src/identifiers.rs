//! California's identifiers of people and cases.

use std::fmt;
use std::str::FromStr;

/// Why a text is not the identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentifierError {
    /// Not a Client Index Number.
    #[error("not a client index number: expected a digit, seven digits and a letter")]
    Cin,
    /// Not a County ID.
    #[error(
        "not a county id: expected county 2, aid code 2, serial 7, family budget unit 1, person 2"
    )]
    CountyId,
}

/// Client Index Number of the Statewide Client Index: a digit, seven digits and a letter. How the letter is calculated
/// is not published, so that only the shape is checked.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cin(String);

impl fmt::Debug for Cin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cin([redacted])")
    }
}

impl fmt::Display for Cin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Cin {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let upper = text.trim().to_ascii_uppercase();
        let (digits, letter) = upper.split_at_checked(8).ok_or(IdentifierError::Cin)?;
        let is_sound = digits.bytes().all(|byte| byte.is_ascii_digit())
            && letter.len() == 1
            && letter.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_sound {
            Ok(Self(upper))
        } else {
            Err(IdentifierError::Cin)
        }
    }
}

/// County ID of MEDS, 14 characters: county 2, aid code 2, case serial 7, family budget unit 1, person number 2. Screens
/// show it with dashes (`43-30-1B2K111-0-04`).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CountyId(String);

impl fmt::Debug for CountyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CountyId([redacted])")
    }
}

impl fmt::Display for CountyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl CountyId {
    fn part(&self, range: std::ops::Range<usize>) -> &str {
        self.0.get(range).unwrap_or("")
    }

    /// MEDS county code.
    #[must_use]
    pub fn county(&self) -> &str {
        self.part(0..2)
    }

    /// MEDS aid code.
    #[must_use]
    pub fn aid_code(&self) -> &str {
        self.part(2..4)
    }

    /// Case serial: with the county the case.
    #[must_use]
    pub fn serial(&self) -> &str {
        self.part(4..11)
    }

    /// Family budget unit.
    #[must_use]
    pub fn family_budget_unit(&self) -> &str {
        self.part(11..12)
    }

    /// Person number, never given to somebody else in the same case and county.
    #[must_use]
    pub fn person_number(&self) -> &str {
        self.part(12..14)
    }
}

impl FromStr for CountyId {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let upper = text.trim().to_ascii_uppercase();
        let parts: Vec<&str> = upper.split('-').collect();
        let has_dashes_in_place = parts.iter().map(|part| part.len()).eq([2, 2, 7, 1, 2]);
        if parts.len() > 1 && !has_dashes_in_place {
            return Err(IdentifierError::CountyId);
        }
        let id = Self(parts.concat());
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let is_sound = id.0.len() == 14
            && id.0.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && is_number(id.county())
            && is_number(id.person_number());
        if is_sound {
            Ok(id)
        } else {
            Err(IdentifierError::CountyId)
        }
    }
}

#[cfg(test)]
mod tests {
    use tandem_mappings::tables::Table;

    use super::*;

    #[test]
    fn a_cin_is_eight_digits_and_a_letter() {
        assert_eq!("91234567a".parse::<Cin>().unwrap().to_string(), "91234567A");
        for wrong in ["9123456A", "912345678", "A1234567A", "91234567AB", ""] {
            assert!(wrong.parse::<Cin>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_county_id_has_five_parts_with_or_without_dashes() {
        let plain: CountyId = "43301B2K111004".parse().unwrap();
        let dashed: CountyId = "43-30-1B2K111-0-04".parse().unwrap();
        assert_eq!(plain, dashed);
        assert_eq!(
            (
                plain.county(),
                plain.aid_code(),
                plain.serial(),
                plain.family_budget_unit(),
                plain.person_number()
            ),
            ("43", "30", "1B2K111", "0", "04")
        );
        for wrong in [
            "43-301B2K111-0-04",
            "43301B2K11100",
            "4330_B2K111004",
            "4X301B2K111004",
            "",
        ] {
            assert!(wrong.parse::<CountyId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_parts_stand_where_the_published_tables_say() {
        let columns = ["field", "start", "end", "type", "description"];
        let county = include_str!("../../../mappings/tables/calworks/meds_county_id.csv");
        let table = Table::parse("meds_county_id.csv", county, &columns).unwrap();
        let id: CountyId = "43301B2K111004".parse().unwrap();
        for row in table.rows() {
            let (start, end): (usize, usize) = (
                row.parsed("start", "a position").unwrap(),
                row.parsed("end", "a position").unwrap(),
            );
            let part = match row.get("field") {
                "county_code" => id.county(),
                "aid_code" => id.aid_code(),
                "case_serial" => id.serial(),
                "fbu" => id.family_budget_unit(),
                "person_number" => id.person_number(),
                other => panic!("unknown part {other}"),
            };
            assert_eq!(part, &id.to_string()[start - 1..end]);
        }
        let cin = include_str!("../../../mappings/tables/calworks/cin.csv");
        let table = Table::parse("cin.csv", cin, &columns).unwrap();
        let length: usize = table
            .rows()
            .last()
            .unwrap()
            .parsed("end", "a position")
            .unwrap();
        assert_eq!(
            "91234567A".parse::<Cin>().unwrap().to_string().len(),
            length
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_parsing_panic(text in "\\PC{0,20}") {
            let _ = text.parse::<Cin>();
            let _ = text.parse::<CountyId>();
        }
    }
}
