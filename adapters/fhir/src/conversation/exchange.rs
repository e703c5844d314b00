//! Requests to a FHIR server and what its answers mean (FHIR R4, section 3.1.0 RESTful API).
//!
//! Every answer is sorted once, here: what the conversation goes on with, or whose fault it is and
//! whether trying again can help. Texts never repeat what the server said, save codes of closed
//! lists: an OperationOutcome may quote a person's data.

use http::header::{ACCEPT, CONTENT_TYPE, ETAG, IF_MATCH, LOCATION};
use http::{HeaderMap, Method, Request, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use tandem_adapter_port::conversation::{Answer, TransportFailure};
use tandem_adapter_port::json;
use tandem_adapter_port::retry_after::retry_after;
use tandem_adapter_port::write::{Delivery, Fault};

use crate::read::reference;
use crate::terms::FHIR_JSON;

/// Most values in an answer: a page holds some hundreds of resources of some hundreds of values.
const MOST_VALUES: usize = 1_000_000;

/// Header of conditional create (FHIR R4, section 3.1.0.8.1).
const IF_NONE_EXIST: &str = "If-None-Exist";

/// A request as conversations build it; errors are the caller's own URLs.
pub(crate) type Asked = Result<Box<Request<Vec<u8>>>, Delivery>;

/// Asks to read a URL.
pub(crate) fn get(url: &str) -> Asked {
    build(Request::builder().method(Method::GET).uri(url), Vec::new())
}

/// Asks to create a resource unless one with the identifier exists.
pub(crate) fn create(url: &str, resource: &Value, identifier: &Value) -> Asked {
    let text = |field: &str| identifier.get(field).and_then(Value::as_str).unwrap_or("");
    // A search value escapes `|`, `,`, `$` and `\` (FHIR R4, section 3.1.1.4.0.1), then the URL's own.
    let value = format!("{}|{}", escaped(text("system")), escaped(text("value")));
    let condition: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("identifier", &value)
        .finish();
    let builder = Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(IF_NONE_EXIST, condition)
        .header("Prefer", "return=representation")
        .header(CONTENT_TYPE, FHIR_JSON);
    build(builder, resource.to_string().into_bytes())
}

/// Asks to replace a resource, if it still has the version that was read.
pub(crate) fn update(url: &str, resource: &Value, etag: Option<&str>) -> Asked {
    let mut builder = Request::builder()
        .method(Method::PUT)
        .uri(url)
        .header("Prefer", "return=representation")
        .header(CONTENT_TYPE, FHIR_JSON);
    if let Some(etag) = etag {
        builder = builder.header(IF_MATCH, etag);
    }
    build(builder, resource.to_string().into_bytes())
}

fn build(builder: http::request::Builder, body: Vec<u8>) -> Asked {
    let request = builder.header(ACCEPT, FHIR_JSON).body(body);
    request
        .map(Box::new)
        .map_err(|_| park(Fault::Ours, "the request could not be built"))
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '|' | ',' | '$' | '\\') {
            safe.push('\\');
        }
        safe.push(letter);
    }
    safe
}

/// An answer that a conversation can go on with.
#[derive(Debug)]
pub(crate) enum Reply {
    /// 200 or 201 (or 204): the resource, where the server gave it, and where it stands.
    Ok(Good),
    /// 404 or 410.
    Gone,
    /// 409: what was asked is in conflict with what stands there now, such as somebody else's change.
    Conflict,
    /// 412: the condition of the request does not hold.
    Unmet,
}

/// A good answer.
#[derive(Debug)]
pub(crate) struct Good {
    /// The body, if it is JSON.
    pub(crate) body: Option<Value>,
    /// `ETag` header, or one made of `meta.versionId`.
    pub(crate) etag: Option<String>,
    /// Type and id out of the `Location` header.
    pub(crate) location: Option<(String, String)>,
    /// Whether a new resource was made (201).
    pub(crate) is_created: bool,
}

impl Good {
    /// The body, which must be a resource of this type.
    pub(crate) fn resource(self, kind: &str) -> Result<(Value, Option<String>), Delivery> {
        match self.body {
            Some(body) if type_of(&body) == Some(kind) => Ok((body, self.etag)),
            Some(_) => Err(park(
                Fault::Partner,
                format!("partner answered with no {kind}"),
            )),
            None => Err(retry(
                Fault::Partner,
                "partner answered with no readable JSON",
            )),
        }
    }

