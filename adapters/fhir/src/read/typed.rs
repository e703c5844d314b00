//! Whether a resource is valid R4 throughout, by the typed model.
//!
//! The typed model is R4B (4.3.0); none of the types checked here differs from R4 (4.0.1) at top
//! level. It fails a resource on its first flaw, so reading never depends on it: what it refuses is
//! read leniently and reported.

use fhir_sdk::r4b::resources::{CarePlan, Communication, Goal, Patient, ServiceRequest, Task};
use serde::Deserialize;
use serde_json::Value;

/// Whether a resource of a type that the adapter reads or writes parses as that type. Resources of
/// other types are not checked.
pub(crate) fn is_valid(kind: &str, resource: &Value) -> bool {
    // A required primitive may be carried by its extension alone, which the typed model refuses.
    let has_bare_extension = resource.as_object().is_some_and(|fields| {
        fields.keys().any(|key| {
            key.strip_prefix('_')
                .is_some_and(|plain| !fields.contains_key(plain))
        })
    });
    if has_bare_extension {
        return true;
    }
    match kind {
        "Patient" => Patient::deserialize(resource).is_ok(),
        "Task" => Task::deserialize(resource).is_ok(),
        "ServiceRequest" => ServiceRequest::deserialize(resource).is_ok(),
        "CarePlan" => CarePlan::deserialize(resource).is_ok(),
        "Goal" => Goal::deserialize(resource).is_ok(),
        "Communication" => Communication::deserialize(resource).is_ok(),
        _ => true,
    }
}
