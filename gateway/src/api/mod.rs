//! The HTTP API: one file per resource, small handlers. What is said in [`Routes`] is what is served and what
//! `GET /openapi.json` describes.

mod accounting;
mod areas;
mod audit;
mod audit_proofs;
mod baseline;
pub(crate) mod body;
mod break_glass;
pub mod caller;
mod connection;
pub(crate) mod consents;
mod decisions;
mod events;
mod failed_logins;
pub mod fhir;
mod front;
mod guard;
mod health;
mod holds;
mod inbox;
mod indicators;
mod inputs;
mod keys;
mod lane_view;
mod lanes;
mod limiter;
mod link_view;
mod links;
mod match_query;
mod matching;
pub mod measures;
mod messages;
mod monitor;
mod openapi;
mod overdue;
mod owed;
mod own_events;
mod own_match;
mod pace;
mod persons;
mod places;
mod plans;
mod policy;
pub mod problem;
mod push;
mod referral_status;
mod referrals;
mod registry;
mod reload;
mod replays;
mod retention;
mod room;
pub mod route;
mod server;
mod timeline;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;

use self::failed_logins::FailedLogins;
pub(crate) use self::front::Front;
use self::health::Liveness;
use self::limiter::Limiter;
use self::pace::Pace;
use self::problem::ApiError;
use self::push::Turns;
use self::route::{Doc, Routes};
use crate::console;
use crate::console::Publication;
use crate::intake::Intake;
use crate::reload::Reloads;
use crate::transport::certificate::Certificate;

/// What every handler shares, as each of them has it: a request takes it several times.
#[derive(Debug, Clone)]
pub struct Api(Arc<Shared>);

/// What every handler shares.
#[derive(Debug, Clone)]
pub struct Shared {
    intake: Intake,
    limiter: Arc<Limiter>,
    turns: Arc<Turns>,
    pace: Arc<Pace>,
    failed_logins: Arc<FailedLogins>,
    liveness: Liveness,
    publication: Arc<Publication>,
    description: Arc<str>,
    is_encrypted: bool,
    reloads: Reloads,
    /// The certificates of the configuration.
    certificates: Arc<[Certificate]>,
}

impl Deref for Api {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Api {
    /// The shared core of the gateway.
    pub(crate) fn core(&self) -> &crate::pipeline::core::Core {
        &self.intake.core
    }

    /// Longest time of one request, its body included.
    fn longest(&self) -> Duration {
        let seconds = self.core().loaded.config.limits.request_seconds.max(1);
        Duration::from_secs(seconds.into())
    }

    /// When answers leave whose time must tell nothing.
    pub(crate) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// What the public sees.
    pub(crate) fn publication(&self) -> &Publication {
        &self.publication
    }
}

/// Every route with its description.
#[must_use]
pub fn routes() -> Routes {
    let parts = [
        health::routes,
        monitor::routes,
        inbox::routes,
        events::routes,
        persons::routes,
        links::routes,
        match_query::routes,
        break_glass::routes,
        matching::routes,
        overdue::routes,
        referrals::routes,
        referral_status::routes,
        plans::routes,
        consents::routes,
        decisions::routes,
        policy::routes,
        lanes::routes,
        messages::routes,
        replays::routes,
        keys::routes,
        reload::routes,
        retention::routes,
        holds::routes,
        inputs::routes,
        baseline::routes,
        measures::routes,
        indicators::routes,
        accounting::routes,
        audit::routes,
        audit_proofs::routes,
        registry::routes,
        fhir::routes,
        console::routes,
    ];
    parts
        .into_iter()
        .fold(Routes::default(), |routes, add| add(routes))
}

/// The OpenAPI description as JSON text.
#[must_use]
pub fn description() -> String {
    let mut docs = routes().docs;
    docs.push(described());
    openapi::describe(docs).to_pretty_json().unwrap_or_default()
}

fn described() -> Doc {
    Doc::get("/openapi.json", "This description").gives_raw(200, "application/json", "OpenAPI 3.1")
}

async fn serve_description(State(api): State<Api>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        api.description.to_string(),
    )
}

fn router(api: Api) -> Router {
    let limit = api.core().loaded.config.limits.body_bytes;
    routes()
        .router
        .route("/openapi.json", get(serve_description))
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(DefaultBodyLimit::max(limit))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(axum::middleware::from_fn_with_state(
            api.clone(),
            guard::around,
        ))
        .with_state(api)
}
