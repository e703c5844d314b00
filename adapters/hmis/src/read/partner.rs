//! Rows of the partner's that a later delta copies unchanged.

use tandem_adapter_port::read::Stopped;

use super::row::Row;
use super::session::Session;
use crate::kept::{KeptRow, household_index, person_index, project_index};

impl Session<'_> {
    /// Hands the row to the gateway's memory when a delta may need it.
    pub(crate) fn keep(&mut self, row: &Row<'_>) -> Result<(), Stopped> {
        let file = row.layout.name.as_str();
        let person = || person_index(row.get("PersonalID"));
        let (key, index) = match file {
            "Organization" | "Project" | "User" | "Client" => (row.key(), Vec::new()),
            "Enrollment" => {
                let household = row.get("HouseholdID");
                let mut index = vec![person()];
                if !household.is_empty() && !self.prepass.households.is_reused(household) {
                    index.push(household_index(household));
                }
                (row.key(), index)
            }
            "HMISParticipation" => (row.key(), vec![project_index(row.get("ProjectID"))]),
            "Exit" => (row.get("EnrollmentID"), Vec::new()),
            "Event" => (row.key(), vec![person()]),
            _ => return Ok(()),
        };
        let mut values = row.as_written();
        if file == "Exit" {
            // Only that the stay has ended is needed: an exit also tells of trafficking and counselling.
            keep_columns(
                row,
                &mut values,
                &["ExitID", "EnrollmentID", "ExitDate", "DateDeleted"],
            );
        }
        let edition = self.checker.tables.edition.name().to_owned();
        let kept = KeptRow { edition, values };
        match kept.to_partner_row(file, key, index) {
            Some(kept) => self.sink.partner_row(kept),
            None => Ok(()),
        }
    }
}

fn keep_columns(row: &Row<'_>, values: &mut [String], columns: &[&str]) {
    let kept: Vec<_> = columns
        .iter()
        .map(|column| row.layout.position(column))
        .collect();
    for (index, value) in values.iter_mut().enumerate() {
        if !kept.contains(&Some(index)) {
            value.clear();
        }
    }
}
