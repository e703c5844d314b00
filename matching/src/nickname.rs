//! Sets of given names that one person may use.

use std::collections::HashMap;

use thiserror::Error;

use crate::text;

/// The table that is compiled in.
const TABLE: &str = include_str!("../data/nicknames.csv");

/// A nickname table that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NicknameError {
    /// A line is no CSV.
    #[error("nickname table: {0}")]
    Csv(#[from] csv::Error),
    /// A column is absent.
    #[error("nickname table, line {line}, column {column}: expected a value")]
    Missing {
        /// Line in the file, from 1.
        line: u64,
        /// Column that was expected.
        column: &'static str,
    },
}

/// Which nickname sets each given name belongs to.
#[derive(Debug, Default, Clone)]
pub struct Nicknames {
    canonical: Vec<String>,
    sets: HashMap<String, Vec<u16>>,
}

impl Nicknames {
    /// The table that is compiled in: English and Spanish names.
    ///
    /// # Errors
    /// [`NicknameError`] when the compiled table is malformed, which a test rules out.
    pub fn standard() -> Result<Self, NicknameError> {
        Self::read(TABLE.as_bytes())
    }

    /// Reads a table with the columns `canonical` and `variants` (`;` between names).
    ///
    /// # Errors
    /// [`NicknameError`] when a line is no CSV or lacks one of the columns.
    pub fn read(input: impl std::io::Read) -> Result<Self, NicknameError> {
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .from_reader(input);
        let mut table = Self::default();
        for row in reader.records() {
            let row = row?;
            let line = row.position().map_or(0, csv::Position::line);
            let missing = |column| NicknameError::Missing { line, column };
            let canonical = row.get(0).filter(|name| !name.is_empty());
            let canonical = canonical.ok_or_else(|| missing("canonical"))?;
            let variants = row.get(1).ok_or_else(|| missing("variants"))?;
            table.add(canonical, variants);
        }
        Ok(table)
    }

    fn add(&mut self, canonical: &str, variants: &str) {
        let Ok(set) = u16::try_from(self.canonical.len()) else {
            return;
        };
        self.canonical.push(canonical.to_owned());
        let variants = variants.split(';').filter(|name| !name.is_empty());
        for name in std::iter::once(canonical).chain(variants) {
            let sets = self.sets.entry(name.to_owned()).or_default();
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
    }

    /// Lets two plain given names count as one person's from now on; they are blocked under the canonical form of the
    /// first that has one.
    pub(crate) fn learn(&mut self, a: &str, b: &str) {
        let (known, new) = if self.sets(a).is_empty() {
            (b, a)
        } else {
            (a, b)
        };
        let canonical = self.canonical(known).to_owned();
        self.add(&canonical, &format!("{known};{new}"));
    }

    /// The sets that a plain (upper-case, unaccented) given name belongs to.
    pub(crate) fn sets(&self, name: &str) -> &[u16] {
        self.sets.get(name).map_or(&[], Vec::as_slice)
    }

    /// The name under which a given name is blocked: the canonical one of its first set.
    pub(crate) fn canonical<'a>(&'a self, name: &'a str) -> &'a str {
        let first = self.sets(name).first();
        first
            .and_then(|set| self.canonical.get(usize::from(*set)))
            .map_or(name, String::as_str)
    }
}

/// A given name as nickname sets hold it: its first word, plain. `None` for an initial, a filler or no name.
#[must_use]
pub fn given_name(spelt: &str) -> Option<String> {
    let mut words = text::name_words(spelt).into_iter();
    words.next().filter(|word| word.chars().count() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn compiled_table_is_plain_and_complete() {
        let table = Nicknames::standard().unwrap();
        assert!(table.canonical.len() > 150);
        assert!(table.sets.keys().all(|name| text::plain(name) == *name));
    }

    #[test]
    fn nicknames_of_one_name_share_a_set() {
        let table = Nicknames::standard().unwrap();
        let shares = |a: &str, b: &str| table.sets(a).iter().any(|set| table.sets(b).contains(set));
        assert!(shares("GUADALUPE", "LUPITA"));
        assert!(shares("BOB", "ROBERT"));
        assert!(shares("PACO", "FRANCISCO"));
        assert!(!shares("ANA", "LEO"));
    }

    #[test]
    fn learnt_pair_shares_a_set_and_a_block() {
        let mut table = Nicknames::standard().unwrap();
        table.learn("TESTA", "ZORLA");
        table.learn("XENIA", "BOB");
        let shares = |a: &str, b: &str| table.sets(a).iter().any(|set| table.sets(b).contains(set));
        assert!(shares("TESTA", "ZORLA") && shares("XENIA", "BOB"));
        assert!(!shares("TESTA", "XENIA"));
        assert_eq!(table.canonical("TESTA"), table.canonical("ZORLA"));
        assert_eq!(table.canonical("XENIA"), table.canonical("ROBERT"));
    }

    #[test]
    fn given_name_is_its_first_plain_word() {
        assert_eq!(given_name("Zoë Ann").as_deref(), Some("ZOE"));
        assert_eq!(given_name("Q."), None);
        assert_eq!(given_name(" "), None);
        assert_eq!(given_name("Unknown"), None);
    }
}
