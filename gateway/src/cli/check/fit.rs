//! Whether the parts of a sound configuration fit together: nothing here stops the gateway from starting, but each
//! finding means that something will not happen that somebody expects.

use std::path::Path;

use tandem_mappings::model::id::OrganizationId;
use tandem_mappings::registry::{Organization, ServiceStatus};

use super::problem::{Findings, Level};
use crate::config::{Loaded, Role};

/// The host of the address that stands in until one is configured.
const UNSET_HOST: &str = "gateway.invalid";

/// Checks registry, systems and tokens against each other.
pub(super) fn check(loaded: &Loaded, file: &Path, findings: &mut Findings) {
    let registry = &loaded.registry;
    findings.count("systems", loaded.config.systems.len());
    findings.count("organizations", registry.organizations().count());
    findings.count("services", registry.services().count());
    findings.count("tokens", loaded.tokens.tokens.len());
    jurisdiction(loaded, findings);
    systems(loaded, file, findings);
    services(loaded, findings);
    tokens(loaded, findings);
    if loaded.config.public_url.host_str() == Some(UNSET_HOST) {
        let reason =
            "is not set: what the gateway writes refers partners to an address that is none";
        findings.add(Level::Warning, file, "public_url", reason);
    }
}

fn jurisdiction(loaded: &Loaded, findings: &mut Findings) {
    let own = &loaded.config.jurisdiction;
    if let Some(other) = loaded.registry.jurisdiction().filter(|other| *other != own) {
        let reason = format!("the registry is of {other}, the configuration of {own}");
        findings.add(
            Level::Error,
            &loaded.config.registry,
            "jurisdiction",
            reason,
        );
    }
}

fn systems(loaded: &Loaded, file: &Path, findings: &mut Findings) {
    for (id, system) in &loaded.config.systems {
        let entry = format!("systems.{id}");
        let organization = loaded.registry.organization(&system.organization);
        if organization.is_some_and(|known| !has_agreement(known)) {
            let reason = format!(
                "{} has no agreement with the gateway: nothing may be exchanged",
                system.organization
            );
            findings.add(Level::Warning, file, &entry, reason);
        }
        let is_closed =
            organization.is_some_and(|known| known.facts.victim_service_provider == Some(true));
        if is_closed {
            let reason = format!(
                "{} is a victim service provider: nothing of it enters, and it can ask nothing",
                system.organization
            );
            findings.add(Level::Error, file, &entry, reason);
        }
        let is_reached = system.fhir.is_some() || system.output.is_some();
        let has_inputs = system
            .folder
            .as_ref()
            .is_some_and(|folder| !folder.inputs.is_empty());
        let has_token = loaded
            .tokens
            .tokens
            .iter()
            .any(|token| token.system.as_ref() == Some(id));
        if !has_inputs && !has_token && system.fhir.is_none() {
            findings.add(
                Level::Warning,
                file,
                &entry,
                "can send nothing: no folder inputs, no token, no fhir",
            );
        } else if !is_reached {
            findings.add(Level::Warning, file, &entry, "only sends: it has no output");
        }
    }
    for system in loaded.registry.systems() {
        if !loaded.config.systems.contains_key(&system.id) {
            let entry = format!("system {}", system.id);
            findings.add(
                Level::Warning,
                &loaded.config.registry,
                &entry,
                "is not connected",
            );
        }
    }
}

fn has_agreement(organization: &Organization) -> bool {
    let with = |agreement: &tandem_mappings::registry::Agreement| {
        agreement.with.as_str() == tandem_consent::GATEWAY
    };
    organization.agreements.iter().any(with)
}

/// An active service takes referrals, so its organisation must be told of them somewhere.
fn services(loaded: &Loaded, findings: &mut Findings) {
    let is_told = |organization: &OrganizationId| {
        let mut systems = loaded.config.systems.values();
        systems.any(|system| system.organization == *organization && system.output.is_some())
    };
    for service in loaded.registry.services() {
        if service.status == ServiceStatus::Active && !is_told(&service.organization) {
            let entry = format!("service {}", service.id);
            let reason = format!(
                "no system of {} can be told of a referral",
                service.organization
            );
            findings.add(Level::Warning, &loaded.config.registry, &entry, reason);
        }
    }
}

fn tokens(loaded: &Loaded, findings: &mut Findings) {
    let place = &loaded.config.tokens;
    let needed = [
        (Role::Steward, "steward"),
        (Role::PrivacyOfficer, "privacy-officer"),
        (Role::Operator, "operator"),
    ];
    for (role, name) in needed {
        if !loaded.tokens.tokens.iter().any(|token| token.role == role) {
            findings.add(
                Level::Warning,
                place,
                "",
                format!("nobody has the role {name}"),
            );
        }
    }
    let mut hashes = std::collections::BTreeSet::new();
    for token in &loaded.tokens.tokens {
        let entry = format!("tokens.{}", token.name);
        if !hashes.insert(token.sha256.to_ascii_lowercase()) {
            findings.add(
                Level::Error,
                place,
                &entry,
                "another entry has the same token",
            );
        }
        if token.sha256.bytes().any(|byte| byte.is_ascii_uppercase()) {
            findings.add(Level::Error, place, &entry, "sha256 must be in lower case");
        }
    }
}
