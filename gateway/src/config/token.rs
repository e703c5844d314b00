//! Access tokens: who may ask what. Tokens stand in the file as SHA-256 hashes, bound to an organisation.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tandem_mappings::model::id::{OrganizationId, SystemId};

/// What a caller may do. Roles are separate: nobody has two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// An agency system: sends records and messages, asks match queries.
    System,
    /// A data steward of the operator: decides doubtful links.
    Steward,
    /// A privacy officer: manages consent, sees decisions with reasons.
    PrivacyOfficer,
    /// An operator: watches lanes, replays.
    Operator,
    /// Reads all and changes nothing.
    Auditor,
    /// Changes configuration and reads no person.
    Administrator,
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Name for the audit.
    pub name: String,
    /// Role.
    pub role: Role,
    /// The organisation of the caller.
    pub organization: OrganizationId,
    /// The system, for role `system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemId>,
    /// SHA-256 of the token, in hex.
    pub sha256: String,
}

/// The file of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// The tokens.
    #[serde(default)]
    pub tokens: Vec<Token>,
}

impl Tokens {
    /// The token that a bearer presents. Every entry is compared, in constant time.
    #[must_use]
    pub fn find(&self, presented: &str) -> Option<&Token> {
        let hash = hash_of(presented);
        self.tokens.iter().fold(None, |found, token| {
            let is_same: bool = token.sha256.as_bytes().ct_eq(hash.as_bytes()).into();
            if is_same { Some(token) } else { found }
        })
    }
}

/// The hash under which a token stands in the file.
#[must_use]
pub fn hash_of(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
