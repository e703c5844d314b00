//! The events of one case.

use jiff::Timestamp;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::read::{Sink, Stopped};
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::date::{BirthDate, DateQuality};
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{SourceCaseId, SourceEventId, SourceHouseholdId, SourcePersonId};
use tandem_mappings::model::involvement::{Involvement, Program, WorkerChange};
use tandem_mappings::model::name::{NameQuality, NameUse, PersonName};
use tandem_mappings::model::person::{
    Address, HouseholdMembership, Identifier, PersonRecord, RecordReceived, Relation, Sex, SsnValue,
};
use tandem_mappings::model::ssn::SsnQuality;
use tandem_mappings::model::worker::WorkerContact;

use super::row::PersonRow;
use super::value::Value;

/// Record kind and prefix of event ids.
const KIND: &str = "caseload";
/// Code system of aid codes.
const AID_CODE_SYSTEM: &str = crate::describe::AID_CODES;

struct Telling<'a> {
    context: &'a ReadContext,
    sink: &'a mut dyn Sink,
    household: Option<SourceHouseholdId>,
}

/// Tells a case: its people, who belongs to it, its enrolment and its worker. `is_first` is false for rows of a case that
/// was told before: its people are told, and its enrolment under an id of its own.
pub(super) fn tell(
    rows: &[PersonRow],
    is_first: bool,
    context: &ReadContext,
    sink: &mut dyn Sink,
) -> Result<(), Stopped> {
    let Some(first) = rows.first() else {
        return Ok(());
    };
    let Ok(case) = SourceCaseId::new(first.text("case_number")) else {
        return Ok(());
    };
    let household = SourceHouseholdId::new(case.as_str()).ok();
    let mut telling = Telling {
        context,
        sink,
        household,
    };
    let mut people: Vec<(SourcePersonId, &PersonRow)> = Vec::new();
    for row in rows {
        let Some(id) = person_id(row, context) else {
            continue;
        };
        telling.person(row, &id)?;
        telling.membership(row, &id)?;
        if people.iter().any(|(known, _)| *known == id) {
            let place = Place::line(context.input_name.as_str(), row.line);
            let expected = "each person of a case once";
            telling
                .sink
                .deviation(Deviation::warning("person-twice", place, expected));
        } else {
            people.push((id, row));
        }
    }
    let suffix = if is_first {
        String::new()
    } else {
        format!("/line-{}", first.line)
    };
    for (status, what) in [("active", "active"), ("ended", "ended")] {
        let of_status: Vec<_> = people
            .iter()
            .filter(|(_, row)| status_of(row) == status)
            .collect();
        if let Some((_, row)) = of_status.first() {
            let ids = of_status.iter().map(|(id, _)| id.clone()).collect();
            telling.involvement(row, &case, ids, &format!("{what}{suffix}"))?;
        }
    }
    if is_first {
        telling.worker(first, &case)
    } else {
        Ok(())
    }
}

/// A row without a status column is of a case on aid.
fn status_of(row: &PersonRow) -> &str {
    match row.text("status") {
        "" => "active",
        status => status,
    }
}

fn person_id(row: &PersonRow, context: &ReadContext) -> Option<SourcePersonId> {
    let id = match (row.some("cin"), row.value("county_id")) {
        (Some(cin), _) => cin,
        (None, Some(Value::CountyId(id))) => {
            format!("{}-{}-{}", id.county(), id.serial(), id.person_number())
        }
        _ => {
            let birth = row
                .date("birth_date")
                .map(|date| date.to_string())
                .unwrap_or_default();
            let (given, family) = (
                row.text("first_name").to_uppercase(),
                row.text("last_name").to_uppercase(),
            );
            context.keyed_id(&[KIND, row.text("case_number"), &given, &family, &birth])
        }
    };
    SourcePersonId::new(id).ok()
}

