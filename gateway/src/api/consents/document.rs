//! The scanned document of a consent: stored sealed, by hash; privacy officers alone read it, and each reading is audited.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use tandem_mappings::model::id::DirectiveId;

use super::ConsentView;
use crate::api::Api;
use crate::api::body::{Path, Raw, expect_kind};
use crate::api::caller::{As, PrivacyOfficers};
use crate::api::persons::looked_at;
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::state::directive::{DirectiveDoc, Scan};
use crate::store::{StoreError, Tx};

/// What a body may call itself; what it is, its first bytes say.
const KINDS: &[&str] = &[
    "application/pdf",
    "image/png",
    "image/jpeg",
    "application/octet-stream",
];
/// Most bytes of a document.
pub(crate) const MOST_BYTES: usize = 10 * 1024 * 1024;

pub(super) fn routes(routes: Routes) -> Routes {
    let store = Doc::post(
        "/v1/consents/{id}/document",
        "The scanned document that was signed: PDF, PNG or JPEG, up to 10 MiB",
    )
    .allow::<PrivacyOfficers>()
    .takes_raw(KINDS)
    .gives::<ConsentView>(200, "Stored; the directive names its hash")
    .refuses(404, "No such consent")
    .refuses(409, "The consent was verified against another document")
    .refuses(413, "The document is larger than allowed")
    .refuses(415, "It is neither PDF nor PNG nor JPEG");
    let read = Doc::get(
        "/v1/consents/{id}/document",
        "The scanned document; each reading is audited",
    )
    .allow::<PrivacyOfficers>()
    .gives_raw(200, "application/pdf", "The bytes as they were stored")
    .refuses(404, "No such consent, or it has no document");
    routes.add(store, store_document).add(read, read_document)
}

/// The media type by the first bytes of a file (ISO 32000-2 7.5.2; PNG 5.2; ISO/IEC 10918-1 B.1.1.3).
pub(crate) fn media_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"%PDF-") {
        Some("application/pdf")
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        Some("image/jpeg")
    } else {
        None
    }
}

/// Keeps a document with a directive.
///
/// # Errors
/// When the store fails.
pub(crate) async fn keep(
    tx: &mut Tx,
    document: &mut DirectiveDoc,
    bytes: &[u8],
    kind: &str,
    now: jiff::Timestamp,
) -> Result<(), StoreError> {
    let hash = format!("sha256:{}", hex::encode(Sha256::digest(bytes)));
    document.directive.source_document_hash = Some(hash.clone());
    document.scan = Some(Scan {
        hash,
        kind: kind.to_owned(),
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
    });
    tx.put_scan(document.directive.id.as_str(), bytes, now)
        .await?;
    tx.put(document, now).await
}

async fn store_document(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    Path(id): Path<DirectiveId>,
    headers: HeaderMap,
    Raw(bytes): Raw,
) -> Result<Json<ConsentView>, ApiError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let found = tx.get::<DirectiveDoc>(id.as_str()).await?;
    let mut document = found.ok_or(ApiError::NotFound)?;
    expect_kind(&headers, KINDS)?;
    if bytes.len() > MOST_BYTES {
        return Err(ApiError::TooLarge);
    }
    let kind = media_type(&bytes).ok_or(ApiError::UnsupportedMediaType)?;
    // The second person has compared the record with what was there: another document would be another comparison.
    if document.directive.verified_at.is_some() && document.scan.is_some() {
        return Err(ApiError::conflict(
            "the consent was verified against another document",
        ));
    }
    let now = core.clock.now();
    keep(&mut tx, &mut document, &bytes, kind, now).await?;
    looked_at(&mut tx, now, &by.caller, "consent.document", id.as_str()).await?;
    tx.commit().await?;
    Ok(Json((&document).into()))
}

async fn read_document(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    Path(id): Path<DirectiveId>,
) -> Result<Response, ApiError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let found = tx.get::<DirectiveDoc>(id.as_str()).await?;
    let scan = found
        .and_then(|found| found.scan)
        .ok_or(ApiError::NotFound)?;
    let bytes = tx.scan(id.as_str()).await?.ok_or(ApiError::NotFound)?;
    let now = core.clock.now();
    looked_at(
        &mut tx,
        now,
        &by.caller,
        "consent.document.read",
        id.as_str(),
    )
    .await?;
    tx.commit().await?;
    let kind = HeaderValue::from_str(&scan.kind);
    let kind = kind.map_err(|_| ApiError::Internal("a media type is no header".to_owned()))?;
    let headers = [
        (header::CONTENT_TYPE, kind),
        // A browser must not read it as anything else than it is.
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment"),
        ),
    ];
    Ok((StatusCode::OK, headers, bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_document_is_its_first_bytes_say() {
        assert_eq!(media_type(b"%PDF-1.7\n"), Some("application/pdf"));
        assert_eq!(media_type(b"\x89PNG\r\n\x1a\n..."), Some("image/png"));
        assert_eq!(media_type(&[0xff, 0xd8, 0xff, 0xe0]), Some("image/jpeg"));
        assert_eq!(media_type(b"<html>%PDF-"), None);
        assert_eq!(media_type(b""), None);
    }
}
