//! The certificate chain that a partner shows: whether it is trusted, and when the first of its certificates ends.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::transport::certificate;

/// What a partner showed.
#[derive(Debug)]
pub(super) struct Chain {
    /// How many certificates.
    pub(super) length: usize,
    /// When the first of them ends, when they can be read.
    pub(super) ends: Option<Timestamp>,
    /// Why no secure connection came about.
    pub(super) refused: Option<String>,
}

/// Connects as deliveries do, and keeps what was shown, trusted or not.
///
/// # Errors
/// When the authority can't be read, or no connection came about.
pub(super) async fn shown(
    address: SocketAddr,
    host: &str,
    authority: Option<&Path>,
    patience: Duration,
) -> anyhow::Result<Chain> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = match authority {
        Some(path) => CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>()?,
        None => Vec::new(),
    };
    let watching = Arc::new(Watching {
        inner: Verifier::new_with_extra_roots(roots, Arc::clone(&provider))?,
        seen: Mutex::default(),
    });
    let config = client(Arc::clone(&watching), provider)?;
    let name = ServerName::try_from(host.to_owned())?;
    let connecting = async {
        let stream = TcpStream::connect(address).await?;
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    };
    let connected = tokio::time::timeout(patience, connecting).await?;
    let seen = watching.seen.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Chain {
        length: seen.len(),
        ends: certificate::first_end(&seen).ok(),
        refused: connected.err().map(|error| error.to_string()),
    })
}

fn client(watching: Arc<Watching>, provider: Arc<CryptoProvider>) -> Result<ClientConfig, Error> {
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(watching)
        .with_no_client_auth())
}

/// Judges as the platform does, and remembers what it was shown.
struct Watching {
    inner: Verifier,
    seen: Mutex<Vec<CertificateDer<'static>>>,
}

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watching")
    }
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end_entity).chain(intermediates);
        let chain = chain.map(|one| one.clone().into_owned()).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        self.inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
