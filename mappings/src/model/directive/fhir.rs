//! Reading a FHIR R4 Consent as a directive.
//!
//! Only what can be enforced exactly is taken. Every element that is not understood may narrow the
//! consent, so it is a reason to refuse the whole (HL7 FHIR R4 4.0.1, Consent).

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use thiserror::Error;

use super::{
    Capacity, DataPeriod, Directive, DirectiveState, Effect, Expiry, FormTemplate, Method, Moment,
    Parties, Signer, SubjectKey,
};
use crate::model::category::Category;
use crate::model::id::DirectiveId;
use crate::model::purpose::Purpose;

/// Code system of Tandem's data categories in security labels.
pub const CATEGORY_SYSTEM: &str = "urn:tandem:data-category";

/// Why a Consent cannot be enforced exactly.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the consent cannot be enforced exactly: {}", reasons.join("; "))]
pub struct FhirConsentError {
    /// Every reason found.
    pub reasons: Vec<String>,
}

const CONSENT_FIELDS: [&str; 16] = [
    "resourceType",
    "id",
    "meta",
    "text",
    "language",
    "identifier",
    "status",
    "scope",
    "category",
    "patient",
    "dateTime",
    "performer",
    "organization",
    "sourceReference",
    "policy",
    "provision",
];
/// Code systems in which the consent's own codes stand (HL7 FHIR R4 4.0.1, Consent; HL7 Terminology). A code without a
/// system is taken to be of the one that the element is bound to.
const SCOPE_SYSTEMS: [&str; 1] = ["http://terminology.hl7.org/CodeSystem/consentscope"];
const ROLE_SYSTEMS: [&str; 2] = [
    "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
    "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
];
const PURPOSE_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
/// Code system of Tandem's own purposes, those that begin with `X_`.
pub(super) const OWN_PURPOSE_SYSTEM: &str = "urn:tandem:purpose";

const CODING_FIELDS: [&str; 6] = ["id", "system", "version", "code", "display", "userSelected"];
const CONCEPT_FIELDS: [&str; 3] = ["id", "coding", "text"];
const REFERENCE_FIELDS: [&str; 5] = ["id", "reference", "type", "identifier", "display"];
const PROVISION_FIELDS: [&str; 6] = [
    "type",
    "period",
    "actor",
    "purpose",
    "securityLabel",
    "dataPeriod",
];

impl Directive {
    /// Reads a base R4 Consent with one provision and no exceptions.
    ///
    /// # Errors
    /// Lists every element that is absent but needed, or present but not enforceable.
    pub fn from_fhir(consent: &Value) -> Result<Self, FhirConsentError> {
        let mut reader = Reader::default();
        let directive = reader.consent(consent);
        match directive {
            Some(directive) if reader.reasons.is_empty() => Ok(directive),
            _ => Err(FhirConsentError {
                reasons: reader.reasons,
            }),
        }
    }
}

#[derive(Default)]
struct Reader {
    reasons: Vec<String>,
}

impl Reader {
    fn refuse<T>(&mut self, reason: impl Into<String>) -> Option<T> {
        self.reasons.push(reason.into());
        None
    }

