//! Crosswalks: another system's codes to canonical codes and back.

use std::collections::BTreeMap;

use super::{ExampleFailure, MatchKind, Row, Table, TableError};

/// Which columns of a table hold the parts of a crosswalk.
#[derive(Debug, Clone, Copy)]
pub struct CrosswalkColumns<'a> {
    /// The other system or code list; `None` when the whole table is one list (system `""`).
    pub system: Option<&'a str>,
    /// The other system's code. Rows where it is blank are skipped: the list has no such code.
    pub code: &'a str,
    /// The canonical code.
    pub canonical: &'a str,
    /// The kind of match; `None` when every row is exact.
    pub match_kind: Option<&'a str>,
}

/// What a crosswalk does with a code that it does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Openness {
    /// The list is closed: an unknown code is an error.
    Closed,
    /// The list is open: an unknown code becomes this canonical code and keeps its original.
    Open {
        /// Canonical code for the unknown, such as `other`.
        fallback: String,
    },
}

/// A canonical code with the original that it stands for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Coded {
    /// The canonical code.
    pub canonical: String,
    /// System or list of the original code.
    pub system: String,
    /// The original code, unchanged.
    pub original: String,
    /// How well the two agree.
    pub match_kind: MatchKind,
}

/// A code of a closed list that the crosswalk does not know. The code itself is left out: a shifted
/// column may hold personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("code of list `{system}` is not mapped in {crosswalk}")]
pub struct UnmappedCode {
    /// Name of the crosswalk file.
    pub crosswalk: String,
    /// System or list of the code.
    pub system: String,
}

#[derive(Debug, Clone)]
struct Entry {
    other: String,
    match_kind: MatchKind,
    row: Row,
}

/// A checked crosswalk.
#[derive(Debug, Clone)]
pub struct Crosswalk {
    table: Table,
    openness: Openness,
    canonical_column: String,
    inbound: BTreeMap<(String, String), Vec<Entry>>,
    outbound: BTreeMap<(String, String), Vec<Entry>>,
}

impl Crosswalk {
    /// Builds a crosswalk from a table.
    ///
    /// # Errors
    /// [`TableError`] when a row has no canonical code, an unknown kind of match, or says the same
    /// thing as a row before.
    pub fn new(
        table: Table,
        columns: CrosswalkColumns<'_>,
        openness: Openness,
    ) -> Result<Self, TableError> {
        let mut key: Vec<&str> = columns.system.into_iter().collect();
        key.extend([columns.code, columns.canonical]);
        let table = table.unique_by(&key)?;
        let (mut inbound, mut outbound) = (BTreeMap::new(), BTreeMap::new());
        for row in table
            .rows()
            .iter()
            .filter(|row| !row.get(columns.code).is_empty())
        {
            let system = columns
                .system
                .map_or(Ok(""), |column| row.required(column))?;
            let code = row.get(columns.code).to_owned();
            let canonical = row.required(columns.canonical)?.to_owned();
            let match_kind = columns.match_kind.map_or(Ok(MatchKind::Exact), |column| {
                row.parsed(column, "exact, close, broad, narrow or related")
            })?;
            let entry = |other: &str| Entry {
                other: other.to_owned(),
                match_kind,
                row: row.clone(),
            };
            let slot: &mut Vec<Entry> = inbound
                .entry((system.to_owned(), code.clone()))
                .or_default();
            slot.push(entry(&canonical));
            let slot: &mut Vec<Entry> = outbound.entry((system.to_owned(), canonical)).or_default();
            slot.push(entry(&code));
        }
        // Stable sorts: among equals the first row of the file wins.
        inbound
            .values_mut()
            .for_each(|all| all.sort_by_key(|one| one.match_kind.rank_inbound()));
        outbound
            .values_mut()
            .for_each(|all| all.sort_by_key(|one| one.match_kind.rank_outbound()));
        let canonical_column = columns.canonical.to_owned();
        Ok(Self {
            table,
            openness,
            canonical_column,
            inbound,
            outbound,
        })
    }

    /// The table that the crosswalk was built from.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The canonical code for another system's code: the best of its matches.
    ///
    /// # Errors
    /// [`UnmappedCode`] when the list is closed and does not have the code.
    pub fn canonical(&self, system: &str, code: &str) -> Result<Coded, UnmappedCode> {
        let known = self
            .inbound
            .get(&(system.to_owned(), code.to_owned()))
            .and_then(|all| all.first());
        let (canonical, match_kind) = match (known, &self.openness) {
            (Some(entry), _) => (entry.other.clone(), entry.match_kind),
            (None, Openness::Open { fallback }) => (fallback.clone(), MatchKind::Unknown),
            (None, Openness::Closed) => {
                let crosswalk = self.table.name().to_owned();
                return Err(UnmappedCode {
                    crosswalk,
                    system: system.to_owned(),
                });
            }
        };
        let (system, original) = (system.to_owned(), code.to_owned());
        Ok(Coded {
            canonical,
            system,
            original,
            match_kind,
        })
    }

    /// The codes of another system for a canonical code, best match first.
    pub fn codes(&self, system: &str, canonical: &str) -> impl Iterator<Item = (&str, MatchKind)> {
        let entries = self
            .outbound
            .get(&(system.to_owned(), canonical.to_owned()));
        entries
            .into_iter()
            .flatten()
            .map(|entry| (entry.other.as_str(), entry.match_kind))
    }

