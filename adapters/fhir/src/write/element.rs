//! Elements that many resources share.

use serde_json::{Value, json};
use tandem_adapter_port::outbound::{Outbound, Party};
use tandem_mappings::model::id::OrganizationId;

use crate::config::{FhirConfig, OwnIdentifier};
use crate::terms;

/// Codes of v3-Confidentiality, to tell them from sensitivity labels.
const CONFIDENTIALITY_CODES: &[&str] = &["U", "L", "M", "N", "R", "V"];

/// An Identifier.
pub(crate) fn identifier(system: &str, value: &str) -> Value {
    json!({"system": system, "value": value})
}

/// A CodeableConcept of one coding.
pub(crate) fn concept(system: &str, code: &str, text: Option<&str>) -> Value {
    // FHIR JSON knows no null: an absent text is left out.
    match text {
        Some(text) => json!({"coding": [{"system": system, "code": code}], "text": text}),
        None => json!({"coding": [{"system": system, "code": code}]}),
    }
}

/// A CodeableConcept of the gateway's own code system.
pub(crate) fn own_concept(config: &FhirConfig, name: &str, code: &str, text: &str) -> Value {
    concept(&config.own_codes(name), code, Some(text))
}

/// `meta` with profiles and the security labels of the message.
pub(crate) fn meta(profiles: &[&str], labels: &[String]) -> Value {
    let security: Vec<Value> = labels
        .iter()
        .map(|label| {
            let is_confidentiality = CONFIDENTIALITY_CODES.contains(&label.as_str());
            let system = if is_confidentiality {
                terms::CONFIDENTIALITY
            } else {
                terms::ACT_CODE
            };
            json!({"system": system, "code": label})
        })
        .collect();
    json!({"profile": profiles, "security": security})
}

/// A reference to an organisation: as the partner knows it, else by the gateway's identifier, which
/// resolves at the gateway.
pub(crate) fn party(config: &FhirConfig, party: &Party) -> Value {
    let known = config
        .organizations
        .iter()
        .find(|known| known.organization == party.id && known.service.is_none());
    match known.map(|known| (&known.reference, &known.identifier)) {
        Some((Some(reference), _)) => json!({"reference": reference, "display": party.name}),
        Some((None, Some(own))) => {
            json!({"identifier": identifier(&own.system, &own.value), "display": party.name})
        }
        _ => json!({
            "reference": config.at_gateway(&format!("Organization/{}", party.id)),
            "identifier": organization_identifier(config, &party.id),
            "display": party.name,
        }),
    }
}

/// The gateway's own organisation.
pub(crate) fn gateway(config: &FhirConfig) -> Value {
    let own = Party {
        id: config.gateway_organization.clone(),
        name: config.gateway_name.clone(),
    };
    party(config, &own)
}

fn organization_identifier(config: &FhirConfig, organization: &OrganizationId) -> Value {
    identifier(
        &config.own_system(OwnIdentifier::Organization),
        organization.as_str(),
    )
}

/// The Organization that the gateway serves under the references it writes
/// (`GET /fhir/Organization/{id}`).
#[must_use]
pub fn organization_resource(config: &FhirConfig, party: &Party) -> Value {
    json!({
        "resourceType": "Organization",
        "id": party.id,
        "identifier": [organization_identifier(config, &party.id)],
        "active": true,
        "name": party.name,
    })
}

/// The identifier on which a conditional create rests: the same for every attempt.
pub(crate) fn effect(config: &FhirConfig, outbound: &Outbound) -> Value {
    identifier(
        &config.own_system(OwnIdentifier::Effect),
        &outbound.effect_key,
    )
}

/// The main subject as the target knows it: `Patient/{id}`.
pub(crate) fn known_patient(outbound: &Outbound) -> Option<String> {
    let person = outbound
        .people
        .iter()
        .find_map(|person| person.person.as_ref())?;
    Some(format!("Patient/{person}"))
}

/// A narrative (FHIR R4, section 2.4.0) of paragraphs.
pub(crate) fn narrative(paragraphs: &[String]) -> Value {
    let body: String = paragraphs
        .iter()
        .map(|text| format!("<p>{}</p>", escaped(text)))
        .collect();
    let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{body}</div>");
    json!({"status": "generated", "div": div})
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
