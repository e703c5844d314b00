//! The notices that travel with the data, as a contained Provenance (FHIR R4; US Core 7.0.0
//! Provenance): author is who tells, transmitter is the gateway, the narrative holds the texts.

use serde_json::{Value, json};
use tandem_adapter_port::outbound::Outbound;

use super::element;
use crate::config::FhirConfig;
use crate::terms;

/// Local id of the contained Provenance.
pub(crate) const LOCAL_ID: &str = "notices";

/// The contained Provenance about the resource that contains it.
pub(crate) fn contained(config: &FhirConfig, outbound: &Outbound) -> Value {
    let mut paragraphs: Vec<String> = outbound
        .notices
        .iter()
        .map(|notice| format!("{}: {}", notice.code, notice.text))
        .collect();
    if paragraphs.is_empty() {
        paragraphs.push("Transmitted by the gateway under a recorded decision.".to_owned());
    }
    let mut policies = vec![config.own_codes(&format!("decision/{}", outbound.decision))];
    policies.extend(
        outbound
            .basis
            .iter()
            .map(|rule| config.own_codes(&format!("rule/{rule}"))),
    );
    json!({
        "resourceType": "Provenance",
        "id": LOCAL_ID,
        "text": element::narrative(&paragraphs),
        "target": [{"reference": "#"}],
        "recorded": outbound.created_at.to_string(),
        "policy": policies,
        "agent": [
            {
                "type": element::concept(terms::PARTICIPANT_TYPE, "author", None),
                "who": element::party(config, &outbound.sender),
            },
            {
                "type": element::concept(terms::US_CORE_PARTICIPANT_TYPE, "transmitter", None),
                "who": element::gateway(config),
            },
        ],
    })
}

/// The notice texts as annotations, for readers that show no Provenance.
pub(crate) fn notes(outbound: &Outbound) -> Vec<Value> {
    outbound
        .notices
        .iter()
        .map(|notice| json!({"text": notice.text}))
        .collect()
}
