//! Directives as HL7 FHIR R4 Consents: base R4 4.0.1, IHE PCF 1.1 (Basic, Intermediate, Advanced) and FAST Consent
//! Management 1.0.0-ballot.
//!
//! A consent states one base rule and exceptions to it, one level deep; a directive states one rule. So a consent becomes
//! one directive for its base and one for each exception, each with the whole scope in which it counts. Where both speak,
//! the exception must win: an exception that refuses is never less specific than its base, and one that permits is always
//! more specific.
//!
//! Only what can be enforced exactly is taken. Every element that is not understood may narrow the consent, so it is a
//! reason to refuse the whole.

mod codes;
mod compose;
mod consent;
mod party;
mod provision;
mod reader;
mod scope;
mod write;

use serde_json::Value;
use thiserror::Error;

pub use self::codes::CATEGORY_SYSTEM;
#[cfg(test)]
pub(super) use self::codes::OWN_PURPOSE_SYSTEM;
use self::reader::Reader;
pub use self::write::{Dialect, DialectError};
use super::Directive;

/// Why a Consent cannot be enforced exactly.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the consent cannot be enforced exactly: {}", reasons.join("; "))]
pub struct FhirConsentError {
    /// Every reason found, each with the FHIRPath of its element.
    pub reasons: Vec<String>,
}

impl Directive {
    /// Reads a Consent of any of the three dialects: its base rule first, then its exceptions in their order.
    ///
    /// # Errors
    /// Lists every element that is absent but needed, or present but not enforceable.
    pub fn from_fhir(consent: &Value) -> Result<Vec<Self>, FhirConsentError> {
        let mut reader = Reader::default();
        let directives = consent::read(&mut reader, consent);
        match directives {
            Some(directives) if reader.reasons.is_empty() && !directives.is_empty() => {
                Ok(directives)
            }
            _ => Err(FhirConsentError {
                reasons: reader.reasons,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
