//! What stands on a server before anybody calls: organisations and patients.

use serde_json::{Value, json};

use super::server::FhirSettings;
use super::store::Store;
use crate::family::demo_family;
use crate::fillers::{Neighbourhood, families};
use crate::person::{CITY, Family, Person, ZIP};

/// How many filler families have their head as a patient.
const FILLERS: usize = 6;

/// Puts the organisations, the mother and the filler patients on the server.
pub(crate) fn fill(store: &mut Store, settings: &FhirSettings) {
    let own = (settings.organization.clone(), settings.name.clone());
    for (id, name) in settings
        .known_organizations
        .iter()
        .chain(std::iter::once(&own))
    {
        let organization = json!({
            "resourceType": "Organization", "active": true, "name": name,
            "identifier": [{"system": "urn:tandem:organization", "value": id}]
        });
        store.put("Organization", id, organization);
    }
    let family = demo_family();
    if let Some(mother) = family.members.first() {
        let resource = patient(&store.base, "0001", &family, mother);
        store.put("Patient", &settings.patient_id, resource);
    }
    for (number, family) in families(settings.seed, Neighbourhood::Health, FILLERS)
        .iter()
        .enumerate()
    {
        if let Some(head) = family.members.first() {
            let record = format!("{:04}", number + 2);
            let resource = patient(&store.base, &record, family, head);
            store.put("Patient", &format!("pat-{record}"), resource);
        }
    }
}

/// A Patient with medical record number, SSN, name, birth date, address and telephone.
fn patient(base: &str, record: &str, family: &Family, person: &Person) -> Value {
    json!({
        "resourceType": "Patient",
        "active": true,
        "identifier": [
            {
                "type": {"coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"
                }]},
                "system": format!("{base}/mrn"),
                "value": format!("MR-{record}")
            },
            {"system": "http://hl7.org/fhir/sid/us-ssn", "value": person.ssn}
        ],
        "name": [{"use": "official", "family": person.last_name, "given": [person.first_name]}],
        "gender": if person.sex == 'M' { "male" } else { "female" },
        "birthDate": person.birth_date.to_string(),
        "address": [{
            "use": "home", "line": [format!("{} {}", family.house, family.street)],
            "city": CITY, "state": "CA", "postalCode": ZIP
        }],
        "telecom": [{"system": "phone", "value": family.phone}]
    })
}
