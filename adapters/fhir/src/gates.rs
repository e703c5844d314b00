//! What must never enter: refused before anything of it is stored.
//!
//! A health system labels resources in `meta.security` (HL7 v3-ActCode). Psychotherapy notes
//! (45 CFR 164.501) and records of sensitive service providers, such as victim service providers
//! (34 USC 12291(b)(2)), stay outside whoever sends them.

use serde_json::Value;

use crate::terms;

/// Labels refused unless a deployment names others: psychotherapy note information and sensitive
/// service provider information.
pub const REFUSED_LABELS: &[&str] = &["HIPAAPsyNotes", "PSYTHPN", "SSP"];

/// Whether a resource, or one that it contains, carries a label under which it must not enter.
#[must_use]
pub fn is_refused(resource: &Value, refused_labels: &[String]) -> bool {
    let contained = resource.get("contained").and_then(Value::as_array);
    std::iter::once(resource)
        .chain(contained.into_iter().flatten())
        .flat_map(labels)
        .any(|label| refused_labels.iter().any(|refused| refused == label))
}

/// The v3-ActCode labels of a resource's `meta.security`; a label without a system counts, since a
/// sender that forgot the system still meant it.
pub(crate) fn labels(resource: &Value) -> impl Iterator<Item = &str> {
    let security = resource.get("meta").and_then(|meta| meta.get("security"));
    security
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|coding| {
            let system = coding.get("system").and_then(Value::as_str);
            system
                .is_none_or(|system| system == terms::ACT_CODE)
                .then(|| coding.get("code"))??
                .as_str()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_label_is_seen_with_and_without_its_system() {
        let labelled =
            |coding: Value| json!({"resourceType": "Patient", "meta": {"security": [coding]}});
        let refused: Vec<String> = REFUSED_LABELS
            .iter()
            .map(|label| (*label).to_owned())
            .collect();
        assert!(is_refused(
            &labelled(json!({"system": terms::ACT_CODE, "code": "SSP"})),
            &refused
        ));
        assert!(is_refused(&labelled(json!({"code": "PSYTHPN"})), &refused));
        assert!(!is_refused(
            &labelled(json!({"system": "http://other", "code": "SSP"})),
            &refused
        ));
        assert!(!is_refused(&json!({"meta": {"security": "SSP"}}), &refused));
    }
}
