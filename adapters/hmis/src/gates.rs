//! What must never enter: client-level rows of victim service providers and of comparable databases.
//!
//! A victim service provider (`Organization.VictimServiceProvider` = 1) may not put client data into an HMIS, and a
//! project whose `HMISParticipationType` is 2 keeps them in a comparable database (FY 2026 HMIS Data
//! Standards Manual, 2.02 and 2.08). Their project rows may be read; their stays, everything that hangs off a
//! stay, and people known through such stays only, may not. The gate learns this in a first pass over
//! Organization, Project, HMISParticipation and Enrollment, before any client-level row is looked at.
//!
//! Closed when in doubt: a stay of a project that the package does not describe is refused too, since nobody
//! can tell whose it is.

use std::collections::{HashMap, HashSet};

use jiff::ToSpan;
use jiff::civil::Date;

use crate::idset::{IdMap, id_hash};

/// Why a client-level row is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A victim service provider runs the project, or it can't be excluded.
    VictimServiceProvider,
    /// The project takes part through a comparable database.
    ComparableDatabase,
    /// The package does not describe the project, so that neither can be excluded.
    UnknownProject,
}

impl Refusal {
    /// The code under which the refusal is reported.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::VictimServiceProvider => "gate-victim-service-provider",
            Self::ComparableDatabase => "gate-comparable-database",
            Self::UnknownProject => "gate-unknown-project",
        }
    }
}

/// What the gate says of a client-level row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// May be read.
    Clear,
    /// Must not be read.
    Refused(Refusal),
    /// The package does not say to which stay or person the row belongs.
    Unknown,
}

/// The day before the first `EntryDate` that is remembered; the last one is in 2079.
const FIRST_DAY: Date = jiff::civil::date(1899, 12, 31);

const CLEAR: u8 = 1;
const DELETED: u8 = 2;
const REFUSED_VSP: u8 = 4;
const REFUSED_COMPARABLE: u8 = 8;
const REFUSED_UNKNOWN: u8 = 16;

#[derive(Debug, Clone, Copy)]
struct ProjectGate {
    /// Place in the list of project ids, from 1.
    number: Option<std::num::NonZeroU32>,
    is_victim_service: bool,
    /// Last day on which it kept its data in a comparable database.
    comparable_until: Option<Date>,
}

/// A row of Enrollment as the first pass needs it.
#[derive(Debug, Clone, Copy)]
pub struct StayRow<'a> {
    /// `EnrollmentID`.
    pub enrollment: &'a str,
    /// `PersonalID`.
    pub person: &'a str,
    /// `ProjectID`.
    pub project: &'a str,
    /// `EntryDate`; `None` when it can't be read.
    pub entry: Option<Date>,
    /// Whether `DateDeleted` is filled.
    pub is_deleted: bool,
}

/// What the first pass learnt.
#[derive(Debug)]
pub struct Gates {
    closed_organizations: HashSet<u64>,
    known_organizations: HashSet<u64>,
    projects: HashMap<u64, ProjectGate>,
    project_ids: Vec<String>,
    is_any_closed: bool,
    has_refused_stays: bool,
    stays: IdMap<StayMark>,
    people: IdMap<u8>,
}

/// What is kept of a stay: its marks, and which project it is of.
#[derive(Debug, Clone, Copy)]
struct StayMark {
    marks: u8,
    /// `EntryDate` in days from [`FIRST_DAY`]; 0 when it is not known.
    entry: u16,
    project: Option<std::num::NonZeroU32>,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            closed_organizations: HashSet::new(),
            known_organizations: HashSet::new(),
            projects: HashMap::new(),
            project_ids: Vec::new(),
            is_any_closed: false,
            has_refused_stays: false,
            stays: IdMap::new(),
            people: IdMap::new(),
        }
    }
}

impl Gates {
    /// Learns a row of Organization. Only a plain 0 opens: a blank or another code may hide a 1.
    pub fn organization(&mut self, id: &str, victim_service_provider: &str) {
        let key = id_hash(&[id.trim()]);
        self.known_organizations.insert(key);
        if crate::value::whole(victim_service_provider).map(|read| read.value) != Some(0) {
            self.closed_organizations.insert(key);
        }
    }

    /// Learns a row of Project; call after every Organization row.
    pub fn project(&mut self, id: &str, organization: &str) {
        let owner = id_hash(&[organization.trim()]);
        let is_closed = self.closed_organizations.contains(&owner)
            || !self.known_organizations.contains(&owner);
        let ids = &mut self.project_ids;
        let held = self
            .projects
            .entry(id_hash(&[id.trim()]))
            .or_insert_with(|| {
                ids.push(id.trim().to_owned());
                let number = u32::try_from(ids.len()).unwrap_or(0);
                ProjectGate {
                    number: std::num::NonZeroU32::new(number),
                    is_victim_service: false,
                    comparable_until: None,
                }
            });
        held.is_victim_service |= is_closed;
        self.is_any_closed |= is_closed;
    }

