//! Patient (FHIR R4, section 8.1) to a person record.
//!
//! Every name, address, telecom and identifier is read; extensions by which US Core says race,
//! ethnicity or tribe are not (matching must not use them).

use tandem_mappings::model::date::{BirthDate, DateQuality, PartialDate};
use tandem_mappings::model::name::{NameQuality, NameUse, PersonName};
use tandem_mappings::model::person::{Address, Identifier, PersonRecord, Sex, SsnValue};
use tandem_mappings::model::ssn::{Ssn, SsnQuality};

use super::view::View;
use crate::config::IdentifierSystem;
use crate::terms;

/// Reads what a Patient (or RelatedPerson) says about the person.
pub(crate) fn read(patient: &View<'_>, systems: &[IdentifierSystem]) -> PersonRecord {
    let mut person = PersonRecord {
        names: names(patient),
        birth: birth(patient),
        death: death(patient),
        sex: sex(patient),
        addresses: addresses(patient),
        language: language(patient),
        ..PersonRecord::default()
    };
    identifiers(patient, systems, &mut person);
    telecoms(patient, &mut person);
    person
}

/// Names, the current official or usual one first.
fn names(patient: &View<'_>) -> Vec<PersonName> {
    let mut names: Vec<(u8, PersonName)> = patient
        .objects("name")
        .iter()
        .filter_map(|name| {
            let (rank, name_use, quality) = match name.text("use") {
                Some("official") => (0, NameUse::Official, NameQuality::Full),
                Some("usual") => (1, NameUse::Official, NameQuality::Full),
                None => (2, NameUse::Official, NameQuality::Full),
                Some("temp") => (3, NameUse::Other, NameQuality::Full),
                Some("nickname") => (4, NameUse::Other, NameQuality::Partial),
                Some("maiden") => (5, NameUse::Maiden, NameQuality::Full),
                Some("old") => (6, NameUse::Former, NameQuality::Full),
                Some("anonymous") => (7, NameUse::Other, NameQuality::Placeholder),
                Some(_) => {
                    name.note("use", "a code of name-use");
                    (4, NameUse::Other, NameQuality::Full)
                }
            };
            let name = person_name(name, name_use, quality);
            (!name.is_empty()).then_some((rank, name))
        })
        .collect();
    names.sort_by_key(|(rank, _)| *rank);
    let mut names: Vec<PersonName> = names.into_iter().map(|(_, name)| name).collect();
    // Only the first can be the official one: a second "usual" name is an alias.
    for name in names
        .iter_mut()
        .skip(1)
        .filter(|name| name.name_use == NameUse::Official)
    {
        name.name_use = NameUse::Other;
    }
    names
}

fn person_name(name: &View<'_>, name_use: NameUse, quality: NameQuality) -> PersonName {
    let given = name.texts("given");
    let (mut first, middle) = match given.split_first() {
        Some((first, rest)) => ((*first).to_owned(), rest.join(" ")),
        None => (String::new(), String::new()),
    };
    let mut family = name.text("family").unwrap_or("").to_owned();
    if first.is_empty() && family.is_empty() {
        // Only the text form is given: the last word is the family name, as far as one can tell.
        let text = name.text("text").unwrap_or("");
        match text.rsplit_once(' ') {
            Some((before, last)) => (first, family) = (before.trim().to_owned(), last.to_owned()),
            None => family = text.to_owned(),
        }
    }
    let suffix = name.texts("suffix").join(" ");
    PersonName {
        given: first,
        middle,
        family,
        suffix,
        name_use,
        quality,
    }
}

fn birth(patient: &View<'_>) -> Option<BirthDate> {
    let date = date_field(patient, "birthDate")?;
    Some(BirthDate {
        date,
        quality: DateQuality::Exact,
    })
}

fn death(patient: &View<'_>) -> Option<PartialDate> {
    patient.raw("deceasedDateTime")?;
    date_field(patient, "deceasedDateTime")
}

/// The date part of a date or dateTime field.
fn date_field(view: &View<'_>, field: &str) -> Option<PartialDate> {
    let text = view.text(field)?;
    let date = text.split('T').next().unwrap_or(text).parse().ok();
    if date.is_none() {
        view.note(field, "a date YYYY, YYYY-MM or YYYY-MM-DD");
    }
    date
}

fn sex(patient: &View<'_>) -> Option<Sex> {
    let code = patient.text("gender")?;
    let sex = Sex::from_code(code);
    if sex.is_none() {
        patient.note("gender", "a code of administrative-gender");
    }
    sex.or(Some(Sex::Unknown))
}

