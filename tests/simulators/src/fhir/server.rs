//! One server: start, look, wait.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;

use super::routes::{House, router};
use super::seed;
use super::store::Store;
use crate::clock::SimClock;
use crate::inbox::{Inbox, forward_inbox};
use crate::web::WebServer;

/// What a FHIR server needs.
#[derive(Debug, Clone)]
pub struct FhirSettings {
    /// Own organisation id, e.g. `org-bh`; seeded as `Organization/org-bh`.
    pub organization: String,
    /// Display name of the organisation.
    pub name: String,
    /// Id of the mother's Patient resource here.
    pub patient_id: String,
    /// Other organisations that resources here may refer to, as (id, name): seeded alike.
    pub known_organizations: Vec<(String, String)>,
    /// Code system of referral reasons that the network agreed on; when set, a worker's reason (such
    /// as `waitlisted`) is written as its code as well as in words.
    pub reason_system: Option<String>,
    /// Bearer token that callers must show.
    pub token: String,
    /// The demo's clock.
    pub clock: SimClock,
    /// Seed of the filler patients.
    pub seed: u64,
    /// Most entries on one page of a search.
    pub page_size: usize,
}

/// One request that a caller made.
#[derive(Debug, Clone, PartialEq)]
pub struct FhirRequest {
    /// HTTP method.
    pub method: String,
    /// Path under the base, with query.
    pub path: String,
    /// Body, `null` when there was none or it was no JSON.
    pub body: Value,
    /// Status that was answered.
    pub status: u16,
}

/// A FHIR R4 server of a health provider, with the worker who handles its tasks.
#[derive(Debug)]
pub struct FhirServer {
    pub(crate) inbox: Inbox<FhirRequest>,
    pub(crate) house: House,
    pub(crate) settings: FhirSettings,
    base: String,
    _server: WebServer,
}

forward_inbox!(FhirServer, FhirRequest);

impl FhirServer {
    /// Starts the server on a free port of the loopback interface; it stops when dropped.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(settings: FhirSettings) -> anyhow::Result<Self> {
        let inbox = Inbox::default();
        let mut started = None;
        let server = WebServer::start(|address| {
            let base = format!("http://{address}/fhir");
            let organization = settings.organization.clone();
            let mut store = Store::new(base.clone(), organization, settings.clock.clone());
            seed::fill(&mut store, &settings);
            let house = House {
                store: Arc::new(Mutex::new(store)),
                inbox: inbox.clone(),
                token: settings.token.clone(),
                page_size: settings.page_size.max(1),
                clock: settings.clock.clone(),
                requests: Arc::default(),
            };
            started = Some((base, house.clone()));
            router(house)
        })
        .await?;
        let (base, house) = started.ok_or_else(|| anyhow::anyhow!("the server has no routes"))?;
        Ok(Self {
            inbox,
            house,
            settings,
            base,
            _server: server,
        })
    }

    /// Base address without a trailing slash: `http://127.0.0.1:PORT/fhir`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base
    }

    /// Every current resource of a type.
    #[must_use]
    pub fn resources(&self, resource_type: &str) -> Vec<Value> {
        self.house.store().of_type(resource_type)
    }

    /// A current resource.
    #[must_use]
    pub fn resource(&self, resource_type: &str, id: &str) -> Option<Value> {
        self.house.store().get(resource_type, id).cloned()
    }

    /// Waits for a resource of a type that satisfies `wanted`, and gives it.
    ///
    /// # Errors
    /// When `timeout` passes first; the error names `what`.
    pub async fn wait_for_resource<F>(
        &self,
        resource_type: &str,
        what: &str,
        wanted: F,
        timeout: Duration,
    ) -> anyhow::Result<Value>
    where
        F: Fn(&Value) -> bool,
    {
        let look = || {
            self.resources(resource_type)
                .into_iter()
                .find(|one| wanted(one))
        };
        self.inbox.wait_for_state(what, timeout, look).await
    }
}
