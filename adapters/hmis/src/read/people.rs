//! Client.csv: people as matching may use them.

use tandem_adapter_port::read::Stopped;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::date::{BirthDate, DateQuality};
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{SourceEventId, SourcePersonId};
use tandem_mappings::model::name::{NameQuality, NameUse, PersonName};
use tandem_mappings::model::person::{
    PersonFlag, PersonRecord, RecordGone, RecordReceived, Sex, SsnValue,
};
use tandem_mappings::model::ssn::SsnQuality;

use super::finding::Finding;
use super::judge::Hashing;
use super::row::Row;
use super::session::Session;
use crate::describe::CODE_SYSTEM;
use crate::gates::Verdict;

impl Session<'_> {
    /// A row of Client: `record.received`, or `record.withdrawn` when it is deleted.
    pub(crate) fn client(&mut self, entry: &str, row: &Row<'_>) -> Result<(), Stopped> {
        let id = row.key();
        let (Ok(person), Ok(event_id)) = (
            SourcePersonId::new(id),
            SourceEventId::new(format!("Client:{id}")),
        ) else {
            self.bad_id(entry, row, "PersonalID");
            return Ok(());
        };
        if self.prepass.gates.person(id) == Verdict::Unknown {
            let finding = Finding::warning("client-without-enrollment", row.line);
            self.tell(
                entry,
                finding
                    .at("PersonalID")
                    .expected("an enrollment of the client"),
            );
        }
        let body = if row.is_deleted() {
            withdrawn()
        } else {
            let mut person = person_record(row, self.checker.hashing != Hashing::None);
            if self.prepass.marks.is_at_risk(id) {
                person.flags.push(PersonFlag::Safety);
            }
            Body::RecordReceived(Box::new(RecordReceived {
                record_kind: "Client".to_owned(),
                person,
            }))
        };
        let mut event = NewEvent::new(self.changed_at(row), event_id, body)
            .about(person)
            .under(Category::PersonIndex);
        event.original = row
            .filled("Sex")
            .map(|sex| Coding::new(CODE_SYSTEM, format!("4.21:{sex}")));
        self.sink.event(event)
    }
}

/// A client's record is gone.
pub(super) fn withdrawn() -> Body {
    Body::RecordWithdrawn(Box::new(RecordGone {
        record_kind: "Client".to_owned(),
        reason: "deleted".to_owned(),
    }))
}

/// The matching fields with their quality. Hashes of names are left out: they can't be compared with clear ones.
fn person_record(row: &Row<'_>, is_hashed: bool) -> PersonRecord {
    let mut person = PersonRecord {
        birth: birth(row),
        sex: sex(row.get("Sex")),
        ssn: ssn(row, is_hashed),
        ..PersonRecord::default()
    };
    if !is_hashed {
        let name = name(row);
        if !name.is_empty() {
            person.names.push(name);
        }
    }
    person
}

fn name(row: &Row<'_>) -> PersonName {
    PersonName {
        given: row.get("FirstName").to_owned(),
        middle: row.get("MiddleName").to_owned(),
        family: row.get("LastName").to_owned(),
        suffix: row.get("NameSuffix").to_owned(),
        name_use: NameUse::Official,
        quality: match row.get("NameDataQuality") {
            "1" => NameQuality::Full,
            "2" => NameQuality::Partial,
            "" => NameQuality::Full,
            _ => NameQuality::Placeholder,
        },
    }
}

fn birth(row: &Row<'_>) -> Option<BirthDate> {
    let quality = match row.get("DOBDataQuality") {
        "1" | "" => DateQuality::Exact,
        "2" => DateQuality::Estimated,
        _ => DateQuality::Placeholder,
    };
    row.date("DOB").map(|date| BirthDate {
        date: date.into(),
        quality,
    })
}

fn ssn(row: &Row<'_>, is_hashed: bool) -> Option<SsnValue> {
    let held = row.get("SSN");
    // A hashed number shows its last four characters before the hash.
    let text = if is_hashed {
        if held.len() != 68 {
            return None;
        }
        format!("xxxxx{}", held.get(..4)?)
    } else {
        held.to_owned()
    };
    let ssn: tandem_mappings::model::ssn::Ssn = text.parse().ok()?;
    let quality = match row.get("SSNDataQuality") {
        "1" | "" if ssn.is_full() => SsnQuality::Full,
        "1" | "2" | "" => SsnQuality::Partial,
        _ => SsnQuality::Placeholder,
    };
    Some(SsnValue { ssn, quality })
}

/// List 4.21. FY 2024 has no such column; its gender columns are not turned into a sex.
fn sex(code: &str) -> Option<Sex> {
    match code {
        "0" => Some(Sex::Female),
        "1" => Some(Sex::Male),
        "8" | "9" | "99" => Some(Sex::Unknown),
        _ => None,
    }
}
