//! The HTTP API.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use axum::routing::get;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::intake::Intake;

/// Starts to listen. Returns the address.
///
/// # Errors
/// When the address can't be bound.
pub async fn listen(intake: Intake, stop: CancellationToken, tasks: &TaskTracker) -> anyhow::Result<SocketAddr> {
    let router = Router::new().route("/healthz", get(|| async { "ok" }));
    let listener = tokio::net::TcpListener::bind(intake.core.loaded.config.listen.address).await.context("binding")?;
    let address = listener.local_addr()?;
    tasks.spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(%error, "the API ended");
        }
    });
    Ok(address)
}