    /// Closes a project by the settings; call after every Project row.
    pub fn close(&mut self, project: &str) {
        if let Some(gate) = self.projects.get_mut(&id_hash(&[project.trim()])) {
            gate.comparable_until = Some(Date::MAX);
            self.is_any_closed = true;
        }
    }

    /// Learns a row of HMISParticipation that is not deleted; call after every Project row. `until` is the last
    /// day of the status, `None` while it lasts.
    pub fn participation(&mut self, project: &str, kind: &str, until: Option<Date>) {
        if crate::value::whole(kind).map(|read| read.value) != Some(2) {
            return;
        }
        if let Some(gate) = self.projects.get_mut(&id_hash(&[project.trim()])) {
            let until = until.unwrap_or(Date::MAX);
            self.is_any_closed = true;
            gate.comparable_until =
                Some(gate.comparable_until.map_or(until, |held| held.max(until)));
        }
    }

    /// Learns a row of Enrollment; call after every HMISParticipation row.
    pub fn stay(&mut self, row: &StayRow<'_>) {
        let mark = match self.project_verdict(row.project, row.entry) {
            None if row.is_deleted => DELETED,
            None => CLEAR,
            Some(Refusal::VictimServiceProvider) => REFUSED_VSP,
            Some(Refusal::ComparableDatabase) => REFUSED_COMPARABLE,
            Some(Refusal::UnknownProject) if row.is_deleted => REFUSED_UNKNOWN | DELETED,
            Some(Refusal::UnknownProject) => REFUSED_UNKNOWN,
        };
        self.has_refused_stays |= refusal(mark).is_some();
        let project = self.projects.get(&id_hash(&[row.project.trim()]));
        let new = StayMark {
            marks: 0,
            entry: row.entry.map_or(0, days_of),
            project: project.and_then(|gate| gate.number),
        };
        if let Some((held, _)) = self.stays.entry(id_hash(&[row.enrollment.trim()]), new) {
            held.marks |= mark;
        }
        if let Some((held, _)) = self.people.entry(id_hash(&[row.person.trim()]), 0) {
            *held |= mark;
        }
    }

    /// The verdict on a row that hangs off a stay. One refused row of the stay closes it.
    #[must_use]
    pub fn enrollment(&self, id: &str) -> Verdict {
        match self.stays.get(id_hash(&[id.trim()])) {
            None => Verdict::Unknown,
            Some(stay) => refusal(stay.marks).map_or(Verdict::Clear, Verdict::Refused),
        }
    }

    /// Whether any project of the package is closed, so that a row that can't be placed may belong to it.
    #[must_use]
    pub fn has_closed_projects(&self) -> bool {
        self.is_any_closed
    }

    /// Whether the package may hold rows that must not enter.
    #[must_use]
    pub fn refuses_any(&self) -> bool {
        self.is_any_closed || self.has_refused_stays
    }

    /// Whether the package describes the project.
    #[must_use]
    pub fn knows_project(&self, id: &str) -> bool {
        self.projects.contains_key(&id_hash(&[id.trim()]))
    }

    /// Whether the package describes the organisation.
    #[must_use]
    pub fn knows_organization(&self, id: &str) -> bool {
        self.known_organizations.contains(&id_hash(&[id.trim()]))
    }

    /// The project of a stay.
    #[must_use]
    pub fn project_of(&self, enrollment: &str) -> Option<&str> {
        let number = self.stays.get(id_hash(&[enrollment.trim()]))?.project?;
        let index = usize::try_from(number.get()).ok()?.checked_sub(1)?;
        self.project_ids.get(index).map(String::as_str)
    }

    /// `EntryDate` of a stay, when the package tells it.
    #[must_use]
    pub fn entry_of(&self, enrollment: &str) -> Option<Date> {
        let days = self.stays.get(id_hash(&[enrollment.trim()]))?.entry;
        (days > 0).then(|| FIRST_DAY.checked_add(i32::from(days).days()).ok())?
    }

    /// Whether the package tells of a stay only that it was deleted.
    #[must_use]
    pub fn is_deleted(&self, enrollment: &str) -> bool {
        let stay = self.stays.get(id_hash(&[enrollment.trim()]));
        stay.is_some_and(|stay| stay.marks & (DELETED | CLEAR) == DELETED)
    }

