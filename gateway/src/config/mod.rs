//! Configuration: one TOML file and the folders it names. Everything is checked when it is read; an unknown key is an
//! error.

mod break_glass;
pub mod example;
mod files;
mod forms;
mod labels;
mod linking;
mod load;
mod policy;
mod restart;
mod retention;
mod size;
mod sources;
mod store;
mod system;
mod telemetry;
mod token;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use tandem_coordination::timers::TimerSettings;
use tandem_mappings::model::id::{Jurisdiction, SystemId};

pub use break_glass::{BreakGlassConfig, BreakGlassRole, NEVER};
pub use files::FilesConfig;
pub use forms::FormChange;
pub use labels::{CountyTable, Labels, LabelsConfig, TABLES};
pub use linking::{LinkingConfig, Share};
pub use load::{ConfigError, Loaded};
pub use policy::PolicyConfig;
pub use restart::restart_only;
pub use retention::{Disposal, RetentionConfig, RowKind, Term, TermRow, Terms};
pub use size::ByteSize;
pub use sources::{Change, ChangeKind, Sources};
pub use store::{SchemaChange, StoreConfig};
pub use system::{CodeTableFiles, FhirServer, Folder, FolderInput, LaneConfig, Push, SystemConfig};
pub use telemetry::TelemetryConfig;
pub use token::{Role, Token, Tokens, hash_of};

/// The whole configuration, as written in the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The county or state.
    pub jurisdiction: Jurisdiction,
    /// IANA name of its zone, for example `America/Los_Angeles`.
    pub zone: String,
    /// Holidays of the jurisdiction, for business days.
    #[serde(default)]
    pub holidays: Vec<jiff::civil::Date>,
    /// Folder for the store, the keys and large files.
    pub data: PathBuf,
    /// Where the rows are kept.
    #[serde(default)]
    pub store: StoreConfig,
    /// Folder of the registry files.
    pub registry: PathBuf,
    /// Folder of rule bundles that take the place of the built-in ones.
    #[serde(default)]
    pub rules: Option<PathBuf>,
    /// The county's narrowing of the rules.
    #[serde(default)]
    pub overrides: Option<PathBuf>,
    /// Who signs for rules.
    #[serde(default)]
    pub policy: PolicyConfig,
    /// Who may break the glass.
    #[serde(default)]
    pub break_glass: BreakGlassConfig,
    /// Forms whose words changed.
    #[serde(default)]
    pub forms: Vec<FormChange>,
    /// The county's own label tables.
    #[serde(default)]
    pub labels: LabelsConfig,
    /// Matching settings.
    #[serde(default)]
    pub matching: Option<PathBuf>,
    /// How far the gateway links by itself.
    #[serde(default)]
    pub linking: LinkingConfig,
    /// File of access tokens.
    pub tokens: PathBuf,
    /// Where to listen.
    #[serde(default)]
    pub listen: Listen,
    /// The address under which partners reach the gateway, for references in what it writes.
    #[serde(default = "unset_address")]
    pub public_url: url::Url,
    /// How much a client may ask.
    #[serde(default)]
    pub limits: Limits,
    /// Large files.
    #[serde(default)]
    pub files: FilesConfig,
    /// How deliveries are tried again.
    #[serde(default)]
    pub delivery: DeliveryConfig,
    /// How much a full refresh may withdraw by itself.
    #[serde(default)]
    pub refresh: RefreshConfig,
    /// How long rows are kept.
    #[serde(default)]
    pub retention: RetentionConfig,
    /// Lengths of the timers of referrals, in days.
    #[serde(default)]
    pub timers: TimerSettings,
    /// Small-cell suppression of public figures.
    #[serde(default)]
    pub masking: MaskingConfig,
    /// Where traces are sent.
    #[serde(default)]
    pub telemetry: TelemetryConfig,
    /// The connected systems.
    pub systems: BTreeMap<SystemId, SystemConfig>,
}

/// Stands in until the operator says how partners reach the gateway.
#[expect(clippy::expect_used, reason = "a literal that is a valid URL")]
fn unset_address() -> url::Url {
    "https://gateway.invalid/".parse().expect("a valid URL")
}

