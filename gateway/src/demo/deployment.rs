//! The demo county's deployment: configuration, registry and tokens, written into a folder as a county would have
//! them.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::config::hash_of;
use crate::seal::fill_random;

/// The configuration, in the deployment's folder.
const CONFIGURATION: &str = "gateway.toml";
/// The data folder, there as well.
const DATA: &str = "data";
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

/// Refuses a folder in which somebody has a deployment: its tokens and its configuration would be lost, of a gateway that
/// serves as well.
///
/// # Errors
/// When the folder holds a configuration or a data folder.
pub fn refuse_existing(folder: &Path) -> anyhow::Result<()> {
    let mut own = [CONFIGURATION, DATA]
        .map(|name| folder.join(name))
        .into_iter();
    if let Some(found) = own.find(|path| path.symlink_metadata().is_ok()) {
        anyhow::bail!(
            "{} holds a deployment already ({} is there), and the demo writes over none: name a folder that is new or empty",
            folder.display(),
            found.display()
        );
    }
    Ok(())
}

/// Writes the deployment. Each caller's token is in `NAME.token`.
///
/// # Errors
/// When the folder holds a deployment, or a file can't be written.
pub fn write(folder: &Path, places: &Places) -> anyhow::Result<()> {
    refuse_existing(folder)?;
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
    std::fs::write(folder.join(CONFIGURATION), config(places)).context("writing the configuration")
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
data = "{DATA}"
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

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places {
            cws_inbox: "http://127.0.0.1:9/inbox".to_owned(),
            clinic: "http://127.0.0.1:9/fhir".to_owned(),
            behavioral_health: "http://127.0.0.1:9/fhir".to_owned(),
            partner_token: "unused".to_owned(),
            postgres: None,
        }
    }

    #[test]
    fn a_folder_that_holds_a_deployment_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &places()).unwrap();
        let token = std::fs::read(folder.path().join("operator.token")).unwrap();
        let error = write(folder.path(), &places()).unwrap_err().to_string();
        assert!(
            error.contains(folder.path().to_str().unwrap()) && error.contains("new or empty"),
            "{error}"
        );
        assert_eq!(
            std::fs::read(folder.path().join("operator.token")).unwrap(),
            token
        );
    }

    #[test]
    fn a_data_folder_alone_is_a_deployment_and_other_files_are_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("notes.txt"), "of a visitor").unwrap();
        refuse_existing(folder.path()).unwrap();
        std::fs::create_dir(folder.path().join(DATA)).unwrap();
        assert!(write(folder.path(), &places()).is_err());
        assert!(!folder.path().join(CONFIGURATION).exists());
    }
}
