//! `GET /fhir/Task`: a system's own Tasks as a searchset.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_mappings::model::id::ReferralId;

use super::view::serve;
use super::{FhirError, config_of, resource};
use crate::api::Api;
use crate::api::body::Query;
use crate::api::caller::{As, Systems};
use crate::api::referrals::own;
use crate::api::route::{Doc, Routes};

/// Most Tasks on one page.
const MOST: usize = 50;

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get("/fhir/Task", "The caller's own Tasks, in order of id")
        .allow::<Systems>()
        .query("_id", "Only this Task")
        .query("status", "Only Tasks that stand so")
        .query("_count", "Most entries on a page, up to 50")
        .query(
            "_after",
            "From the Task after this one on; the `next` link gives it",
        )
        .gives_raw(
            200,
            super::FHIR_JSON,
            "A searchset Bundle; what the caller may not know of is not counted",
        );
    routes.add(doc, search)
}

#[derive(Debug, Deserialize)]
struct Criteria {
    #[serde(rename = "_id")]
    id: Option<String>,
    status: Option<String>,
    #[serde(rename = "_count")]
    count: Option<usize>,
    #[serde(rename = "_after")]
    after: Option<ReferralId>,
}

async fn search(
    by: As<Systems>,
    State(api): State<Api>,
    Query(asked): Query<Criteria>,
) -> Result<Response, FhirError> {
    let system = by.caller.system()?;
    let config = config_of(&api, system)?;
    let mut tx = api.core().store.begin().await?;
    let mut found = own(&mut tx, system).await?;
    found.retain(|document| {
        asked
            .id
            .as_ref()
            .is_none_or(|id| document.id.to_string() == *id)
            && asked.after.is_none_or(|after| document.id > after)
            && asked.status.as_ref().is_none_or(|status| {
                document
                    .state
                    .status()
                    .is_some_and(|own| own.code() == status)
            })
    });
    found.sort_by_key(|document| document.id);
    let count = asked.count.unwrap_or(MOST).clamp(1, MOST);
    let mut entries: Vec<Value> = Vec::new();
    let mut next = None;
    for document in found {
        if entries.len() == count {
            next = entries
                .last()
                .and_then(|entry| entry.pointer("/resource/id")?.as_str().map(str::to_owned));
            break;
        }
        if let Some(served) = serve(&api, &mut tx, system, &document).await? {
            entries.push(json!({
                "fullUrl": config.at_gateway(&format!("Task/{}", document.id)),
                "resource": served.task,
                "search": {"mode": "match"},
            }));
        }
    }
    tx.commit().await?;
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "entry": entries});
    if let (Some(next), Some(fields)) = (next, bundle.as_object_mut()) {
        let status = asked.status.map(|status| {
            let value: String = url::form_urlencoded::byte_serialize(status.as_bytes()).collect();
            format!("&status={value}")
        });
        let url = config.at_gateway(&format!(
            "Task?_count={count}&_after={next}{}",
            status.unwrap_or_default()
        ));
        fields.insert("link".to_owned(), json!([{"relation": "next", "url": url}]));
    }
    Ok(resource(StatusCode::OK, &bundle))
}
