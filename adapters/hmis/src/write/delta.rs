//! The delta package: Event rows, the rows they refer to, and the 24 files around them.

use std::collections::BTreeMap;

use tandem_adapter_port::write::WriteContext;

use super::csv_text::{clean, file_text};
use super::draft::Draft;
use super::event::local;
use super::parked::Parked;
use super::partner::Partner;
use crate::config::WriteConfig;
use crate::kept::EXPORT_KEY;
use crate::value::instant_text;

/// Rows of one package by file and key.
#[derive(Debug, Default)]
pub(crate) struct Delta {
    rows: BTreeMap<String, BTreeMap<String, Draft>>,
}

impl Delta {
    /// The Event row that the batch already wrote under this id.
    pub(crate) fn event(&self, id: &str) -> Option<&Draft> {
        self.rows.get("Event")?.get(id)
    }

    /// Every Event row of the package.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Draft> {
        self.rows
            .get("Event")
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds an Event row with everything that it refers to; nothing is added when something is missing.
    pub(crate) fn add_event(
        &mut self,
        event: Draft,
        partner: &Partner<'_>,
        ours: &OurRows<'_>,
    ) -> Result<(), Parked> {
        if event
            .values
            .iter()
            .take(3)
            .any(|id| id.chars().count() > 32)
        {
            return Err(Parked::TooLong);
        }
        let stay = partner.row("Enrollment", event.get("EnrollmentID"))?;
        let client = partner.row("Client", event.get("PersonalID"))?;
        let mut rows = vec![client];
        for project in [
            stay.get("ProjectID"),
            event.get("LocationCrisisOrPHHousing"),
        ] {
            // The receiving place of a partner's own row is free text.
            let row = match partner.row("Project", project) {
                Ok(row) => row,
                Err(_) if project != stay.get("ProjectID") => continue,
                Err(parked) => return Err(parked),
            };
            rows.push(partner.row("Organization", row.get("OrganizationID"))?);
            rows.push(row);
        }
        rows.push(stay);
        rows.push(event);
        let users: Vec<String> = rows
            .iter()
            .map(|row| row.get("UserID").to_owned())
            .collect();
        for user in users {
            if let Some(row) = ours.user(partner, &user) {
                rows.push(row);
            }
        }
        for row in rows {
            let file = self.rows.entry(row.layout.name.clone()).or_default();
            file.insert(row.key().to_owned(), row);
        }
        Ok(())
    }

    /// The files of the package: names and texts in the specification's order.
    pub(crate) fn files(
        &self,
        partner: &Partner<'_>,
        ours: &OurRows<'_>,
        all_files: bool,
    ) -> Result<Vec<(String, String)>, Parked> {
        let export = ours.export_row(partner)?;
        let export_id = export.key().to_owned();
        let mut files = Vec::new();
        for layout in &partner.tables.files {
            if layout.name == "Export" {
                files.push((
                    layout.file_name(),
                    file_text(layout, [export.values.as_slice()]),
                ));
                continue;
            }
            let held = self.rows.get(&layout.name);
            if held.is_none() && !all_files {
                continue;
            }
            let mut rows: Vec<Draft> = held
                .into_iter()
                .flat_map(BTreeMap::values)
                .cloned()
                .collect();
            for row in &mut rows {
                row.set("ExportID", export_id.as_str());
            }
            let values = rows.iter().map(|row| row.values.as_slice());
            files.push((layout.file_name(), file_text(layout, values)));
        }
        Ok(files)
    }
}

/// Rows that are the gateway's own: its Export row and its user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OurRows<'a> {
    pub(crate) config: &'a WriteConfig,
    pub(crate) context: &'a WriteContext,
    /// First day of the export period.
    pub(crate) from: jiff::civil::Date,
}

impl OurRows<'_> {
    /// The ExportID of this delivery: new for every delivery, at most 32 characters.
    pub(crate) fn export_id(&self) -> String {
        let now = local(self.context.now, &self.context.zone);
        format!(
            "TDM-{}-{:06}",
            now.strftime("%Y%m%dT%H%M%S"),
            self.context.sequence
        )
    }

    /// The user's row of the partner's export, or ours for the user that was set up for the gateway.
    fn user(&self, partner: &Partner<'_>, id: &str) -> Option<Draft> {
        if let Ok(row) = partner.row("User", id) {
            return Some(row);
        }
        if self.config.user_id.as_deref() != Some(id) {
            return None;
        }
        let now = instant_text(local(self.context.now, &self.context.zone));
        let mut row = Draft::blank(partner.layout("User").ok()?);
        row.set("UserID", id);
        row.set("UserFirstName", "Tandem");
        row.set("UserLastName", "Gateway");
        row.set("DateCreated", now.as_str());
        row.set("DateUpdated", now);
        Some(row)
    }

    fn export_row(&self, partner: &Partner<'_>) -> Result<Draft, Parked> {
        let now = local(self.context.now, &self.context.zone);
        let mut row = Draft::blank(partner.layout("Export")?);
        row.set("ExportID", self.export_id());
        row.set("SourceType", "4");
        row.set("SourceName", clean(&self.config.source_name));
        row.set("ExportDate", instant_text(now));
        row.set("ExportStartDate", self.from.min(now.date()).to_string());
        row.set("ExportEndDate", now.date().to_string());
        row.set("SoftwareName", "Tandem");
        row.set("SoftwareVersion", env!("CARGO_PKG_VERSION"));
        row.set("CSVVersion", partner.tables.edition.csv_version());
        row.set("ExportPeriodType", "1");
        row.set("ExportDirective", "1");
        // Copied names stay hashes where the partner's are.
        let last = partner.row("Export", EXPORT_KEY).ok();
        let hashing = last.as_ref().map(|row| row.get("HashStatus").trim());
        let hashing = hashing.filter(|code| !code.is_empty()).unwrap_or("1");
        row.set("HashStatus", hashing);
        row.set("ImplementationID", clean(&self.config.implementation_id));
        Ok(row)
    }
}
