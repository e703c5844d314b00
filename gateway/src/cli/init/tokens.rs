//! Fresh access tokens: one for each system and one for each role of the operator's people.

use std::fmt::Write as _;

use anyhow::Context as _;
use tandem_mappings::model::id::OrganizationId;
use zeroize::Zeroizing;

use super::super::exit::Failure;
use crate::config::{Config, Role, Token, Tokens, hash_of};
use crate::seal::fill_random;

/// The roles of the operator's people.
const ROLES: [(&str, Role); 6] = [
    ("steward", Role::Steward),
    ("privacy-officer", Role::PrivacyOfficer),
    ("privacy-officer-2", Role::PrivacyOfficer),
    ("operator", Role::Operator),
    ("auditor", Role::Auditor),
    ("administrator", Role::Administrator),
];

const HASHES_HEAD: &str = "\
# Who may call the gateway. Here stand the SHA-256 hashes of the tokens, so that this file opens nothing.
# To replace a token: openssl rand -hex 32 > NAME.token, and put here the hash of what is in it:
#   tr -d '\\n' < NAME.token | sha256sum
# Roles: system, steward, privacy-officer, operator, auditor, administrator. Nobody has two.
# There are two privacy officers: who captured a consent does not verify it.

";

const SECRETS_HEAD: &str = "\
# Access tokens, each of 256 random bits. Hand each to its owner over a safe way and delete this file.
# A client command takes a token from a file of its own:
#   awk '$1 == \"operator\" { print $2 }' tokens.secret.txt > operator.token
#   tandem lanes --token-file operator.token

";

/// Tokens that were just made.
pub(super) struct FreshTokens {
    /// The file of hashes.
    pub(super) hashes: String,
    /// The file of tokens.
    pub(super) secrets: Zeroizing<String>,
}

impl FreshTokens {
    /// Makes a token for each system of a configuration and for each role.
    pub(super) fn make(config: &Config) -> Result<Self, Failure> {
        let operator: OrganizationId = tandem_consent::GATEWAY
            .parse()
            .context("naming the operator's organisation")?;
        let mut tokens = Tokens::default();
        let mut secrets = Zeroizing::new(SECRETS_HEAD.to_owned());
        let systems = config.systems.iter().map(|(id, system)| {
            (
                id.to_string(),
                Role::System,
                system.organization.clone(),
                Some(id.clone()),
            )
        });
        let people = ROLES
            .into_iter()
            .map(|(name, role)| (name.to_owned(), role, operator.clone(), None));
        for (name, role, organization, system) in systems.chain(people) {
            let secret = secret()?;
            writeln!(secrets, "{name:<20} {}", *secret).context("writing the tokens")?;
            let sha256 = hash_of(&secret);
            tokens.tokens.push(Token {
                name,
                role,
                organization,
                system,
                sha256,
            });
        }
        let entries = toml::to_string(&tokens).context("writing the tokens")?;
        Ok(Self {
            hashes: format!("{HASHES_HEAD}{entries}"),
            secrets,
        })
    }
}

fn secret() -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    fill_random(bytes.as_mut()).context("making a token")?;
    Ok(Zeroizing::new(hex::encode(bytes.as_ref())))
}