    /// Id of the resource that now exists; the body and `Location` must agree on its type.
    pub(crate) fn created_id(&self, kind: &str) -> Result<String, Delivery> {
        let wrong = || {
            park(
                Fault::Partner,
                format!("partner answered a create with no {kind}"),
            )
        };
        if let Some(body) = &self.body
            && type_of(body).is_some_and(|own| own != kind && own != "OperationOutcome")
        {
            return Err(wrong());
        }
        if let Some((own, id)) = &self.location {
            return if own == kind {
                Ok(id.clone())
            } else {
                Err(wrong())
            };
        }
        let body = self
            .body
            .as_ref()
            .filter(|body| type_of(body) == Some(kind));
        let id = body.and_then(|body| body.get("id")?.as_str());
        id.filter(|id| reference::is_id(id))
            .map(str::to_owned)
            .ok_or_else(wrong)
    }
}

fn type_of(body: &Value) -> Option<&str> {
    body.get("resourceType").and_then(Value::as_str)
}

/// Sorts an answer: a reply to go on with, or the end of the conversation.
pub(crate) fn sort(answer: Option<Answer>, now: Timestamp) -> Result<Reply, Delivery> {
    let response = match answer {
        Some(Ok(response)) => response,
        Some(Err(TransportFailure::TooLarge)) => {
            return Err(park(Fault::Partner, "partner's answer is too large"));
        }
        Some(Err(failure)) => return Err(retry(Fault::Network, failure.to_string())),
        None => {
            return Err(retry(
                Fault::Ours,
                "no answer was given to the conversation",
            ));
        }
    };
    let status = response.status();
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Reply::Gone),
        StatusCode::CONFLICT => Ok(Reply::Conflict),
        StatusCode::PRECONDITION_FAILED => Ok(Reply::Unmet),
        status if status.is_success() => Ok(Reply::Ok(good(&response))),
        _ => Err(refusal(status, response.headers(), response.body(), now)),
    }
}

fn good(response: &http::Response<Vec<u8>>) -> Good {
    let body = json::parse(response.body(), MOST_VALUES)
        .ok()
        .map(|parsed| parsed.value);
    let header = |name| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    // `*` would be taken for any version.
    let etag = header(ETAG)
        .map(str::trim)
        .filter(|etag| !matches!(*etag, "" | "*"))
        .map(str::to_owned);
    let by_version = || {
        body.as_ref()
            .and_then(super::memory::version)
            .map(|version| format!("W/\"{version}\""))
    };
    let location = header(LOCATION)
        .or_else(|| header(http::header::CONTENT_LOCATION))
        .and_then(type_and_id);
    let etag = etag.or_else(by_version);
    Good {
        body,
        etag,
        location,
        is_created: response.status() == StatusCode::CREATED,
    }
}

/// Type and id at the end of a `Location`, which may be absolute or a bare path:
/// `[base]/Task/7/_history/1`.
fn type_and_id(location: &str) -> Option<(String, String)> {
    let path = location
        .split_once("/_history")
        .map_or(location, |(before, _)| before);
    let (before, id) = path.rsplit_once('/')?;
    let kind = before.rsplit('/').next()?;
    reference::is_id(id).then(|| (kind.to_owned(), id.to_owned()))
}

fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Delivery {
    let text = match issue_code(body) {
        Some(code) => format!("partner answered {} ({code})", status.as_u16()),
        None => format!("partner answered {}", status.as_u16()),
    };
    match status.as_u16() {
        // The transport renews its token; a partner that refuses the next one too is reported again.
        401 => retry(Fault::Ours, text),
        408 | 425 | 429 | 502..=504 | 500 => Delivery::Retry {
            fault: Fault::Partner,
            after: retry_after(headers, now),
            text,
        },
        300..=399 => park(Fault::Partner, text),
        501 | 505..=599 => park(Fault::Partner, text),
        _ => park(Fault::Ours, text),
    }
}

/// The code of the first issue of an OperationOutcome, if it is one of the standard's list.
fn issue_code(body: &[u8]) -> Option<&'static str> {
    const CODES: &[&str] = &[
        "invalid",
        "structure",
        "required",
        "value",
        "invariant",
        "security",
        "login",
        "unknown",
        "expired",
        "forbidden",
        "suppressed",
        "processing",
        "not-supported",
        "duplicate",
        "multiple-matches",
        "not-found",
        "deleted",
        "too-long",
        "code-invalid",
        "extension",
        "too-costly",
        "business-rule",
        "conflict",
        "transient",
        "lock-error",
        "no-store",
        "exception",
        "timeout",
        "incomplete",
        "throttled",
        "informational",
    ];
    let outcome = json::parse(body, MOST_VALUES).ok()?.value;
    let code = outcome.get("issue")?.get(0)?.get("code")?.as_str()?;
    CODES.iter().copied().find(|known| *known == code)
}

/// Not delivered, and trying again would not help.
pub(crate) fn park(fault: Fault, text: impl Into<String>) -> Delivery {
    Delivery::Park {
        fault,
        text: text.into(),
    }
}

/// Not delivered, and worth another try.
pub(crate) fn retry(fault: Fault, text: impl Into<String>) -> Delivery {
    Delivery::Retry {
        fault,
        after: None,
        text: text.into(),
    }
}
