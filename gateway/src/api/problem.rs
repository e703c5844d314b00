//! What a refused request is answered: an RFC 9457 problem document with a stable `type`.
//!
//! Handlers return [`ApiError`]. The texts are ours; they never repeat a value of the request, since a value may be a
//! person's. What went wrong inside is logged and leaves the answer of a 500 empty of detail. Under `/fhir` the guard
//! turns a problem into an OperationOutcome.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::LogError;
use crate::pipeline::accept::AcceptError;
use crate::pipeline::consents::ConsentError;
use crate::pipeline::steward::StewardError;
use crate::seal::SealError;
use crate::store::{RecordError, StoreError};

/// A problem document (RFC 9457, section 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Which problem: a stable URN.
    #[serde(rename = "type")]
    #[schema(example = "urn:tandem:problem:not-found")]
    pub kind: String,
    /// The problem in words, the same for every occurrence.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// This occurrence in words. Absent when there is nothing to add, and for every fault of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Why a rule refused the request, as a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

/// Why a request is refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum ApiError {
    /// No valid token.
    Unauthenticated,
    /// The token's role or system does not allow it.
    Forbidden,
    /// There is no such thing, or not for this caller.
    NotFound,
    /// The method does not exist at this address.
    MethodNotAllowed,
    /// The request cannot be read.
    Malformed(String),
    /// The request can be read and does not hold together.
    Invalid(String),
    /// What is asked contradicts what stands.
    Conflict {
        /// In words.
        text: String,
        /// As a code.
        reason: Option<&'static str>,
    },
    /// The body is larger than allowed.
    TooLarge,
    /// The body is of a kind that is not taken here.
    UnsupportedMediaType,
    /// Too many requests; wait so many seconds.
    TooMany(u64),
    /// The gateway cannot serve now.
    Unavailable,
    /// A fault of ours; the text goes to the log alone.
    Internal(String),
}

impl ApiError {
    /// A conflict without a code.
    pub(super) fn conflict(text: impl Into<String>) -> Self {
        Self::Conflict {
            text: text.into(),
            reason: None,
        }
    }

    const fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Unauthenticated => (
                StatusCode::UNAUTHORIZED,
                "unauthenticated",
                "a valid bearer token is needed",
            ),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "forbidden",
                "the token does not allow this",
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "there is no such thing"),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "the method does not exist here",
            ),
            Self::Malformed(_) => (
                StatusCode::BAD_REQUEST,
                "malformed",
                "the request cannot be read",
            ),
            Self::Invalid(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "the request does not hold together",
            ),
            Self::Conflict { .. } => (
                StatusCode::CONFLICT,
                "conflict",
                "the request contradicts what stands",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "the body is larger than allowed",
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "the body is of a kind not taken here",
            ),
            Self::TooMany(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-requests",
                "too many requests",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "the gateway cannot serve now",
            ),
            Self::Internal(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "the gateway failed",
            ),
        }
    }

    fn problem(&self) -> Problem {
        let (status, kind, title) = self.parts();
        let (detail, reason) = match self {
            Self::Malformed(text) | Self::Invalid(text) => (Some(text.clone()), None),
            Self::Conflict { text, reason } => (Some(text.clone()), *reason),
            _ => (None, None),
        };
        Problem {
            kind: format!("urn:tandem:problem:{kind}"),
            title,
            status: status.as_u16(),
            detail,
            reason,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Internal(text) = &self {
            tracing::error!(error = %text, "a request failed");
        }
        let problem = self.problem();
        let mut response = (self.parts().0, Json(&problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        match self {
            Self::Unauthenticated => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"tandem\""),
                );
            }
            Self::TooMany(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            Self::Unavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(5_u64));
            }
            _ => {}
        }
        response.extensions_mut().insert(problem);
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if error.is_passing() {
            tracing::error!(%error, "the store cannot be used now; the caller is told to come back");
            return Self::Unavailable;
        }
        Self::Internal(error.to_string())
    }
}

impl From<RecordError> for ApiError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Full | RecordError::Stale => Self::Unavailable,
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<SealError> for ApiError {
    fn from(error: SealError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<AcceptError> for ApiError {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Store(error) => error.into(),
            AcceptError::Busy(_) => Self::Unavailable,
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<StewardError> for ApiError {
    fn from(error: StewardError) -> Self {
        match error {
            StewardError::Unknown => Self::NotFound,
            StewardError::Store(error) => error.into(),
            other => Self::conflict(other.to_string()),
        }
    }
}

impl From<ConsentError> for ApiError {
    fn from(error: ConsentError) -> Self {
        match error {
            ConsentError::Unknown => Self::NotFound,
            ConsentError::Store(error) => error.into(),
            ConsentError::NobodyCovered => Self::Invalid(error.to_string()),
            other => Self::conflict(other.to_string()),
        }
    }
}

impl From<LogError> for ApiError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Unknown => Self::NotFound,
            LogError::Cosignature => Self::Invalid(error.to_string()),
            error => Self::Internal(error.to_string()),
        }
    }
}
