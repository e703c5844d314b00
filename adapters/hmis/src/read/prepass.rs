//! The first pass: what the gate, the households and the referrals need to know before the first row is used.

use std::collections::{BTreeSet, HashMap, HashSet};

use tandem_adapter_port::package::Package;

use super::catalog::Catalog;
use super::exits::Exits;
use super::household::Households;
use super::marks::{self, Known, Marks};
use super::source::{Halt, scan};
use crate::gates::{Gates, StayRow, Verdict};
use crate::idset::id_hash;
use crate::tables::{FileLayout, Tables};
use crate::value;

/// Funders of runaway and homeless youth projects (list 2.06.1: HHS RHY).
const RHY_FUNDERS: std::ops::RangeInclusive<u64> = 22..=26;

/// What is known of a project.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProjectFacts {
    /// `ProjectType`, list 2.02.6.
    pub(crate) kind: String,
    /// Whether a programme for runaway and homeless youth pays it.
    pub(crate) is_rhy: bool,
    /// `Funder`, list 2.06.1: a grant for people in a certain situation tells that they are in it.
    pub(crate) funders: BTreeSet<u64>,
}

/// What the first pass learnt.
#[derive(Debug)]
pub(crate) struct Prepass {
    pub(crate) gates: Gates,
    pub(crate) households: Households,
    pub(crate) exits: Exits,
    pub(crate) marks: Marks,
    pub(crate) projects: HashMap<String, ProjectFacts>,
    /// ProjectID by project name in lower case; names that several projects share are left out.
    pub(crate) project_names: HashMap<String, String>,
}

impl Prepass {
    pub(crate) fn run(
        package: &mut dyn Package,
        catalog: &Catalog,
        tables: &Tables,
        (reference_year, closed_projects): (i16, &[String]),
    ) -> Result<Self, Halt> {
        let mut prepass = Self {
            gates: Gates::default(),
            households: Households::new(),
            exits: Exits::new(),
            marks: Marks::new(),
            projects: HashMap::new(),
            project_names: HashMap::new(),
        };
        let file = |name: &str| -> Option<(&str, &FileLayout)> {
            Some((catalog.entry(name)?, tables.file(name)?))
        };
        if let Some(file) = file("Organization") {
            scan(
                package,
                file,
                ["OrganizationID", "VictimServiceProvider"],
                |[id, provider]| {
                    prepass.gates.organization(id, provider);
                },
            )?;
        }
        if let Some(file) = file("Project") {
            prepass.projects(package, file)?;
        }
        for project in closed_projects {
            prepass.gates.close(project);
        }
        if let Some(file) = file("Funder") {
            scan(
                package,
                file,
                ["ProjectID", "Funder"],
                |[project, funder]| {
                    let funder = value::whole(funder).map(|read| read.value);
                    if let (Some(funder), Some(facts)) = (funder, prepass.projects.get_mut(project))
                    {
                        facts.is_rhy |= RHY_FUNDERS.contains(&funder);
                        facts.funders.insert(funder);
                    }
                },
            )?;
        }
        if let Some(file) = file("HMISParticipation") {
            prepass.participation(package, file, reference_year)?;
        }
        if let Some(file) = file("Enrollment") {
            prepass.stays(package, file, reference_year)?;
        }
        if let Some(file) = file("Exit") {
            scan(
                package,
                file,
                ["EnrollmentID", "DateDeleted"],
                |[id, deleted]| {
                    if deleted.is_empty() {
                        prepass.exits.learn(id);
                    }
                },
            )?;
        }
        for file in marks::FILES.iter().filter_map(|name| file(name)) {
            let (marks, known) = prepass.marked();
            marks.learn(package, file, known)?;
        }
        if let Some(file) = file("Enrollment") {
            let (marks, known) = prepass.marked();
            marks.learn_households(package, file, known)?;
        }
        Ok(prepass)
    }

    fn marked(&mut self) -> (&mut Marks, Known<'_>) {
        let known = Known {
            gates: &self.gates,
            households: &self.households,
        };
        (&mut self.marks, known)
    }

    fn projects(
        &mut self,
        package: &mut dyn Package,
        file: (&str, &FileLayout),
    ) -> Result<(), Halt> {
        let columns = ["ProjectID", "OrganizationID", "ProjectType", "ProjectName"];
        let mut shared_names = HashSet::new();
        scan(package, file, columns, |[id, organization, kind, name]| {
            self.gates.project(id, organization);
            let kind = value::whole(kind).map_or_else(String::new, |read| read.value.to_string());
            self.projects.insert(
                id.to_owned(),
                ProjectFacts {
                    kind,
                    is_rhy: false,
                    funders: BTreeSet::new(),
                },
            );
            let lower = name.to_lowercase();
            if let Some(other) = self.project_names.insert(lower.clone(), id.to_owned())
                && other != id
            {
                shared_names.insert(lower);
            }
        })?;
        self.project_names
            .retain(|name, _| !shared_names.contains(name));
        Ok(())
    }

    fn participation(
        &mut self,
        package: &mut dyn Package,
        file: (&str, &FileLayout),
        reference_year: i16,
    ) -> Result<(), Halt> {
        let columns = [
            "ProjectID",
            "HMISParticipationType",
            "HMISParticipationStatusEndDate",
            "DateDeleted",
        ];
        scan(package, file, columns, |[project, kind, until, deleted]| {
            if deleted.is_empty() {
                let until = value::date(until, reference_year).map(|read| read.value);
                self.gates.participation(project, kind, until);
            }
        })
    }

    fn stays(
        &mut self,
        package: &mut dyn Package,
        file: (&str, &FileLayout),
        reference_year: i16,
    ) -> Result<(), Halt> {
        let columns = [
            "EnrollmentID",
            "PersonalID",
            "ProjectID",
            "EntryDate",
            "HouseholdID",
            "RelationshipToHoH",
            "DateDeleted",
        ];
        scan(package, file, columns, |values| {
            let [
                enrollment,
                person,
                project,
                entry,
                household,
                relation,
                deleted,
            ] = values;
            let entry = value::date(entry, reference_year).map(|read| read.value);
            let is_deleted = !deleted.is_empty();
            self.gates.stay(&StayRow {
                enrollment,
                person,
                project,
                entry,
                is_deleted,
            });
            if !is_deleted && self.gates.enrollment(enrollment) == Verdict::Clear {
                self.households.learn(household, project, relation);
            }
        })
    }

    /// The ProjectID that a free-text place names: an id, or the name of one project.
    pub(crate) fn place<'a>(&'a self, text: &'a str) -> Option<&'a str> {
        if self.projects.contains_key(text) {
            return Some(text);
        }
        self.project_names
            .get(&text.to_lowercase())
            .map(String::as_str)
    }
}

/// Hash of a person in a project.
pub(crate) fn person_in_project(person: &str, project: &str) -> u64 {
    id_hash(&[person, project])
}