    /// Checks that every code of a closed list is mapped.
    ///
    /// # Errors
    /// [`TableError::Unmapped`] with the file and line of the first code that is not.
    pub fn check_covers(
        &self,
        system: &str,
        list: &Table,
        code_column: &str,
    ) -> Result<(), TableError> {
        for row in list.rows() {
            let key = (system.to_owned(), row.required(code_column)?.to_owned());
            if !self.inbound.contains_key(&key) {
                return Err(TableError::Unmapped {
                    file: row.file().to_owned(),
                    line: row.line(),
                    column: code_column.to_owned(),
                    crosswalk: self.table.name().to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Checks that every canonical code of the crosswalk is one that `is_known` accepts.
    ///
    /// # Errors
    /// [`TableError::Value`] with the file and line of the first row that names another.
    pub fn check_canonical(&self, is_known: impl Fn(&str) -> bool) -> Result<(), TableError> {
        let mut entries = self.inbound.values().flatten();
        match entries.find(|entry| !is_known(&entry.other)) {
            Some(entry) => Err(entry.row.refuse(&self.canonical_column, "a canonical code")),
            None => Ok(()),
        }
    }

    /// Runs the example pairs, written `# example: system|code -> canonical` (`code` alone when the
    /// whole table is one list).
    #[must_use]
    pub fn failed_examples(&self) -> Vec<ExampleFailure> {
        self.table.failed_examples(|input| {
            let (system, code) = input.split_once('|').unwrap_or(("", input));
            self.canonical(system.trim(), code.trim())
                .ok()
                .map(|coded| coded.canonical)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[&str] = &["system", "code", "canonical", "match"];
    const COLUMNS: CrosswalkColumns<'_> = CrosswalkColumns {
        system: Some("system"),
        code: "code",
        canonical: "canonical",
        match_kind: Some("match"),
    };

    fn table(rows: &str) -> Table {
        let text = format!(
            "# source: x\n# version: 1\n# example: hmis|3 -> health-care\nsystem,code,canonical,match\n{rows}"
        );
        Table::parse("walk.csv", &text, HEADER).unwrap()
    }

    fn crosswalk(rows: &str, openness: Openness) -> Result<Crosswalk, TableError> {
        Crosswalk::new(table(rows), COLUMNS, openness)
    }

    const ROWS: &str = "hmis,3,dental-care,related\nhmis,3,health-care,broad\nhmis,8,health-care,exact\n\
        hmis,9,health-care,narrow\ntaxonomy,,dental-care,exact\n";

    #[test]
    fn the_best_match_wins_in_each_direction() {
        let walk = crosswalk(ROWS, Openness::Closed).unwrap();
        assert_eq!(
            walk.canonical("hmis", "3").unwrap().canonical,
            "health-care"
        );
        let codes: Vec<_> = walk
            .codes("hmis", "health-care")
            .map(|(code, _)| code)
            .collect();
        assert_eq!(codes, ["8", "3", "9"]);
        assert_eq!(walk.codes("taxonomy", "dental-care").count(), 0);
        assert_eq!(walk.failed_examples(), []);
    }

    #[test]
    fn an_unknown_code_of_a_closed_list_is_an_error_that_does_not_repeat_the_code() {
        let error = crosswalk(ROWS, Openness::Closed)
            .unwrap()
            .canonical("hmis", "Demofield");
        assert_eq!(
            error.unwrap_err().to_string(),
            "code of list `hmis` is not mapped in walk.csv"
        );
    }

    #[test]
    fn an_unknown_code_of_an_open_list_falls_back_and_keeps_the_original() {
        let walk = crosswalk(
            ROWS,
            Openness::Open {
                fallback: "other".to_owned(),
            },
        )
        .unwrap();
        let coded = walk.canonical("hmis", "77").unwrap();
        assert_eq!(
            (coded.canonical.as_str(), coded.original.as_str()),
            ("other", "77")
        );
        assert_eq!(coded.match_kind, MatchKind::Unknown);
    }

    #[test]
    fn wrong_rows_are_refused_with_their_line() {
        let line = |rows| crosswalk(rows, Openness::Closed).unwrap_err().to_string();
        assert_eq!(
            line("hmis,3,food,same\n"),
            "walk.csv:5: column `match`: expected exact, close, broad, narrow or related"
        );
        assert_eq!(
            line("hmis,3,,exact\n"),
            "walk.csv:5: column `canonical`: expected a value"
        );
        assert!(line("hmis,3,food,exact\nhmis,3,food,close\n").starts_with("walk.csv:6:"));
    }

    #[test]
    fn a_closed_list_must_be_covered_and_lead_to_canonical_codes_only() {
        let walk = crosswalk(ROWS, Openness::Closed).unwrap();
        let list = |rows: &str| {
            let text = format!("# source: x\n# version: 1\ncode\n{rows}");
            Table::parse("list.csv", &text, &["code"]).unwrap()
        };
        assert_eq!(walk.check_covers("hmis", &list("3\n8\n"), "code"), Ok(()));
        let error = walk
            .check_covers("hmis", &list("3\n4\n"), "code")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "list.csv:5: column `code`: expected code to be mapped in walk.csv"
        );
        let error = walk
            .check_canonical(|code| code == "health-care")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "walk.csv:5: column `canonical`: expected a canonical code"
        );
    }
}
