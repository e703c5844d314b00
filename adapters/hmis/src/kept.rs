//! Rows of the partner's last export that a delta copies unchanged, in the form in which the gateway keeps them.
//!
//! Kinds are file names. Enrollment and Event rows are indexed by `person:ID`, Enrollment rows also by
//! `household:ID`; an Exit is kept under its EnrollmentID as the mark that the stay has ended; Export under
//! the key [`EXPORT_KEY`]; HMISParticipation rows are indexed by `project:ID`.

use serde::{Deserialize, Serialize};
use tandem_adapter_port::memory::PartnerRow;

use crate::tables::FileLayout;

/// Key of the one Export row kept.
pub(crate) const EXPORT_KEY: &str = "last";

/// A partner's row: the edition that gives its columns, and the values in their order.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptRow {
    pub(crate) edition: String,
    pub(crate) values: Vec<String>,
}

impl std::fmt::Debug for KeptRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeptRow({}, [redacted])", self.edition)
    }
}

impl KeptRow {
    /// The row as the gateway keeps it; `None` when it can't be put into JSON, which strings always can.
    pub(crate) fn to_partner_row(
        &self,
        kind: &str,
        key: &str,
        index: Vec<String>,
    ) -> Option<PartnerRow> {
        let value = serde_json::to_string(self).ok()?;
        Some(PartnerRow {
            kind: kind.to_owned(),
            key: key.to_owned(),
            index,
            value,
        })
    }

    /// The values of a kept row, when it has the layout's columns.
    pub(crate) fn of(row: &PartnerRow, layout: &FileLayout, edition: &str) -> Option<Vec<String>> {
        let kept: Self = serde_json::from_str(&row.value).ok()?;
        (kept.edition == edition && kept.values.len() == layout.columns.len())
            .then_some(kept.values)
    }

    /// The edition of a kept row.
    pub(crate) fn edition_of(row: &PartnerRow) -> Option<String> {
        serde_json::from_str::<Self>(&row.value)
            .ok()
            .map(|kept| kept.edition)
    }
}

/// Index of rows about a person.
pub(crate) fn person_index(person: &str) -> String {
    format!("person:{person}")
}

/// Index of rows about a household.
pub(crate) fn household_index(household: &str) -> String {
    format!("household:{household}")
}

/// Index of rows about a project.
pub(crate) fn project_index(project: &str) -> String {
    format!("project:{project}")
}
