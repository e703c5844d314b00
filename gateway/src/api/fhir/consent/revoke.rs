//! `$revokeConsent` (FAST): the person takes a filed consent back. It is never deleted.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;
use tandem_mappings::model::directive::{DirectiveState, Effect};

use super::file::{done, parameter, unprocessable};
use super::{KINDS, found, parsed};
use crate::api::Api;
use crate::api::body::Raw;
use crate::api::caller::{As, Caller, ConsentFilers};
use crate::api::fhir::{FHIR_JSON, FhirError};
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::config::Role;
use crate::pipeline::consents::{self, Taken};

pub(super) fn routes(routes: Routes) -> Routes {
    let revoke = Doc::post(
        "/fhir/Consent/$revokeConsent",
        "FAST: the person takes a consent back; it counts from now, and what it permitted is recalled",
    )
    .allow::<ConsentFilers>()
    .takes_raw(KINDS)
    .gives_raw(200, FHIR_JSON, "An OperationOutcome; the Consent is inactive")
    .gives_raw(404, FHIR_JSON, "No such Consent, or not for this caller")
    .gives_raw(409, FHIR_JSON, "Nothing of it is in force, or only a privacy officer can take it back")
    .gives_raw(422, FHIR_JSON, "The parameters do not name consent and patient");
    routes.add(revoke, revoke_consent)
}

/// The id at the end of a parameter's reference.
fn referred(parameters: &Value, name: &str) -> Option<String> {
    let reference = parameter(parameters, name)?.get("valueReference")?;
    let by_address = reference.get("reference").and_then(Value::as_str);
    let by_address = by_address.and_then(|address| address.rsplit('/').next());
    let identified = reference
        .pointer("/identifier/value")
        .and_then(Value::as_str);
    by_address.or(identified).map(str::to_owned)
}

async fn revoke_consent(
    by: As<ConsentFilers>,
    State(api): State<Api>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, FhirError> {
    let parameters = parsed(&headers, &body)?;
    let named = (
        referred(&parameters, "consent"),
        referred(&parameters, "patient"),
    );
    let (Some(id), Some(patient)) = named else {
        let reason = "expected `consent` and `patient`, each a reference";
        return Err(unprocessable(
            [("Parameters.parameter", reason)].into_iter(),
        ));
    };
    let work = take_back(api.clone(), by.caller, id, patient);
    api.see_through(work).await
}

async fn take_back(
    api: Api,
    caller: Caller,
    id: String,
    patient: String,
) -> Result<Response, FhirError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let filed = found(&mut tx, &caller, &id).await?;
    if filed.record.person.as_str() != patient {
        return Err(ApiError::NotFound.into());
    }
    let is_officer = caller.role() == Role::PrivacyOfficer;
    let taken = Taken {
        channel: Some("fhir".to_owned()),
        ..Taken::default()
    };
    let (mut revoked, mut is_refusal) = (0_usize, false);
    for part in filed.parts(&mut tx).await? {
        if !part
            .directive
            .standing()
            .may_become(DirectiveState::Revoked)
        {
            continue;
        }
        // To take a refusal back opens something: that needs more than the word of the system that wants to be told.
        if part.directive.effect == Effect::Deny && !is_officer {
            is_refusal = true;
            continue;
        }
        Box::pin(consents::revoke(
            core,
            &mut tx,
            &part.directive.id,
            &taken,
            caller.name(),
        ))
        .await?;
        revoked += 1;
    }
    if revoked == 0 {
        let text = if is_refusal {
            "a refusal is taken back before a privacy officer"
        } else {
            "nothing of the consent is in force"
        };
        return Err(ApiError::conflict(text).into());
    }
    tx.commit().await?;
    core.wake();
    Ok(done("revoked"))
}
