//! A FHIR server whose answers go wrong half-way.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use tandem::clock::Clock;
use tandem::config::Loaded;
use tandem::demo::deployment::{self, Places};
use tandem::serve::Gateway;
use tandem::state::record::RecordDoc;

use crate::county::{provider, until};

/// Patients on one page whose next page fails; no Tasks.
async fn answer(State(base): State<String>, uri: Uri) -> Response {
    let is_first = uri.path().ends_with("/Patient") && !uri.to_string().contains("page=2");
    if uri.path().ends_with("/Patient") && !is_first {
        return StatusCode::GONE.into_response();
    }
    let mut bundle = json!({ "resourceType": "Bundle", "type": "searchset", "link": [] });
    if is_first {
        bundle["link"] = json!([{ "relation": "next", "url": format!("{base}/Patient?page=2") }]);
        bundle["entry"] = json!([{ "resource": {
            "resourceType": "Patient", "id": "pat-first-page",
            "meta": { "versionId": "1", "lastUpdated": "2026-02-02T08:00:00Z" },
            "name": [{ "use": "official", "family": "Pagefield", "given": ["Unoa"] }],
            "gender": "female", "birthDate": "1990-01-01",
        } }]);
    }
    let kind = [(header::CONTENT_TYPE, "application/fhir+json")];
    (kind, bundle.to_string()).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_before_a_pull_broke_off_is_kept() {
    provider();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/fhir", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(base.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let folder = tempfile::tempdir().unwrap();
    let places = Places {
        cws_inbox: "http://127.0.0.1:9/inbox".to_owned(),
        clinic: base,
        behavioral_health: "http://127.0.0.1:9/fhir".to_owned(),
        partner_token: deployment::token().unwrap(),

        postgres: None,
    };
    deployment::write(folder.path(), &places).unwrap();
    let loaded = Loaded::from_file(&folder.path().join("gateway.toml")).unwrap();
    let clock = Clock::standing_at("2026-02-02T09:00:00-08:00".parse().unwrap());
    let gateway = Gateway::start(loaded, clock).await.unwrap();
    let core = std::sync::Arc::clone(&gateway.core);
    until(&core, "the patient of the first page is known", || async {
        let mut tx = core.store.snapshot().await.unwrap();
        let known = tx.all::<RecordDoc>().await.unwrap();
        known
            .iter()
            .any(|record| record.key.person.as_str() == "pat-first-page")
    })
    .await;
    gateway.stop().await;
}