/// Where the gateway listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// Address and port.
    pub address: SocketAddr,
    /// PEM file of the certificate chain; TLS is on when it and `key` are given.
    pub certificate: Option<PathBuf>,
    /// PEM file of the private key.
    pub key: Option<PathBuf>,
    /// Whether plain HTTP is allowed on an address other than loopback.
    pub allow_plain: bool,
    /// Connections that may be open at one time; a quarter of them from one address.
    pub connections: u32,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8480)),
            certificate: None,
            key: None,
            allow_plain: false,
            connections: 4_096,
        }
    }
}

/// Limits on what a client may ask.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests a second and client.
    pub requests_per_second: u32,
    /// Requests that a client may make at once.
    pub burst: u32,
    /// Largest body, in bytes.
    pub body_bytes: usize,
    /// Memory that the bodies of all requests under way may take together.
    pub body_memory: ByteSize,
    /// Largest file that is taken from a folder.
    pub input_bytes: ByteSize,
    /// Longest time of one request, its body included, in seconds.
    pub request_seconds: u32,
    /// Longest time until the head of a request is there, in seconds.
    pub header_seconds: u32,
    /// Accepted events that may wait for their turn; while more do, nothing else is accepted.
    pub waiting_events: u32,
    /// Match answers leave on a multiple of this, in milliseconds, so that time tells nothing.
    pub match_quantum_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_second: 50,
            burst: 100,
            body_bytes: 64 << 20,
            body_memory: ByteSize::mebibytes(256),
            input_bytes: ByteSize::mebibytes(2_048),
            request_seconds: 120,
            header_seconds: 10,
            waiting_events: 500_000,
            match_quantum_ms: 50,
        }
    }
}

/// How deliveries are tried again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeliveryConfig {
    /// Wait before the second attempt, in seconds; it doubles from there, with jitter.
    pub first_retry_seconds: u32,
    /// Longest wait between attempts, in seconds.
    pub longest_retry_seconds: u32,
    /// Attempts after which a message is parked.
    pub attempts: u32,
    /// Failures of a destination in a row after which it is left alone for a while.
    pub breaker_failures: u32,
    /// How long it is left alone the first time, in seconds; it doubles from there, with jitter.
    pub breaker_seconds: u32,
    /// How long at most.
    pub breaker_longest_seconds: u32,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            first_retry_seconds: 5,
            longest_retry_seconds: 3_600,
            attempts: 80,
            breaker_failures: 5,
            breaker_seconds: 10,
            breaker_longest_seconds: 300,
        }
    }
}

/// How much a full refresh may withdraw by itself: a truncated export looks like one from which people left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RefreshConfig {
    /// Largest share of a system's people, in percent; a refresh that would withdraw more waits for an operator.
    pub most_withdrawn_percent: u8,
    /// So few people may always leave, whatever their share.
    pub always_withdrawn: u32,
}

impl Default for RefreshConfig {
    fn default() -> Self {
        Self {
            most_withdrawn_percent: 20,
            always_withdrawn: 2,
        }
    }
}

impl RefreshConfig {
    /// Whether a refresh that leaves out `absent` of `known` people must wait for an operator.
    #[must_use]
    pub fn holds(&self, absent: u64, known: u64) -> bool {
        absent > u64::from(self.always_withdrawn)
            && absent.saturating_mul(100) > known.saturating_mul(self.most_withdrawn_percent.into())
    }
}

/// Parameters of the masking of public figures.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaskingConfig {
    /// Counts from 1 below this are masked.
    pub threshold: u64,
}

impl Default for MaskingConfig {
    fn default() -> Self {
        Self { threshold: 11 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_is_held_by_share_unless_few_leave() {
        let limits = RefreshConfig::default();
        for (absent, known, is_held) in [
            (0, 0, false),
            (2, 2, false),
            (3, 15, false),
            (4, 15, true),
            (20, 100, false),
            (21, 100, true),
            (u64::MAX, 5, true),
        ] {
            assert_eq!(limits.holds(absent, known), is_held, "{absent} of {known}");
        }
        let all = RefreshConfig {
            most_withdrawn_percent: 100,
            ..limits
        };
        assert!(!all.holds(1_000, 1_000));
    }
}