/// Addresses in use, the current home first; past ones after them.
fn addresses(patient: &View<'_>) -> Vec<Address> {
    let mut addresses: Vec<(u8, Address)> = patient
        .objects("address")
        .iter()
        .filter_map(|address| {
            let rank = match address.text("use") {
                Some("home") => 0,
                Some("old") => 3,
                Some("billing" | "work") => 2,
                _ => 1,
            };
            let read = Address {
                street: address.texts("line").join(" "),
                city: address.text("city").unwrap_or("").to_owned(),
                state: address.text("state").unwrap_or("").to_owned(),
                zip: address.text("postalCode").unwrap_or("").to_owned(),
                homeless: is_homeless(address),
            };
            (read != Address::default()).then_some((rank, read))
        })
        .collect();
    addresses.sort_by_key(|(rank, _)| *rank);
    addresses.into_iter().map(|(_, address)| address).collect()
}

/// US Core 7.0.0 marks a person without a home by the data-absent-reason or by `text`.
fn is_homeless(address: &View<'_>) -> bool {
    let says = |text: &str| text.eq_ignore_ascii_case("homeless");
    address.text("text").is_some_and(says) || address.texts("line").iter().any(|line| says(line))
}

fn language(patient: &View<'_>) -> Option<String> {
    let spoken = patient.objects("communication");
    let preferred = spoken
        .iter()
        .find(|one| one.flag("preferred") == Some(true));
    let concept = preferred.or(spoken.first())?.concept("language")?;
    let code = concept.codings.first().map(|coding| coding.1);
    code.or(concept.words()).map(str::to_owned)
}

fn identifiers(patient: &View<'_>, systems: &[IdentifierSystem], person: &mut PersonRecord) {
    for identifier in patient.objects("identifier") {
        let Some(value) = identifier.text("value") else {
            continue;
        };
        if identifier.text("use") == Some("old") {
            continue;
        }
        let system = identifier.text("system").unwrap_or("");
        let type_code = identifier
            .concept("type")
            .and_then(|concept| concept.code_in(terms::IDENTIFIER_TYPE))
            .unwrap_or("");
        if system == terms::US_SSN || type_code == "SS" {
            social_security_number(&identifier, value, person);
            continue;
        }
        let known = systems.iter().find(|known| known.system == system);
        let kind = match (known, system, type_code) {
            (Some(known), ..) => known.kind.clone(),
            (None, "", "") => continue,
            (None, "", type_code) => type_code.to_ascii_lowercase(),
            (None, system, _) => system.to_owned(),
        };
        person.identifiers.push(Identifier {
            kind,
            value: value.to_owned(),
        });
    }
}

/// A number of nine digits, or its last four (`SSN4`), which become `xxxxx1234`.
fn social_security_number(identifier: &View<'_>, value: &str, person: &mut PersonRecord) {
    let is_last_four = value.len() == 4 && value.bytes().all(|byte| byte.is_ascii_digit());
    let text = if is_last_four {
        format!("xxxxx{value}")
    } else {
        value.to_owned()
    };
    match text.parse::<Ssn>() {
        Ok(ssn) => {
            let quality = if ssn.is_full() {
                SsnQuality::Full
            } else {
                SsnQuality::Partial
            };
            person.ssn.get_or_insert(SsnValue { ssn, quality });
        }
        Err(_) => identifier.note("value", "a Social Security number"),
    }
}

fn telecoms(patient: &View<'_>, person: &mut PersonRecord) {
    for telecom in patient.objects("telecom") {
        let Some(value) = telecom.text("value") else {
            continue;
        };
        if telecom.text("use") == Some("old") {
            continue;
        }
        match telecom.text("system") {
            Some("phone" | "sms") => {
                let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                if digits.is_empty() {
                    telecom.note("value", "a telephone number");
                } else {
                    person.phones.push(digits);
                }
            }
            Some("email") => person.emails.push(value.to_owned()),
            _ => {}
        }
    }
    person.phones.dedup();
}

/// Other Patients of the same server that this one is linked to: (type of link, id).
pub(crate) fn links<'a>(patient: &View<'a>) -> Vec<(&'a str, &'a str)> {
    patient
        .objects("link")
        .iter()
        .filter_map(|link| {
            let reference = link.object("other")?.text("reference")?;
            Some((
                link.text("type").unwrap_or(""),
                super::reference::parse(reference)?.id,
            ))
        })
        .collect()
}

/// Whether the Patient says that another Patient took its place.
pub(crate) fn is_replaced(patient: &View<'_>) -> bool {
    patient.flag("active") == Some(false)
        && links(patient)
            .iter()
            .any(|(kind, _)| *kind == "replaced-by")
}
