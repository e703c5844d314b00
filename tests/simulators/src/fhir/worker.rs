//! What the people behind the server do: handle tasks, write orders.

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::lifecycle;
use super::profile::{SDOHCC, TASK_CODE, text};
use super::server::FhirServer;
use super::store::is_owned_by;
use crate::http_client::{self, Gateway, GatewayAnswer};

/// SNOMED CT.
const SNOMED: &str = "http://snomed.info/sct";

impl FhirServer {
    /// The worker takes the task.
    ///
    /// # Errors
    /// When there is no such task or its status does not allow the move.
    pub fn accept(&self, task_id: &str) -> anyhow::Result<Value> {
        self.move_task(task_id, "accepted", "", |_| {})
    }

    /// The worker refuses the task, e.g. `no-capacity`.
    ///
    /// # Errors
    /// As [`FhirServer::accept`].
    pub fn reject(&self, task_id: &str, reason: &str) -> anyhow::Result<Value> {
        self.move_task(task_id, "rejected", reason, |_| {})
    }

    /// The worker puts the task on hold, e.g. `waitlisted`.
    ///
    /// # Errors
    /// As [`FhirServer::accept`].
    pub fn on_hold(&self, task_id: &str, reason: &str) -> anyhow::Result<Value> {
        self.move_task(task_id, "on-hold", reason, |_| {})
    }

    /// The worker begins.
    ///
    /// # Errors
    /// As [`FhirServer::accept`].
    pub fn start_work(&self, task_id: &str) -> anyhow::Result<Value> {
        self.move_task(task_id, "in-progress", "", |_| {})
    }

    /// The worker completes the task: a Procedure named `procedure` is created and stands in the
    /// task's output.
    ///
    /// # Errors
    /// As [`FhirServer::accept`].
    pub fn complete(&self, task_id: &str, reason: &str, procedure: &str) -> anyhow::Result<Value> {
        let task = self.resource("Task", task_id).context("no such task")?;
        self.check_move(&task, "completed")?;
        let done = json!({
            "resourceType": "Procedure",
            "status": "completed",
            "code": {
                "coding": [{"system": SNOMED, "code": "409063005", "display": "Counseling"}],
                "text": procedure
            },
            "subject": task.get("for").cloned().unwrap_or_default(),
            "basedOn": [task.get("focus").cloned().unwrap_or_default()],
            "performedDateTime": self.settings.clock.rfc3339()
        });
        let id = format!("procedure-of-{task_id}");
        self.house.store().put("Procedure", &id, done);
        let output = json!({
            "type": {"coding": [{"system": SDOHCC, "code": "resulting-activity"}]},
            "valueReference": {"reference": format!("Procedure/{id}")}
        });
        self.move_task(task_id, "completed", reason, |task| {
            task["output"] = json!([output])
        })
    }

    fn check_move(&self, task: &Value, status: &str) -> anyhow::Result<()> {
        let from = text(task, "/status");
        if from == status || !lifecycle::may_move(from, status) {
            bail!("a task that is {from} cannot become {status}");
        }
        let ours = is_owned_by(task, &self.settings.organization);
        if !ours && lifecycle::belongs_to_target(status) {
            bail!("the task belongs to another house");
        }
        Ok(())
    }

    fn move_task(
        &self,
        task_id: &str,
        status: &str,
        reason: &str,
        change: impl FnOnce(&mut Value),
    ) -> anyhow::Result<Value> {
        let mut task = self.resource("Task", task_id).context("no such task")?;
        self.check_move(&task, status)?;
        task["status"] = json!(status);
        task["lastModified"] = json!(self.settings.clock.rfc3339());
        if let Some(fields) = task.as_object_mut() {
            fields.remove("statusReason");
        }
        if !reason.is_empty() {
            task["statusReason"] = self.reason(reason);
        }
        change(&mut task);
        let moved = self.house.store().put("Task", task_id, task);
        self.inbox.notify();
        Ok(moved)
    }

