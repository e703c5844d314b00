//! `/fhir/Consent`: consents that were filed, read back by whoever filed them and by privacy officers.
//!
//! What a caller may not know of and what does not exist are answered alike.

mod criteria;
mod file;
mod filed;
mod page;
mod revoke;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use tandem_mappings::model::directive::{Dialect, Directive};

use self::criteria::Criteria;
use self::filed::FiledDoc;
use super::{FHIR_JSON, FhirError, resource};
use crate::api::Api;
use crate::api::body::{Path, Query, Raw};
use crate::api::caller::{As, Caller, ConsentFilers};
use crate::api::persons::looked_at;
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::config::Role;
use crate::state::directive::DirectiveDoc;
use crate::store::Tx;

/// Most consents on one page.
const MOST: usize = 50;

pub(super) fn routes(routes: Routes) -> Routes {
    let search = |doc: Doc| {
        doc.allow::<ConsentFilers>().gives_raw(
            200,
            FHIR_JSON,
            "A searchset Bundle; what the caller may not know of is not counted",
        )
    };
    let list = search(Doc::get(
        "/fhir/Consent",
        "Consents that the caller filed; all for privacy officers",
    ));
    let list = criteria::PARAMETERS
        .iter()
        .fold(list, |doc, (name, text)| doc.query(name, text));
    let find = search(Doc::post(
        "/fhir/Consent/_search",
        "The same with the parameters in the body, so that no id stands in an address",
    ))
    .takes_raw(&["application/x-www-form-urlencoded"]);
    let read = Doc::get(
        "/fhir/Consent/{id}",
        "A consent as it was filed, with where it stands now",
    )
    .allow::<ConsentFilers>()
    .query(
        "_dialect",
        "For one captured here: r4, pcf or fast; r4 when absent",
    )
    .gives_raw(200, FHIR_JSON, "The Consent; `ETag` is its version")
    .gives_raw(404, FHIR_JSON, "No such Consent, or not for this caller")
    .gives_raw(
        422,
        FHIR_JSON,
        "The dialect cannot say it; each part is named",
    );
    let history = Doc::get(
        "/fhir/Consent/{id}/_history",
        "What became of a consent, newest first",
    )
    .allow::<ConsentFilers>()
    .gives_raw(200, FHIR_JSON, "A history Bundle")
    .gives_raw(404, FHIR_JSON, "No such Consent, or not for this caller");
    let routes = routes
        .add(list, search_by_address)
        .add(find, search_by_body)
        .add(read, read_consent)
        .add(history, read_history);
    revoke::routes(file::routes(routes))
}

/// What the CapabilityStatement says of consents.
pub(super) fn capability() -> Value {
    let interactions = ["create", "read", "search-type", "history-instance"];
    let parameters = ["_id", "patient", "status", "scope", "controller", "manager"].map(|name| {
        let kind = match name {
            "patient" | "controller" | "manager" => "reference",
            _ => "token",
        };
        json!({"name": name, "type": kind})
    });
    let mut parameters = parameters.to_vec();
    parameters.push(json!({"name": "date", "type": "date"}));
    let base = "http://hl7.org/fhir/us/consent-management/OperationDefinition";
    let operations = ["fileConsent", "revokeConsent"]
        .map(|name| json!({"name": name, "definition": format!("{base}/{name}")}));
    json!({
        "type": "Consent", "versioning": "versioned",
        "interaction": interactions.map(|code| json!({"code": code})),
        "searchParam": parameters,
        "operation": operations,
    })
}

/// Whether a caller may know of a consent: whoever filed it, and privacy officers.
fn is_known_to(caller: &Caller, filed: &FiledDoc) -> bool {
    caller.role() == Role::PrivacyOfficer
        || caller
            .system()
            .is_ok_and(|system| filed.filed_by.as_ref() == Some(system))
}

async fn found(tx: &mut Tx, caller: &Caller, id: &str) -> Result<FiledDoc, FhirError> {
    let filed = tx.get::<FiledDoc>(id).await?;
    filed
        .filter(|filed| is_known_to(caller, filed))
        .ok_or_else(|| ApiError::NotFound.into())
}

