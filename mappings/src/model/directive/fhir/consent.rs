//! The elements of a Consent around its provisions.

use serde_json::Value;

use super::codes::{self, ACT_CODE_SYSTEM, Base, POLICY_SYSTEM, SCOPE_SYSTEM};
use super::compose::{self, Head};
use super::party::Referred;
use super::reader::{Reader, text};
use crate::model::directive::{
    Directive, DirectiveState, FormTemplate, Method, Moment, Parties, SubjectKey,
};
use crate::model::id::DirectiveId;

const CONSENT_FIELDS: [&str; 20] = [
    "resourceType",
    "id",
    "meta",
    "text",
    "language",
    "extension",
    "identifier",
    "status",
    "scope",
    "category",
    "patient",
    "dateTime",
    "performer",
    "organization",
    "sourceReference",
    "sourceAttachment",
    "policy",
    "policyRule",
    "provision",
    "implicitRules",
];

/// R5 elements that FAST carries back to R4: who holds the data, and who looks after the consent.
pub(super) const CONTROLLER: &str =
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-Consent.controller";
pub(super) const MANAGER: &str =
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-Consent.manager";

/// Reads a whole consent.
pub(super) fn read(reader: &mut Reader, consent: &Value) -> Option<Vec<Directive>> {
    let Some(fields) = consent.as_object() else {
        return reader.refuse("Consent is not an object");
    };
    if text(consent, "resourceType") != Some("Consent") {
        return reader.refuse("the resource is not a Consent");
    }
    reader.only("Consent", fields, &CONSENT_FIELDS);
    if fields.contains_key("implicitRules") {
        reader
            .reasons
            .push("Consent.implicitRules names rules that are not known here".to_owned());
    }
    let scope = consent.get("scope").unwrap_or(&Value::Null);
    if reader.one_code("Consent.scope", scope, &[SCOPE_SYSTEM]) != Some("patient-privacy") {
        reader
            .reasons
            .push("Consent.scope is not patient-privacy".to_owned());
    }
    reader.categories(consent);
    let base = reader.policy_rule(consent);
    let head = reader.head(consent);
    compose::directives(reader, &head?, base, consent)
}

impl Reader {
    /// What every directive of the consent has in common.
    fn head(&mut self, consent: &Value) -> Option<Head> {
        let state = self.state(text(consent, "status"));
        let id = self.id(consent);
        let patient = self.reference("Consent.patient", consent.get("patient"));
        let subject = patient
            .as_ref()
            .and_then(|patient| SubjectKey::new(patient.id.clone()).ok());
        self.signer(consent, patient.as_ref());
        let given_at = self.moment("Consent.dateTime", consent.get("dateTime"));
        let custodians = self.custodians(consent);
        let method = self.method(consent);
        let form_template = self.policy(consent).map(|uri| {
            // A form of ours is named with the version of its words, as FHIR canonicals are; a policy has none.
            let (id, version) = uri.rsplit_once('|').unwrap_or((uri, ""));
            FormTemplate {
                id: id.to_owned(),
                version: version.to_owned(),
                language: text(consent, "language").map(str::to_owned),
            }
        });
        Some(Head {
            id: id?,
            version: version(consent),
            subject: subject?,
            state: state?,
            given_at,
            custodians,
            method,
            form_template,
        })
    }

