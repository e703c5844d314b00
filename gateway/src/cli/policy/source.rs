//! Which bundle a command speaks of.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use tandem_consent::Bundle;

use super::super::decide::basis;
use super::super::exit::Failure;

/// Names a bundle.
#[derive(Debug, Args)]
pub(super) struct BundleArgs {
    /// Folder of rules, or of a county's layer over the built-in ones; those of the configuration when absent
    #[arg(long, value_name = "DIR")]
    pub(super) bundle: Option<PathBuf>,
    /// The built-in rules of this jurisdiction
    #[arg(long, value_name = "ID", conflicts_with = "bundle")]
    jurisdiction: Option<String>,
    /// Configuration; ./gateway.toml when it is there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl BundleArgs {
    /// Loads and checks the bundle.
    pub(super) fn load(&self) -> Result<Bundle, Failure> {
        match &self.jurisdiction {
            Some(jurisdiction) => built_in(jurisdiction),
            None => basis::rules(self.bundle.as_deref(), self.config.as_deref(), ""),
        }
    }

    /// The same bundle in the arguments of the prover.
    pub(super) fn prover_args(&self) -> Result<Vec<OsString>, Failure> {
        let named = |name: &str, value: &OsStr| {
            let mut text = OsString::from(format!("--{name}="));
            text.push(value);
            vec![text]
        };
        if let Some(folder) = &self.bundle {
            return Ok(named("bundle", folder.as_os_str()));
        }
        if let Some(jurisdiction) = &self.jurisdiction {
            return Ok(named("jurisdiction", jurisdiction.as_ref()));
        }
        let Some(loaded) = basis::configuration(self.config.as_deref())? else {
            return Ok(Vec::new());
        };
        let config = &loaded.config;
        Ok(match config.rules.as_ref().or(config.overrides.as_ref()) {
            Some(folder) => named("bundle", folder.as_os_str()),
            None => named("jurisdiction", config.jurisdiction.as_str().as_ref()),
        })
    }
}

/// Loads and checks the rules of a folder.
pub(super) fn load(folder: &Path) -> Result<Bundle, Failure> {
    basis::rules(Some(folder), None, "")
}

/// The built-in rules of a jurisdiction.
pub(super) fn built_in(jurisdiction: &str) -> Result<Bundle, Failure> {
    Ok(Bundle::default_for(jurisdiction).context("loading the built-in rules")?)
}
