//! The last look at a resource before it leaves.

use serde_json::Value;

use crate::profile;
use crate::read::typed;

/// Why a resource cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The recipient does not know the person, and the gateway may not make it known.
    #[error("patient unknown at target")]
    PatientUnknown,
    /// An element that the profile requires is missing from the permitted view.
    #[error("{resource} lacks what its profile requires: {path}")]
    Incomplete {
        /// Resource type.
        resource: &'static str,
        /// Path of the first element missing.
        path: String,
    },
    /// The resource is not valid R4.
    #[error("{0} is not valid R4")]
    NotValid(&'static str),
}

/// Drops empty members (JSON of FHIR has no empty arrays, objects or strings), then checks.
pub(crate) fn checked(kind: &'static str, mut resource: Value) -> Result<Value, WriteError> {
    prune(&mut resource);
    let issues = match kind {
        "Task" => profile::task_issues(&resource),
        "ServiceRequest" => profile::service_request_issues(&resource),
        _ => Vec::new(),
    };
    if let Some(issue) = issues.into_iter().find(|issue| issue.is_error()) {
        return Err(WriteError::Incomplete {
            resource: kind,
            path: issue.expression,
        });
    }
    if typed::is_valid(kind, &resource) {
        Ok(resource)
    } else {
        Err(WriteError::NotValid(kind))
    }
}

/// Drops nulls, empty strings, arrays and objects, inside out. Says whether anything is left.
pub(crate) fn prune(value: &mut Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => {
            items.retain_mut(prune);
            !items.is_empty()
        }
        Value::Object(fields) => {
            fields.retain(|_, field| prune(field));
            !fields.is_empty()
        }
        _ => true,
    }
}
