//! What the adapter can do: formats, carriers, effect keys, and the CapabilityStatement that says it
//! to partners.

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_adapter_port::format::Format;
use tandem_adapter_port::outbound::OutboundBody;

use crate::config::FhirConfig;

/// The formats that the adapter reads.
pub const READS: &[Format] = &[Format::FhirBundle];

/// By which resources a message reaches a FHIR server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// ServiceRequest and Task of the gateway's own.
    Order,
    /// The Task that stands for the referral at the partner; a Communication where there is none.
    TaskStatus,
    /// CarePlan as output of a Task; contained in a Communication where there is none.
    CarePlan,
    /// A Communication of category notification.
    Communication,
}

/// The carrier of a message.
#[must_use]
pub fn carrier(body: &OutboundBody) -> Carrier {
    match body {
        OutboundBody::Referral(view) if view.is_withdrawn => Carrier::TaskStatus,
        OutboundBody::Referral(_) => Carrier::Order,
        OutboundBody::ReferralStatus(_) => Carrier::TaskStatus,
        OutboundBody::Plan(_) => Carrier::CarePlan,
        _ => Carrier::Communication,
    }
}

/// Where the effect of a delivery is recognised when it is repeated.
#[must_use]
pub fn effect_key(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Order => "identifier {root}/effect of ServiceRequest and Task, If-None-Exist",
        Carrier::TaskStatus => "the status of the Task, If-Match",
        Carrier::CarePlan => {
            "identifier {root}/plan of the CarePlan, If-None-Exist; the output's reference"
        }
        Carrier::Communication => "identifier {root}/message of the Communication, If-None-Exist",
    }
}

/// The server half of the Coordination Platform, as far as it is built (Gravity 3.0.0,
/// CapabilityStatement SDOHCC-CoordinationPlatform), for `GET /fhir/metadata`.
#[must_use]
pub fn capability_statement(config: &FhirConfig, now: Timestamp) -> Value {
    let resource = |kind: &str, codes: &[&str]| {
        let interactions: Vec<Value> = codes.iter().map(|code| json!({"code": code})).collect();
        json!({"type": kind, "interaction": interactions, "versioning": "versioned-update"})
    };
    let mut task = resource("Task", &["create", "read", "update", "search-type"]);
    if let Some(fields) = task.as_object_mut() {
        fields.insert("conditionalCreate".to_owned(), json!(true));
        let token = |name: &str| json!({"name": name, "type": "token"});
        fields.insert(
            "searchParam".to_owned(),
            json!([token("_id"), token("status")]),
        );
    }
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": now.to_string(),
        "kind": "instance",
        "implementation": {
            "description": "Referral gateway between human-services systems",
            "url": config.own_base.as_str(),
        },
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{
            "mode": "server",
            "resource": [
                task,
                resource("ServiceRequest", &["read"]),
                resource("Organization", &["read"]),
            ],
        }],
    })
}
