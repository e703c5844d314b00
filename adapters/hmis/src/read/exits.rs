//! What is known of the ends of stays: at most one row of Exit ends a stay.

use super::finding::Finding;
use super::row::Row;
use super::session::Session;
use crate::idset::{IdMap, id_hash};

const HAS_EXIT: u8 = 1;
const IS_READ: u8 = 2;

/// Stays that have an Exit row which is not deleted, by hashed EnrollmentID.
#[derive(Debug)]
pub(crate) struct Exits {
    held: IdMap<u8>,
}

impl Exits {
    pub(crate) fn new() -> Self {
        Self { held: IdMap::new() }
    }

    /// Learns a row that is not deleted.
    pub(crate) fn learn(&mut self, enrollment: &str) {
        self.held.entry(id_hash(&[enrollment]), HAS_EXIT);
    }

    pub(crate) fn has(&self, enrollment: &str) -> bool {
        self.held.get(id_hash(&[enrollment])).is_some()
    }

    /// Whether the row is the first that ends the stay.
    fn take(&mut self, enrollment: &str) -> bool {
        let Some((held, _)) = self.held.entry(id_hash(&[enrollment]), HAS_EXIT) else {
            return false;
        };
        let is_first = *held & IS_READ == 0;
        *held |= IS_READ;
        is_first
    }
}

impl Session<'_> {
    /// Whether a row of Exit says how its stay stands: the first that ends it, or a deleted one where no other ends
    /// it.
    pub(crate) fn decides_stay(&mut self, entry: &str, row: &Row<'_>) -> bool {
        let enrollment = row.get("EnrollmentID");
        if row.is_deleted() {
            return !self.prepass.exits.has(enrollment);
        }
        let is_first = self.prepass.exits.take(enrollment);
        if !is_first {
            let finding = Finding::dropped("exit-repeated", row.line).at("EnrollmentID");
            self.tell(entry, finding.expected("one exit for each enrollment"));
        }
        is_first
    }
}
