//! `GET /fhir/Task`: a system's own Tasks as a searchset.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_fhir::config::FhirConfig;
use tandem_mappings::model::id::ReferralId;
use tandem_mappings::model::referral::ReferralStatus;

use super::view::serve;
use super::{FhirError, config_of, resource};
use crate::api::Api;
use crate::api::body::Query;
use crate::api::caller::{As, Systems};
use crate::api::referrals::own;
use crate::api::route::{Doc, Routes};
use crate::state::referral::ReferralDoc;

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

impl Criteria {
    fn fit(&self, document: &ReferralDoc) -> bool {
        let status = document.state.status().map(ReferralStatus::code);
        self.id
            .as_ref()
            .is_none_or(|id| document.id.to_string() == *id)
            && self.after.is_none_or(|after| document.id > after)
            && self
                .status
                .as_deref()
                .is_none_or(|asked| status == Some(asked))
    }

    /// The address of the page that begins after a Task.
    fn next(&self, config: &FhirConfig, count: usize, last: ReferralId) -> String {
        self.address(config, count, Some(last))
    }

    /// The address of this page, with the parameters that were used (FHIR R4, section 3.1.1.4.2).
    fn own(&self, config: &FhirConfig, count: usize) -> String {
        self.address(config, count, self.after)
    }

    fn address(&self, config: &FhirConfig, count: usize, after: Option<ReferralId>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("_count", &count.to_string());
        let after = after.map(|after| after.to_string());
        for (name, value) in [
            ("_after", &after),
            ("_id", &self.id),
            ("status", &self.status),
        ] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        config.at_gateway(&format!("Task?{}", query.finish()))
    }
}

async fn search(
    by: As<Systems>,
    State(api): State<Api>,
    Query(asked): Query<Criteria>,
) -> Result<Response, FhirError> {
    let system = by.caller.system()?;
    let config = config_of(&api, system)?;
    let count = asked.count.unwrap_or(MOST).clamp(1, MOST);
    let mut tx = api.core().store.begin().await?;
    let mut found = own(&mut tx, system).await?;
    found.retain(|document| asked.fit(document));
    found.sort_by_key(|document| document.id);
    let mut entries: Vec<Value> = Vec::new();
    let mut links = vec![json!({"relation": "self", "url": asked.own(&config, count)})];
    let mut last = None;
    for document in found {
        // What may not be told makes no entry and no further page.
        let Some(served) = serve(&api, &mut tx, system, &document).await? else {
            continue;
        };
        if let Some(last) = last.filter(|_| entries.len() == count) {
            links.push(json!({"relation": "next", "url": asked.next(&config, count, last)}));
            break;
        }
        last = Some(document.id);
        entries.push(json!({
            "fullUrl": config.at_gateway(&format!("Task/{}", document.id)),
            "resource": served.task,
            "search": {"mode": "match"},
        }));
    }
    tx.commit().await?;
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "link": links});
    // FHIR JSON has no empty arrays (FHIR R4, section 2.6.2.2).
    if let (false, Some(fields)) = (entries.is_empty(), bundle.as_object_mut()) {
        fields.insert("entry".to_owned(), Value::Array(entries));
    }
    Ok(resource(StatusCode::OK, &bundle))
}
