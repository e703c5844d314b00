//! The person rows of a message.

use tandem_adapter_port::read::Stopped;
use tandem_mappings::model::date::{BirthDate, DateQuality};
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::SourcePersonId;
use tandem_mappings::model::name::{NameQuality, NameUse, PersonName};
use tandem_mappings::model::person::{
    HouseholdMembership, Identifier, PersonRecord, RecordReceived, Relation, Sex, SsnValue,
};
use tandem_mappings::model::ssn::{Ssn, SsnQuality};

use super::event::Telling;
use crate::identifiers::Cin;
use crate::linkages::Fields;
use crate::tables::LineType;

/// Record kind of people who came in a message.
pub(super) const RECORD_KIND: &str = "linkages";

/// Tells what the message says of each person, when that is enough to look for the person elsewhere: a surname with a
/// birth date, or a shared identifier.
pub(super) fn tell(telling: &mut Telling<'_>) -> Result<(), Stopped> {
    let rows: Vec<(u64, Fields)> = telling
        .message
        .rows(LineType::Person)
        .map(|part| (part.line, part.fields.clone()))
        .collect();
    for (line, fields) in rows {
        let Ok(id) = SourcePersonId::new(fields.get("person_id")) else {
            telling.leave_out(
                "person-id",
                line,
                "person_id",
                "an id of at most 200 printable characters",
            );
            continue;
        };
        let person = record(&fields, line, telling);
        let is_usable =
            person.birth.is_some() && !person.names.iter().all(|name| name.family.is_empty());
        if is_usable || person.ssn.is_some() || !person.identifiers.is_empty() {
            let received = RecordReceived {
                record_kind: RECORD_KIND.to_owned(),
                person,
            };
            let body = Body::RecordReceived(Box::new(received));
            telling.event(telling.created_at, body, Some(id.clone()))?;
            membership(telling, &fields, id)?;
        }
    }
    Ok(())
}

/// Only a client list tells who belongs to a case; other messages name people for their own purpose.
fn membership(
    telling: &mut Telling<'_>,
    fields: &Fields,
    id: SourcePersonId,
) -> Result<(), Stopped> {
    let is_list = telling.header().get("message_type") == "client_match";
    let (true, Some(household)) = (is_list, telling.household()) else {
        return Ok(());
    };
    let relation = match fields.get("person_role") {
        "parent" => Relation::Parent,
        "child" => Relation::Child,
        "caretaker" => Relation::Caretaker,
        _ => Relation::Unknown,
    };
    let membership = HouseholdMembership {
        person: id.clone(),
        household: Some(household),
        relation,
        relative: None,
        from: None,
        to: None,
        original: None,
    };
    telling.event(
        telling.created_at,
        Body::HouseholdMembership(Box::new(membership)),
        Some(id),
    )
}

fn record(fields: &Fields, line: u64, telling: &mut Telling<'_>) -> PersonRecord {
    let name = PersonName {
        given: fields.get("first_name").to_owned(),
        middle: fields.get("middle_name").to_owned(),
        family: fields.get("last_name").to_owned(),
        suffix: String::new(),
        name_use: NameUse::Official,
        quality: NameQuality::Full,
    };
    let mut person = PersonRecord {
        names: if name.is_empty() {
            Vec::new()
        } else {
            vec![name]
        },
        birth: fields.parsed("birth_date").map(|date| BirthDate {
            date,
            quality: DateQuality::Exact,
        }),
        sex: match fields.get("sex") {
            "F" => Some(Sex::Female),
            "M" => Some(Sex::Male),
            "U" => Some(Sex::Unknown),
            _ => None,
        },
        ..PersonRecord::default()
    };
    match fields.some("cin").map(|cin| cin.parse::<Cin>()) {
        Some(Ok(cin)) => person.identifiers.push(Identifier {
            kind: "cin".to_owned(),
            value: cin.to_string(),
        }),
        Some(Err(_)) => telling.leave_out(
            "cin-shape",
            line,
            "cin",
            "a digit, seven digits and a letter",
        ),
        None => {}
    }
    match fields.some("ssn").map(|ssn| ssn.parse::<Ssn>()) {
        Some(Ok(ssn)) if ssn.is_full() && ssn.is_plausible() => {
            person.ssn = Some(SsnValue {
                ssn,
                quality: SsnQuality::Full,
            });
        }
        Some(_) => telling.leave_out(
            "ssn-value",
            line,
            "ssn",
            "nine digits that can be a Social Security number",
        ),
        None => {}
    }
    person
}