async fn search_by_address(
    by: As<ConsentFilers>,
    State(api): State<Api>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, FhirError> {
    search(&by.caller, &api, pairs).await
}

async fn search_by_body(
    by: As<ConsentFilers>,
    State(api): State<Api>,
    Raw(body): Raw,
) -> Result<Response, FhirError> {
    let pairs = url::form_urlencoded::parse(&body).into_owned().collect();
    search(&by.caller, &api, pairs).await
}

async fn search(
    caller: &Caller,
    api: &Api,
    pairs: Vec<(String, String)>,
) -> Result<Response, FhirError> {
    let wanted = Criteria::of(pairs)?;
    let core = api.core();
    let mut tx = core.store.begin().await?;
    looked_at(&mut tx, core.clock.now(), caller, "consent.search", "").await?;
    tx.commit().await?;
    // Nobody who writes waits for the search.
    let mut tx = core.store.snapshot().await?;
    let (shown, next) = page::search(&mut tx, caller, &wanted).await?;
    let mut links = vec![json!({"relation": "self", "url": address(api, "")})];
    if let Some(after) = next {
        // Ids are the gateway's own, so that the address of a page tells nothing of a person.
        let next = format!("?_after={after}&_count={}", wanted.count);
        links.push(json!({"relation": "next", "url": format!("{}{next}", address(api, ""))}));
    }
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "link": links});
    let entries = shown.into_iter().map(|(id, shown)| {
        json!({"fullUrl": address(api, &id), "resource": shown, "search": {"mode": "match"}})
    });
    let entries: Vec<Value> = entries.collect();
    if let (false, Some(fields)) = (entries.is_empty(), bundle.as_object_mut()) {
        fields.insert("entry".to_owned(), Value::Array(entries));
    }
    Ok(resource(StatusCode::OK, &bundle))
}

/// The address of a consent, or of all of them.
fn address(api: &Api, id: &str) -> String {
    let base = api.core().loaded.config.public_url.as_str();
    let base = base.trim_end_matches('/');
    match id {
        "" => format!("{base}/fhir/Consent"),
        id => format!("{base}/fhir/Consent/{id}"),
    }
}

#[derive(Debug, serde::Deserialize)]
struct Wish {
    #[serde(rename = "_dialect")]
    dialect: Option<String>,
}

async fn read_consent(
    by: As<ConsentFilers>,
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Result<Response, FhirError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let is_officer = by.caller.role() == Role::PrivacyOfficer;
    let captured = match tx.get::<FiledDoc>(&id).await? {
        Some(_) => None,
        None => tx.get::<DirectiveDoc>(&id).await?.filter(|_| is_officer),
    };
    let shown = match captured {
        Some(captured) => written(&captured.directive, wish.dialect.as_deref())?,
        None => {
            let filed = found(&mut tx, &by.caller, &id).await?;
            let parts = filed.parts(&mut tx).await?;
            filed.shown(&parts)
        }
    };
    looked_at(&mut tx, core.clock.now(), &by.caller, "consent.read", &id).await?;
    tx.commit().await?;
    Ok(versioned(StatusCode::OK, &shown))
}

/// A directive that was captured here, in a dialect.
fn written(directive: &Directive, dialect: Option<&str>) -> Result<Value, FhirError> {
    let dialect = Dialect::from_code(dialect.unwrap_or("r4"));
    let dialect = dialect.ok_or_else(|| {
        let text = "_dialect: expected r4, pcf or fast";
        ApiError::Malformed(text.to_owned())
    })?;
    directive.to_fhir(&[], dialect).map_err(|error| {
        file::unprocessable(error.reasons.iter().map(|reason| ("", reason.as_str())))
    })
}

async fn read_history(
    by: As<ConsentFilers>,
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Response, FhirError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let filed = found(&mut tx, &by.caller, &id).await?;
    let parts = filed.parts(&mut tx).await?;
    looked_at(&mut tx, core.clock.now(), &by.caller, "consent.read", &id).await?;
    tx.commit().await?;
    let full = address(&api, &id);
    let entries: Vec<Value> = filed
        .versions(&parts)
        .into_iter()
        .map(|shown| {
            json!({"fullUrl": full, "resource": shown,
                   "request": {"method": "PUT", "url": format!("Consent/{id}")}, "response": {"status": "200"}})
        })
        .collect();
    let bundle = json!({"resourceType": "Bundle", "type": "history", "total": entries.len(), "entry": entries});
    Ok(resource(StatusCode::OK, &bundle))
}

/// A consent with its version as entity tag.
fn versioned(status: StatusCode, shown: &Value) -> Response {
    let mut response = resource(status, shown);
    let version = shown.pointer("/meta/versionId").and_then(Value::as_str);
    if let Some(Ok(tag)) = version.map(|version| HeaderValue::from_str(&format!("W/\"{version}\"")))
    {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// What a body may call itself.
const KINDS: &[&str] = &[FHIR_JSON, "application/json", "text/json"];

/// A body of FHIR JSON.
fn parsed(headers: &HeaderMap, body: &[u8]) -> Result<Value, FhirError> {
    crate::api::body::expect_kind(headers, KINDS)?;
    Ok(crate::api::body::parse(body)?)
}
