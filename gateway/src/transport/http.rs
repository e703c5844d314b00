//! Requests to partners: bounded in time and size, with the partner's own bearer token.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tandem_adapter_port::conversation::{Answer, TransportFailure};

/// Longest time of one request, from its start.
pub const ATTEMPT_LIMIT: Duration = Duration::from_secs(30);
/// Largest answer, in bytes.
pub const ANSWER_LIMIT: usize = 16 << 20;

/// Why a client can't be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A file can't be read.
    #[error("{0}: {1}")]
    File(std::path::PathBuf, std::io::Error),
    /// The client can't be set up.
    #[error("http client: {0}")]
    Setup(#[from] reqwest::Error),
}

/// A client for one partner.
#[derive(Clone)]
pub struct PartnerClient {
    client: reqwest::Client,
    token: Option<Arc<str>>,
}

impl std::fmt::Debug for PartnerClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PartnerClient")
    }
}

impl PartnerClient {
    /// A client that presents the token of a file and trusts a further authority.
    ///
    /// # Errors
    /// When a file can't be read or is no certificate.
    pub fn new(token_file: Option<&Path>, authority: Option<&Path>) -> Result<Self, ClientError> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| ClientError::File(path.to_owned(), error))
        };
        let mut builder = reqwest::Client::builder()
            .timeout(ATTEMPT_LIMIT)
            .connect_timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("tandem/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = authority {
            let pem = read(path)?;
            builder = builder.add_root_certificate(reqwest::Certificate::from_pem(&pem)?);
        }
        let token = token_file.map(read).transpose()?;
        let token = token.map(|bytes| String::from_utf8_lossy(&bytes).trim().into());
        Ok(Self {
            client: builder.build()?,
            token,
        })
    }

    /// Sends a request and takes the whole answer.
    ///
    /// # Errors
    /// When no complete answer came.
    pub async fn send(&self, request: http::Request<Vec<u8>>) -> Answer {
        let (mut parts, body) = request.into_parts();
        if let Some(token) = &self.token
            && let Ok(mut value) = http::HeaderValue::from_str(&format!("Bearer {token}"))
        {
            value.set_sensitive(true);
            parts.headers.insert(http::header::AUTHORIZATION, value);
        }
        let request = http::Request::from_parts(parts, body);
        let request = reqwest::Request::try_from(request).map_err(|_| TransportFailure::Connect)?;
        let response = self
            .client
            .execute(request)
            .await
            .map_err(|error| failure(&error))?;
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.clone_from(response.headers());
        }
        let mut bytes = Vec::new();
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| failure(&error))?;
            if bytes.len() + chunk.len() > ANSWER_LIMIT {
                return Err(TransportFailure::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        answer.body(bytes).map_err(|_| TransportFailure::Cut)
    }
}

fn failure(error: &reqwest::Error) -> TransportFailure {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let broken: Vec<&std::io::Error> = causes.filter_map(|cause| cause.downcast_ref()).collect();
    let is_tls = |cause: &&std::io::Error| {
        let inner = cause.get_ref();
        inner.is_some_and(|inner| inner.is::<rustls::Error>())
    };
    let is_refused =
        |cause: &&std::io::Error| cause.kind() == std::io::ErrorKind::ConnectionRefused;
    if broken.iter().any(is_tls) {
        TransportFailure::Tls
    } else if broken.iter().any(is_refused) {
        TransportFailure::Refused
    } else if error.is_timeout() {
        TransportFailure::Timeout
    } else if error.is_connect() {
        TransportFailure::Connect
    } else {
        TransportFailure::Cut
    }
}