impl Telling<'_> {
    fn moment(&self, row: &PersonRow) -> Timestamp {
        row.date("case_status_date")
            .and_then(|date| date.to_zoned(self.context.zone.clone()).ok())
            .map_or(self.context.received_at, |zoned| zoned.timestamp())
    }

    fn event(
        &mut self,
        at: Timestamp,
        what: &str,
        id: &str,
        body: Body,
        person: Option<&SourcePersonId>,
    ) -> Result<(), Stopped> {
        let Ok(source) = SourceEventId::new(format!("{KIND}/{what}/{id}")) else {
            return Ok(());
        };
        let mut event = NewEvent::new(at, source, body);
        event.source_person_id = person.cloned();
        event.source_household_id = self.household.clone();
        self.sink.event(event)
    }

    fn person(&mut self, row: &PersonRow, id: &SourcePersonId) -> Result<(), Stopped> {
        let received = RecordReceived {
            record_kind: KIND.to_owned(),
            person: record(row),
        };
        let body = Body::RecordReceived(Box::new(received));
        self.event(self.moment(row), "record", id.as_str(), body, Some(id))
    }

    fn membership(&mut self, row: &PersonRow, id: &SourcePersonId) -> Result<(), Stopped> {
        let membership = HouseholdMembership {
            person: id.clone(),
            household: self.household.clone(),
            relation: Relation::from_code(row.text("relationship")).unwrap_or(Relation::Unknown),
            relative: None,
            from: None,
            to: None,
            original: None,
        };
        let body = Body::HouseholdMembership(Box::new(membership));
        let member = format!("{}/{id}", row.text("case_number"));
        self.event(self.moment(row), "member", &member, body, Some(id))
    }

    fn involvement(
        &mut self,
        row: &PersonRow,
        case: &SourceCaseId,
        people: Vec<SourcePersonId>,
        what: &str,
    ) -> Result<(), Stopped> {
        let is_ended = status_of(row) == "ended";
        let date = row.date("case_status_date").map(Into::into);
        let aid_code = row.some("aid_code");
        let involvement = Box::new(Involvement {
            program: Program::Calworks,
            case: case.clone(),
            people,
            status: Some(if is_ended { "closed" } else { "open" }.to_owned()),
            from: if is_ended { None } else { date },
            to: if is_ended { date } else { None },
            worker: worker(row),
            project: aid_code.clone(),
            original: aid_code.map(|code| Coding::new(AID_CODE_SYSTEM, code)),
        });
        let body = if is_ended {
            Body::EnrollmentEnded(involvement)
        } else {
            Body::EnrollmentActive(involvement)
        };
        self.event(self.moment(row), what, case.as_str(), body, None)
    }

    /// Who is in charge now. The id names the worker, so that the same assignment in the next batch is no new event.
    fn worker(&mut self, row: &PersonRow, case: &SourceCaseId) -> Result<(), Stopped> {
        let Some(worker) = worker(row) else {
            return Ok(());
        };
        let key = worker
            .id
            .clone()
            .or_else(|| worker.name.clone())
            .unwrap_or_default();
        let change = WorkerChange {
            case: case.clone(),
            people: Vec::new(),
            worker,
            from: None,
        };
        let body = Body::WorkerChanged(Box::new(change));
        self.event(
            self.moment(row),
            "worker",
            &format!("{case}/{key}"),
            body,
            None,
        )
    }
}

fn worker(row: &PersonRow) -> Option<WorkerContact> {
    let worker = WorkerContact {
        id: row.some("worker_id"),
        name: row.some("worker_name"),
        phone: row.some("worker_phone"),
        ..WorkerContact::default()
    };
    (worker != WorkerContact::default()).then_some(worker)
}

fn record(row: &PersonRow) -> PersonRecord {
    let name = PersonName {
        given: row.text("first_name").to_owned(),
        middle: row.text("middle_name").to_owned(),
        family: row.text("last_name").to_owned(),
        suffix: row.text("suffix").to_owned(),
        name_use: NameUse::Official,
        quality: NameQuality::Full,
    };
    let mut identifiers = Vec::new();
    if let Some(cin) = row.some("cin") {
        identifiers.push(Identifier {
            kind: "cin".to_owned(),
            value: cin,
        });
    }
    if let Some(Value::CountyId(id)) = row.value("county_id") {
        identifiers.push(Identifier {
            kind: "county-id".to_owned(),
            value: id.to_string(),
        });
    }
    let address = Address {
        street: row.text("street").to_owned(),
        city: row.text("city").to_owned(),
        state: row.text("state").to_owned(),
        zip: row.text("zip").to_owned(),
        homeless: false,
    };
    let ssn = match row.value("ssn") {
        Some(Value::Ssn(ssn)) => Some(SsnValue {
            ssn: ssn.clone(),
            quality: SsnQuality::Full,
        }),
        _ => None,
    };
    PersonRecord {
        names: vec![name],
        birth: row.date("birth_date").map(|date| BirthDate {
            date: date.into(),
            quality: DateQuality::Exact,
        }),
        sex: Sex::from_code(row.text("sex")),
        ssn,
        identifiers,
        addresses: if address == Address::default() {
            Vec::new()
        } else {
            vec![address]
        },
        phones: row.some("phone").into_iter().collect(),
        ..PersonRecord::default()
    }
}
