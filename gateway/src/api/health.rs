//! Whether the gateway lives and can serve.

use axum::extract::State;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Api;
use super::problem::ApiError;
use super::route::{Doc, Routes};

/// The long-running parts of the gateway: the processor, the intakes, the lanes.
#[derive(Debug, Clone)]
pub(super) struct Liveness {
    tasks: TaskTracker,
    stop: CancellationToken,
    started: usize,
}

impl Liveness {
    /// Remembers how many parts run now.
    pub(super) fn new(tasks: TaskTracker, stop: CancellationToken) -> Self {
        let started = tasks.len();
        Self {
            tasks,
            stop,
            started,
        }
    }

    /// Whether every part that was started still runs and nobody asked to stop. The API's own tasks, and the one that reads
    /// the configuration anew, come on top, so they are not counted.
    fn is_whole(&self) -> bool {
        const OWN: usize = 3;
        !self.stop.is_cancelled() && self.tasks.len() >= self.started + OWN
    }
}

pub(super) fn routes(routes: Routes) -> Routes {
    let alive =
        Doc::get("/healthz", "Whether the gateway lives").gives_raw(200, "text/plain", "It lives");
    let ready = Doc::get(
        "/readyz",
        "Whether the gateway can serve: the store answers, processor and lanes run",
    )
    .gives_raw(200, "text/plain", "It can serve")
    .refuses(503, "It cannot serve now");
    routes.add(alive, || async { "ok" }).add(ready, ready_now)
}

async fn ready_now(State(api): State<Api>) -> Result<&'static str, ApiError> {
    if !api.liveness.is_whole() {
        tracing::warn!("not ready: a part of the gateway has ended");
        return Err(ApiError::Unavailable);
    }
    match api.core().store.ping().await {
        Ok(()) => Ok("ready"),
        Err(error) => {
            tracing::warn!(%error, "not ready: the store does not answer");
            Err(ApiError::Unavailable)
        }
    }
}
