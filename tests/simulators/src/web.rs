//! Serving HTTP on a free port of the loopback interface until the owner is dropped.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A running server; it stops when this is dropped.
#[derive(Debug)]
pub(crate) struct WebServer {
    pub(crate) address: SocketAddr,
    _running: DropGuard,
}

impl WebServer {
    /// Opens a free port, so that routes can name it, then serves what `routes` makes of it.
    ///
    /// # Errors
    /// When no port can be opened.
    pub(crate) async fn start(routes: impl FnOnce(SocketAddr) -> Router) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("opening a port")?;
        let address = listener.local_addr()?;
        let router = routes(address);
        let cancel = CancellationToken::new();
        let stop = cancel.clone().cancelled_owned();
        tokio::spawn(async move {
            // An error here means that the listener is gone; callers then cannot connect, which
            // is what they will report.
            let _ended = axum::serve(listener, router)
                .with_graceful_shutdown(stop)
                .await;
        });
        Ok(Self {
            address,
            _running: cancel.drop_guard(),
        })
    }
}
