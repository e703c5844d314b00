//! Settings of the adapter for one deployment.

use serde::{Deserialize, Serialize};

/// The address of the extension namespace as the published example has it: a placeholder.
pub const DEFAULT_LINKAGES_NAMESPACE: &str = "https://example.org/ns/linkages/1.0/";

/// Settings; every one has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address of the extension namespace that the partners agreed on.
    pub linkages_namespace: String,
    /// Whether a CWS/CMS extract holds every client: those absent are then withdrawn.
    pub extract_is_full: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            linkages_namespace: DEFAULT_LINKAGES_NAMESPACE.to_owned(),
            extract_is_full: false,
        }
    }
}
