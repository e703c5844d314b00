//! From the common model's record of a person to the engine's.

use jiff::civil::Date;
use tandem_mappings::model::date::{self, DateQuality};
use tandem_mappings::model::id;
use tandem_mappings::model::name::{NameQuality, PersonName};
use tandem_mappings::model::person::{self, PersonRecord, Relation, SsnValue};
use tandem_mappings::model::ssn::SsnQuality;

use crate::record::{Name, Record, RecordKey};
use crate::value::{Address, BirthDate, Quality, Relationship, Sex, Ssn};

impl From<&id::RecordKey> for RecordKey {
    fn from(key: &id::RecordKey) -> Self {
        Self::new(key.system.as_str(), key.person.as_str())
    }
}

impl Relationship {
    /// The engine's view of a relation to the head of a household; `None` when it is unknown.
    pub fn from_relation(relation: Relation) -> Option<Self> {
        match relation {
            Relation::HeadOfHousehold | Relation::Parent => Some(Self::Head),
            Relation::Spouse => Some(Self::Partner),
            Relation::Child => Some(Self::Child),
            Relation::Sibling
            | Relation::OtherRelative
            | Relation::Caretaker
            | Relation::NonRelative => Some(Self::Other),
            _ => None,
        }
    }
}

impl Record {
    /// The engine's view of a source record. Values that the model calls placeholders are left
    /// out; kinds of identifiers that only one system can know (`county-id`, `mrn`) too.
    ///
    /// Household and relationship stand in other events: set them afterwards.
    pub fn from_person(key: &id::RecordKey, person: &PersonRecord) -> Self {
        let mut record = Self::new(key.into());
        let names = || {
            person
                .names
                .iter()
                .filter(|name| name.quality != NameQuality::Placeholder)
        };
        record.names = names().map(Name::from).collect();
        record.suffix = names()
            .map(|name| &name.suffix)
            .find(|suffix| !suffix.is_empty())
            .cloned();
        if names()
            .next()
            .is_some_and(|name| name.quality == NameQuality::Partial)
        {
            record.name_quality = Quality::Approximate;
        }
        record.birth_date = person.birth.as_ref().and_then(birth_date);
        record.sex = sex(person.sex);
        (record.ssn, record.ssn_quality) = ssn(person.ssn.as_ref());
        record.phones = person.phones.clone();
        record.addresses = person.addresses.iter().map(address).collect();
        let shared = person
            .identifiers
            .iter()
            .filter(|identifier| is_shared(&identifier.kind));
        record.identifiers = shared
            .map(|identifier| (identifier.kind.clone(), identifier.value.clone()))
            .collect();
        record
    }
}

impl From<&PersonName> for Name {
    fn from(name: &PersonName) -> Self {
        Self::new(&name.given, &name.middle, &name.family)
    }
}

/// Identifiers that are one per person across systems; a record number is not.
fn is_shared(kind: &str) -> bool {
    !matches!(
        kind,
        "mrn" | "county-id" | "local" | "case-id" | "personal-id"
    )
}

fn birth_date(birth: &date::BirthDate) -> Option<BirthDate> {
    let quality = match birth.quality {
        DateQuality::Exact => Quality::Full,
        DateQuality::Estimated => Quality::Approximate,
        _ => return None,
    };
    let date = birth.date;
    match date.full() {
        Some(full) => Some(BirthDate::new(
            Date::new(full.year(), full.month(), full.day()).ok()?,
            quality,
        )),
        None => BirthDate::partial(date.year(), date.month().map(i8::unsigned_abs)),
    }
}

fn sex(sex: Option<person::Sex>) -> Sex {
    match sex {
        Some(person::Sex::Female) => Sex::Female,
        Some(person::Sex::Male) => Sex::Male,
        _ => Sex::Unknown,
    }
}

fn ssn(value: Option<&SsnValue>) -> (Option<Ssn>, Quality) {
    let Some(value) = value else {
        return (None, Quality::Full);
    };
    let quality = match value.quality {
        SsnQuality::Full => Quality::Full,
        SsnQuality::Partial => Quality::Approximate,
        _ => return (None, Quality::Unusable),
    };
    (Ssn::parse(&value.ssn.expose()), quality)
}

/// A homeless person's address is where mail goes: it is nobody's dwelling.
fn address(address: &person::Address) -> Address {
    let street = if address.homeless {
        String::new()
    } else {
        address.street.clone()
    };
    Address {
        street,
        city: address.city.clone(),
        state: address.state.clone(),
        zip: address.zip.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> id::RecordKey {
        id::RecordKey {
            system: id::SystemId::new("cws-demo").unwrap(),
            person: id::SourcePersonId::new("0001").unwrap(),
        }
    }

    #[test]
    fn estimates_partial_numbers_and_placeholders_keep_their_quality() {
        let person = PersonRecord {
            names: vec![PersonName::official("Leo", "Demofield-Rivas")],
            birth: Some(date::BirthDate {
                date: "2021-09-01".parse().unwrap(),
                quality: DateQuality::Estimated,
            }),
            ssn: Some(SsnValue {
                ssn: "xxxxx3456".parse().unwrap(),
                quality: SsnQuality::Partial,
            }),
            identifiers: vec![
                person::Identifier {
                    kind: "cin".into(),
                    value: "91234569C".into(),
                },
                person::Identifier {
                    kind: "mrn".into(),
                    value: "7".into(),
                },
            ],
            ..PersonRecord::default()
        };
        let record = Record::from_person(&key(), &person);
        assert_eq!(record.key, RecordKey::new("cws-demo", "0001"));
        assert!(!record.birth_date.unwrap().is_exact());
        assert_eq!(record.ssn, Ssn::parse("xxxxx3456"));
        assert_eq!(record.identifiers.keys().collect::<Vec<_>>(), ["cin"]);
    }

    #[test]
    fn placeholder_values_are_left_out() {
        let mut name = PersonName::official("Doe", "Doe");
        name.quality = NameQuality::Placeholder;
        let person = PersonRecord {
            names: vec![name],
            birth: Some(date::BirthDate {
                date: "1990-05-17".parse().unwrap(),
                quality: DateQuality::Placeholder,
            }),
            ..PersonRecord::default()
        };
        let record = Record::from_person(&key(), &person);
        assert!(record.names.is_empty());
        assert_eq!(record.birth_date, None);
    }
}
