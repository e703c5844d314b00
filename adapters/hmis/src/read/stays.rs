//! Enrollment.csv and Exit.csv: stays, households, and the proof that a referral led to a stay.

use tandem_adapter_port::read::Stopped;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{SourceCaseId, SourceEventId, SourceHouseholdId, SourcePersonId};
use tandem_mappings::model::involvement::{Involvement, Program};
use tandem_mappings::model::person::{HouseholdMembership, Relation};

use super::finding::Finding;
use super::row::Row;
use super::session::Session;
use crate::describe::CODE_SYSTEM;

/// The ids of a stay, validated.
struct StayIds {
    person: SourcePersonId,
    case: SourceCaseId,
}

impl Session<'_> {
    /// A row of Enrollment: the stay, the membership in its household, and what it proves.
    pub(crate) fn enrollment(&mut self, entry: &str, row: &Row<'_>) -> Result<(), Stopped> {
        let Some(ids) = stay_ids(row) else {
            self.bad_id(entry, row, "EnrollmentID");
            return Ok(());
        };
        let project = row.get("ProjectID");
        let involvement = self.involvement(row, &ids, project);
        if row.is_deleted() {
            let ended = Involvement {
                status: Some("deleted".to_owned()),
                ..involvement
            };
            let body = Body::EnrollmentEnded(Box::new(ended));
            let at = self
                .moment(row, "DateDeleted")
                .unwrap_or_else(|| self.changed_at(row));
            return self.stay_event(row, (at, "deleted", project), ids.person, body);
        }
        let body = Body::EnrollmentActive(Box::new(involvement));
        let at = self.day_moment(row, "EntryDate");
        self.stay_event(row, (at, "active", project), ids.person.clone(), body)?;
        self.membership(entry, row, ids.person)?;
        self.prove_referral(row)
    }

    /// A row of Exit: the end of a stay; a deleted one opens the stay again, unless the stay itself is deleted.
    pub(crate) fn exit(&mut self, entry: &str, row: &Row<'_>) -> Result<(), Stopped> {
        let Some(ids) = stay_ids(row) else {
            self.bad_id(entry, row, "EnrollmentID");
            return Ok(());
        };
        let gates = &self.prepass.gates;
        let project = gates
            .project_of(row.get("EnrollmentID"))
            .unwrap_or_default()
            .to_owned();
        let mut involvement = self.involvement(row, &ids, &project);
        let original = row
            .filled("Destination")
            .map(|code| Coding::new(CODE_SYSTEM, format!("3.12.1:{code}")));
        let (body, at, what) = if row.is_deleted() {
            if self.prepass.gates.is_deleted(row.get("EnrollmentID")) {
                return Ok(());
            }
            let at = self
                .moment(row, "DateDeleted")
                .unwrap_or_else(|| self.changed_at(row));
            (
                Body::EnrollmentActive(Box::new(involvement)),
                at,
                "reopened",
            )
        } else {
            involvement.status = Some("closed".to_owned());
            involvement.to = row.date("ExitDate").map(Into::into);
            involvement.original = original;
            let at = self.day_moment(row, "ExitDate");
            (Body::EnrollmentEnded(Box::new(involvement)), at, "ended")
        };
        self.stay_event(row, (at, what, &project), ids.person, body)
    }

    fn involvement(&self, row: &Row<'_>, ids: &StayIds, project: &str) -> Involvement {
        let kind = self
            .prepass
            .projects
            .get(project)
            .map_or("", |facts| facts.kind.as_str());
        Involvement {
            program: Program::Housing,
            case: ids.case.clone(),
            people: vec![ids.person.clone()],
            status: Some("open".to_owned()),
            from: row.date("EntryDate").map(Into::into),
            to: None,
            worker: None,
            project: Some(project.to_owned()).filter(|project| !project.is_empty()),
            original: (!kind.is_empty())
                .then(|| Coding::new(CODE_SYSTEM, format!("2.02.6:{kind}"))),
        }
    }

    fn stay_event(
        &mut self,
        row: &Row<'_>,
        (at, what, project): (jiff::Timestamp, &str, &str),
        person: SourcePersonId,
        body: Body,
    ) -> Result<(), Stopped> {
        let file = &row.layout.name;
        let Ok(id) = SourceEventId::new(format!("{file}:{}:{what}", row.key())) else {
            return Ok(());
        };
        let event = NewEvent::new(at, id, body).about(person);
        let mut event = self.of_project(event, project);
        let answers = self.prepass.marks.of_stay(row.get("EnrollmentID"));
        event.codes.extend(answers.codes());
        self.sink.event(event)
    }

    /// An event as one of a project: under its category, with the codes of the grants that pay it.
    pub(crate) fn of_project(&self, event: NewEvent, project: &str) -> NewEvent {
        let mut event = event.under(self.category(project));
        let funders = self
            .prepass
            .projects
            .get(project)
            .map(|facts| &facts.funders);
        let funders = funders.into_iter().flatten();
        event.codes = funders
            .map(|funder| Coding::new(CODE_SYSTEM, format!("2.06.1:{funder}")))
            .collect();
        event
    }

    /// Stays of projects for runaway and homeless youth stand under their own rules.
    fn category(&self, project: &str) -> Category {
        match self.prepass.projects.get(project) {
            Some(facts) if facts.is_rhy => Category::RhyRecord,
            _ => Category::HomelessServices,
        }
    }

    fn membership(
        &mut self,
        entry: &str,
        row: &Row<'_>,
        person: SourcePersonId,
    ) -> Result<(), Stopped> {
        let household = self.household(entry, row);
        let code = row.get("RelationshipToHoH");
        let membership = HouseholdMembership {
            person: person.clone(),
            household: household.clone(),
            relation: relation(code),
            relative: None,
            from: row.date("EntryDate").map(Into::into),
            to: None,
            original: (!code.is_empty())
                .then(|| Coding::new(CODE_SYSTEM, format!("3.15.1:{code}"))),
        };
        let Ok(id) = SourceEventId::new(format!("Enrollment:{}:household", row.key())) else {
            return Ok(());
        };
        let body = Body::HouseholdMembership(Box::new(membership));
        let mut event = NewEvent::new(self.day_moment(row, "EntryDate"), id, body).about(person);
        event = self.of_project(event, row.get("ProjectID"));
        event.source_household_id = household;
        self.sink.event(event)
    }

    /// The household of a stay; a row whose HouseholdID is blank or shared by projects is its own household.
    fn household(&mut self, entry: &str, row: &Row<'_>) -> Option<SourceHouseholdId> {
        let id = row.get("HouseholdID");
        let households = &self.prepass.households;
        let mut findings = Vec::new();
        let is_own = id.is_empty() || households.is_reused(id);
        if is_own {
            findings.push(
                Finding::warning("household-own", row.line)
                    .expected("a HouseholdID of one household stay in one project"),
            );
        } else if households.has_two_heads(id) && row.get("RelationshipToHoH") == "1" {
            findings.push(
                Finding::warning("household-two-heads", row.line)
                    .expected("one head (RelationshipToHoH 1) in each household"),
            );
        } else if self.is_full_refresh && !households.has_head(id) {
            findings.push(
                Finding::warning("household-without-head", row.line)
                    .expected("one head (RelationshipToHoH 1) in each household"),
            );
        }
        let text = if is_own {
            format!("enrollment-{}", row.key())
        } else {
            id.to_owned()
        };
        for finding in findings {
            self.tell(entry, finding.at("HouseholdID"));
        }
        SourceHouseholdId::new(text).ok()
    }
}

fn stay_ids(row: &Row<'_>) -> Option<StayIds> {
    Some(StayIds {
        person: SourcePersonId::new(row.get("PersonalID")).ok()?,
        case: SourceCaseId::new(row.get("EnrollmentID")).ok()?,
    })
}

/// List 3.15.1. Relations are to the head only.
fn relation(code: &str) -> Relation {
    match code {
        "1" => Relation::HeadOfHousehold,
        "2" => Relation::Child,
        "3" => Relation::Spouse,
        "4" => Relation::OtherRelative,
        "5" => Relation::NonRelative,
        _ => Relation::Unknown,
    }
}