    fn reason(&self, reason: &str) -> Value {
        match &self.settings.reason_system {
            Some(system) => json!({
                "coding": [{"system": system, "code": reason}],
                "text": reason.replace('-', " ")
            }),
            None => json!({"text": reason}),
        }
    }

    /// The worker cancels an order of the house.
    ///
    /// # Errors
    /// As [`FhirServer::accept`].
    pub fn cancel(&self, task_id: &str, reason: &str) -> anyhow::Result<Value> {
        self.move_task(task_id, "cancelled", reason, |_| {})
    }

    /// The worker orders counselling for the mother on this server: a ServiceRequest with intent
    /// `order`, and a Task `requested` with owner `Organization/{owner}`, which must be among the
    /// known organisations. Gives the Task; the gateway finds it when it polls.
    ///
    /// # Errors
    /// When the order misses something.
    pub fn create_order(&self, owner: &str, need: &str) -> anyhow::Result<Value> {
        let request = self.service_request(owner, need, &self.patient(""));
        let mut store = self.house.store();
        let request = store
            .create("ServiceRequest", &request)
            .map_err(|refusal| refused(&refusal))?;
        let focus = format!("ServiceRequest/{}", text(&request, "/id"));
        let task = self.task(owner, &focus, &self.patient(""));
        let task = store
            .create("Task", &task)
            .map_err(|refusal| refused(&refusal))?;
        drop(store);
        self.inbox.notify();
        Ok(task)
    }

    /// The same order as a Task with contained ServiceRequest, posted to the gateway's
    /// `/fhir/Task`. `If-None-Exist` names the Task's identifier, so that posting the same
    /// `order_number` again is one effect.
    ///
    /// # Errors
    /// When the gateway cannot be reached.
    pub async fn post_order(
        &self,
        gateway: &Gateway,
        owner: &str,
        need: &str,
        order_number: &str,
    ) -> anyhow::Result<GatewayAnswer> {
        let patient = self.patient(self.base_url());
        let mut request = self.service_request(owner, need, &patient);
        request["id"] = json!("order");
        let mut task = self.task(owner, "#order", &patient);
        task["contained"] = json!([request]);
        task["identifier"] =
            json!([{"system": format!("{}/order", self.base_url()), "value": order_number}]);
        let answer = http_client::post(
            gateway,
            "/fhir/Task",
            "application/fhir+json",
            task.to_string(),
        )
        .await?;
        self.inbox.keep_raw(&answer.body);
        Ok(answer)
    }

    fn patient(&self, base: &str) -> String {
        let id = &self.settings.patient_id;
        if base.is_empty() {
            format!("Patient/{id}")
        } else {
            format!("{base}/Patient/{id}")
        }
    }

    fn service_request(&self, owner: &str, need: &str, patient: &str) -> Value {
        json!({
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "order",
            "priority": "routine",
            "category": [
                {"coding": [{
                    "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-category",
                    "code": "sdoh"
                }]},
                {"coding": [{"system": SDOHCC, "code": "stress", "display": "Stress"}]}
            ],
            "code": {
                "coding": [{"system": SNOMED, "code": "409063005", "display": "Counseling"}],
                "text": need
            },
            "subject": {"reference": patient},
            "authoredOn": self.settings.clock.rfc3339(),
            "requester": {"reference": format!("Organization/{}", self.settings.organization)},
            "performer": [{"reference": format!("Organization/{owner}")}]
        })
    }

    fn task(&self, owner: &str, focus: &str, patient: &str) -> Value {
        let now = self.settings.clock.rfc3339();
        json!({
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "priority": "routine",
            "code": {"coding": [{"system": TASK_CODE, "code": "fulfill"}]},
            "focus": {"reference": focus},
            "for": {"reference": patient},
            "authoredOn": now,
            "lastModified": now,
            "requester": {"reference": format!("Organization/{}", self.settings.organization)},
            "owner": {"reference": format!("Organization/{owner}")}
        })
    }
}

fn refused(refusal: &super::outcome::Refusal) -> anyhow::Error {
    anyhow::anyhow!("{}: {}", refusal.code, refusal.details)
}
