//! `hs:Child` and `hs:Parent` as person records, and how parents stand to children.

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::read::{Sink, Stopped};
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::date::{BirthDate, DateQuality};
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::SourcePersonId;
use tandem_mappings::model::involvement::{Placement, PlacementChange};
use tandem_mappings::model::name::{NameQuality, NameUse, PersonName};
use tandem_mappings::model::person::{
    Address, HouseholdMembership, Identifier, PersonRecord, RecordReceived, Relation, Sex, SsnValue,
};
use tandem_mappings::model::ssn::{Ssn, SsnQuality};
use tandem_mappings::model::worker::WorkerContact;

use super::told::{Message, number};
use super::tree::Element;
use super::value::{date, moment};
use crate::write::party::CIN;

/// The sender's id of a person: the client id where there is one, else another local id, else one
/// made from name, birth date and sex under the installation's key.
pub(crate) fn own_id(element: &Element, context: &ReadContext) -> Option<SourcePersonId> {
    let local: Vec<(&str, &str)> = element
        .all("nc:PersonOtherIdentification")
        .filter_map(local_id)
        .collect();
    let is_client = |category: &str| category.to_ascii_lowercase().contains("cws");
    let client = local.iter().find(|(_, category)| is_client(category));
    let other = local
        .iter()
        .find(|(_, category)| !category.eq_ignore_ascii_case(CIN));
    let state = element.text_at("nc:PersonStateIdentification/nc:IdentificationID");
    if let Some(id) = client.or(other).map(|(id, _)| *id).or(state) {
        return SourcePersonId::new(number(id)).ok();
    }
    let name = name(element.at("nc:PersonName")?);
    let birth =
        date(element.at("nc:PersonBirthDate")).map_or_else(String::new, |day| day.to_string());
    let parts = [name.given, name.middle, name.family]
        .map(|part| part.trim().to_lowercase())
        .join("|");
    let sex = element.text_at("j:PersonSexCode").unwrap_or_default();
    SourcePersonId::new(format!("niem-{}", context.keyed_id(&[&parts, &birth, sex]))).ok()
}

fn local_id(element: &Element) -> Option<(&str, &str)> {
    let id = element.text_at("nc:IdentificationID")?;
    Some((
        id,
        element
            .text_at("nc:IdentificationCategoryText")
            .unwrap_or_default(),
    ))
}

/// Tells every person, when a child was removed, and how parents stand to children.
pub(crate) fn tell(message: &Message<'_>, sink: &mut dyn Sink) -> Result<(), Stopped> {
    for (index, known) in message.people.iter().enumerate() {
        let record = record(message, known.element, sink);
        // A reference by id alone says nothing about the person that matching could use.
        if !record.names.is_empty() || record.birth.is_some() {
            let body = Body::RecordReceived(Box::new(RecordReceived {
                record_kind: known.element.name(),
                person: record,
            }));
            message.tell(
                &format!("person:{index}"),
                None,
                Some(&known.id),
                body,
                sink,
            )?;
        }
        for (nth, removed) in known.element.all("hs:ChildRemovalDate").enumerate() {
            let body = Body::PlacementChanged(Box::new(Placement {
                person: known.id.clone(),
                change: PlacementChange::Removed,
                date: date(Some(removed)),
                reunification_plan: None,
                original: None,
            }));
            let when = moment(Some(removed), &message.context.zone);
            // The first keeps the id that it had before a child could have several.
            let part = match nth {
                0 => format!("removal:{index}"),
                _ => format!("removal:{index}:{nth}"),
            };
            message.tell(&part, when, Some(&known.id), body, sink)?;
        }
    }
    relationships(message, sink)
}

fn relationships(message: &Message<'_>, sink: &mut dyn Sink) -> Result<(), Stopped> {
    for (index, association) in message.root.all("hs:ParentChildAssociation").enumerate() {
        let side = |name| {
            association
                .at(name)
                .and_then(|element| message.person(element))
        };
        let (Some(child), Some(parent)) = (side("hs:Child"), side("hs:Parent")) else {
            let expected = "references to a child and a parent of the message";
            message.drop_record(association, "relationship-incomplete", expected, sink);
            continue;
        };
        let code = association.text_at("hs:ParentChildKinshipCategoryCode");
        let relation = match code {
            Some("Foster" | "Guardianship") => Relation::Caretaker,
            _ => Relation::Parent,
        };
        let body = Body::HouseholdMembership(Box::new(HouseholdMembership {
            person: parent.id.clone(),
            household: None,
            relation,
            relative: Some(child.id.clone()),
            from: None,
            to: None,
            original: code.map(|code| Coding::new("niem:ParentChildKinshipCategoryCode", code)),
        }));
        message.tell(
            &format!("relationship:{index}"),
            None,
            Some(&parent.id),
            body,
            sink,
        )?;
    }
    Ok(())
}

