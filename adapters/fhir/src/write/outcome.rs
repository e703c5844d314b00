//! OperationOutcome: what was wrong with a request (FHIR R4, section 2.36).

use serde_json::{Value, json};

/// One issue of an OperationOutcome. Texts never repeat values of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// `error` or `warning` (issue-severity).
    pub severity: &'static str,
    /// A code of issue-type: `required`, `value`, `invariant`, `structure`, `conflict`, ...
    pub code: &'static str,
    /// FHIRPath of the element.
    pub expression: String,
    /// What is wrong, in words.
    pub diagnostics: String,
}

impl Issue {
    /// An issue for which the request is refused.
    pub fn error(
        code: &'static str,
        expression: impl Into<String>,
        diagnostics: impl Into<String>,
    ) -> Self {
        let (expression, diagnostics) = (expression.into(), diagnostics.into());
        Self {
            severity: "error",
            code,
            expression,
            diagnostics,
        }
    }

    /// An issue that is only told.
    pub fn warning(
        code: &'static str,
        expression: impl Into<String>,
        diagnostics: impl Into<String>,
    ) -> Self {
        Self {
            severity: "warning",
            ..Self::error(code, expression, diagnostics)
        }
    }

    /// Whether the request is refused for it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == "error"
    }
}

/// An OperationOutcome of these issues; `informational` when there are none, since the resource
/// needs at least one.
#[must_use]
pub fn operation_outcome(issues: &[Issue]) -> Value {
    let mut told: Vec<Value> = issues
        .iter()
        .map(|issue| {
            let mut value = json!({
                "severity": issue.severity,
                "code": issue.code,
                "diagnostics": issue.diagnostics,
            });
            if let (false, Some(fields)) = (issue.expression.is_empty(), value.as_object_mut()) {
                fields.insert("expression".to_owned(), json!([issue.expression]));
            }
            value
        })
        .collect();
    if told.is_empty() {
        told.push(json!({"severity": "information", "code": "informational"}));
    }
    json!({"resourceType": "OperationOutcome", "issue": told})
}
