//! What a deployment says about one FHIR partner.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{OrganizationId, ServiceId, SystemId};
use tandem_mappings::model::plan::PlanType;
use url::Url;

use crate::county::CodeTables;

/// A partner's identifier system and what its values are to the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentifierSystem {
    /// The partner's system URI.
    pub system: String,
    /// The shared kind of identifier: `cin`, `county-id`, `mrn`.
    pub kind: String,
}

/// What the partner calls an organisation of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownOrganization {
    /// The organisation in the registry.
    pub organization: OrganizationId,
    /// The partner's reference to it, such as `Organization/12` or `HealthcareService/7`.
    #[serde(default)]
    pub reference: Option<String>,
    /// An identifier under which the partner knows it.
    #[serde(default)]
    pub identifier: Option<OrganizationIdentifier>,
    /// The directory service that the reference stands for, when it names a service.
    #[serde(default)]
    pub service: Option<ServiceId>,
}

/// An identifier of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationIdentifier {
    /// System URI.
    pub system: String,
    /// Value.
    pub value: String,
}

/// Configuration of one FHIR partner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FhirConfig {
    /// The partner's system id.
    pub system: SystemId,
    /// The partner's FHIR base URL, for example `https://clinic.example/fhir`.
    pub base: Url,
    /// The gateway's own FHIR base URL, under which partners find its resources.
    pub own_base: Url,
    /// Root of the gateway's identifier systems. Referral ids stand under `{root}/referral`, message
    /// ids under `{root}/message`, organisations under `{root}/organization`. A resource with such an
    /// identifier was written by the gateway.
    pub identifier_root: Url,
    /// The gateway's organisation: who requests on behalf of the source.
    pub gateway_organization: OrganizationId,
    /// Its name, as partners see it.
    pub gateway_name: String,
    /// Organisations by the partner's references and identifiers.
    #[serde(default)]
    pub organizations: Vec<KnownOrganization>,
    /// Identifier systems that the partner shares with others.
    #[serde(default)]
    pub identifier_systems: Vec<IdentifierSystem>,
    /// Resources per page asked for in a search.
    #[serde(default = "default_page_size")]
    pub page_size: u16,
    /// Pages followed in one search before it is broken off.
    #[serde(default = "default_page_cap")]
    pub page_cap: u16,
    /// Whose plans the partner's CarePlans are.
    #[serde(default = "default_plan_type")]
    pub plan_type: PlanType,
    /// Whether a Patient may be created at the partner for a person whom it does not know.
    #[serde(default)]
    pub create_patients: bool,
    /// v3-ActCode labels under which a resource never enters, see [`crate::gates`].
    #[serde(default = "default_refused_labels")]
    pub refused_labels: Vec<String>,
    /// The tables of codes, with a county's rows over them.
    #[serde(skip)]
    pub codes: Arc<CodeTables>,
}

fn default_page_size() -> u16 {
    100
}

fn default_page_cap() -> u16 {
    500
}

fn default_plan_type() -> PlanType {
    PlanType::Health
}

fn default_refused_labels() -> Vec<String> {
    crate::gates::REFUSED_LABELS
        .iter()
        .map(|label| (*label).to_owned())
        .collect()
}

/// What the gateway identifies by a system of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnIdentifier {
    /// A referral; value is the gateway's referral id.
    Referral,
    /// An outbound message; value is the message id.
    Message,
    /// The thing told to this recipient; value is the effect key of the delivery.
    Effect,
    /// An organisation of the registry.
    Organization,
    /// A service of the directory.
    Service,
    /// A person as this partner's target knows it; value is a record key.
    Person,
    /// A plan of the gateway or of another programme.
    Plan,
    /// A goal.
    Goal,
}

impl FhirConfig {
    /// A configuration for reading payloads of a system without speaking to it: nothing is shared
    /// and nobody is known.
    ///
    /// # Errors
    /// Never for the built-in addresses; the error type is the URL parser's.
    pub fn offline(
        system: SystemId,
        organization: OrganizationId,
    ) -> Result<Self, url::ParseError> {
        Ok(Self {
            system,
            base: Url::parse("https://partner.invalid/fhir")?,
            own_base: Url::parse("https://gateway.invalid/fhir")?,
            identifier_root: Url::parse("https://gateway.invalid/id")?,
            gateway_organization: organization,
            gateway_name: "Gateway".to_owned(),
            organizations: Vec::new(),
            identifier_systems: Vec::new(),
            page_size: default_page_size(),
            page_cap: default_page_cap(),
            plan_type: default_plan_type(),
            create_patients: false,
            refused_labels: default_refused_labels(),
            codes: Arc::default(),
        })
    }

    /// What is wrong with the configuration, in words; empty when it can be used.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, url) in [("base", &self.base), ("own_base", &self.own_base)] {
            if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
                problems.push(format!("{name} is not an http or https URL without query"));
            }
        }
        if self.page_size == 0 || self.page_cap == 0 {
            problems.push("page_size and page_cap must be at least 1".to_owned());
        }
        for known in &self.organizations {
            if known.reference.is_none() && known.identifier.is_none() {
                problems.push(format!(
                    "organization {} has neither reference nor identifier",
                    known.organization
                ));
            }
        }
        problems
    }

    /// System URI of one kind of the gateway's own identifiers.
    #[must_use]
    pub fn own_system(&self, kind: OwnIdentifier) -> String {
        let name = match kind {
            OwnIdentifier::Referral => "referral",
            OwnIdentifier::Message => "message",
            OwnIdentifier::Effect => "effect",
            OwnIdentifier::Organization => "organization",
            OwnIdentifier::Service => "service",
            OwnIdentifier::Person => "person",
            OwnIdentifier::Plan => "plan",
            OwnIdentifier::Goal => "goal",
        };
        format!("{}/{name}", self.root())
    }

    /// System URI of one of the gateway's own code systems.
    #[must_use]
    pub fn own_codes(&self, name: &str) -> String {
        format!("{}/CodeSystem/{name}", self.root())
    }

    /// Whether a system URI is one of the gateway's own.
    #[must_use]
    pub fn is_own_system(&self, system: &str) -> bool {
        system
            .strip_prefix(self.root())
            .is_some_and(|rest| rest.starts_with('/'))
    }

    /// Absolute URL of a resource at the partner, such as `Task/7`.
    #[must_use]
    pub fn at_partner(&self, relative: &str) -> String {
        format!("{}/{relative}", self.base.as_str().trim_end_matches('/'))
    }

    /// Absolute URL of a resource of the gateway.
    #[must_use]
    pub fn at_gateway(&self, relative: &str) -> String {
        format!(
            "{}/{relative}",
            self.own_base.as_str().trim_end_matches('/')
        )
    }

    /// The organisation of the registry that the partner's reference or identifier names.
    #[must_use]
    pub fn known_organization(
        &self,
        reference: Option<&str>,
        identifier: Option<(&str, &str)>,
    ) -> Option<&KnownOrganization> {
        self.organizations.iter().find(|known| {
            let by_reference = known.reference.as_deref().is_some_and(|own| {
                reference.is_some_and(|given| given == own || given == self.at_partner(own))
            });
            let by_identifier = known
                .identifier
                .as_ref()
                .is_some_and(|own| identifier == Some((own.system.as_str(), own.value.as_str())));
            by_reference || by_identifier
        })
    }

    fn root(&self) -> &str {
        self.identifier_root.as_str().trim_end_matches('/')
    }
}
