//! Facts about organisations, as rules test them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::id::{OrganizationId, TeamId};
use tandem_mappings::registry::{
    Agreement, AgreementKind, OrganizationFacts, OrganizationKind, Registry, Term,
};
use thiserror::Error;

use crate::GATEWAY;
use crate::canonical::{canonical_json, sha256};

/// Days on which an organisation is a member of a team.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamMembership {
    /// The team.
    pub id: TeamId,
    /// Its kind, such as `MDT_CHILDREN_SERVICES`.
    pub kind: String,
    /// First day.
    #[serde(default)]
    pub from: Option<Date>,
    /// Last day; open when absent.
    #[serde(default)]
    pub to: Option<Date>,
    /// Version of the county's protocol for the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<String>,
}

impl TeamMembership {
    /// Its days.
    #[must_use]
    pub const fn term(&self) -> Term {
        Term {
            start: self.from,
            end: self.to,
        }
    }
}

/// What is known about one organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationRecord {
    /// The organisation.
    pub id: OrganizationId,
    /// Its name; no rule looks at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is in the eyes of the law.
    #[serde(default)]
    pub kinds: BTreeSet<OrganizationKind>,
    /// The legal facts.
    #[serde(default)]
    pub facts: OrganizationFacts,
    /// Its agreements.
    #[serde(default)]
    pub agreements: Vec<Agreement>,
    /// Its teams.
    #[serde(default)]
    pub teams: Vec<TeamMembership>,
    /// The category of what it sends without a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_category: Option<Category>,
}

impl OrganizationRecord {
    /// The days of the agreement of a kind with the gateway's operator that holds on a day; when
    /// several hold, the one that ends last.
    pub(crate) fn gateway_term(&self, kind: AgreementKind, day: Date) -> Option<Term> {
        let stated = match kind {
            AgreementKind::Baa => self.facts.baa,
            AgreementKind::Qsoa => self.facts.qsoa,
            _ => None,
        };
        let listed = self
            .agreements
            .iter()
            .filter(|agreement| agreement.with.as_str() == GATEWAY)
            .filter(|agreement| kind == AgreementKind::Dsa || agreement.kind == kind)
            .map(Agreement::term);
        stated
            .into_iter()
            .chain(listed)
            .filter(|term| term.holds_on(day))
            .max_by_key(|term| (term.end.unwrap_or(Date::MAX), term.start))
    }

    /// The codes of the categories and purposes that an agreement with the operator, in force on a
    /// day, leaves out.
    pub(crate) fn excluded_on(&self, day: Date) -> impl Iterator<Item = &'static str> {
        let held = self.agreements.iter().filter(move |agreement| {
            agreement.with.as_str() == GATEWAY && agreement.term().holds_on(day)
        });
        held.flat_map(|agreement| {
            let categories = agreement.excluded_categories.iter();
            let purposes = agreement.excluded_purposes.iter();
            categories
                .map(|one| one.as_str())
                .chain(purposes.map(|one| one.as_str()))
        })
    }

    /// Whether the organisation is of a kind.
    pub(crate) fn is_a(&self, kind: &str) -> bool {
        self.kinds.iter().any(|own| own.as_str() == kind)
    }
}

/// Why facts cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FactsError {
    /// Two records have the same id.
    #[error("organization {0} is listed twice")]
    Double(OrganizationId),
}

/// The organisations that decisions know. One that is not listed has no kinds, facts or agreements.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "FactsForm", into = "FactsForm")]
pub struct Facts {
    organizations: BTreeMap<OrganizationId, (OrganizationRecord, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FactsForm {
    organizations: Vec<OrganizationRecord>,
}

impl TryFrom<FactsForm> for Facts {
    type Error = FactsError;

    fn try_from(form: FactsForm) -> Result<Self, Self::Error> {
        Self::new(form.organizations)
    }
}

impl From<Facts> for FactsForm {
    fn from(facts: Facts) -> Self {
        let records = facts.organizations.into_values();
        Self {
            organizations: records.map(|(record, _)| record).collect(),
        }
    }
}

impl Facts {
    /// Facts from records.
    ///
    /// # Errors
    /// When two records have the same id.
    pub fn new(records: Vec<OrganizationRecord>) -> Result<Self, FactsError> {
        let mut organizations = BTreeMap::new();
        for mut record in records {
            // In what order somebody listed them must not show in the evidence.
            record.agreements.sort_by_cached_key(canonical_json);
            record.teams.sort();
            let digest = sha256(canonical_json(&record).as_bytes());
            let id = record.id.clone();
            if organizations.insert(id.clone(), (record, digest)).is_some() {
                return Err(FactsError::Double(id));
            }
        }
        Ok(Self { organizations })
    }

    /// The facts that a registry states.
    #[must_use]
    pub fn from_registry(registry: &Registry) -> Self {
        let record = |organization: &tandem_mappings::registry::Organization| {
            let teams = registry
                .teams_of(&organization.id)
                .map(|(team, term)| TeamMembership {
                    id: team.id.clone(),
                    kind: team.kind.clone(),
                    from: term.start,
                    to: term.end,
                    protocol_version: team.protocol_version.clone(),
                });
            let mut systems = registry.systems_of(&organization.id);
            OrganizationRecord {
                id: organization.id.clone(),
                name: Some(organization.name.clone()),
                kinds: organization.kinds.clone(),
                facts: organization.facts.clone(),
                agreements: organization.agreements.clone(),
                teams: teams.collect(),
                // Of two systems neither's default can stand for the organisation.
                default_category: systems
                    .next()
                    .filter(|_| systems.next().is_none())
                    .map(|system| system.default_category),
            }
        };
        // A registry holds each organisation once, so no record is lost here.
        Self::new(registry.organizations().map(record).collect()).unwrap_or_default()
    }

    /// Every organisation with the hash of what is known about it.
    pub fn all(&self) -> impl Iterator<Item = (&OrganizationRecord, &str)> {
        let all = self.organizations.values();
        all.map(|(record, digest)| (record, digest.as_str()))
    }

    /// What is known about an organisation.
    #[must_use]
    pub fn organization(&self, id: &OrganizationId) -> Option<&OrganizationRecord> {
        self.organizations.get(id).map(|(record, _)| record)
    }

    /// The hash of what is known about an organisation.
    #[must_use]
    pub fn digest(&self, id: &OrganizationId) -> Option<&str> {
        self.organizations
            .get(id)
            .map(|(_, digest)| digest.as_str())
    }
}
