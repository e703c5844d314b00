//! Refusals as FHIR OperationOutcomes.

use http::StatusCode;
use serde_json::{Value, json};

/// A request that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// Issue type of FHIR, e.g. `required`.
    pub(crate) code: &'static str,
    pub(crate) details: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, details: impl Into<String>) -> Self {
        Self {
            status,
            code,
            details: details.into(),
        }
    }

    /// 422: the resource breaks its profile.
    pub(crate) fn unprocessable(code: &'static str, details: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, details)
    }

    /// The OperationOutcome that says so.
    pub(crate) fn body(&self) -> Value {
        json!({
            "resourceType": "OperationOutcome",
            "issue": [{"severity": "error", "code": self.code, "diagnostics": self.details}]
        })
    }
}
