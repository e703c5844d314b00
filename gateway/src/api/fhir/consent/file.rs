//! `POST /fhir/Consent` and `$fileConsent`: a system files the consent of its own client; it opens nothing before a privacy
//! officer has verified it.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tandem_fhir::conversation::inbound::Refusal;
use tandem_fhir::write::outcome::Issue;
use tandem_mappings::model::directive::{Directive, DirectiveState, Effect, Parties};
use tandem_mappings::model::id::{OrganizationId, RecordKey, SourcePersonId, SystemId, TeamId};

use super::filed::FiledDoc;
use super::{KINDS, address, parsed, versioned};
use crate::api::Api;
use crate::api::body::Raw;
use crate::api::caller::{As, Caller, ConsentFilers};
use crate::api::consents::document;
use crate::api::fhir::{FHIR_JSON, FhirError, resource};
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::pipeline::consents::{self, Captured, ConsentError};
use crate::pipeline::family;
use crate::state::directive::{BY_CONSENT, DirectiveDoc};
use crate::store::Tx;

/// Identifier systems by which privacy officers name a record: this, and the name of its system.
const RECORD_SYSTEM: &str = "urn:tandem:record:";

pub(super) fn routes(routes: Routes) -> Routes {
    let refuses = |doc: Doc| {
        doc.gives_raw(415, FHIR_JSON, "The body is of another kind").gives_raw(
            422,
            FHIR_JSON,
            "It cannot be enforced exactly, each reason with its FHIRPath; or the patient is not one of the caller's",
        )
    };
    let create = Doc::post(
        "/fhir/Consent",
        "Files a consent of the caller's own client, in base R4, IHE PCF or FAST form; unverified",
    )
    .allow::<ConsentFilers>()
    .takes_raw(KINDS)
    .gives_raw(201, FHIR_JSON, "The Consent under the gateway's id")
    .gives_raw(200, FHIR_JSON, "The same consent was filed before");
    let operation = Doc::post(
        "/fhir/Consent/$fileConsent",
        "FAST: files a consent with the document that was signed",
    )
    .allow::<ConsentFilers>()
    .takes_raw(KINDS)
    .gives_raw(200, FHIR_JSON, "An OperationOutcome that names the Consent");
    routes
        .add(refuses(create), create_consent)
        .add(refuses(operation), file_consent)
}

/// A refusal that names each element.
pub(super) fn unprocessable<'a>(reasons: impl Iterator<Item = (&'a str, &'a str)>) -> FhirError {
    let issues = reasons.map(|(place, text)| Issue::error("not-supported", place, text));
    FhirError::Refused(Refusal {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        issues: issues.collect(),
    })
}

