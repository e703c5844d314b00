//! The demo county's deployment: configuration, registry and tokens, written into a folder as a county would have
//! them.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::config::hash_of;
use crate::seal::fill_random;

/// The registry of the demo county.
const REGISTRY: [(&str, &str); 5] = [
    (
        "organizations.toml",
        include_str!("../../../config/registry/organizations.toml"),
    ),
    (
        "services.toml",
        include_str!("../../../config/registry/services.toml"),
    ),
    (
        "systems.toml",
        include_str!("../../../config/registry/systems.toml"),
    ),
    (
        "teams.toml",
        include_str!("../../../config/registry/teams.toml"),
    ),
    (
        "workers.toml",
        include_str!("../../../config/registry/workers.toml"),
    ),
];

/// Who has a token: name, role, organisation, system.
const CALLERS: [(&str, &str, &str, Option<&str>); 10] = [
    ("calworks", "system", "org-calworks", Some("calworks-demo")),
    ("cws", "system", "org-cws", Some("cws-demo")),
    ("clinic", "system", "org-clinic", Some("clinic-demo")),
    ("bh", "system", "org-bh", Some("bh-demo")),
    ("steward", "steward", "gateway", None),
    ("privacy", "privacy-officer", "gateway", None),
    ("privacy-second", "privacy-officer", "gateway", None),
    ("operator", "operator", "gateway", None),
    ("auditor", "auditor", "gateway", None),
    ("administrator", "administrator", "gateway", None),
];

/// Where the simulated systems are.
#[derive(Debug, Clone)]
pub struct Places {
    /// Address of the exchange partner's inbox.
    pub cws_inbox: String,
    /// Base address of the clinic's FHIR server.
    pub clinic: String,
    /// Base address of the behavioural health FHIR server.
    pub behavioral_health: String,
    /// Token that the partners expect.
    pub partner_token: String,
    /// The database of the gateway; a file in its folder when absent.
    pub postgres: Option<url::Url>,
}

/// A fresh random token.
///
/// # Errors
/// When there is no randomness.
pub fn token() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 32];
    fill_random(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// Writes the deployment. Each caller's token is in `NAME.token`.
///
/// # Errors
/// When a file can't be written.
pub fn write(folder: &Path, places: &Places) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder.join("registry")).context("making the registry folder")?;
    for (name, text) in REGISTRY {
        std::fs::write(folder.join("registry").join(name), text)?;
    }
    let mut tokens = String::new();
    for (name, role, organization, system) in CALLERS {
        let token = token()?;
        std::fs::write(folder.join(format!("{name}.token")), &token)?;
        writeln!(
            tokens,
            "[[tokens]]\nname = \"{name}\"\nrole = \"{role}\"\norganization = \"{organization}\""
        )?;
        if let Some(system) = system {
            writeln!(tokens, "system = \"{system}\"")?;
        }
        writeln!(tokens, "sha256 = \"{}\"\n", hash_of(&token))?;
    }
    std::fs::write(folder.join("tokens.toml"), tokens)?;
    std::fs::write(folder.join("partner.token"), &places.partner_token)?;
    std::fs::write(folder.join("gateway.toml"), config(places)).context("writing the configuration")
}

fn config(places: &Places) -> String {
    let fhir = |base: &str| {
        format!(
            r#"{{ base = "{base}", token_file = "partner.token", poll_seconds = 900, page_size = 2, organizations = [
    {{ organization = "org-clinic", reference = "Organization/org-clinic" }},
    {{ organization = "org-bh", reference = "Organization/org-bh", service = "svc-counselling" }},
] }}"#
        )
    };
    let postgres = places.postgres.iter();
    let store: String = postgres
        .map(|address| format!("store = {{ postgres = \"{address}\" }}\n"))
        .collect();
    format!(
        r#"jurisdiction = "demo-county"
zone = "America/Los_Angeles"
data = "data"
{store}registry = "registry"
tokens = "tokens.toml"
public_url = "https://tandem.demo-county.example/"
listen = {{ address = "127.0.0.1:0" }}
limits = {{ requests_per_second = 200, burst = 400 }}
# The story is told to people: the canary's rounds would stand between its lines.
policy = {{ canary_minutes = 0 }}

[systems.calworks-demo]
organization = "org-calworks"
program = "calworks"
output = "calworks/linkages"
folder = {{ path = "exchange/calworks-demo", poll_ms = 50, inputs = [
    {{ prefix = "caseload", format = "calworks/caseload" }},
    {{ prefix = "linkages", format = "calworks/linkages" }},
] }}

[systems.cws-demo]
organization = "org-cws"
program = "child-welfare"
output = "child-welfare/niem"
folder = {{ path = "exchange/cws-demo", poll_ms = 50, inputs = [{{ prefix = "cws-extract", format = "child-welfare/cws-cms" }}] }}
push = {{ url = "{cws}", token_file = "partner.token" }}

[systems.hmis-demo]
organization = "org-hmis"
program = "housing"
output = "hmis/csv"
baseline = true
hmis = {{ write = {{ user_id = "U-2" }} }}
folder = {{ path = "exchange/hmis-demo", poll_ms = 50, inputs = [{{ prefix = "hmis", format = "hmis/csv" }}] }}

[systems.clinic-demo]
organization = "org-clinic"
program = "health"
output = "fhir/bundle"
baseline = true
fhir = {clinic}

[systems.bh-demo]
organization = "org-bh"
program = "behavioral-health"
output = "fhir/bundle"
baseline = true
fhir = {bh}
"#,
        cws = places.cws_inbox,
        clinic = fhir(&places.clinic),
        bh = fhir(&places.behavioral_health),
    )
}