    fn only(&mut self, place: &str, fields: &Map<String, Value>, known: &[&str]) {
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            self.reasons
                .push(format!("{place}.{name} is not understood"));
        }
    }

    /// An element that must be an object of known fields; anything else may narrow.
    fn object(&mut self, place: &str, value: &Value, known: &[&str]) {
        match value.as_object() {
            Some(fields) => self.only(place, fields, known),
            None => self.reasons.push(format!("{place} is not an object")),
        }
    }

    /// The elements of a list. What is there and is no list is refused, not read as nothing.
    fn elements<'a>(&mut self, place: &str, value: &'a Value, field: &str) -> &'a [Value] {
        if value.get(field).is_some_and(|found| !found.is_array()) {
            self.reasons.push(format!("{place}.{field} is not a list"));
        }
        list(value, field)
    }

    /// The one code of a concept, from one of the systems.
    fn one_code<'a>(
        &mut self,
        place: &str,
        concept: &'a Value,
        systems: &[&str],
    ) -> Option<&'a str> {
        self.object(place, concept, &CONCEPT_FIELDS);
        let codings = self.elements(place, concept, "coding");
        for coding in codings {
            self.object(place, coding, &CODING_FIELDS);
        }
        let [coding] = codings else {
            return self.refuse(format!("{place} has not exactly one code"));
        };
        let is_known = coding
            .get("system")
            .is_none_or(|system| system.as_str().is_some_and(|one| systems.contains(&one)));
        if !is_known {
            return self.refuse(format!("{place} has a code of a foreign system"));
        }
        text(coding, "code")
    }

    fn consent(&mut self, consent: &Value) -> Option<Directive> {
        let Some(fields) = consent.as_object() else {
            return self.refuse("Consent is not an object");
        };
        if text(consent, "resourceType") != Some("Consent") {
            return self.refuse("the resource is not a Consent");
        }
        self.only("Consent", fields, &CONSENT_FIELDS);
        let scope = consent.get("scope").unwrap_or(&Value::Null);
        if self.one_code("Consent.scope", scope, &SCOPE_SYSTEMS) != Some("patient-privacy") {
            self.reasons
                .push("Consent.scope is not patient-privacy".to_owned());
        }
        let state = self.state(text(consent, "status"));
        let id = text(consent, "id").and_then(|id| DirectiveId::new(id).ok());
        let id = id.or_else(|| self.refuse("Consent.id is absent"));
        let patient = reference(consent.get("patient"));
        let subject = patient.and_then(|patient| SubjectKey::new(patient).ok());
        let subject = subject.or_else(|| self.refuse("Consent.patient is absent"));
        let signers: Vec<_> = list(consent, "performer")
            .iter()
            .map(|one| reference(Some(one)))
            .collect();
        if signers.is_empty() || signers.iter().any(|signer| *signer != patient) {
            self.reasons
                .push("Consent.performer is not the patient alone".to_owned());
        }
        let captured_at = self.moment("Consent.dateTime", text(consent, "dateTime"));
        let (effect, scope) = self.provision(consent)?;
        let custodians = self.custodians(consent);
        let disclosers = if scope.disclosers.is_empty() {
            Parties::named(custodians)
        } else {
            scope.disclosers
        };
        let policy = self.policy(consent);
        Some(Directive {
            id: id?,
            version: 1,
            subject: subject?,
            state: Some(state?),
            signer: Signer {
                who: None,
                capacity: Capacity::OwnSelf,
            },
            authority_evidence: None,
            form_template: policy.map(|uri| FormTemplate {
                id: uri.to_owned(),
                version: String::new(),
                language: text(consent, "language").map(str::to_owned),
            }),
            method: self.method(consent),
            captured_by: None,
            captured_at,
            verified_by: None,
            verified_at: None,
            effect,
            categories: scope.categories,
            sensitive_opt_ins: None,
            disclosers,
            recipients: scope.recipients,
            purposes: scope.purposes,
            data_period: scope.data_period,
            valid_from: scope.valid_from.or(captured_at),
            expiry: scope.expiry,
            revocation: None,
            scope_notes: None,
            source_document_hash: None,
            prior_version: None,
            notice_versions_given: BTreeSet::new(),
            interpreter_used: None,
            statements: None,
            stand_alone: None,
        })
    }

    fn state(&mut self, status: Option<&str>) -> Option<DirectiveState> {
        Some(match status {
            Some("draft") => DirectiveState::Draft,
            Some("proposed") => DirectiveState::Offered,
            Some("active") => DirectiveState::Active,
            Some("rejected") => DirectiveState::Refused,
            Some("inactive") => DirectiveState::Expired,
            Some("entered-in-error") => DirectiveState::EnteredInError,
            _ => return self.refuse("Consent.status is not a known status"),
        })
    }

    /// The organisations that hold what it is about; one that cannot be told by its id is not left out.
    fn custodians<'a>(&mut self, consent: &'a Value) -> Vec<&'a str> {
        let mut found = Vec::new();
        for one in self.elements("Consent", consent, "organization") {
            self.object("Consent.organization", one, &REFERENCE_FIELDS);
            match reference(Some(one)) {
                Some(id) => found.push(id),
                None => self
                    .reasons
                    .push("Consent.organization names nobody".to_owned()),
            }
        }
        found
    }

    /// The law or form under which it was given; two could narrow each other.
    fn policy<'a>(&mut self, consent: &'a Value) -> Option<&'a str> {
        let policies = self.elements("Consent", consent, "policy");
        for policy in policies {
            self.object("Consent.policy", policy, &["id", "authority", "uri"]);
        }
        match policies {
            [] => None,
            [policy] => text(policy, "uri"),
            _ => self.refuse("Consent.policy names more than one policy"),
        }
    }

    fn method(&mut self, consent: &Value) -> Option<Method> {
        let source = text(consent.get("sourceReference")?, "reference")?;
        match source.rsplit('/').nth(1) {
            Some("DocumentReference") => Some(Method::PaperScan),
            Some("QuestionnaireResponse") => Some(Method::ESignature),
            _ => self.refuse("Consent.sourceReference is neither document nor questionnaire"),
        }
    }

    fn provision(&mut self, consent: &Value) -> Option<(Effect, Scope)> {
        let Some(fields) = consent.get("provision").and_then(Value::as_object) else {
            return self.refuse("Consent.provision is absent");
        };
        self.only("Consent.provision", fields, &PROVISION_FIELDS);
        let provision = Value::Object(fields.clone());
        let effect = match text(&provision, "type") {
            Some("permit") => Effect::Permit,
            Some("deny") => Effect::Deny,
            _ => return self.refuse("Consent.provision.type is neither permit nor deny"),
        };
        let scope = self.scope(&provision);
        if effect == Effect::Permit && scope.categories.is_empty() {
            self.reasons
                .push("Consent.provision.securityLabel names no data".to_owned());
        }
        if effect == Effect::Permit && scope.recipients.is_empty() {
            self.reasons
                .push("Consent.provision.actor names no recipient".to_owned());
        }
        Some((effect, scope))
    }

    fn scope(&mut self, provision: &Value) -> Scope {
        const PLACE: &str = "Consent.provision";
        let mut scope = Scope::default();
        for actor in self.elements(PLACE, provision, "actor") {
            self.actor(actor, &mut scope);
        }
        for label in self.elements(PLACE, provision, "securityLabel") {
            self.object("Consent.provision.securityLabel", label, &CODING_FIELDS);
            match category(label) {
                Some(category) => scope.categories.extend([category]),
                None => self
                    .reasons
                    .push("a security label names no single category".to_owned()),
            }
        }
        for purpose in self.elements(PLACE, provision, "purpose") {
            self.object("Consent.provision.purpose", purpose, &CODING_FIELDS);
            match purpose_of(purpose) {
                Some(purpose) => scope.purposes.extend([purpose]),
                None => self.reasons.push("a purpose is unknown".to_owned()),
            }
        }
        if let Some(period) = provision.get("period") {
            self.period(period, &mut scope);
        }
        if let Some(period) = provision.get("dataPeriod") {
            match serde_json::from_value::<DataPeriod>(period.clone()) {
                Ok(period) => scope.data_period = Some(period),
                Err(_) => self
                    .reasons
                    .push("dataPeriod is not a period of days".to_owned()),
            }
        }
        scope
    }

    fn actor(&mut self, actor: &Value, scope: &mut Scope) {
        const PLACE: &str = "Consent.provision.actor";
        self.object(PLACE, actor, &["id", "role", "reference"]);
        let role = actor.get("role").unwrap_or(&Value::Null);
        let role = self.one_code("Consent.provision.actor.role", role, &ROLE_SYSTEMS);
        let who = actor.get("reference");
        if let Some(who) = who {
            self.object("Consent.provision.actor.reference", who, &REFERENCE_FIELDS);
        }
        match (role, reference(who)) {
            (Some("IRCP"), Some(who)) => scope.recipients.named.insert(who.to_owned()),
            (Some("CST"), Some(who)) => scope.disclosers.named.insert(who.to_owned()),
            (_, None) => self.refuse::<()>(format!("{PLACE} names nobody")).is_some(),
            _ => self
                .refuse::<()>(format!("{PLACE} has an unknown role"))
                .is_some(),
        };
    }

    /// From when to when it counts. A start or end that is there and cannot be read is refused, never left open.
    fn period(&mut self, period: &Value, scope: &mut Scope) {
        const PLACE: &str = "Consent.provision.period";
        self.object(PLACE, period, &["id", "start", "end"]);
        for end in ["start", "end"] {
            if period.get(end).is_some_and(|found| !found.is_string()) {
                self.reasons
                    .push(format!("{PLACE} is neither a day nor an instant"));
            }
        }
        scope.valid_from = self.moment(PLACE, text(period, "start"));
        scope.expiry = self.moment(PLACE, text(period, "end")).map(Expiry::Date);
    }

    fn moment(&mut self, place: &str, text: Option<&str>) -> Option<Moment> {
        let text = text?;
        match text.parse() {
            Ok(moment) => Some(moment),
            Err(_) => self.refuse(format!("{place} is neither a day nor an instant")),
        }
    }
}

