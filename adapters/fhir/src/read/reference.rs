//! FHIR references, as far as a reader needs them.

/// What a reference points at, by its text (FHIR R4, section 2.3.0.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target<'a> {
    /// Base URL of an absolute reference, without the trailing slash.
    pub(crate) base: Option<&'a str>,
    /// Resource type; empty for `urn:` and contained references.
    pub(crate) kind: &'a str,
    /// Logical id; for `urn:uuid:` the UUID, for `#x` the `x`.
    pub(crate) id: &'a str,
    pub(crate) is_contained: bool,
}

/// Takes a reference apart; `None` when it is none of the forms the standard has.
pub(crate) fn parse(reference: &str) -> Option<Target<'_>> {
    if let Some(id) = reference.strip_prefix('#') {
        return is_id(id).then_some(Target {
            base: None,
            kind: "",
            id,
            is_contained: true,
        });
    }
    for urn in ["urn:uuid:", "urn:oid:"] {
        if let Some(id) = reference.strip_prefix(urn) {
            return is_id(id).then_some(Target {
                base: None,
                kind: "",
                id,
                is_contained: false,
            });
        }
    }
    let reference = reference
        .split_once("/_history/")
        .map_or(reference, |(before, _)| before);
    let (before, id) = reference.rsplit_once('/')?;
    let (base, kind) = match before.rsplit_once('/') {
        Some((base, kind)) => (Some(base), kind),
        None => (None, before),
    };
    let is_absolute = base.is_none_or(|base| base.contains("://"));
    let is_type = kind.starts_with(|first: char| first.is_ascii_uppercase())
        && kind.bytes().all(|byte| byte.is_ascii_alphabetic());
    (is_absolute && is_type && is_id(id)).then_some(Target {
        base,
        kind,
        id,
        is_contained: false,
    })
}

/// Whether a text is a FHIR id (FHIR R4, section 2.24.0.1).
pub(crate) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_reference_is_taken_apart() {
        let parts = |text| parse(text).map(|t| (t.base, t.kind, t.id, t.is_contained));
        assert_eq!(parts("Patient/a-1"), Some((None, "Patient", "a-1", false)));
        assert_eq!(
            parts("Patient/a-1/_history/4"),
            Some((None, "Patient", "a-1", false))
        );
        assert_eq!(
            parts("https://clinic.example/fhir/Task/7"),
            Some((Some("https://clinic.example/fhir"), "Task", "7", false))
        );
        assert_eq!(parts("#sr"), Some((None, "", "sr", true)));
        assert_eq!(
            parts("urn:uuid:0191f2aa-0000"),
            Some((None, "", "0191f2aa-0000", false))
        );
        for wrong in [
            "",
            "Patient",
            "Patient/",
            "patient/1",
            "../Patient/1",
            "Patient/a b",
            "#",
        ] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }
}
