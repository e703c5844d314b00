//! Keys: each once in its file, each reference to a row that exists, one ExportID for all.

use super::finding::Finding;
use super::row::Row;
use super::session::{FilePlace, Session};
use crate::describe;
use crate::gates::Verdict;
use crate::idset::{IdSet, id_hash};

/// Keys of the files that others refer to and that the first pass did not learn.
#[derive(Debug)]
pub(crate) struct Keys {
    clients: IdSet,
    users: IdSet,
    assessments: IdSet,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self {
            clients: IdSet::new(),
            users: IdSet::new(),
            assessments: IdSet::new(),
        }
    }

    /// The keys of one file, to find those that come twice.
    pub(crate) fn begin_file(&self) -> IdSet {
        IdSet::new()
    }

    fn of_file(&mut self, file: &str) -> Option<&mut IdSet> {
        match file {
            "Client" => Some(&mut self.clients),
            "User" => Some(&mut self.users),
            "Assessment" => Some(&mut self.assessments),
            _ => None,
        }
    }
}

/// What a missing reference costs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// The record means nothing without it.
    Record,
    /// The value is of no use.
    Value,
    /// Only told.
    Told,
}

/// Columns that refer to a row of another file, and that file.
const REFERENCES: [(&str, &str, Need); 7] = [
    ("PersonalID", "Client", Need::Record),
    ("EnrollmentID", "Enrollment", Need::Record),
    ("AssessmentID", "Assessment", Need::Record),
    ("ProjectID", "Project", Need::Value),
    ("ResProjectID", "Project", Need::Value),
    ("OrganizationID", "Organization", Need::Value),
    ("UserID", "User", Need::Told),
];

impl Session<'_> {
    /// Whether the row's keys allow its use; findings tell what is wrong with them.
    pub(crate) fn check_keys(
        &mut self,
        place: &mut FilePlace<'_>,
        row: &Row<'_>,
        findings: &mut Vec<Finding>,
    ) -> bool {
        if let Some(id) = row.filled("ExportID")
            && !self.export_ids.contains(id)
        {
            let finding = Finding::warning("export-id", row.line).at("ExportID");
            findings.push(finding.expected("the ExportID of Export.csv"));
        }
        let key = id_hash(&[row.key()]);
        if !place.file_keys.insert(key) {
            let column = row
                .layout
                .columns
                .first()
                .map_or("", |column| column.name.as_str());
            let finding = Finding::dropped("duplicate-key", row.line).at(column);
            findings.push(finding.expected("a key that occurs once in the file"));
            return false;
        }
        let mut is_usable = true;
        for (column, file, need) in REFERENCES {
            let is_own_key = row.layout.position(column) == Some(0);
            let Some(id) = row.filled(column).filter(|_| !is_own_key) else {
                continue;
            };
            if !self.knows(file, id) {
                is_usable &= self.missing_reference(row, (column, file, need), findings);
            }
        }
        if let Some(known) = self.keys.of_file(&row.layout.name)
            && is_usable
        {
            known.insert(key);
        }
        is_usable
    }

    fn knows(&self, file: &str, id: &str) -> bool {
        let gates = &self.prepass.gates;
        match file {
            "Client" => self.keys.clients.contains(id_hash(&[id])),
            "User" => self.keys.users.contains(id_hash(&[id])),
            "Assessment" => self.keys.assessments.contains(id_hash(&[id])),
            "Enrollment" => gates.enrollment(id) != Verdict::Unknown,
            "Project" => gates.knows_project(id),
            "Organization" => gates.knows_organization(id),
            _ => true,
        }
    }

    /// Tells the missing row; whether the record may be used all the same.
    fn missing_reference(
        &self,
        row: &Row<'_>,
        (column, file, need): (&str, &str, Need),
        findings: &mut Vec<Finding>,
    ) -> bool {
        let is_ours = row.layout.name == "Event" && describe::referral_of(row.key()).is_some();
        // A delta may leave out what the receiver has; a referral of ours is known to us anyway.
        let is_tolerable = !self.is_full_refresh || is_ours;
        let (finding, is_usable) = match need {
            Need::Record if !is_tolerable => {
                (Finding::dropped("reference-missing", row.line), false)
            }
            Need::Value => (Finding::unused("reference-missing", row.line), true),
            Need::Record | Need::Told => (Finding::warning("reference-missing", row.line), true),
        };
        findings.push(
            finding
                .at(column)
                .expected(format!("the row's key in {file}.csv")),
        );
        is_usable
    }
}
