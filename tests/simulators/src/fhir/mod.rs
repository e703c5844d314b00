//! Health: a FHIR R4 server in memory, one for each health provider of the story.

use std::time::Duration;

use serde_json::Value;

use crate::clock::SimClock;
use crate::http_client::{Gateway, GatewayAnswer};
use crate::inbox::{Inbox, forward_inbox};

/// What a FHIR server needs.
#[derive(Debug, Clone)]
pub struct FhirSettings {
    /// Own organisation id, e.g. `org-bh`; seeded as `Organization/org-bh`.
    pub organization: String,
    /// Display name of the organisation.
    pub name: String,
    /// Id of the mother's Patient resource here.
    pub patient_id: String,
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
    /// Body, `null` when there was none.
    pub body: Value,
    /// Status that was answered.
    pub status: u16,
}

/// A FHIR R4 server of a health provider, with the worker who handles its tasks.
#[derive(Debug)]
pub struct FhirServer {
    inbox: Inbox<FhirRequest>,
}

forward_inbox!(FhirServer, FhirRequest);

impl FhirServer {
    /// Starts the server on a free port of the loopback interface.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(_settings: FhirSettings) -> anyhow::Result<Self> {
        anyhow::bail!("the server is not written yet")
    }

    /// Base address without a trailing slash: `http://127.0.0.1:PORT/fhir`.
    #[must_use]
    pub fn base_url(&self) -> String {
        String::new()
    }

    /// Every current resource of a type.
    #[must_use]
    pub fn resources(&self, _resource_type: &str) -> Vec<Value> {
        Vec::new()
    }

    /// Waits for a resource of a type that satisfies `wanted`.
    ///
    /// # Errors
    /// When `timeout` passes first.
    pub async fn wait_for_resource<F>(
        &self,
        _resource_type: &str,
        what: &str,
        _wanted: F,
        _timeout: Duration,
    ) -> anyhow::Result<Value>
    where
        F: Fn(&Value) -> bool,
    {
        anyhow::bail!("no {what} yet")
    }

    /// The worker takes the task.
    ///
    /// # Errors
    /// When there is no such task or its status does not allow the move.
    pub fn accept(&self, _task_id: &str) -> anyhow::Result<Value> {
        anyhow::bail!("the server is not written yet")
    }

    /// The worker puts the task on hold.
    ///
    /// # Errors
    /// As [`FhirServer::accept`].
    pub fn on_hold(&self, _task_id: &str, _reason: &str) -> anyhow::Result<Value> {
        anyhow::bail!("the server is not written yet")
    }

    /// The worker starts the work.
    ///
    /// # Errors
    /// As [`FhirServer::accept`].
    pub fn start_work(&self, _task_id: &str) -> anyhow::Result<Value> {
        anyhow::bail!("the server is not written yet")
    }

    /// The worker refuses the task.
    ///
    /// # Errors
    /// As [`FhirServer::accept`].
    pub fn reject(&self, _task_id: &str, _reason: &str) -> anyhow::Result<Value> {
        anyhow::bail!("the server is not written yet")
    }

    /// The worker completes the task: a Procedure named `procedure` is created and stands in the
    /// task's output.
    ///
    /// # Errors
    /// As [`FhirServer::accept`].
    pub fn complete(
        &self,
        _task_id: &str,
        _reason: &str,
        _procedure: &str,
    ) -> anyhow::Result<Value> {
        anyhow::bail!("the server is not written yet")
    }

    /// The worker orders counselling for the mother on this server: a ServiceRequest with intent
    /// `order` and a Task `requested` with owner `Organization/{owner}`. Gives the Task.
    ///
    /// # Errors
    /// When the order misses something.
    pub fn create_order(&self, _owner: &str, _need: &str) -> anyhow::Result<Value> {
        anyhow::bail!("the server is not written yet")
    }

    /// The same order, posted to the gateway's `/fhir/Task` as Task with contained ServiceRequest.
    ///
    /// # Errors
    /// When the gateway cannot be reached.
    pub async fn post_order(
        &self,
        _gateway: &Gateway,
        _owner: &str,
        _need: &str,
    ) -> anyhow::Result<GatewayAnswer> {
        anyhow::bail!("the server is not written yet")
    }
}
