//! Reads the configuration and everything it names, and checks that the parts fit.

mod folders;
mod ranges;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use tandem_adapter_port::format::Format;
use tandem_mappings::registry::Registry;

use super::{Config, Labels, Role, Tokens};

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file can't be read.
    #[error("{file}: {error}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{file}: {problem}")]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// Parts don't fit together.
    #[error("{}", .0.join("\n"))]
    Problems(Vec<String>),
}

/// A configuration with what it names, checked.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The file.
    pub file: PathBuf,
    /// The file's content; relative paths are resolved against the file's folder.
    pub config: Config,
    /// The registry.
    pub registry: Registry,
    /// The tokens.
    pub tokens: Tokens,
    /// The zone.
    pub zone: TimeZone,
    /// The label tables.
    pub labels: Labels,
}

impl Loaded {
    /// Reads and checks. Has no side effects.
    ///
    /// # Errors
    /// With every problem found, each naming file and entry.
    pub fn from_file(file: &Path) -> Result<Self, ConfigError> {
        let text = read(file)?;
        let mut config: Config = toml::from_str(&text).map_err(|error| malformed(file, &error))?;
        let folder = file.parent().unwrap_or_else(|| Path::new("."));
        resolve(&mut config, folder);
        let registry = Registry::load(&config.registry)
            .map_err(|error| malformed(&config.registry, &error))?;
        let tokens_text = read(&config.tokens)?;
        let tokens: Tokens =
            toml::from_str(&tokens_text).map_err(|error| malformed(&config.tokens, &error))?;
        let zone = TimeZone::get(&config.zone).map_err(|_| {
            malformed(
                file,
                &format!("zone: no IANA zone is called {}", config.zone),
            )
        })?;
        let labels = Labels::load(&config.labels, folder)?;
        let loaded = Self {
            file: file.to_owned(),
            labels,
            config,
            registry,
            tokens,
            zone,
        };
        let problems = loaded.problems();
        if problems.is_empty() {
            Ok(loaded)
        } else {
            Err(ConfigError::Problems(problems))
        }
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        self.check_listen(&mut problems);
        if self.config.rules.is_some() && self.config.overrides.is_some() {
            problems.push(
                "rules and overrides: give one; a folder of rules holds its own county.toml"
                    .to_owned(),
            );
        }
        for (id, system) in &self.config.systems {
            let place = format!("systems.{id}");
            match self.registry.system(id) {
                None => problems.push(format!("{place}: the registry knows no such system")),
                Some(known) if known.organization != system.organization => problems.push(format!(
                    "{place}.organization: the registry says {}",
                    known.organization
                )),
                Some(_) => {}
            }
            let formats = system
                .output
                .iter()
                .map(|format| (format!("{place}.output"), format))
                .chain(system.folder.iter().flat_map(|folder| {
                    folder
                        .inputs
                        .iter()
                        .map(|input| (format!("{place}.folder.inputs"), &input.format))
                }));
            for (place, format) in formats {
                if let Err(error) = format.parse::<Format>() {
                    problems.push(format!("{place}: {error}"));
                }
            }
            if system.output.is_some()
                && system.folder.is_none()
                && system.push.is_none()
                && system.fhir.is_none()
            {
                problems.push(format!(
                    "{place}: output without folder, push or fhir to carry it"
                ));
            }
            problems.extend(system.problems(&place));
        }
        problems.extend(folders::problems(&self.config));
        problems.extend(ranges::problems(&self.config));
        problems.extend(self.config.store.problems());
        problems.extend(self.config.telemetry.problems());
        problems.extend(self.config.break_glass.problems());
        problems.extend(self.config.retention.problems());
        problems.extend(super::FormChange::problems(&self.config.forms));
        self.check_tokens(&mut problems);
        problems
    }

    fn check_listen(&self, problems: &mut Vec<String>) {
        let listen = &self.config.listen;
        if listen.certificate.is_some() != listen.key.is_some() {
            problems.push("listen: certificate and key belong together".to_owned());
        }
        if listen.certificate.is_none() && !listen.address.ip().is_loopback() && !listen.allow_plain
        {
            problems.push(
                "listen: without a certificate only a loopback address is served, unless allow_plain is set"
                    .to_owned(),
            );
        }
    }

    fn check_tokens(&self, problems: &mut Vec<String>) {
        let mut names = BTreeSet::new();
        for token in &self.tokens.tokens {
            let place = format!("tokens.{}", token.name);
            if !names.insert(&token.name) {
                problems.push(format!("{place}: the name stands twice"));
            }
            if token.sha256.len() != 64
                || !token.sha256.bytes().all(|byte| byte.is_ascii_hexdigit())
            {
                problems.push(format!("{place}.sha256: expected 64 hexadecimal digits"));
            }
            // The operator's own staff stand under the gateway's organisation, which is no agency of the registry.
            let is_operator = token.organization.as_str() == tandem_consent::GATEWAY
                && token.role != Role::System;
            if !is_operator && self.registry.organization(&token.organization).is_none() {
                problems.push(format!(
                    "{place}.organization: the registry knows no such organisation"
                ));
            }
            match (&token.role, &token.system) {
                (Role::System, None) => {
                    problems.push(format!("{place}: role system needs a system"))
                }
                (Role::System, Some(system)) => match self.config.systems.get(system) {
                    None => problems.push(format!("{place}.system: no system is called {system}")),
                    Some(known) if known.organization != token.organization => {
                        problems.push(format!(
                            "{place}: the system belongs to {}",
                            known.organization
                        ));
                    }
                    Some(_) => {}
                },
                (_, Some(_)) => problems.push(format!("{place}: only role system has a system")),
                (_, None) => {}
            }
        }
    }
}

pub(super) fn read(file: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(file).map_err(|error| ConfigError::Unreadable {
        file: file.to_owned(),
        error,
    })
}

fn malformed(file: &Path, problem: &impl ToString) -> ConfigError {
    ConfigError::Malformed {
        file: file.to_owned(),
        problem: problem.to_string(),
    }
}

fn resolve(config: &mut Config, folder: &Path) {
    let absolute = |path: &mut PathBuf| {
        if path.is_relative() {
            *path = folder.join(&path);
        }
    };
    for path in [&mut config.data, &mut config.registry, &mut config.tokens] {
        absolute(path);
    }
    let optional = [
        &mut config.rules,
        &mut config.overrides,
        &mut config.matching,
        &mut config.listen.certificate,
        &mut config.listen.key,
        &mut config.store.password_file,
        &mut config.files.blobs,
    ];
    optional.into_iter().flatten().for_each(absolute);
    config.policy.resolve(folder);
    for system in config.systems.values_mut() {
        if let Some(folder) = &mut system.folder {
            absolute(&mut folder.path);
        }
        if let Some(push) = &mut system.push {
            push.token_file
                .iter_mut()
                .chain(&mut push.authority)
                .for_each(absolute);
        }
        if let Some(fhir) = &mut system.fhir {
            fhir.token_file
                .iter_mut()
                .chain(&mut fhir.authority)
                .chain(fhir.tables.paths_mut())
                .for_each(absolute);
        }
        for layout in &mut system.calworks.caseload.layouts {
            let mut path = PathBuf::from(layout.as_str());
            absolute(&mut path);
            *layout = path.to_string_lossy().into_owned();
        }
    }
}
