//! Turns the kept records of one case-month into events.

use jiff::Timestamp;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::read::{Sink, Stopped};
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::date::PartialDate;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{SourceCaseId, SourceEventId, SourceHouseholdId, SourcePersonId};
use tandem_mappings::model::involvement::{Involvement, Participation, Program};
use tandem_mappings::model::person::{Address, HouseholdMembership, RecordReceived};

use super::people::{CODE_SYSTEM, Person, first_day};

/// The family of a case-month.
#[derive(Debug, Clone, Default)]
pub(super) struct Family {
    /// Case number, without surrounding blanks.
    pub case: String,
    /// Report month `YYYYMM`.
    pub month: String,
    /// Five-digit postal code, when it is one.
    pub zip: Option<String>,
    /// The sender's own code of the funding or closure.
    pub original: Option<Coding>,
    /// Whether the record says that the case closed.
    pub is_closed: bool,
    /// Whether no month of the case has been told.
    pub is_new: bool,
}

/// Gives each event once: a person, a membership and an enrolment come up in every month of a quarter.
#[derive(Debug)]
pub(super) struct Emitter {
    quarter: String,
}

impl Emitter {
    /// An emitter for a file about `quarter` (`2020Q4`).
    #[must_use]
    pub(super) fn new(quarter: String) -> Self {
        Self { quarter }
    }

    fn event(&self, at: Timestamp, what: &str, id: &str, body: Body) -> Option<NewEvent> {
        let source =
            SourceEventId::new(format!("{CODE_SYSTEM}/{}/{what}/{id}", self.quarter)).ok()?;
        Some(NewEvent::new(at, source, body))
    }

    /// Tells a case-month.
    ///
    /// # Errors
    /// When the receiver stopped the reader.
    pub(super) fn tell(
        &self,
        family: &Family,
        people: &[Person],
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        let Some(month) = first_day(&family.month) else {
            return Ok(());
        };
        let Ok(zoned) = month.to_zoned(context.zone.clone()) else {
            return Ok(());
        };
        let at = zoned.timestamp();
        let household = SourceHouseholdId::new(family.case.as_str()).ok();
        for person in people {
            if person.news.is_person {
                self.person(family, person, at, household.as_ref(), sink)?;
            }
            if person.news.is_member {
                self.membership(family, person, at, household.as_ref(), sink)?;
            }
            self.participation(family, person, at, sink)?;
        }
        self.involvement(family, people, at, household, sink)
    }

    fn person(
        &self,
        family: &Family,
        person: &Person,
        at: Timestamp,
        household: Option<&SourceHouseholdId>,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        let mut record = person.record.clone();
        if let Some(zip) = &family.zip {
            record.addresses = vec![Address {
                zip: zip.clone(),
                ..Address::default()
            }];
        }
        let received = RecordReceived {
            record_kind: person.kind.clone(),
            person: record,
        };
        let body = Body::RecordReceived(Box::new(received));
        let Some(mut event) = self.event(at, "record", person.id.as_str(), body) else {
            return Ok(());
        };
        event.source_household_id = household.cloned();
        sink.event(event.about(person.id.clone()))
    }

    fn membership(
        &self,
        family: &Family,
        person: &Person,
        at: Timestamp,
        household: Option<&SourceHouseholdId>,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        let Some(household) = household else {
            return Ok(());
        };
        let membership = HouseholdMembership {
            person: person.id.clone(),
            household: Some(household.clone()),
            relation: person.relation,
            relative: None,
            from: month_of(&family.month),
            to: None,
            original: person.relation_code.clone(),
        };
        let body = Body::HouseholdMembership(Box::new(membership));
        let id = format!("{}/{}", family.case, person.id);
        let Some(event) = self.event(at, "member", &id, body) else {
            return Ok(());
        };
        sink.event(
            event
                .about(person.id.clone())
                .in_household(household.clone()),
        )
    }

    fn participation(
        &self,
        family: &Family,
        person: &Person,
        at: Timestamp,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        let Some((status, original, reason)) = &person.participation else {
            return Ok(());
        };
        let id = format!("{}/{}", family.month, person.id);
        let participation = Participation {
            person: person.id.clone(),
            program: Program::Calworks,
            status: *status,
            effective: month_of(&family.month),
            reason: reason.map(str::to_owned),
            original: Some(original.clone()),
        };
        let body = Body::ParticipationStatus(Box::new(participation));
        let Some(event) = self.event(at, "participation", &id, body) else {
            return Ok(());
        };
        sink.event(event.about(person.id.clone()))
    }

    fn involvement(
        &self,
        family: &Family,
        people: &[Person],
        at: Timestamp,
        household: Option<SourceHouseholdId>,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        let what = if family.is_closed { "ended" } else { "active" };
        if !family.is_new {
            return Ok(());
        }
        let Ok(case) = SourceCaseId::new(family.case.as_str()) else {
            return Ok(());
        };
        let month = month_of(&family.month);
        let mut ids: Vec<SourcePersonId> = Vec::new();
        for person in people {
            if !ids.contains(&person.id) {
                ids.push(person.id.clone());
            }
        }
        let involvement = Box::new(Involvement {
            program: Program::Calworks,
            case,
            people: ids,
            status: Some(if family.is_closed { "closed" } else { "open" }.to_owned()),
            from: if family.is_closed { None } else { month },
            to: if family.is_closed { month } else { None },
            worker: None,
            project: None,
            original: family.original.clone(),
        });
        let body = if family.is_closed {
            Body::EnrollmentEnded(involvement)
        } else {
            Body::EnrollmentActive(involvement)
        };
        let Some(mut event) = self.event(at, what, &family.case, body) else {
            return Ok(());
        };
        event.source_household_id = household;
        sink.event(event)
    }
}

fn month_of(text: &str) -> Option<PartialDate> {
    let first = first_day(text)?;
    PartialDate::new(first.year(), Some(first.month()), None).ok()
}
