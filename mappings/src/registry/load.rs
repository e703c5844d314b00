//! Reading a registry folder and checking it against itself.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::error::{Problem, RegistryError};
use super::organization::Organization;
use super::program::Program;
use super::read::Registry;
use super::service::Service;
use super::system::System;
use super::team::Team;
use super::worker::Worker;
use crate::model::id::{Jurisdiction, OrganizationId};

/// The party name of the gateway's operator in agreements.
const GATEWAY: &str = "gateway";

/// The kinds of organisation that rules know.
const KINDS: &str = include_str!("../../tables/consent/organization_kinds.csv");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistryFile {
    jurisdiction: Jurisdiction,
    #[serde(default, rename = "organization")]
    organizations: Vec<Organization>,
    #[serde(default, rename = "team")]
    teams: Vec<Team>,
    #[serde(default, rename = "system")]
    systems: Vec<System>,
    #[serde(default, rename = "program")]
    programs: Vec<Program>,
    #[serde(default, rename = "worker")]
    workers: Vec<Worker>,
    #[serde(default, rename = "service")]
    services: Vec<Service>,
}

impl Registry {
    /// Reads every `*.toml` file of a folder.
    ///
    /// # Errors
    /// When a file cannot be read, there is none, or entries are malformed, double or refer to
    /// something that is not there; then every problem is listed.
    pub fn load(folder: &Path) -> Result<Self, RegistryError> {
        let unreadable = |source| RegistryError::Unreadable {
            path: folder.to_path_buf(),
            source,
        };
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let text =
                std::fs::read_to_string(&path).map_err(|source| RegistryError::Unreadable {
                    path: path.clone(),
                    source,
                })?;
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            files.insert(name.unwrap_or_default(), text);
        }
        if files.is_empty() {
            return Err(RegistryError::Empty(folder.to_path_buf()));
        }
        Self::from_files(&files)
    }

    /// Reads files given as name and text.
    ///
    /// # Errors
    /// As for [`Registry::load`].
    pub fn from_files(files: &BTreeMap<String, String>) -> Result<Self, RegistryError> {
        let mut draft = Draft::default();
        for (name, text) in files {
            match toml::from_str::<RegistryFile>(text) {
                Ok(file) => draft.take(name, file),
                Err(error) => draft.report(name, "", one_line(error.message())),
            }
        }
        // Without every entry, a check of references would blame the wrong file.
        if draft.problems.is_empty() {
            draft.check();
        }
        if draft.problems.is_empty() {
            Ok(draft.registry)
        } else {
            Err(RegistryError::Invalid(draft.problems))
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[derive(Default)]
struct Draft {
    registry: Registry,
    problems: Vec<Problem>,
    /// The file of each entry, for messages.
    origin: BTreeMap<String, String>,
}

impl Draft {
    fn report(&mut self, file: &str, entry: &str, reason: String) {
        let problem = Problem {
            file: file.to_owned(),
            entry: entry.to_owned(),
            reason,
        };
        self.problems.push(problem);
    }

    fn blame(&mut self, entry: &str, reason: String) {
        let file = self.origin.get(entry).cloned().unwrap_or_default();
        self.report(&file, entry, reason);
    }

    fn enter(&mut self, file: &str, entry: String, is_double: bool) {
        if is_double {
            self.report(file, &entry, "the id is used twice".to_owned());
        }
        self.origin.insert(entry, file.to_owned());
    }

    fn take(&mut self, file: &str, content: RegistryFile) {
        match &self.registry.jurisdiction {
            Some(first) if *first != content.jurisdiction => {
                let reason = format!("jurisdiction differs from {first} of another file");
                self.report(file, "", reason);
            }
            _ => self.registry.jurisdiction = Some(content.jurisdiction),
        }
        for one in content.organizations {
            let entry = format!("organization {}", one.id);
            let old = self.registry.organizations.insert(one.id.clone(), one);
            self.enter(file, entry, old.is_some());
        }
        for one in content.teams {
            let entry = format!("team {}", one.id);
            let old = self.registry.teams.insert(one.id.clone(), one);
            self.enter(file, entry, old.is_some());
        }
        for one in content.systems {
            let entry = format!("system {}", one.id);
            let old = self.registry.systems.insert(one.id.clone(), one);
            self.enter(file, entry, old.is_some());
        }
        for one in content.programs {
            let entry = format!("program {}", one.id);
            let old = self.registry.programs.insert(one.id.clone(), one);
            self.enter(file, entry, old.is_some());
        }
        for one in content.workers {
            let entry = format!("worker {}", one.id);
            let key = (one.organization.clone(), one.id.clone());
            let old = self.registry.workers.insert(key, one);
            self.enter(file, entry, old.is_some());
        }
        for one in content.services {
            let entry = format!("service {}", one.id);
            let old = self.registry.services.insert(one.id.clone(), one);
            self.enter(file, entry, old.is_some());
        }
    }

    fn check(&mut self) {
        let mut found = Vec::new();
        let registry = &self.registry;
        let mut known = |entry: String, organization: &OrganizationId| {
            if !registry.organizations.contains_key(organization) {
                found.push((entry, format!("unknown organization {organization}")));
            }
        };
        for team in registry.teams.values() {
            for member in &team.members {
                known(format!("team {}", team.id), &member.organization);
            }
        }
        for system in registry.systems.values() {
            known(format!("system {}", system.id), &system.organization);
        }
        for program in registry.programs.values() {
            known(format!("program {}", program.id), &program.organization);
        }
        for worker in registry.workers.values() {
            known(format!("worker {}", worker.id), &worker.organization);
        }
        for service in registry.services.values() {
            known(format!("service {}", service.id), &service.organization);
        }
        for service in registry.services.values() {
            found.extend(program_problem(registry, service));
        }
        for system in registry.systems.values() {
            found.extend(system_problem(registry, system));
        }
        for organization in registry.organizations.values() {
            found.extend(organization_problems(registry, organization));
        }
        for (entry, reason) in found {
            self.blame(&entry, reason);
        }
    }
}

fn program_problem(registry: &Registry, service: &Service) -> Option<(String, String)> {
    let id = service.program.as_ref()?;
    let reason = match registry.programs.get(id) {
        None => format!("unknown program {id}"),
        Some(program) if program.organization != service.organization => {
            format!("program {id} belongs to {}", program.organization)
        }
        Some(_) => return None,
    };
    Some((format!("service {}", service.id), reason))
}

fn system_problem(registry: &Registry, system: &System) -> Option<(String, String)> {
    let id = system.program.as_ref()?;
    let reason = match registry.programs.get(id) {
        None => format!("unknown program {id}"),
        Some(program) if program.organization != system.organization => {
            format!("program {id} belongs to {}", program.organization)
        }
        Some(_) => return None,
    };
    Some((format!("system {}", system.id), reason))
}

fn organization_problems(
    registry: &Registry,
    organization: &Organization,
) -> Vec<(String, String)> {
    let mut reasons = Vec::new();
    let facts = &organization.facts;
    for (name, fact) in [
        ("hipaa_covered_entity", facts.hipaa_covered_entity),
        ("part2_program", facts.part2_program),
        ("victim_service_provider", facts.victim_service_provider),
    ] {
        if fact.is_none() {
            reasons.push(format!("the fact {name} is not stated"));
        }
    }
    for kind in &organization.kinds {
        if !is_known_kind(kind.as_str()) {
            reasons.push(format!("unknown kind {kind}"));
        }
    }
    for agreement in &organization.agreements {
        let with = &agreement.with;
        if with.as_str() != GATEWAY && !registry.organizations.contains_key(with) {
            reasons.push(format!("agreement {} is with unknown {with}", agreement.id));
        }
        if agreement
            .end
            .zip(agreement.start)
            .is_some_and(|(end, start)| end < start)
        {
            reasons.push(format!("agreement {} ends before it starts", agreement.id));
        }
    }
    let entry = format!("organization {}", organization.id);
    reasons
        .into_iter()
        .map(|reason| (entry.clone(), reason))
        .collect()
}

fn is_known_kind(kind: &str) -> bool {
    KINDS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .any(|line| line.split(',').next() == Some(kind))
}

#[cfg(test)]
mod tests;
