//! The HTTP client with which a simulated system calls the gateway.

use std::time::Duration;

use anyhow::Context;

/// Where the gateway listens and with which token this system is known there.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// Base address without a trailing slash, e.g. `http://127.0.0.1:8080`.
    pub base_url: String,
    /// Bearer token of this system.
    pub token: String,
    /// Certificate authority (PEM) when the gateway speaks TLS with a private certificate.
    pub ca_pem: Option<Vec<u8>>,
}

impl Gateway {
    /// A gateway reached without TLS.
    #[must_use]
    pub fn plain(base_url: impl Into<String>, token: impl Into<String>) -> Self {
        let base_url = base_url.into().trim_end_matches('/').to_owned();
        Self {
            base_url,
            token: token.into(),
            ca_pem: None,
        }
    }
}

/// What the gateway answered to a request of ours.
#[derive(Debug, Clone)]
pub struct GatewayAnswer {
    /// HTTP status code.
    pub status: u16,
    /// `Location` header, when there is one.
    pub location: Option<String>,
    /// `ETag` header, when there is one.
    pub etag: Option<String>,
    /// Body as text.
    pub body: String,
}

impl GatewayAnswer {
    /// Whether the status is in the 200s.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON, `null` when it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// Builds a client that trusts the given authority and nothing else.
fn client(ca_pem: Option<&[u8]>) -> anyhow::Result<reqwest::Client> {
    // A provider that somebody else in the process installed first serves as well.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let mut authorities = Vec::new();
    if let Some(pem) = ca_pem {
        authorities.push(reqwest::Certificate::from_pem(pem).context("reading the authority")?);
    }
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(30))
        .tls_certs_only(authorities)
        .build()
        .context("building the http client")
}

/// Posts a body to the gateway.
///
/// # Errors
/// When the gateway cannot be reached. An error status is an answer, not an error.
pub(crate) async fn post(
    gateway: &Gateway,
    path: &str,
    content_type: &str,
    body: String,
) -> anyhow::Result<GatewayAnswer> {
    let response = client(gateway.ca_pem.as_deref())?
        .post(format!("{}{path}", gateway.base_url))
        .bearer_auth(&gateway.token)
        .header(http::header::CONTENT_TYPE, content_type)
        .body(body)
        .send()
        .await
        .with_context(|| format!("posting to {path}"))?;
    let header = |name: http::HeaderName| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let (location, etag) = (header(http::header::LOCATION), header(http::header::ETAG));
    let status = response.status().as_u16();
    let body = response.text().await.context("reading the answer")?;
    Ok(GatewayAnswer {
        status,
        location,
        etag,
        body,
    })
}
