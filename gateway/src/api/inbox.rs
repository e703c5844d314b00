//! `POST /v1/inbox/{system}/{format}`: a system pushes a file or a message in its own form.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tandem_adapter_port::format::Format;
use tandem_adapter_port::report::Outcome;

use super::Api;
use super::body::{self, Path, Raw};
use super::caller::{As, Systems};
use super::problem::ApiError;
use super::push::{self, Receipt};
use super::route::{Doc, Routes};
use crate::pipeline::accept::Accepted;

const KINDS: &[&str] = &[
    "application/octet-stream",
    "application/zip",
    "text/csv",
    "text/plain",
    "application/xml",
    "text/xml",
    "application/json",
    "application/fhir+json",
];

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::post(
        "/v1/inbox/{system}/{*format}",
        "A file or message of a system, in a format that it is configured for",
    )
    .allow::<Systems>()
    .header(
        "Idempotency-Key",
        "Names the input; the same name with other content is refused",
    )
    .header(
        "Tandem-Message-Id",
        "The same, for senders that name their messages so",
    )
    .takes_raw(KINDS)
    .gives::<Receipt>(
        202,
        "Accepted and durable, in whole or in part; a repeat says `duplicate`",
    )
    .refuses(404, "The system has no such format")
    .refuses(409, "The idempotency key was used with other content")
    .refuses(413, "The body is larger than allowed")
    .refuses(
        415,
        "The body is of a kind that is not taken here, or packed for the way",
    )
    .gives::<Receipt>(
        422,
        "Rejected as a whole and kept for replay; the report says why",
    );
    routes.add(doc, receive)
}

async fn receive(
    by: As<Systems>,
    State(api): State<Api>,
    Path((system, format)): Path<(String, String)>,
    headers: HeaderMap,
    Raw(bytes): Raw,
) -> Result<Response, ApiError> {
    let bound = by.caller.system()?;
    if bound.as_str() != system {
        return Err(ApiError::Forbidden);
    }
    body::expect_kind(&headers, KINDS)?;
    let format: Format = format.parse().map_err(|_| ApiError::NotFound)?;
    let reader = api
        .intake
        .adapters
        .reader(bound, format)
        .ok_or(ApiError::NotFound)?;
    let key = push::key(&headers)?;
    let accepted = push::accept(&api, bound, reader, key.as_deref(), bytes.into()).await?;
    Ok(answer(accepted))
}

/// 202 with the report; 422 with it when the input was rejected as a whole.
pub(super) fn answer(accepted: Accepted) -> Response {
    let is_rejected = accepted.report.outcome == Outcome::Rejected;
    let receipt = Receipt::from(accepted);
    if !is_rejected {
        return (StatusCode::ACCEPTED, Json(receipt)).into_response();
    }
    #[derive(serde::Serialize)]
    struct Rejected {
        #[serde(rename = "type")]
        kind: &'static str,
        title: &'static str,
        status: u16,
        #[serde(flatten)]
        receipt: Receipt,
    }
    let rejected = Rejected {
        kind: "urn:tandem:problem:rejected",
        title: "nothing in the input could be used; it is kept for replay",
        status: 422,
        receipt,
    };
    let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(rejected)).into_response();
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
