//! The ServiceRequest that a Task asks to fulfil, when it did not come with the Task.

use jiff::Timestamp;
use serde_json::Value;
use tandem_adapter_port::conversation::{Answer, Step};
use tandem_adapter_port::write::{Delivery, Fault};

use super::exchange::{self, Reply, park};
use super::update_task::concluded;
use crate::config::FhirConfig;
use crate::read::collect::Collector;
use crate::read::reference;
use crate::read::task_events;

/// Reference of the focus of a Task, when the payload does not hold it and the partner's server does.
pub(crate) fn missing<'a>(collector: &Collector, task: &'a Value) -> Option<&'a str> {
    let reference = task.get("focus")?.get("reference")?.as_str()?;
    let is_missing = task_events::focus(collector, task).is_none();
    (is_missing && is_at_partner(&collector.config, reference)).then_some(reference)
}

/// Whether a reference names a ServiceRequest on the partner's own server: nothing else is fetched,
/// whatever a Task says.
pub(crate) fn is_at_partner(config: &FhirConfig, reference: &str) -> bool {
    let base = config.base.as_str().trim_end_matches('/');
    reference::parse(reference).is_some_and(|target| {
        target.kind == "ServiceRequest" && target.base.is_none_or(|own| own == base)
    })
}

/// URL under which a focus is read.
pub(crate) fn url(config: &FhirConfig, reference: &str) -> String {
    let id = reference::parse(reference)
        .map(|target| target.id)
        .unwrap_or_default();
    config.at_partner(&format!("ServiceRequest/{id}"))
}

/// Whether the resource read is the one that was asked for.
pub(crate) fn answers(service: &Value, asked: &str) -> bool {
    let id = service.get("id").and_then(Value::as_str);
    reference::parse(asked).is_some_and(|target| id == Some(target.id))
}

/// Fetches the focus of a Task that a partner posted.
#[derive(Debug)]
pub struct FetchFocus {
    config: FhirConfig,
    reference: String,
    is_asked: bool,
}

/// What the fetch gives.
#[derive(Debug)]
pub enum Fetched {
    /// A request to send, or the end without a focus: its conclusion says why.
    Step(Step),
    /// The ServiceRequest.
    Focus(Box<Value>),
}

impl FetchFocus {
    /// Prepares to fetch; `None` when the reference does not lead to the partner's own server.
    #[must_use]
    pub fn new(config: &FhirConfig, reference: &str) -> Option<Self> {
        is_at_partner(config, reference).then(|| Self {
            config: config.clone(),
            reference: reference.to_owned(),
            is_asked: false,
        })
    }

    /// What to do next; `answer` belongs to the request of the last step.
    pub fn step(&mut self, answer: Option<Answer>, now: Timestamp) -> Fetched {
        let end = |delivery: Delivery| Fetched::Step(concluded(delivery, Vec::new()));
        if !self.is_asked {
            self.is_asked = true;
            return match exchange::get(&url(&self.config, &self.reference)) {
                Ok(request) => Fetched::Step(Step::Send(request)),
                Err(delivery) => end(delivery),
            };
        }
        match exchange::sort(answer, now) {
            Ok(Reply::Ok(good)) => match good.resource("ServiceRequest") {
                Ok((service, _)) if answers(&service, &self.reference) => {
                    Fetched::Focus(Box::new(service))
                }
                Ok(_) => end(park(
                    Fault::Partner,
                    "partner answered with another resource",
                )),
                Err(delivery) => end(delivery),
            },
            Ok(_) => end(park(Fault::Partner, "focus is gone at the partner")),
            Err(delivery) => end(delivery),
        }
    }
}
