//! The XML namespaces of the two messages.

/// NIEM release whose namespaces are read and written.
pub(crate) const NIEM_VERSION: &str = "6.0";

/// A namespace that the adapter knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Namespace {
    /// NIEM Core.
    Core,
    /// NIEM Human Services domain.
    HumanServices,
    /// NIEM Justice domain.
    Justice,
    /// NIEM structures: `id` and `ref`.
    Structures,
    /// The Linkages extension; its address is a setting.
    Linkages,
    /// A NIEM model namespace of another release than 6.0.
    OtherRelease,
    /// Any other namespace, or none.
    Other,
}

/// Where the namespaces of the model began up to release 5.2, and where they begin since 6.0.
const MODEL_STARTS: [&str; 3] = [
    "http://niem.gov/niem/",
    "http://release.niem.gov/niem/",
    "https://docs.oasis-open.org/niemopen/ns/model/",
];

impl Namespace {
    /// The prefix that the messages use for it.
    #[must_use]
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Core => "nc",
            Self::HumanServices => "hs",
            Self::Justice => "j",
            Self::Structures => "structures",
            Self::Linkages => "lk",
            Self::OtherRelease | Self::Other => "?",
        }
    }

    /// The address of a NIEM 6.0 namespace; `None` for those that have no fixed one.
    #[must_use]
    pub(crate) const fn uri(self) -> Option<&'static str> {
        match self {
            Self::Core => Some("https://docs.oasis-open.org/niemopen/ns/model/niem-core/6.0/"),
            Self::HumanServices => {
                Some("https://docs.oasis-open.org/niemopen/ns/model/domains/humanServices/6.0/")
            }
            Self::Justice => {
                Some("https://docs.oasis-open.org/niemopen/ns/model/domains/justice/6.0/")
            }
            Self::Structures => {
                Some("https://docs.oasis-open.org/niemopen/ns/model/structures/6.0/")
            }
            Self::Linkages | Self::OtherRelease | Self::Other => None,
        }
    }

    /// The namespace of an address, given the address of the extension.
    #[must_use]
    pub(crate) fn of(uri: &str, linkages: &str) -> Self {
        if uri == linkages {
            return Self::Linkages;
        }
        let known = [
            Self::Core,
            Self::HumanServices,
            Self::Justice,
            Self::Structures,
        ];
        let found = known
            .into_iter()
            .find(|namespace| namespace.uri() == Some(uri));
        let is_model = MODEL_STARTS.iter().any(|start| uri.starts_with(start));
        match found {
            Some(namespace) => namespace,
            None if is_model && !uri.contains("/6.0/") => Self::OtherRelease,
            None => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_of_an_older_release_is_known_as_such() {
        let of = |uri| Namespace::of(uri, "https://example.org/ns/linkages/1.0/");
        for older in [
            "http://release.niem.gov/niem/domains/humanServices/5.2/",
            "http://niem.gov/niem/niem-core/2.0",
            "https://docs.oasis-open.org/niemopen/ns/model/niem-core/6.1/",
        ] {
            assert_eq!(of(older), Namespace::OtherRelease, "{older}");
        }
        let maritime = "https://docs.oasis-open.org/niemopen/ns/model/domains/maritime/6.0/";
        for other in [maritime, "http://www.w3.org/1999/xhtml", ""] {
            assert_eq!(of(other), Namespace::Other, "{other}");
        }
    }
}
