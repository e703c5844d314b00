//! Listens: HTTP/1.1 and HTTP/2, with TLS when a certificate is configured. Stops gracefully.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::Entrance;
use super::places::Places;
use crate::config::Listen;

/// How long a stop waits for requests under way.
const GRACE: Duration = Duration::from_secs(30);

/// Binds and serves until `stop`. A client whose request's head is not there within the patience is cut off, and one that takes
/// nothing of its answer for as long, and a minute at least. Returns the address.
///
/// # Errors
/// When the address can't be bound.
pub(super) fn serve(
    listen: &Listen,
    tls: Option<RustlsConfig>,
    (router, patience): (Router, Duration),
    stop: CancellationToken,
    tasks: &TaskTracker,
) -> anyhow::Result<SocketAddr> {
    let listener =
        TcpListener::bind(listen.address).with_context(|| format!("binding {}", listen.address))?;
    listener
        .set_nonblocking(true)
        .context("preparing the listener")?;
    let address = listener
        .local_addr()
        .context("asking for the bound address")?;
    let handle = Handle::new();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let entrance = Entrance::new(Places::fitting(listen.connections), patience);
    let server = axum_server::from_tcp(listener)?.handle(handle.clone());
    let served = match tls {
        Some(tls) => {
            let acceptor = RustlsAcceptor::new(tls).handshake_timeout(patience);
            let mut server = server.acceptor(acceptor.acceptor(entrance));
            hurry(server.http_builder(), patience);
            tasks.spawn(report(server.serve(service)))
        }
        None => {
            let mut server = server.acceptor(entrance);
            hurry(server.http_builder(), patience);
            tasks.spawn(report(server.serve(service)))
        }
    };
    tasks.spawn(async move {
        tokio::select! {
            () = stop.cancelled() => handle.graceful_shutdown(Some(GRACE)),
            _ended = served => {}
        }
    });
    Ok(address)
}

/// Bounds the time that a connection may take until a request's head is there, once the version of HTTP is known.
fn hurry(builder: &mut Builder<TokioExecutor>, patience: Duration) {
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(patience)
        .keep_alive_timeout(patience);
}

/// Certificate and key of a configuration; `None` where it has none.
///
/// # Errors
/// When they can't be used.
pub(super) async fn tls(listen: &Listen) -> anyhow::Result<Option<RustlsConfig>> {
    let (Some(certificate), Some(key)) = (&listen.certificate, &listen.key) else {
        return Ok(None);
    };
    // A second installation is refused, and changes nothing: there is one provider.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let (certificate_name, key_name) = (certificate.display(), key.display());
    let tls = RustlsConfig::from_pem_file(certificate, key).await;
    let tls = tls.with_context(|| {
        format!("listen.certificate, listen.key: reading {certificate_name} and {key_name}")
    });
    tls.map(Some)
}

async fn report(served: impl Future<Output = std::io::Result<()>>) {
    if let Err(error) = served.await {
        tracing::error!(%error, "the API ended");
    }
}