    /// The verdict on a Client row. One clear stay opens it: the person is known without the refused ones.
    #[must_use]
    pub fn person(&self, id: &str) -> Verdict {
        match self.people.get(id_hash(&[id.trim()])) {
            None => Verdict::Unknown,
            Some(marks) if marks & CLEAR != 0 => Verdict::Clear,
            Some(marks) => refusal(marks).map_or(Verdict::Clear, Verdict::Refused),
        }
    }

    /// Whether the project may have client-level rows of a stay that began on `entry`.
    fn project_verdict(&self, project: &str, entry: Option<Date>) -> Option<Refusal> {
        let Some(gate) = self.projects.get(&id_hash(&[project.trim()])) else {
            return Some(Refusal::UnknownProject);
        };
        if gate.is_victim_service {
            return Some(Refusal::VictimServiceProvider);
        }
        let until = gate.comparable_until?;
        let began_after = entry.is_some_and(|entry| entry > until);
        (!began_after).then_some(Refusal::ComparableDatabase)
    }
}

fn days_of(date: Date) -> u16 {
    u16::try_from(date.duration_since(FIRST_DAY).as_hours() / 24).unwrap_or(0)
}

fn refusal(marks: u8) -> Option<Refusal> {
    if marks & REFUSED_VSP != 0 {
        Some(Refusal::VictimServiceProvider)
    } else if marks & REFUSED_COMPARABLE != 0 {
        Some(Refusal::ComparableDatabase)
    } else if marks & REFUSED_UNKNOWN != 0 {
        Some(Refusal::UnknownProject)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn gates() -> Gates {
        let mut gates = Gates::default();
        gates.organization("org-open", "0");
        gates.organization("org-vsp", "1");
        gates.organization("org-blank", "");
        gates.project("shelter", "org-open");
        gates.project("safe-house", "org-vsp");
        gates.project("doubtful", "org-blank");
        gates.project("orphan", "org-nowhere");
        gates.project("former", "org-open");
        gates.participation("former", "2", Some(date(2025, 6, 30)));
        gates
    }

    fn stay<'a>(enrollment: &'a str, person: &'a str, project: &'a str) -> StayRow<'a> {
        let entry = Some(date(2025, 7, 1));
        StayRow {
            enrollment,
            person,
            project,
            entry,
            is_deleted: false,
        }
    }

    #[test]
    fn stays_and_people_of_a_victim_service_provider_are_refused() {
        let mut gates = gates();
        gates.stay(&stay("E1", "P1", "safe-house"));
        let refused = Verdict::Refused(Refusal::VictimServiceProvider);
        assert_eq!(gates.enrollment("E1"), refused);
        assert_eq!(gates.person("P1"), refused);
    }

    #[test]
    fn a_person_with_a_clear_stay_is_read_but_the_refused_stay_is_not() {
        let mut gates = gates();
        gates.stay(&stay("E1", "P1", "safe-house"));
        gates.stay(&stay("E2", "P1", "shelter"));
        assert_eq!(gates.person("P1"), Verdict::Clear);
        assert_eq!(gates.enrollment("E2"), Verdict::Clear);
        assert_ne!(gates.enrollment("E1"), Verdict::Clear);
    }

    #[test]
    fn a_deleted_clear_stay_does_not_open_a_person_of_a_refused_one() {
        let mut gates = gates();
        gates.stay(&stay("E1", "P1", "safe-house"));
        gates.stay(&StayRow {
            is_deleted: true,
            ..stay("E2", "P1", "shelter")
        });
        assert_ne!(gates.person("P1"), Verdict::Clear);
    }

    #[test]
    fn a_doubtful_or_unknown_project_stays_closed() {
        let mut gates = gates();
        for (id, project) in [
            ("E1", "doubtful"),
            ("E2", "orphan"),
            ("E3", "never-described"),
        ] {
            gates.stay(&stay(id, id, project));
            assert!(
                matches!(gates.enrollment(id), Verdict::Refused(_)),
                "{project}"
            );
        }
    }

    #[test]
    fn a_comparable_database_closes_the_stays_begun_under_it() {
        let mut gates = gates();
        gates.stay(&stay("E1", "P1", "former"));
        let before = StayRow {
            entry: Some(date(2025, 6, 30)),
            ..stay("E2", "P2", "former")
        };
        gates.stay(&before);
        gates.stay(&StayRow {
            entry: None,
            ..stay("E3", "P3", "former")
        });
        assert_eq!(gates.enrollment("E1"), Verdict::Clear);
        let refused = Verdict::Refused(Refusal::ComparableDatabase);
        assert_eq!(gates.enrollment("E2"), refused);
        assert_eq!(gates.enrollment("E3"), refused);
    }
}
