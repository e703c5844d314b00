//! What is known of the partner from its last export: stays, and the rows that a delta copies.

use jiff::civil::Date;
use tandem_adapter_port::memory::PartnerMemory;
use tandem_adapter_port::outbound::OutboundPerson;

use super::draft::Draft;
use super::parked::Parked;
use crate::kept::{EXPORT_KEY, KeptRow, household_index, person_index, project_index};
use crate::tables::{Edition, FileLayout, Tables, edition};

/// The partner as its last export shows it.
pub(crate) struct Partner<'a> {
    pub(crate) tables: &'static Tables,
    memory: &'a dyn PartnerMemory,
}

/// Whether a stay may be the head of household's instead of the person's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StayOf {
    /// Coordinated entry events are recorded for the head (element 4.20).
    Head,
    /// Other facts stay with the person.
    Person,
}

impl<'a> Partner<'a> {
    /// The partner in the edition of its last export.
    pub(crate) fn new(memory: &'a dyn PartnerMemory) -> Result<Self, Parked> {
        let export = memory.row("Export", EXPORT_KEY).ok_or(Parked::NoExport)?;
        let year = match KeptRow::edition_of(&export).as_deref() {
            Some("FY2024") => Edition::Fy2024,
            _ => Edition::Fy2026,
        };
        let tables = edition(year).map_err(|_| Parked::Tables)?;
        Ok(Self { tables, memory })
    }

    pub(crate) fn layout(&self, file: &str) -> Result<&'static FileLayout, Parked> {
        self.tables.file(file).ok_or(Parked::Tables)
    }

    /// A row of the partner's, unchanged.
    pub(crate) fn row(&self, file: &'static str, key: &str) -> Result<Draft, Parked> {
        let layout = self.layout(file)?;
        let values = self
            .memory
            .row(file, key)
            .and_then(|row| KeptRow::of(&row, layout, self.tables.edition.name()))
            .ok_or(Parked::NoRow(file))?;
        Ok(Draft { layout, values })
    }

    fn rows_by(&self, file: &str, index: &str) -> Result<Vec<Draft>, Parked> {
        let layout = self.layout(file)?;
        let rows = self.memory.rows_by(file, index);
        let values = rows
            .iter()
            .filter_map(|row| KeptRow::of(row, layout, self.tables.edition.name()));
        Ok(values.map(|values| Draft { layout, values }).collect())
    }

    /// The open stay under which something about these people is recorded: of the first of them that has one, at
    /// coordinated entry before elsewhere, the latest before earlier ones.
    pub(crate) fn stay(&self, people: &[OutboundPerson], of: StayOf) -> Result<Draft, Parked> {
        for person in people.iter().filter_map(|person| person.person.as_ref()) {
            let mut stays = self.rows_by("Enrollment", &person_index(person.as_str()))?;
            stays.retain(|stay| self.is_open(stay));
            let best = stays.into_iter().max_by_key(|stay| {
                let is_entry = self.project_type(stay.get("ProjectID")) == "14";
                (
                    is_entry,
                    stay.get("EntryDate").to_owned(),
                    stay.key().to_owned(),
                )
            });
            if let Some(stay) = best {
                return match of {
                    StayOf::Head => Ok(self.head_of(&stay)?.unwrap_or(stay)),
                    StayOf::Person => Ok(stay),
                };
            }
        }
        Err(Parked::NoEnrollment)
    }

    /// The open stay of the head of the stay's household in the same project.
    fn head_of(&self, stay: &Draft) -> Result<Option<Draft>, Parked> {
        if stay.get("RelationshipToHoH") == "1" || stay.get("HouseholdID").is_empty() {
            return Ok(None);
        }
        let members = self.rows_by("Enrollment", &household_index(stay.get("HouseholdID")))?;
        Ok(members.into_iter().find(|member| {
            member.get("RelationshipToHoH") == "1"
                && member.get("ProjectID") == stay.get("ProjectID")
                && self.is_open(member)
        }))
    }

    fn is_open(&self, stay: &Draft) -> bool {
        let has_ended = self
            .row("Exit", stay.key())
            .is_ok_and(|exit| exit.get("DateDeleted").is_empty());
        stay.get("DateDeleted").is_empty() && !has_ended
    }

    /// `ProjectType` of a project, blank when unknown.
    pub(crate) fn project_type(&self, project: &str) -> String {
        self.row("Project", project)
            .map(|row| row.get("ProjectType").to_owned())
            .unwrap_or_default()
    }

    /// Whether client-level data may stand in the HMIS for the project: not for a victim service provider, and not
    /// while it uses a comparable database.
    pub(crate) fn may_hold_clients(&self, project: &str, today: Date) -> Result<bool, Parked> {
        let row = self.row("Project", project)?;
        let owner = self.row("Organization", row.get("OrganizationID"))?;
        if owner.get("VictimServiceProvider").trim() != "0" {
            return Ok(false);
        }
        let participation = self.rows_by("HMISParticipation", &project_index(project))?;
        Ok(!participation.iter().any(|row| {
            let until = row.get("HMISParticipationStatusEndDate");
            row.get("HMISParticipationType").trim() == "2"
                && row.get("DateDeleted").is_empty()
                && (until.is_empty() || until >= today.to_string().as_str())
        }))
    }

    /// Event rows that stand at the partner under an index.
    pub(crate) fn event_rows(&self, index: &str) -> Vec<Draft> {
        self.rows_by("Event", index).unwrap_or_default()
    }

    /// Rows of a custom file that stand at the partner under an effect key.
    pub(crate) fn custom_rows(&self, layout: &'static FileLayout, index: &str) -> Vec<Draft> {
        self.memory
            .rows_by("Custom", index)
            .iter()
            .filter_map(|row| KeptRow::of(row, layout, super::custom::EDITION))
            .map(|values| Draft { layout, values })
            .collect()
    }
}
