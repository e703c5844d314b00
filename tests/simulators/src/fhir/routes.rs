//! The REST interface: one entry that records each request, then the interactions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use serde_json::{Value, json};

use super::outcome::Refusal;
use super::profile::text;
use super::search::{self, IDENTIFYING};
use super::server::FhirRequest;
use super::store::{Page, Store, version_of};
use crate::clock::SimClock;
use crate::inbox::{Inbox, Received};
use crate::violation::Violation;

/// Larger than any resource of the demo.
const MOST_BYTES: usize = 1024 * 1024;
const FHIR_JSON: &str = "application/fhir+json";

/// What the requests share.
#[derive(Debug, Clone)]
pub(crate) struct House {
    pub(crate) store: Arc<Mutex<Store>>,
    pub(crate) inbox: Inbox<FhirRequest>,
    pub(crate) token: String,
    pub(crate) page_size: usize,
    pub(crate) clock: SimClock,
    pub(crate) requests: Arc<AtomicU64>,
}

impl House {
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything under `/fhir`.
pub(crate) fn router(house: House) -> Router {
    Router::new()
        .fallback(handle)
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .with_state(house)
}

/// What is answered when a request succeeds.
struct Reply {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Value,
}

impl Reply {
    fn ok(body: Value) -> Self {
        Self {
            status: StatusCode::OK,
            headers: Vec::new(),
            body,
        }
    }

