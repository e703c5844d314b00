//! The table of the laws that the rules write out (`laws.csv`), and what is said about it
//! (`laws.toml`): rows without a rule, differences, and rules without a row.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::BundleError;

/// The table: one row a legal rule.
pub(super) const LAWS_FILE: &str = "laws.csv";
/// The notes on it.
pub(super) const LAW_NOTES_FILE: &str = "laws.toml";

/// A row of the table of laws. Lists are written with `|` between their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LawRow {
    /// Its id, which is also that of its rule.
    pub rule_id: String,
    /// Whose rule set it belongs to.
    pub regime: String,
    /// `permit`, `default`, `bar`, `condition`, `require`, `obligation`, `off`, `meta` or `info`.
    pub kind: String,
    /// The law in words.
    pub law: String,
    /// Where it stands.
    pub citation: String,
    /// The categories concerned.
    pub data_category: String,
    /// The kinds of systems that the data come from.
    pub source_system: String,
    /// Who may be told.
    pub recipient: String,
    /// For what.
    pub purpose: String,
    /// On what basis.
    pub basis: String,
    /// What it does.
    pub effect: String,
    /// Under which conditions.
    pub conditions: String,
    /// Until when.
    pub expiry: String,
    /// The notice that travels along.
    pub redisclosure_notice: String,
    /// How sure the reading is.
    pub confidence: String,
}

/// A field in which a rule differs from its row on purpose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Difference {
    pub(crate) row: String,
    pub(crate) field: String,
    pub(crate) reason: String,
}

/// The content of `laws.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LawNotes {
    /// Rows without a rule, and why.
    unwritten: BTreeMap<String, String>,
    /// Rules without a row, and why.
    own: BTreeMap<String, String>,
    /// Rules that differ from their row.
    #[serde(default)]
    differs: Vec<Difference>,
}

/// The table with its notes.
#[derive(Debug, Clone)]
pub(crate) struct Laws {
    pub(crate) rows: Vec<LawRow>,
    pub(crate) unwritten: BTreeMap<String, String>,
    pub(crate) own: BTreeMap<String, String>,
    pub(crate) differs: Vec<Difference>,
}

impl Laws {
    /// Reads the table. What counts as a gap is for [`crate::law_coverage`] to say.
    pub(super) fn read(table: &str, notes: LawNotes) -> Result<Self, BundleError> {
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let rows = reader.deserialize().collect::<Result<Vec<LawRow>, _>>();
        let rows = rows.map_err(|error| BundleError::malformed(LAWS_FILE, error.to_string()))?;
        let mut ids: Vec<&str> = rows.iter().map(|row| row.rule_id.as_str()).collect();
        ids.sort_unstable();
        let double = ids.windows(2).find(|pair| pair.first() == pair.last());
        if let Some(id) = double.and_then(|pair| pair.first()) {
            let reason = format!("the row {id} is there twice");
            return Err(BundleError::malformed(LAWS_FILE, reason));
        }
        let LawNotes {
            unwritten,
            own,
            differs,
        } = notes;
        Ok(Self {
            rows,
            unwritten,
            own,
            differs,
        })
    }
}
