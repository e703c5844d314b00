//! A Patient for a person whom the target does not know, where a deployment allows to create it.

use serde_json::{Value, json};
use tandem_adapter_port::outbound::{Outbound, OutboundPerson};

use super::element;
use super::strict::{WriteError, checked};
use crate::config::{FhirConfig, OwnIdentifier};

/// The Patient of the main subject. US Core 7.0.0 requires identifier, name and gender.
pub(crate) fn resource(config: &FhirConfig, outbound: &Outbound) -> Result<Value, WriteError> {
    let person = outbound.people.first().ok_or(WriteError::PatientUnknown)?;
    let identifier = identifier(config, outbound).ok_or(WriteError::PatientUnknown)?;
    if person.family.is_none() && person.given.is_none() {
        let path = "Patient.name".to_owned();
        return Err(WriteError::Incomplete {
            resource: "Patient",
            path,
        });
    }
    let gender = person.sex.map_or("unknown", |sex| sex.code());
    checked(
        "Patient",
        json!({
            "resourceType": "Patient",
            "meta": element::meta(&[], &outbound.labels),
            "identifier": [identifier],
            "name": [name(person)],
            "gender": gender,
            "birthDate": person.birth.map(|date| date.to_string()),
            "address": person.address.as_ref().map(|address| vec![json!({
                "use": "home",
                "line": [address.street],
                "city": address.city,
                "state": address.state,
                "postalCode": address.zip,
            })]),
            "telecom": person.phone.as_ref().map(|phone| vec![json!({
                "system": "phone",
                "value": phone,
            })]),
        }),
    )
}

/// The identifier on which the conditional create rests: the shared number, so that a Patient whom
/// the target has after all is found; else one that stands for this delivery.
pub(crate) fn identifier(config: &FhirConfig, outbound: &Outbound) -> Option<Value> {
    let person = outbound.people.first()?;
    let shared = config
        .identifier_systems
        .iter()
        .find(|system| system.kind == "cin");
    Some(match (shared, &person.cin) {
        (Some(shared), Some(cin)) => element::identifier(&shared.system, cin),
        _ => {
            let system = config.own_system(OwnIdentifier::Person);
            element::identifier(&system, &outbound.effect_key)
        }
    })
}

fn name(person: &OutboundPerson) -> Value {
    let given: Vec<&String> = [&person.given, &person.middle]
        .into_iter()
        .flatten()
        .collect();
    json!({"use": "official", "family": person.family, "given": given})
}