    fn id(&mut self, consent: &Value) -> Option<DirectiveId> {
        let own = text(consent, "id");
        let identified = consent
            .pointer("/identifier/0/value")
            .and_then(Value::as_str);
        let id = own.or(identified).map(DirectiveId::new);
        match id {
            Some(Ok(id)) => Some(id),
            _ => self.refuse("Consent.id is absent, and so is Consent.identifier"),
        }
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

    /// The patient must have signed alone: of anybody else the consent does not say by what right. Where nobody is named
    /// it is the patient, as is common (HL7 FHIR R4 4.0.1, Consent.performer).
    fn signer(&mut self, consent: &Value, patient: Option<&Referred>) {
        let performers = self.elements("Consent", consent, "performer");
        let mut is_patient = true;
        for (place, performer) in performers {
            let who = self.reference(&place, Some(performer));
            is_patient &= who.is_some_and(|who| {
                patient.is_some_and(|patient| patient.id == who.id)
                    && who.kind.is_none_or(|kind| kind == "Patient")
            });
        }
        if !is_patient {
            self.reasons
                .push("Consent.performer is not the patient alone".to_owned());
        }
    }

    /// The organisations that hold what it is about; one that cannot be told by its id is not left out.
    fn custodians(&mut self, consent: &Value) -> Option<Parties> {
        let mut found = Vec::new();
        for (place, one) in self.elements("Consent", consent, "organization") {
            found.extend(self.reference(&place, Some(one)));
        }
        for (place, extension) in self.elements("Consent", consent, "extension") {
            self.object(&place, extension, &["id", "url", "valueReference"]);
            let value = extension.get("valueReference");
            match text(extension, "url") {
                Some(CONTROLLER) => {
                    found.extend(self.reference(&format!("{place}.valueReference"), value));
                }
                Some(MANAGER) => {}
                _ => self.reasons.push(format!("{place} is not understood")),
            }
        }
        (!found.is_empty()).then(|| Parties::named(found.into_iter().map(|who| who.id)))
    }

    /// The law or form under which it was given; two could narrow each other.
    fn policy<'a>(&mut self, consent: &'a Value) -> Option<&'a str> {
        let policies = self.elements("Consent", consent, "policy");
        for (place, policy) in &policies {
            self.object(place, policy, &["id", "authority", "uri"]);
        }
        match policies.as_slice() {
            [] => None,
            [(_, policy)] => text(policy, "uri"),
            _ => self.refuse("Consent.policy names more than one policy"),
        }
    }

    /// Categories serve to find a consent, but for those that say that it is about less than what is told.
    fn categories(&mut self, consent: &Value) {
        for (place, category) in self.elements("Consent", consent, "category") {
            for (_, coding) in self.elements(&place, category, "coding") {
                let code = text(coding, "code").unwrap_or_default();
                if let Some(what) = codes::narrowed_to(code) {
                    self.reasons
                        .push(format!("{place} says that it is for {what} alone"));
                }
            }
        }
    }

    /// What the policy does by default, for a consent whose root provision does not say.
    fn policy_rule(&mut self, consent: &Value) -> Option<Base> {
        let rule = consent.get("policyRule")?;
        const PLACE: &str = "Consent.policyRule";
        let code = self.one_code(PLACE, rule, &[ACT_CODE_SYSTEM, POLICY_SYSTEM])?;
        let system = rule.pointer("/coding/0/system").and_then(Value::as_str);
        match codes::base(system, code) {
            Some(base) => base,
            None => self.refuse(format!("{PLACE} is a rule that is not known here")),
        }
    }

    fn method(&mut self, consent: &Value) -> Option<Method> {
        if let Some(attachment) = consent.get("sourceAttachment") {
            let holds = |field| attachment.get(field).is_some();
            return (holds("data") || holds("url")).then_some(Method::PaperScan);
        }
        let place = "Consent.sourceReference";
        let source = self.reference(place, Some(consent.get("sourceReference")?))?;
        match source.kind.as_deref() {
            Some("DocumentReference") => Some(Method::PaperScan),
            Some("QuestionnaireResponse") => Some(Method::ESignature),
            _ => self.refuse(format!("{place} is neither document nor questionnaire")),
        }
    }
}

/// The version by which the server that sent it counts, when it is a number.
fn version(consent: &Value) -> u32 {
    let version = consent.pointer("/meta/versionId").and_then(Value::as_str);
    version
        .and_then(|version| version.parse().ok())
        .filter(|version| *version > 0)
        .unwrap_or(1)
}

/// The day of a moment, as far as it says one by itself.
pub(super) fn day_of(moment: Option<Moment>) -> Option<jiff::civil::Date> {
    match moment? {
        Moment::Day(day) => Some(day),
        Moment::Instant(instant) => Some(instant.to_zoned(jiff::tz::TimeZone::UTC).date()),
    }
}