fn record(message: &Message<'_>, element: &Element, sink: &mut dyn Sink) -> PersonRecord {
    let names = element
        .all("nc:PersonName")
        .map(name)
        .filter(|name| !name.is_empty())
        .collect();
    let birth_date = date(element.at("nc:PersonBirthDate"));
    let contact = "nc:PersonContactInformation";
    let phone = "nc:ContactTelephoneNumber/nc:FullTelephoneNumber/nc:TelephoneNumberFullID";
    let texts = |path: &str| -> Vec<String> {
        element
            .all(contact)
            .filter_map(|one| one.text_at(path))
            .map(str::to_owned)
            .collect()
    };
    PersonRecord {
        names,
        birth: birth_date.map(|date| BirthDate {
            date,
            quality: DateQuality::Exact,
        }),
        death: date(element.at("nc:PersonDeathDate")),
        sex: element.text_at("j:PersonSexCode").and_then(sex),
        ssn: ssn(message, element, sink),
        identifiers: identifiers(element),
        addresses: element
            .all("nc:PersonResidenceAddress")
            .map(address)
            .collect(),
        phones: texts(phone),
        emails: texts("nc:ContactEmailID"),
        language: None,
        flags: Vec::new(),
    }
}

/// A name; the category "Alternate" marks another name than the legal one.
fn name(element: &Element) -> PersonName {
    let text = |path: &str| element.text_at(path).unwrap_or_default().to_owned();
    let mut name = PersonName {
        given: text("nc:PersonGivenName"),
        middle: text("nc:PersonMiddleName"),
        family: text("nc:PersonSurName"),
        suffix: text("nc:PersonNameSuffixText"),
        name_use: match element.text_at("nc:PersonNameCategoryCode") {
            Some("Alternate" | "Asserted") => NameUse::Other,
            Some("at birth") => NameUse::Maiden,
            _ => NameUse::Official,
        },
        quality: NameQuality::Full,
    };
    if name.is_empty()
        && let Some(full) = element.text_at("nc:PersonFullName")
    {
        let (given, family) = full.rsplit_once(' ').unwrap_or(("", full));
        (name.given, name.family) = (given.to_owned(), family.to_owned());
        name.quality = NameQuality::Partial;
    }
    name
}

fn sex(code: &str) -> Option<Sex> {
    match code {
        "F" => Some(Sex::Female),
        "M" => Some(Sex::Male),
        "X" => Some(Sex::Other),
        "U" => Some(Sex::Unknown),
        _ => None,
    }
}

fn ssn(message: &Message<'_>, element: &Element, sink: &mut dyn Sink) -> Option<SsnValue> {
    let number = element.at("nc:PersonSSNIdentification/nc:IdentificationID")?;
    let Ok(ssn) = number.text.parse::<Ssn>() else {
        message.drop_value(number, "value-not-allowed", "nine digits", sink);
        return None;
    };
    let quality = match (ssn.is_plausible(), ssn.is_full()) {
        (false, _) => SsnQuality::Placeholder,
        (true, true) => SsnQuality::Full,
        (true, false) => SsnQuality::Partial,
    };
    Some(SsnValue { ssn, quality })
}

fn identifiers(element: &Element) -> Vec<Identifier> {
    let local = element
        .all("nc:PersonOtherIdentification")
        .filter_map(local_id);
    let shared = local.filter(|(_, category)| category.eq_ignore_ascii_case(CIN));
    shared
        .map(|(id, _)| Identifier {
            kind: CIN.to_owned(),
            value: id.to_ascii_uppercase(),
        })
        .collect()
}

fn address(element: &Element) -> Address {
    let text = |path: &str| element.text_at(path).unwrap_or_default().to_owned();
    Address {
        street: text("nc:AddressStreet/nc:StreetFullText"),
        city: text("nc:AddressCityName"),
        state: text("nc:AddressState/nc:StateName"),
        zip: text("nc:AddressPostalCode"),
        homeless: false,
    }
}

/// A worker: `hs:Caseworker` or the person of an entity.
pub(crate) fn worker(element: &Element) -> Option<WorkerContact> {
    let parts = ["nc:PersonGivenName", "nc:PersonSurName"];
    let joined = || {
        let parts = parts
            .iter()
            .filter_map(|part| element.text_at(&format!("nc:PersonName/{part}")));
        let joined = parts.collect::<Vec<_>>().join(" ");
        (!joined.is_empty()).then_some(joined)
    };
    let full = element
        .text_at("nc:PersonName/nc:PersonFullName")
        .map(str::to_owned);
    let phone = "nc:PersonContactInformation/nc:ContactTelephoneNumber/nc:FullTelephoneNumber/nc:TelephoneNumberFullID";
    let worker = WorkerContact {
        id: None,
        name: full.or_else(joined),
        phone: element.text_at(phone).map(str::to_owned),
        email: element
            .text_at("nc:PersonContactInformation/nc:ContactEmailID")
            .map(str::to_owned),
        role: element
            .text_at("hs:CaseworkerCategoryText")
            .map(str::to_owned),
    };
    (worker != WorkerContact::default()).then_some(worker)
}
