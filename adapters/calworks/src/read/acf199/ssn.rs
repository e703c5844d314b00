//! The fixed substitution of Social Security numbers (header position 22 = `E`). It hides nothing: a decoded number is
//! handled exactly like one sent in clear.

use tandem_mappings::tables::{Table, TableError};

const TABLE: &str = include_str!("../../../../../mappings/tables/calworks/ssn_substitution.csv");

/// The substitution table, a bijection between ten file characters and ten digits.
#[derive(Debug, Clone)]
pub struct Substitution(Vec<(char, char)>);

impl Substitution {
    /// Loads the table.
    ///
    /// # Errors
    /// When the table is not sound or no bijection over the ten digits.
    pub fn load() -> Result<Self, TableError> {
        let table = Table::parse("ssn_substitution.csv", TABLE, &["file_character", "digit"])?
            .unique_by(&["file_character"])?
            .unique_by(&["digit"])?;
        let mut pairs = Vec::new();
        for row in table.rows() {
            let digit: char = row.parsed("digit", "one digit")?;
            if !digit.is_ascii_digit() {
                return Err(row.refuse("digit", "one digit"));
            }
            pairs.push((row.parsed("file_character", "one character")?, digit));
        }
        Ok(Self(pairs))
    }

    /// The clear text of a substituted field. A character that the table lacks becomes `?`, so that it fails the later
    /// check for digits: a number in clear below a header that says otherwise must not pass as somebody else's.
    #[must_use]
    pub fn decode(&self, field: &str) -> String {
        let clear = |character: char| {
            self.0
                .iter()
                .find(|(from, _)| *from == character)
                .map(|(_, to)| *to)
        };
        field
            .chars()
            .map(|character| clear(character).unwrap_or('?'))
            .collect()
    }

    /// The substituted text of digits: the inverse of [`Substitution::decode`].
    #[must_use]
    pub fn encode(&self, digits: &str) -> String {
        let hidden = |digit: char| {
            self.0
                .iter()
                .find(|(_, to)| *to == digit)
                .map(|(from, _)| *from)
        };
        digits
            .chars()
            .map(|digit| hidden(digit).unwrap_or(digit))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_table_decodes_its_ten_characters() {
        assert_eq!(
            Substitution::load().unwrap().decode("@9ZP0#YBWT"),
            "1234567890"
        );
    }

    #[test]
    fn a_digit_that_no_substitution_gives_is_not_taken_as_clear() {
        assert_eq!(
            Substitution::load().unwrap().decode("900123456"),
            "255??????"
        );
    }

    proptest::proptest! {
        #[test]
        fn encoding_and_decoding_are_inverse(digits in "[0-9]{9}") {
            let table = Substitution::load().unwrap();
            proptest::prop_assert_eq!(table.decode(&table.encode(&digits)), digits);
        }
    }
}
