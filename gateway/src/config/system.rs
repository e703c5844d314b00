//! How one agency system is connected.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tandem_fhir::county::Kind as CodeTable;
use tandem_mappings::model::id::OrganizationId;
use tandem_mappings::model::involvement::Program;
use url::Url;

/// A connected system.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemConfig {
    /// The organisation that runs it.
    pub organization: OrganizationId,
    /// Its programme.
    pub program: Program,
    /// The format in which it is told things; none for a system that only sends.
    #[serde(default)]
    pub output: Option<String>,
    /// How much it is told at once.
    #[serde(default)]
    pub lane: LaneConfig,
    /// Whether its first load links silently: notices go out only after release.
    #[serde(default)]
    pub baseline: bool,
    /// Whether it may ask which of its own records are one person. They are then held in memory twice: once among all,
    /// and once by themselves, so that the answers depend on nobody else's.
    #[serde(default)]
    pub own_matches: bool,
    /// A watched folder.
    #[serde(default)]
    pub folder: Option<Folder>,
    /// Messages are pushed to it over HTTPS.
    #[serde(default)]
    pub push: Option<Push>,
    /// It is a FHIR R4 server.
    #[serde(default)]
    pub fhir: Option<FhirServer>,
    /// Settings of the CalWORKs formats.
    #[serde(default)]
    pub calworks: tandem_calworks::config::Config,
    /// Settings of the child welfare formats.
    #[serde(default)]
    pub child_welfare: tandem_child_welfare::Config,
    /// Settings of the HMIS format.
    #[serde(default)]
    pub hmis: tandem_hmis::config::HmisConfig,
}

/// How much a destination is told at once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LaneConfig {
    /// Most messages a second; as many as it takes when absent.
    pub messages_per_second: Option<NonZeroU32>,
    /// Most messages under way at one time to an address or a FHIR server, each about another case.
    pub in_flight: NonZeroU32,
}

impl Default for LaneConfig {
    fn default() -> Self {
        Self {
            messages_per_second: None,
            in_flight: NonZeroU32::MIN.saturating_add(3),
        }
    }
}

/// A watched folder: `in`, `done`, `ack`, `error` and `out` below one path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// The path.
    pub path: PathBuf,
    /// How often to look, in milliseconds.
    #[serde(default = "every_second")]
    pub poll_ms: u64,
    /// Which file names hold which format; the first that fits counts.
    #[serde(default)]
    pub inputs: Vec<FolderInput>,
}

fn every_second() -> u64 {
    1_000
}

/// Files whose name starts so hold that format.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderInput {
    /// Start of the file name.
    pub prefix: String,
    /// Format, for example `hmis/csv`.
    pub format: String,
}

/// Messages are posted to an address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// The address.
    pub url: Url,
    /// File that holds the bearer token to send.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// PEM file of a certificate authority to trust besides the public ones.
    #[serde(default)]
    pub authority: Option<PathBuf>,
}

/// A FHIR R4 server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FhirServer {
    /// Its base address.
    pub base: Url,
    /// File that holds the bearer token to send.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// How often to ask for changes, in seconds. The Gravity guide asks for at least once a business day and not more
    /// often than every 15 minutes.
    #[serde(default = "every_quarter_hour")]
    pub poll_seconds: u32,
    /// Whether Patients are pulled.
    #[serde(default = "yes")]
    pub pull_patients: bool,
    /// PEM file of a certificate authority to trust besides the public ones.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// How organisations of the registry are called at that server.
    #[serde(default)]
    pub organizations: Vec<tandem_fhir::config::KnownOrganization>,
    /// Which identifier systems of that server are shared identifiers, for example the CIN.
    #[serde(default)]
    pub identifiers: Vec<tandem_fhir::config::IdentifierSystem>,
    /// Most resources on one page of a search.
    #[serde(default = "a_hundred")]
    pub page_size: u16,
    /// Whether a person unknown there is created as a Patient; else the referral is parked.
    #[serde(default)]
    pub create_patients: bool,
    /// The county's own rows of the tables of codes.
    #[serde(default)]
    pub tables: CodeTableFiles,
}

/// Files with the county's rows of the FHIR code tables, in the columns of the shipped ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeTableFiles {
    /// Procedure codes by domain: `domain,system,code,display`.
    #[serde(default)]
    pub service_codes: Option<PathBuf>,
    /// Gravity categories by domain: `domain,category,label,match,written,read`.
    #[serde(default)]
    pub sdoh_categories: Option<PathBuf>,
    /// What partners' codes say as referral reasons: `system,code,reason`.
    #[serde(default)]
    pub reasons: Option<PathBuf>,
    /// What partners' business statuses say as sub-statuses: `system,code,sub_status`.
    #[serde(default)]
    pub sub_statuses: Option<PathBuf>,
}

impl CodeTableFiles {
    /// The files that are given, with what they hold.
    pub fn given(&self) -> impl Iterator<Item = (CodeTable, &Path)> {
        let all = [
            (CodeTable::ServiceCodes, &self.service_codes),
            (CodeTable::Categories, &self.sdoh_categories),
            (CodeTable::Reasons, &self.reasons),
            (CodeTable::SubStatuses, &self.sub_statuses),
        ];
        all.into_iter()
            .filter_map(|(kind, path)| Some((kind, path.as_deref()?)))
    }

    /// The paths that are given.
    pub fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let all = [
            &mut self.service_codes,
            &mut self.sdoh_categories,
            &mut self.reasons,
            &mut self.sub_statuses,
        ];
        all.into_iter().flatten()
    }
}

fn a_hundred() -> u16 {
    100
}

fn every_quarter_hour() -> u32 {
    900
}

fn yes() -> bool {
    true
}
