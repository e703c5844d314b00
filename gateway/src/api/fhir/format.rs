//! In which form an answer is wanted: JSON is the only one that is spoken (FHIR R4, section 3.1.0.1.10).

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::FhirError;

/// What JSON is called, in `_format` and in `Accept`.
const JSON: &[&str] = &[
    "json",
    "application/fhir+json",
    "application/json",
    "text/json",
    "application/*",
    "*/*",
];

/// Refuses what is wanted in another form alone.
pub(super) async fn negotiated(request: Request, next: Next) -> Response {
    if is_json_wanted(request.uri().query().unwrap_or(""), request.headers()) {
        return next.run(request).await;
    }
    let text = "only JSON is spoken here: application/fhir+json";
    FhirError::refused(StatusCode::NOT_ACCEPTABLE, "not-supported", "", text).into_response()
}

/// `_format` counts before `Accept`; without either, JSON is as good as any.
fn is_json_wanted(query: &str, headers: &HeaderMap) -> bool {
    let format = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "_format");
    if let Some((_, format)) = format {
        // A plus sign that was not escaped is read as a blank.
        return is_json(&format.replace(' ', "+"));
    }
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    accepted.peek().is_none()
        || accepted.any(|value| {
            let text = value.to_str().unwrap_or_default();
            text.trim().is_empty() || text.split(',').any(is_json)
        })
}

fn is_json(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let is_refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
    !is_refused && JSON.iter().any(|name| name.eq_ignore_ascii_case(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_excludes_json_is_not_acceptable() {
        let wanted = |query: &str, accept: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(
                    header::ACCEPT,
                    accept
                        .parse()
                        .unwrap_or(header::HeaderValue::from_static("")),
                );
            }
            is_json_wanted(query, &headers)
        };
        for accept in [
            None,
            Some("*/*"),
            Some("application/fhir+json; fhirVersion=4.0"),
            Some("application/fhir+xml, application/json;q=0.5"),
        ] {
            assert!(wanted("", accept), "{accept:?}");
        }
        assert!(!wanted("", Some("application/fhir+xml")));
        assert!(!wanted("", Some("text/html, application/json;q=0")));
        assert!(wanted(
            "_format=application/fhir+json",
            Some("application/fhir+xml")
        ));
        assert!(!wanted("status=draft&_format=xml", Some("*/*")));
    }
}
