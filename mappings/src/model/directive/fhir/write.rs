//! Writing directives as a Consent of one dialect. What a dialect cannot say is an error, never left out: whoever reads the
//! consent must decide as we do.

mod criteria;
mod fit;

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::codes::{ACT_CODE_SYSTEM, SCOPE_SYSTEM};
use super::consent::CONTROLLER;
use crate::model::coding::codes;
use crate::model::directive::{Directive, DirectiveState, Effect, Method, Moment, Revocation};

codes! {
    /// A way of saying a directive as a FHIR Consent.
    Dialect {
        /// HL7 FHIR R4 4.0.1: the policy rule says what holds by default, the root provision what it is about.
        BaseR4 = "r4",
        /// IHE Privacy Consent on FHIR 1.1; the lowest of Basic, Intermediate and Advanced that says it.
        Pcf = "pcf",
        /// HL7 US FAST Consent Management 1.0.0-ballot.
        Fast = "fast",
    }
}

/// Why a dialect cannot say a directive.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the {dialect} dialect cannot say: {}", reasons.join("; "))]
pub struct DialectError {
    /// The dialect.
    pub dialect: Dialect,
    /// Every part that it cannot say.
    pub reasons: Vec<String>,
}

/// Code system of the ids by which directives are identified across systems.
const DIRECTIVE_SYSTEM: &str = "urn:tandem:directive";
/// Code system of the ids of organisations and people.
const PARTY_SYSTEM: &str = "urn:tandem:party";
const LOINC: &str = "http://loinc.org";
const PCF_PROFILE: &str = "https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consent";
const FAST_PROFILE: &str =
    "http://hl7.org/fhir/us/consent-management/StructureDefinition/FASTConsent";

impl Directive {
    /// The directive as a Consent, with the exceptions to it.
    ///
    /// # Errors
    /// Names every part that the dialect cannot say.
    pub fn to_fhir(&self, exceptions: &[Self], dialect: Dialect) -> Result<Value, DialectError> {
        let mut reasons = fit::unsaid(self, None, dialect);
        for exception in exceptions {
            let unsaid = fit::unsaid(exception, Some(self), dialect).into_iter();
            reasons.extend(unsaid.map(|one| format!("exception {}: {one}", exception.id)));
        }
        if !reasons.is_empty() {
            reasons.dedup();
            return Err(DialectError { dialect, reasons });
        }
        Ok(consent(self, exceptions, dialect))
    }
}

fn consent(base: &Directive, exceptions: &[Directive], dialect: Dialect) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    put("resourceType", json!("Consent"));
    if is_fhir_id(base.id.as_str()) {
        put("id", json!(base.id.as_str()));
    }
    put("meta", meta(base, exceptions, dialect));
    put(
        "identifier",
        json!([{"system": DIRECTIVE_SYSTEM, "value": base.id.as_str()}]),
    );
    put("status", json!(status(base)));
    put("scope", concept(SCOPE_SYSTEM, "patient-privacy"));
    put(
        "category",
        json!([concept(LOINC, "59284-0"), concept(ACT_CODE_SYSTEM, "IDSCL")]),
    );
    let patient = party("Patient", base.subject.as_str(), dialect);
    put("patient", patient.clone());
    put("performer", json!([patient]));
    if let Some(given) = base.captured_at {
        put("dateTime", json!(given.to_string()));
    }
    custodians(base, dialect, &mut put);
    if let Some(kind) = base.method.and_then(source) {
        put(
            "sourceReference",
            json!({"reference": format!("{kind}/{}", base.id)}),
        );
    }
    if let Some(form) = &base.form_template {
        let uri = match form.version.as_str() {
            "" => form.id.clone(),
            version => format!("{}|{version}", form.id),
        };
        put("policy", json!([{"uri": uri}]));
        if let Some(language) = &form.language {
            put("language", json!(language));
        }
    }
    if dialect == Dialect::BaseR4 {
        let code = match base.effect {
            Effect::Permit => "OPTIN",
            Effect::Deny => "OPTOUT",
        };
        put("policyRule", concept(ACT_CODE_SYSTEM, code));
    }
    put("provision", criteria::root(base, exceptions, dialect));
    Value::Object(fields)
}

fn custodians(base: &Directive, dialect: Dialect, put: &mut impl FnMut(&str, Value)) {
    let named = base.disclosers.named.iter();
    let named: Vec<Value> = named.map(|id| party("Organization", id, dialect)).collect();
    if named.is_empty() {
        return;
    }
    if dialect == Dialect::Fast {
        let controllers = named.into_iter();
        let controllers = controllers.map(|who| json!({"url": CONTROLLER, "valueReference": who}));
        put("extension", controllers.collect());
    } else {
        put("organization", Value::Array(named));
    }
}

fn meta(base: &Directive, exceptions: &[Directive], dialect: Dialect) -> Value {
    let mut meta = json!({"versionId": base.version.to_string()});
    match dialect {
        Dialect::BaseR4 => {}
        Dialect::Pcf => {
            let level = fit::pcf_level(base, exceptions);
            meta["profile"] = json!([format!("{PCF_PROFILE}{level}")]);
        }
        Dialect::Fast => meta["profile"] = json!([FAST_PROFILE]),
    }
    meta
}

/// Where the consent stands in FHIR's words: what opens nothing here is not active there.
fn status(directive: &Directive) -> &'static str {
    use DirectiveState::{
        Active, Draft, EnteredInError, Expiring, Offered, Refused, SignedUnverified, Suspended,
    };
    let is_deny = directive.effect == Effect::Deny;
    let standing = directive.standing();
    let checked_alone =
        directive.verified_by.is_some() && directive.verified_by == directive.captured_by;
    if directive.revocation.as_ref().is_some_and(is_whole) {
        return "inactive";
    }
    match standing {
        Active | Expiring if checked_alone && !is_deny => "proposed",
        Active | Expiring => "active",
        SignedUnverified | Suspended | Refused if is_deny => "active",
        SignedUnverified | Offered => "proposed",
        Refused => "rejected",
        Draft => "draft",
        EnteredInError => "entered-in-error",
        _ => "inactive",
    }
}

fn is_whole(revocation: &Revocation) -> bool {
    revocation.is_whole()
}

/// The type of what was signed.
const fn source(method: Method) -> Option<&'static str> {
    match method {
        Method::PaperScan => Some("DocumentReference"),
        Method::ESignature => Some("QuestionnaireResponse"),
        _ => None,
    }
}

fn concept(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}]})
}

/// A reference; across systems it carries an identifier as well (FAST).
fn party(kind: &str, id: &str, dialect: Dialect) -> Value {
    let mut reference = json!({"reference": format!("{kind}/{id}")});
    if dialect == Dialect::Fast {
        reference["identifier"] = json!({"system": PARTY_SYSTEM, "value": id});
    }
    reference
}

fn moment(moment: Moment) -> Value {
    json!(moment.to_string())
}

/// Whether an id is one of FHIR R4: 1 to 64 letters, digits, hyphens and points.
fn is_fhir_id(id: &str) -> bool {
    let fits = |one: char| one.is_ascii_alphanumeric() || one == '-' || one == '.';
    (1..=64).contains(&id.len()) && id.chars().all(fits)
}