async fn create_consent(
    by: As<ConsentFilers>,
    State(api): State<Api>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, FhirError> {
    let consent = parsed(&headers, &body)?;
    let work = filed_anew(api.clone(), by.caller, consent);
    let (filed, parts, is_new) = api.see_through(work).await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let mut response = versioned(status, &filed.shown(&parts));
    if let Ok(location) = HeaderValue::from_str(&address(&api, &filed.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Files a consent. Returns it with its parts, and whether it is new.
async fn filed_anew(
    api: Api,
    caller: Caller,
    consent: Value,
) -> Result<(FiledDoc, Vec<DirectiveDoc>, bool), FhirError> {
    let mut tx = api.core().store.begin().await?;
    let (filed, is_new) = file(&api, &mut tx, &caller, consent).await?;
    let parts = filed.parts(&mut tx).await?;
    tx.commit().await?;
    api.core().wake();
    Ok((filed, parts, is_new))
}

async fn file_consent(
    by: As<ConsentFilers>,
    State(api): State<Api>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, FhirError> {
    let parameters = parsed(&headers, &body)?;
    let Some(consent) = parameter(&parameters, "consent").and_then(|one| one.get("resource"))
    else {
        let reason = [(
            "Parameters.parameter",
            "no parameter `consent` holds a Consent",
        )];
        return Err(unprocessable(reason.into_iter()));
    };
    let scan = parameter(&parameters, "document")
        .map(scanned)
        .transpose()?;
    let work = filed_with(api.clone(), by.caller, consent.clone(), scan);
    let filed = api.see_through(work).await?;
    Ok(done(&format!("filed as Consent/{}", filed.id)))
}

/// Files a consent with the document that was signed.
async fn filed_with(
    api: Api,
    caller: Caller,
    consent: Value,
    scan: Option<Vec<u8>>,
) -> Result<FiledDoc, FhirError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let (filed, is_new) = file(&api, &mut tx, &caller, consent).await?;
    if let Some(bytes) = scan.filter(|_| is_new) {
        let kind = document::media_type(&bytes).ok_or(ApiError::UnsupportedMediaType)?;
        for mut part in tx.find::<DirectiveDoc>(BY_CONSENT, &filed.id).await? {
            document::keep(&mut tx, &mut part, &bytes, kind, core.clock.now()).await?;
        }
    }
    tx.commit().await?;
    core.wake();
    Ok(filed)
}

/// An OperationOutcome that says what was done.
pub(super) fn done(text: &str) -> Response {
    let outcome = json!({"resourceType": "OperationOutcome", "issue": [{
        "severity": "information", "code": "informational", "details": {"text": text}}]});
    resource(StatusCode::OK, &outcome)
}

/// A parameter of an operation.
pub(super) fn parameter<'a>(parameters: &'a Value, name: &str) -> Option<&'a Value> {
    let mut all = parameters.get("parameter")?.as_array()?.iter();
    all.find(|one| one.get("name").and_then(Value::as_str) == Some(name))
}

/// The bytes of a DocumentReference that carries them.
fn scanned(parameter: &Value) -> Result<Vec<u8>, FhirError> {
    let data = parameter.pointer("/resource/content/0/attachment/data");
    let bytes = data
        .and_then(Value::as_str)
        .and_then(|text| STANDARD.decode(text).ok());
    match bytes {
        Some(bytes) if bytes.len() > document::MOST_BYTES => Err(ApiError::TooLarge.into()),
        Some(bytes) => Ok(bytes),
        None => {
            let place = "Parameters.parameter.resource.content[0].attachment.data";
            Err(unprocessable(
                [(place, "no document in base64 stands there")].into_iter(),
            ))
        }
    }
}

/// Files a consent, unless the same one was filed before.
async fn file(
    api: &Api,
    tx: &mut Tx,
    caller: &Caller,
    mut consent: Value,
) -> Result<(FiledDoc, bool), FhirError> {
    let core = api.core();
    let (record, filed_by) = record_of(caller, &consent)?;
    let id = id_of(&record, &consent);
    if let Some(known) = tx.get::<FiledDoc>(&id).await? {
        return Ok((known, false));
    }
    if family::record(tx, &record.system, &record.person)
        .await?
        .is_none()
    {
        return Err(not_a_client());
    }
    if let Some(fields) = consent.as_object_mut() {
        fields.insert("id".to_owned(), json!(id));
    }
    let directives = Directive::from_fhir(&consent);
    let directives = directives.map_err(|error| {
        let reasons = error.reasons.iter();
        unprocessable(reasons.map(|one| (one.split([' ', ':']).next().unwrap_or(""), one.as_str())))
    })?;
    enforceable(api, &directives)?;
    for directive in directives {
        let captured = Captured {
            directive,
            covers: vec![record.clone()],
            actor: caller.name(),
            consent: Some(id.clone()),
            filed_by: filed_by.clone(),
        };
        let captured = consents::capture(core, tx, captured).await;
        captured.map_err(|error| match error {
            ConsentError::NobodyCovered => not_a_client(),
            other => other.into(),
        })?;
    }
    let filed = FiledDoc {
        id,
        record,
        filed_by,
        filed_at: core.clock.now(),
        resource: consent,
    };
    tx.put(&filed, core.clock.now()).await?;
    Ok((filed, true))
}

/// One answer for a patient whom the gateway does not know and for one of somebody else.
fn not_a_client() -> FhirError {
    let text = "the patient is none of the caller's clients whom the gateway knows";
    unprocessable([("Consent.patient", text)].into_iter())
}

/// The patient's record: of the caller's own system, or as a privacy officer names it.
fn record_of(caller: &Caller, consent: &Value) -> Result<(RecordKey, Option<SystemId>), FhirError> {
    let patient = consent.get("patient").unwrap_or(&Value::Null);
    let text = |pointer: &str| patient.pointer(pointer).and_then(Value::as_str);
    let identified = text("/identifier/value");
    let (system, person) = match caller.system() {
        Ok(system) => {
            let tail = text("/reference").and_then(|address| address.rsplit('/').next());
            (Some(system.clone()), tail.or(identified))
        }
        Err(_) => {
            let named = text("/identifier/system").and_then(|one| one.strip_prefix(RECORD_SYSTEM));
            (named.and_then(|name| name.parse().ok()), identified)
        }
    };
    let person = person.and_then(|id| SourcePersonId::new(id).ok());
    let (Some(system), Some(person)) = (system, person) else {
        return Err(not_a_client());
    };
    let filed_by = caller.system().ok().cloned();
    Ok((RecordKey { system, person }, filed_by))
}

/// The gateway's id of a consent: by what it says and of whom, so that the same one filed twice is one.
fn id_of(record: &RecordKey, consent: &Value) -> String {
    let mut digest = Sha256::new();
    digest.update(record.system.as_str());
    digest.update([0]);
    digest.update(record.person.as_str());
    digest.update([0]);
    digest.update(consent.to_string());
    let digest = hex::encode(digest.finalize());
    format!("c-{}", digest.get(..40).unwrap_or(&digest))
}

/// A refusal must reach those whom it names: who is not in the registry could not be told from anybody else. What has
/// ended already is no answer of a person today.
fn enforceable(api: &Api, directives: &[Directive]) -> Result<(), FhirError> {
    let registry = &api.core().loaded.registry;
    let is_known = |parties: &Parties| {
        let organizations = parties.named.iter();
        let known = organizations.map(|id| {
            OrganizationId::new(id.as_str()).is_ok_and(|id| registry.organization(&id).is_some())
        });
        let teams = parties.team.iter();
        let teams =
            teams.map(|id| TeamId::new(id.as_str()).is_ok_and(|id| registry.team(&id).is_some()));
        known.chain(teams).all(|known| known)
    };
    let mut reasons = Vec::new();
    for directive in directives {
        let parties = [
            &directive.recipients,
            &directive.disclosers,
            &directive.authors,
        ];
        if directive.effect == Effect::Deny && !parties.into_iter().all(is_known) {
            reasons.push((
                "Consent.provision",
                "a refusal names somebody whom the registry does not know, so that it could not be kept",
            ));
        }
        if matches!(
            directive.standing(),
            DirectiveState::Expired | DirectiveState::EnteredInError
        ) {
            reasons.push(("Consent.status", "only a consent that stands is filed"));
        }
    }
    reasons.dedup();
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(unprocessable(reasons.into_iter()))
    }
}
