//! The part of the API that stays: the listening socket, and the door behind which the routes of the configuration in force
//! stand. Each request goes by the routes that it finds when it arrives; one that is under way ends by them.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum_server::tls_rustls::RustlsConfig;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::health::Liveness;
use super::limiter::Limiter;
use super::{Api, Shared, description, monitor, router, server};
use crate::config::Listen;
use crate::intake::Intake;
use crate::reload::Reloads;
use crate::transport::certificate;

/// The routes in force.
#[derive(Debug, Clone)]
struct Door(Arc<RwLock<Router>>);

/// What of the API stays when the configuration changes.
#[derive(Debug)]
pub(crate) struct Front {
    api: Api,
    door: Door,
    tls: Option<RustlsConfig>,
}

/// Routes and certificate that can take the place of those in force.
#[derive(Debug)]
pub(crate) struct Ready {
    api: Api,
    tls: Option<RustlsConfig>,
}

impl Door {
    /// What the socket serves.
    fn outside(&self) -> Router {
        let door = self.clone();
        Router::new().fallback(move |request: Request| {
            let routes = door.0.read().unwrap_or_else(PoisonError::into_inner);
            let routes = routes.clone();
            async move { routes.oneshot(request).await }
        })
    }

    fn put(&self, routes: Router) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = routes;
    }
}

impl Front {
    /// Starts to listen. Returns the address as well.
    ///
    /// # Errors
    /// When the address can't be bound, or certificate and key can't be used.
    pub(crate) async fn open(
        intake: Intake,
        reloads: Reloads,
        stop: CancellationToken,
        tasks: &TaskTracker,
    ) -> anyhow::Result<(Self, SocketAddr)> {
        let config = &intake.core.loaded.config;
        monitor::install(config);
        tasks.spawn(monitor::take_in(stop.clone()));
        let listen = config.listen.clone();
        let header_seconds = config.limits.header_seconds.max(1);
        let tls = server::tls(&listen).await?;
        let api = Api(Arc::new(Shared {
            limiter: Arc::new(Limiter::new(&config.limits)),
            turns: Arc::default(),
            pace: Arc::default(),
            failed_logins: Arc::default(),
            liveness: Liveness::new(tasks.clone(), stop.clone()),
            publication: Arc::default(),
            description: description().into(),
            is_encrypted: tls.is_some(),
            certificates: certificate::of(config).into(),
            reloads,
            intake,
        }));
        let door = Door(Arc::new(RwLock::new(router(api.clone()))));
        let patience = Duration::from_secs(header_seconds.into());
        let address = server::serve(
            &listen,
            tls.clone(),
            (door.outside(), patience),
            stop,
            tasks,
        )?;
        Ok((Self { api, door, tls }, address))
    }

    /// Whether a certificate and its key can be used.
    ///
    /// # Errors
    /// When not.
    pub(crate) async fn check(&self, listen: &Listen) -> anyhow::Result<()> {
        server::tls(listen).await.map(drop)
    }

    /// Makes the routes of another configuration. What counts or remembers goes on: clients find the same buckets when the
    /// limits are the same, and the public sees one masking a day.
    ///
    /// # Errors
    /// When certificate and key can't be used.
    pub(crate) async fn prepare(&self, intake: Intake) -> anyhow::Result<Ready> {
        let (config, was) = (
            &intake.core.loaded.config,
            &self.api.core().loaded.config.limits,
        );
        let mut shared = Shared::clone(&self.api);
        if config.limits != *was {
            shared.limiter = Arc::new(Limiter::new(&config.limits));
        }
        shared.certificates = certificate::of(config).into();
        let tls = server::tls(&config.listen).await?;
        shared.intake = intake;
        let api = Api(Arc::new(shared));
        Ok(Ready { api, tls })
    }

    /// Serves by other routes from the next request on, and with another certificate from the next connection on.
    pub(crate) fn put(&mut self, ready: Ready) {
        monitor::install(&ready.api.core().loaded.config);
        if let (Some(served), Some(new)) = (&self.tls, ready.tls) {
            served.reload_from_config(new.get_inner());
        }
        self.door.put(router(ready.api.clone()));
        self.api = ready.api;
    }
}