#[derive(Default)]
struct Scope {
    categories: BTreeSet<Category>,
    recipients: Parties,
    disclosers: Parties,
    purposes: BTreeSet<Purpose>,
    data_period: Option<DataPeriod>,
    valid_from: Option<Moment>,
    expiry: Option<Expiry>,
}

/// The purpose that a coding means: HL7's own, or one of ours that HL7 has no code for.
fn purpose_of(coding: &Value) -> Option<Purpose> {
    let code = text(coding, "code")?;
    let is_own = code.starts_with("X_");
    let system = match coding.get("system") {
        None => None,
        Some(system) => Some(system.as_str()?),
    };
    let fits = match system {
        None => true,
        Some(OWN_PURPOSE_SYSTEM) => is_own,
        Some(system) => system == PURPOSE_SYSTEM && !is_own,
    };
    code.parse().ok().filter(|_| fits)
}

/// The one category that a label means. Broader labels, such as behavioural health, are refused.
fn category(label: &Value) -> Option<Category> {
    let code = text(label, "code")?;
    match text(label, "system") {
        Some(CATEGORY_SYSTEM) => code.parse().ok(),
        Some("http://terminology.hl7.org/CodeSystem/v3-ActCode") => match code {
            "MH" => Some(Category::MentalHealth),
            "HIV" => Some(Category::Hiv),
            "PSYTHPN" => Some(Category::PsychotherapyNotes),
            "42CFRPart2" => Some(Category::SudPart2),
            _ => None,
        },
        _ => None,
    }
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value
        .get(field)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The id at the end of a reference such as `Organization/org-cws`.
fn reference(value: Option<&Value>) -> Option<&str> {
    let reference = text(value?, "reference")?;
    reference.rsplit('/').next().filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests;
