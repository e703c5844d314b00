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
    /// Any other namespace, or none.
    Other,
}

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
            Self::Other => "?",
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
            Self::Linkages | Self::Other => None,
        }
    }

    /// The namespace of an address, given the address of the extension.
    #[must_use]
    pub(crate) fn of(uri: &str, linkages: &str) -> Self {
        if uri == linkages {
            return Self::Linkages;
        }
        [
            Self::Core,
            Self::HumanServices,
            Self::Justice,
            Self::Structures,
        ]
        .into_iter()
        .find(|namespace| namespace.uri() == Some(uri))
        .unwrap_or(Self::Other)
    }
}
