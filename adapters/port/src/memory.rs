//! What an adapter remembers about a partner between deliveries. The gateway stores it, sealed; the adapter gives it
//! meaning.

use serde::{Deserialize, Serialize};

/// A row or resource of the partner's own that a later delivery copies or refers to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerRow {
    /// Kind: a file (`Enrollment`), a resource type.
    pub kind: String,
    /// The partner's key of the row.
    pub key: String,
    /// Further keys by which the row is looked up, for example the person's id. At most a few.
    pub index: Vec<String>,
    /// The row, in a form that the adapter chose.
    pub value: String,
}

impl std::fmt::Debug for PartnerRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PartnerRow({}, [redacted])", self.kind)
    }
}

/// Looks up what was remembered about one partner.
pub trait PartnerMemory {
    /// The row of a kind under its key.
    fn row(&self, kind: &str, key: &str) -> Option<PartnerRow>;

    /// All rows of a kind that are indexed under `index`, in key order.
    fn rows_by(&self, kind: &str, index: &str) -> Vec<PartnerRow>;

    /// All rows of a kind, in key order. Only for kinds that are small by nature (Export, User, Organization).
    fn rows(&self, kind: &str) -> Vec<PartnerRow>;
}

/// Memory that holds its rows itself, for tests and offline use.
#[derive(Debug, Clone, Default)]
pub struct RowsInMemory {
    rows: std::collections::BTreeMap<(String, String), PartnerRow>,
}

impl RowsInMemory {
    /// Remembers a row; a later one under the same kind and key takes its place.
    pub fn put(&mut self, row: PartnerRow) {
        self.rows.insert((row.kind.clone(), row.key.clone()), row);
    }

    /// How many rows are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl PartnerMemory for RowsInMemory {
    fn row(&self, kind: &str, key: &str) -> Option<PartnerRow> {
        self.rows.get(&(kind.to_owned(), key.to_owned())).cloned()
    }

    fn rows_by(&self, kind: &str, index: &str) -> Vec<PartnerRow> {
        self.rows
            .values()
            .filter(|row| row.kind == kind && row.index.iter().any(|known| known == index))
            .cloned()
            .collect()
    }

    fn rows(&self, kind: &str) -> Vec<PartnerRow> {
        self.rows
            .values()
            .filter(|row| row.kind == kind)
            .cloned()
            .collect()
    }
}