    /// A single resource with its version.
    fn versioned(status: StatusCode, resource: Value, location: Option<String>) -> Self {
        let mut headers = vec![(header::ETAG, format!("W/\"{}\"", version_of(&resource)))];
        headers.extend(location.map(|location| (header::LOCATION, location)));
        Self {
            status,
            headers,
            body: resource,
        }
    }
}

async fn handle(
    State(house): State<House>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let raw = String::from_utf8_lossy(&body).into_owned();
    house
        .inbox
        .keep_raw(format!("{method} {uri}\n{headers:?}\n{raw}"));
    let request = Request {
        house: &house,
        method: &method,
        uri: &uri,
        headers: &headers,
        raw: &raw,
    };
    let reply = request.answer().unwrap_or_else(|refusal| {
        let place = format!("{method} {}", uri.path());
        if refusal.status != StatusCode::NOT_FOUND
            && refusal.status != StatusCode::PRECONDITION_FAILED
        {
            let complaint = Violation::new(place, refusal.code, refusal.details.clone());
            house.inbox.complain(complaint);
        }
        Reply {
            status: refusal.status,
            headers: Vec::new(),
            body: refusal.body(),
        }
    });
    house.record(&method, &uri, &raw, reply.status);
    let mut response = (
        reply.status,
        [(header::CONTENT_TYPE, FHIR_JSON)],
        reply.body.to_string(),
    )
        .into_response();
    for (name, value) in reply.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

impl House {
    fn record(&self, method: &Method, uri: &Uri, raw: &str, status: StatusCode) {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        let content = FhirRequest {
            method: method.to_string(),
            path: path.strip_prefix("/fhir").unwrap_or(path).to_owned(),
            body: serde_json::from_str(raw).unwrap_or_default(),
            status: status.as_u16(),
        };
        let arrival = Received {
            channel: format!("{method} {path}"),
            message_id: format!("request-{number}"),
            at: self.clock.now(),
            content,
        };
        self.inbox.accept(arrival, raw);
    }
}

struct Request<'request> {
    house: &'request House,
    method: &'request Method,
    uri: &'request Uri,
    headers: &'request HeaderMap,
    raw: &'request str,
}

type Answer = Result<Reply, Refusal>;

impl Request<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn answer(&self) -> Answer {
        let path = self.uri.path().trim_end_matches('/');
        let Some(rest) = path.strip_prefix("/fhir") else {
            return Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "not-found",
                "the base is /fhir",
            ));
        };
        let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
        if (self.method, parts.as_slice()) == (&Method::GET, &["metadata"]) {
            return Ok(Reply::ok(capability(&self.house.store().base)));
        }
        if self.header("authorization") != Some(&format!("Bearer {}", self.house.token)) {
            return Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "login",
                "no or another token",
            ));
        }
        let query = pairs(self.uri.query().unwrap_or(""));
        match (self.method, parts.as_slice()) {
            (&Method::GET, []) => self.next_page(&query),
            (&Method::GET, [kind]) => self.search(kind, &query, true),
            (&Method::POST, [kind, "_search"]) => {
                let mut parameters = query;
                parameters.extend(pairs(self.raw));
                self.search(kind, &parameters, false)
            }
            (&Method::POST, [kind]) => self.create(kind),
            (&Method::GET, [kind, id]) => self.read(kind, id),
            (&Method::PUT, [kind, id]) => self.update(kind, id),
            _ => Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "not-supported",
                "no such interaction",
            )),
        }
    }

    fn body(&self) -> Result<Value, Refusal> {
        let kind = self.header("content-type").unwrap_or("");
        let kind = kind.split(';').next().unwrap_or("").trim();
        if kind != FHIR_JSON && kind != "application/json" {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Refusal::new(
                status,
                "not-supported",
                "expected application/fhir+json",
            ));
        }
        serde_json::from_str(self.raw)
            .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "structure", "body is no JSON"))
    }

    fn read(&self, kind: &str, id: &str) -> Answer {
        match self.house.store().get(kind, id) {
            Some(resource) => Ok(Reply::versioned(StatusCode::OK, resource.clone(), None)),
            None => Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "not-found",
                "no such resource",
            )),
        }
    }

    fn create(&self, kind: &str) -> Answer {
        let resource = self.body()?;
        let mut store = self.house.store();
        if let Some(condition) = self.header("if-none-exist") {
            let condition = condition.trim_start_matches('?');
            let mut found = search::find(&store, kind, &pairs(condition))?;
            match (found.pop(), found.is_empty()) {
                (Some(one), true) => return Ok(Reply::versioned(StatusCode::OK, one, None)),
                (Some(_), false) => {
                    let status = StatusCode::PRECONDITION_FAILED;
                    return Err(Refusal::new(
                        status,
                        "multiple-matches",
                        "more than one exists",
                    ));
                }
                (None, _) => {}
            }
        }
        let created = store.create(kind, &resource)?;
        let location = format!("{}/{kind}/{}/_history/1", store.base, text(&created, "/id"));
        drop(store);
        self.house.inbox.notify();
        Ok(Reply::versioned(
            StatusCode::CREATED,
            created,
            Some(location),
        ))
    }

    fn update(&self, kind: &str, id: &str) -> Answer {
        let resource = self.body()?;
        let tag = self.header("if-match").and_then(|tag| {
            tag.trim()
                .strip_prefix("W/")
                .unwrap_or(tag)
                .trim_matches('"')
                .parse()
                .ok()
        });
        let Some(expected) = tag else {
            let status = StatusCode::PRECONDITION_REQUIRED;
            return Err(Refusal::new(status, "required", "update without If-Match"));
        };
        let updated = self.house.store().update(kind, id, expected, &resource)?;
        self.house.inbox.notify();
        Ok(Reply::versioned(StatusCode::OK, updated, None))
    }

    fn search(&self, kind: &str, parameters: &[(String, String)], in_address: bool) -> Answer {
        let tells = parameters.iter().any(|(name, _)| {
            kind == "Patient" && IDENTIFYING.contains(&name.split(':').next().unwrap_or(""))
        });
        if in_address && tells {
            let detail = "a search for a person by identifying values stands in the address";
            self.house
                .inbox
                .complain(Violation::new(format!("GET /{kind}"), "phi-in-url", detail));
        }
        let mut store = self.house.store();
        search::search(&mut store, kind, parameters, self.house.page_size).map(Reply::ok)
    }

    fn next_page(&self, query: &[(String, String)]) -> Answer {
        let mut store = self.house.store();
        let page: Option<Page> = query
            .iter()
            .find(|(name, _)| name == "_page")
            .and_then(|(_, token)| store.page(token));
        match page {
            Some(page) => Ok(Reply::ok(search::bundle(
                &mut store,
                page,
                self.house.page_size,
            ))),
            None => Err(Refusal::new(StatusCode::GONE, "expired", "no such page")),
        }
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

fn capability(base: &str) -> Value {
    let kinds = [
        "Patient",
        "Task",
        "ServiceRequest",
        "CarePlan",
        "Procedure",
        "Organization",
        "Communication",
    ];
    let resources: Vec<Value> = kinds
        .iter()
        .map(|kind| {
            let codes = ["read", "create", "update", "search-type"];
            let interactions: Vec<Value> = codes.iter().map(|code| json!({"code": code})).collect();
            json!({"type": kind, "interaction": interactions, "versioning": "versioned-update",
                "conditionalCreate": true})
        })
        .collect();
    json!({
        "resourceType": "CapabilityStatement", "status": "active", "date": "2026-01-01",
        "kind": "instance", "fhirVersion": "4.0.1", "format": ["json"],
        "implementation": {"description": "health provider of the demo", "url": base},
        "rest": [{"mode": "server", "resource": resources}]
    })
}
