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

    fn consent(&mut self, consent: &Value) -> Option<Directive> {
        let Some(fields) = consent.as_object() else {
            return self.refuse("Consent is not an object");
        };
        if text(consent, "resourceType") != Some("Consent") {
            return self.refuse("the resource is not a Consent");
        }
        self.only("Consent", fields, &CONSENT_FIELDS);
        if !has_code(consent.get("scope"), "patient-privacy") {
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
        let custodians = list(consent, "organization")
            .iter()
            .filter_map(|one| reference(Some(one)));
        let disclosers = if scope.disclosers.is_empty() {
            Parties::named(custodians)
        } else {
            scope.disclosers
        };
        let policy = list(consent, "policy")
            .first()
            .and_then(|policy| text(policy, "uri"));
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
        let mut scope = Scope::default();
        for actor in list(provision, "actor") {
            let who = reference(actor.get("reference"));
            let codes = list(actor.get("role").unwrap_or(&Value::Null), "coding");
            let role = codes.first().and_then(|coding| text(coding, "code"));
            match (role, who) {
                (Some("IRCP"), Some(who)) => scope.recipients.named.insert(who.to_owned()),
                (Some("CST"), Some(who)) => scope.disclosers.named.insert(who.to_owned()),
                _ => {
                    self.reasons
                        .push("Consent.provision.actor has an unknown role".to_owned());
                    false
                }
            };
        }
        for label in list(provision, "securityLabel") {
            match category(label) {
                Some(category) => scope.categories.extend([category]),
                None => self
                    .reasons
                    .push("a security label names no single category".to_owned()),
            }
        }
        for purpose in list(provision, "purpose") {
            match text(purpose, "code").and_then(|code| code.parse::<Purpose>().ok()) {
                Some(purpose) => scope.purposes.extend([purpose]),
                None => self.reasons.push("a purpose is unknown".to_owned()),
            }
        }
        if let Some(period) = provision.get("period") {
            scope.valid_from = self.moment("Consent.provision.period", text(period, "start"));
            let end = self.moment("Consent.provision.period", text(period, "end"));
            scope.expiry = end.map(Expiry::Date);
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

fn has_code(concept: Option<&Value>, code: &str) -> bool {
    let codings = concept.map_or(&[][..], |concept| list(concept, "coding"));
    codings
        .iter()
        .any(|coding| text(coding, "code") == Some(code))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn consent() -> Value {
        json!({
            "resourceType": "Consent", "id": "c-1", "status": "active",
            "scope": {"coding": [{"code": "patient-privacy"}]},
            "patient": {"reference": "Patient/p-1"}, "performer": [{"reference": "Patient/p-1"}],
            "dateTime": "2026-02-02", "organization": [{"reference": "Organization/org-bh"}],
            "sourceReference": {"reference": "DocumentReference/d-1"},
            "policy": [{"uri": "https://county.example/release"}],
            "provision": {
                "type": "permit", "period": {"start": "2026-02-02", "end": "2026-06-29"},
                "actor": [{"role": {"coding": [{"code": "IRCP"}]},
                           "reference": {"reference": "Organization/org-cws"}}],
                "purpose": [{"code": "COC"}],
                "securityLabel": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "MH"}]
            }
        })
    }

    #[test]
    fn a_consent_without_exceptions_is_read_whole() {
        let directive = Directive::from_fhir(&consent()).unwrap();
        assert_eq!(directive.standing(), DirectiveState::Active);
        assert_eq!(
            directive.categories,
            BTreeSet::from([Category::MentalHealth])
        );
        assert_eq!(directive.recipients, Parties::named(["org-cws"]));
        assert_eq!(directive.disclosers, Parties::named(["org-bh"]));
        assert_eq!(
            directive.purposes,
            BTreeSet::from([Purpose::CoordinationOfCare])
        );
        assert_eq!(directive.method, Some(Method::PaperScan));
    }

    #[test]
    fn whatever_might_narrow_and_is_not_understood_refuses_the_whole() {
        for (pointer, field, value) in [
            ("/provision", "provision", json!([{"type": "deny"}])),
            (
                "/provision",
                "action",
                json!([{"coding": [{"code": "access"}]}]),
            ),
            ("/provision", "class", json!([{"code": "Task"}])),
            ("/provision", "purpose", json!([{"code": "HMARKT"}])),
            (
                "/provision",
                "securityLabel",
                json!([{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "BH"}]),
            ),
            ("/provision", "securityLabel", json!([])),
            (
                "",
                "modifierExtension",
                json!([{"url": "https://county.example/only-on-sundays"}]),
            ),
            ("", "performer", json!([{"reference": "RelatedPerson/r-1"}])),
        ] {
            let mut narrowed = consent();
            narrowed.pointer_mut(pointer).unwrap()[field] = value;
            let error = Directive::from_fhir(&narrowed).unwrap_err();
            assert!(!error.reasons.is_empty(), "{field}");
        }
    }
}
