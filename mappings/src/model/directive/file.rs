//! A JSON array of directives, each in Tandem's own form or as a FHIR R4 Consent.

use serde_json::Value;
use thiserror::Error;

use super::{Directive, FhirConsentError};

/// Why directives cannot be read. Positions count from zero.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DirectivesError {
    /// The text is not a JSON array.
    #[error("not a JSON array of directives: {0}")]
    NotAnArray(serde_json::Error),
    /// An element is not a directive.
    #[error("directive {position}: {source}")]
    Malformed {
        /// The place in the array.
        position: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// An element is a FHIR Consent that cannot be enforced exactly.
    #[error("directive {position}: {source}")]
    Fhir {
        /// The place in the array.
        position: usize,
        /// Every reason.
        source: FhirConsentError,
    },
}

impl Directive {
    /// Reads a JSON array of directives.
    ///
    /// # Errors
    /// When the text is not an array, or one element cannot be taken whole.
    pub fn read_all(text: &str) -> Result<Vec<Self>, DirectivesError> {
        let elements: Vec<Value> =
            serde_json::from_str(text).map_err(DirectivesError::NotAnArray)?;
        let read = |(position, element): (usize, Value)| {
            if element.get("resourceType").is_some() {
                return Self::from_fhir(&element)
                    .map_err(|source| DirectivesError::Fhir { position, source });
            }
            serde_json::from_value(element)
                .map(|one| vec![one])
                .map_err(|source| DirectivesError::Malformed { position, source })
        };
        let read: Result<Vec<_>, _> = elements.into_iter().enumerate().map(read).collect();
        Ok(read?.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = r#"{"id":"d-1","subject":"p-1","signer":{"who":"p-1","capacity":"self"},
        "effect":"permit","categories":["CASH_AID"],"recipients":{"named":["org-cws"]},
        "disclosers":["org-calworks"],"purposes":["COC"],"expiry":"none"}"#;

    #[test]
    fn an_own_directive_is_read_and_written_back() {
        let read = Directive::read_all(&format!("[{OWN}]")).unwrap();
        let text = serde_json::to_string(&read).unwrap();
        assert_eq!(Directive::read_all(&text).unwrap(), read);
    }

    #[test]
    fn an_unknown_field_may_narrow_and_is_refused() {
        let odd = OWN.replacen('{', "{\"only_on\":\"sundays\",", 1);
        let error = Directive::read_all(&format!("[{OWN},{odd}]")).unwrap_err();
        assert!(
            error.to_string().starts_with("directive 1: unknown field"),
            "{error}"
        );
    }

    #[test]
    fn an_expiry_says_exactly_one_thing() {
        for bad in [
            r#"{"date":"2026-01-01","event":"exit"}"#,
            "{}",
            r#""soon""#,
            r#"{"none":false}"#,
        ] {
            let odd = OWN.replace("\"none\"", bad);
            assert!(Directive::read_all(&format!("[{odd}]")).is_err(), "{bad}");
        }
    }

    #[test]
    fn neither_signer_nor_notes_show_in_debug_output() {
        let noted = OWN.replacen('{', "{\"scope_notes\":\"call Marisol\",", 1);
        let shown = format!("{:?}", Directive::read_all(&format!("[{noted}]")).unwrap());
        assert!(!shown.contains("Marisol"));
    }
}
