//! Reads bodies, paths and queries. What cannot be read is named by its place, never by its value.

use std::error::Error;

use axum::RequestExt as _;
use axum::body::HttpBody as _;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, LengthLimitError};
use serde::de::DeserializeOwned;

use super::problem::ApiError;
use super::room::Part;
use crate::json_problem::problem;

/// What a body of JSON may call itself.
pub(crate) const JSON: &[&str] = &["application/json", "application/problem+json"];
/// What common clients say of a body when nobody told them what it is.
const UNTOLD: &str = "application/x-www-form-urlencoded";
/// Bytes for which memory is asked before they arrive, at most: a promise alone takes no more.
const AT_FIRST: usize = 1 << 20;

/// Refuses a body that says of itself that it is of another kind. One that says nothing is read.
///
/// # Errors
/// 415.
pub(crate) fn expect_kind(headers: &HeaderMap, kinds: &[&str]) -> Result<(), ApiError> {
    let Some(told) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let told = told.to_str().map_err(|_| ApiError::UnsupportedMediaType)?;
    let kind = told.split(';').next().unwrap_or_default().trim();
    let is_taken = kinds.iter().any(|taken| taken.eq_ignore_ascii_case(kind));
    if is_taken || kind.eq_ignore_ascii_case(UNTOLD) {
        Ok(())
    } else {
        Err(ApiError::UnsupportedMediaType)
    }
}

/// Refuses a body that is packed for the way: nothing is unpacked before it is counted.
fn expect_plain(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut coding = headers.get_all(header::CONTENT_ENCODING).iter();
    if coding.all(|value| value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        Ok(())
    } else {
        Err(ApiError::UnsupportedMediaType)
    }
}

/// The whole body. It takes its part of the room for all until the request ends.
#[derive(Debug)]
pub(crate) struct Raw(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        expect_plain(request.headers())?;
        let part = request.extensions().get::<Part>().cloned();
        let mut body = request.into_limited_body();
        let promised = usize::try_from(body.size_hint().lower()).unwrap_or_default();
        let mut bytes = BytesMut::with_capacity(promised.min(AT_FIRST));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| unreadable(&error))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if let Some(part) = &part {
                part.take(data.len())?;
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Self(bytes.freeze()))
    }
}

fn unreadable(error: &axum::Error) -> ApiError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(one) = cause {
        if one.is::<LengthLimitError>() {
            return ApiError::TooLarge;
        }
        cause = one.source();
    }
    ApiError::Malformed("the body ended early".to_owned())
}

/// A JSON body. Depth is bounded by the parser (128 levels), size by the body limit.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        expect_kind(request.headers(), JSON)?;
        let Raw(bytes) = Raw::from_request(request, state).await?;
        parse(&bytes).map(Self)
    }
}

/// Reads JSON.
///
/// # Errors
/// 400 when it is no JSON, 422 when it is not what is expected here, each with the place.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let problem = problem(&String::from_utf8_lossy(bytes), &error);
        match error.classify() {
            serde_json::error::Category::Data => ApiError::Invalid(format!(
                "the JSON is not of the shape expected here: {problem}"
            )),
            _ => ApiError::Malformed(problem),
        }
    })
}

/// What an address names.
#[derive(Debug)]
pub(crate) struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        // What is no id names nothing.
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| ApiError::NotFound)
    }
}

/// The query.
#[derive(Debug)]
pub(crate) struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|_| {
                ApiError::Malformed(
                    "the query is not of the form that the description gives".to_owned(),
                )
            })
    }
}

/// How many entries a list holds at most.
pub(super) fn limit(asked: Option<i64>) -> i64 {
    asked.unwrap_or(100).clamp(1, 1_000)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::api::room::Room;
    use crate::config::{ByteSize, Limits};

    fn sent(body: impl Into<Body>, part: Part) -> Request {
        let request = axum::http::Request::builder().extension(part);
        request.body(body.into()).unwrap()
    }

    fn room_for(bytes: usize) -> Room {
        Room::new(&Limits {
            body_memory: ByteSize::bytes(1),
            body_bytes: bytes,
            ..Limits::default()
        })
    }

    #[tokio::test]
    async fn a_body_for_which_others_leave_no_room_is_refused_until_they_end() {
        let room = room_for(10);
        let first = room.part();
        let Raw(read) = Raw::from_request(sent("1234567", first.clone()), &())
            .await
            .unwrap();
        assert_eq!(read, "1234567");
        let refused = Raw::from_request(sent("1234", room.part()), &()).await;
        assert!(matches!(refused, Err(ApiError::Unavailable)));
        drop(first);
        let taken = Raw::from_request(sent("1234", room.part()), &()).await;
        assert_eq!(taken.unwrap().0, "1234");
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_not_one_that_ended_early() {
        let part = room_for(4 << 20).part();
        // The limit of axum where no other is set.
        let over = vec![b' '; (2 << 20) + 1];
        let refused = Raw::from_request(sent(over, part), &()).await;
        assert!(matches!(refused, Err(ApiError::TooLarge)));

        let chunks = [Ok("[1"), Err(std::io::Error::other("cut off"))];
        let cut = Body::from_stream(futures::stream::iter(chunks));
        let refused = Raw::from_request(sent(cut, room_for(10).part()), &()).await;
        assert!(matches!(refused, Err(ApiError::Malformed(_))));
    }
}
