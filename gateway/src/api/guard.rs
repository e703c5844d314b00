//! What stands around every route: request id, caller, rate limit, room for the body, time limit, security headers, counters.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Api;
use super::caller::Caller;
use super::fhir;
use super::problem::{ApiError, Problem};
use crate::traces::{Field, Step};

/// Runs one request between the guards.
pub(super) async fn around(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    // Random, so that it tells nothing of when or what was asked before.
    let id = uuid::Uuid::new_v4();
    let is_fhir = request.uri().path().starts_with("/fhir");
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", |path| path.as_str())
        .to_owned();
    let caller = Caller::of(request.headers(), &api.intake.core.loaded.tokens);
    let method = method_label(request.method());
    let taken = api.limiter.take(caller.as_ref(), peer(&request));
    let presented = caller.is_none().then(|| request.headers().clone());
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    let part = api.limiter.part();
    request.extensions_mut().insert(part.clone());
    // What a caller sends of a trace of its own is not read, nor is ours told. A stranger fills no collector.
    let is_traced = method != "GET" && presented.is_none();
    let traced = is_traced.then(|| api.core().traces.begin(Step::Request, None));
    if let Some(asked) = &traced {
        asked.note(Field::Route, &route);
    }
    let answer = async {
        match &traced {
            Some(asked) => asked.around(next.run(request)).await,
            None => next.run(request).await,
        }
    };
    let mut response = match taken {
        Ok(()) => match tokio::time::timeout(api.longest(), answer).await {
            Ok(response) => response,
            Err(_) => ApiError::Unavailable.into_response(),
        },
        Err(seconds) => ApiError::TooMany(seconds).into_response(),
    };
    // Until here a handler may have had the body in its hands.
    drop(part);
    if is_fhir && let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = as_outcome(response, &problem);
    }
    let status = response.status();
    if let Some(asked) = &traced {
        asked.note(Field::Status, status.as_u16());
    }
    if let Some(headers) = presented {
        let core = api.core();
        api.failed_logins.note(core, &route, &headers, status).await;
    }
    metrics::counter!("tandem_http_requests_total",
        "method" => method, "route" => route.clone(), "status" => status.as_u16().to_string())
    .increment(1);
    tracing::debug!(request = %id, route, status = status.as_u16(), "request answered");
    secure(response.headers_mut(), api.is_encrypted);
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}

/// A panic is a fault of ours, told like any other.
pub(super) fn panicked(_cause: Box<dyn std::any::Any + Send + 'static>) -> Response {
    ApiError::Internal("a handler panicked".to_owned()).into_response()
}

fn method_label(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        _ => "other",
    }
}

fn peer(request: &Request) -> Option<IpAddr> {
    request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(address)| address.ip())
}

/// The problem as an OperationOutcome, with the same status and headers.
fn as_outcome(response: Response, problem: &Problem) -> Response {
    let (mut parts, _) = response.into_parts();
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let outcome = fhir::outcome(status, problem.detail.as_deref().unwrap_or(problem.title));
    parts.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(fhir::FHIR_JSON),
    );
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(outcome.to_string()))
}

/// Headers that keep an answer where it belongs. The pages load nothing but the gateway's own style sheet.
fn secure(headers: &mut HeaderMap, is_encrypted: bool) {
    const FIXED: [(HeaderName, &str); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if is_encrypted {
        let value = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
}
