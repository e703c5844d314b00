//! How one agency system is connected.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tandem_fhir::county::Kind as CodeTable;
use tandem_mappings::model::id::OrganizationId;
use tandem_mappings::model::involvement::Program;
use url::Url;

use super::store::is_here;

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

impl SystemConfig {
    /// What is wrong with the addresses of a system that is configured at `place`.
    pub(super) fn problems(&self, place: &str) -> Vec<String> {
        let push = self.push.as_ref();
        let push = push.map(|push| ("push.url", &push.url, push.allow_plain));
        let fhir = self.fhir.as_ref();
        let fhir = fhir.map(|server| ("fhir.base", &server.base, server.allow_plain));
        let addresses = push.into_iter().chain(fhir);
        let problems = addresses.filter_map(|(key, address, allow_plain)| {
            let problem = address_problem(address, allow_plain)?;
            Some(format!("{place}.{key}: {problem}"))
        });
        problems.collect()
    }
}

/// What is wrong with the address of a partner: people's data go there, with the token beside them.
fn address_problem(address: &Url, allow_plain: bool) -> Option<&'static str> {
    let host = address.host_str().unwrap_or_default();
    match address.scheme() {
        _ if !address.username().is_empty() || address.password().is_some() => {
            Some("expected an address without a user; its secret stands in token_file")
        }
        "https" => None,
        "http" if allow_plain || is_here(host) => None,
        "http" => Some("a partner on another machine needs https, unless allow_plain is set"),
        _ => Some("expected http:// or https://"),
    }
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

/// A watched folder: `in`, `work`, `done`, `ack`, `error` and `out` below one path.
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
    /// Whether an address on another machine may be reached without TLS: people's data and the token go there in clear.
    #[serde(default)]
    pub allow_plain: bool,
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
    /// Whether a server on another machine may be reached without TLS: people's data and the token go there in clear.
    #[serde(default)]
    pub allow_plain: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(connection: &str) -> String {
        let text = format!("organization = \"org-cws\"\nprogram = \"child-welfare\"\n{connection}");
        let system: SystemConfig = toml::from_str(&text).unwrap();
        system.problems("systems.cws-demo").join("\n")
    }

    #[test]
    fn a_partner_elsewhere_is_told_over_tls_alone_unless_plain_http_is_allowed_beside_its_address()
    {
        for (kind, key) in [("push", "url"), ("fhir", "base")] {
            for right in [
                "https://cws.example/inbox\"",
                "http://127.0.0.1:9/inbox\"",
                "http://127.8.7.6/inbox\"",
                "http://[::1]:9/inbox\"",
                "http://localhost:9/inbox\"",
                "http://cws.example/inbox\", allow_plain = true",
            ] {
                let said = problems(&format!("{kind} = {{ {key} = \"{right} }}"));
                assert_eq!(said, "", "{right}");
            }
            for (wrong, what) in [
                (
                    "http://cws.example/inbox\"",
                    "needs https, unless allow_plain is set",
                ),
                ("http://10.0.0.7/inbox\"", "needs https"),
                ("http://127.0.0.1.example/inbox\"", "needs https"),
                (
                    "http://cws.example/inbox\", allow_plain = false",
                    "needs https",
                ),
                (
                    "ftp://127.0.0.1/inbox\", allow_plain = true",
                    "expected http://",
                ),
                ("https://a:b@cws.example/inbox\"", "without a user"),
            ] {
                let said = problems(&format!("{kind} = {{ {key} = \"{wrong} }}"));
                let place = format!("systems.cws-demo.{kind}.{key}: ");
                assert!(
                    said.starts_with(&place) && said.contains(what),
                    "{wrong}: {said}"
                );
            }
        }
    }
}
