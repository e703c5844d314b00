//! Changing a Task at the partner: read it, change it, write it back if nobody else changed it
//! meanwhile; else read again and see whether the change is still legal.

use jiff::Timestamp;
use serde_json::Value;
use tandem_adapter_port::conversation::{Answer, Conclusion, Conversation, Step};
use tandem_adapter_port::memory::PartnerRow;
use tandem_adapter_port::write::{Delivery, Fault};

use super::exchange::{self, Asked, Reply, park, retry};
use super::memory::{Remote, TASK};
use crate::config::FhirConfig;
use crate::write::task_status::{self, Applied, TaskChange};

/// Most writes in one conversation: three legal moves, each beaten once by the partner, and a spare.
const MOST_WRITES: u8 = 8;

/// What to do to the Task.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    /// Move it.
    Move(Box<TaskChange>),
    /// Add outputs.
    Outputs(Vec<Value>),
}

/// Changes one Task at the partner.
#[derive(Debug)]
pub(crate) struct UpdateTask {
    config: FhirConfig,
    task: String,
    edit: Edit,
    index: Vec<String>,
    is_ours: bool,
    phase: Phase,
    writes: u8,
    /// The Task as last written.
    written: Option<Value>,
    /// Rows that earlier steps of the delivery left.
    memory: Vec<PartnerRow>,
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Start,
    Reading,
    Writing { is_last: bool },
}

impl UpdateTask {
    /// Changes `Task/{task}`; `index` is how it is looked up later, `is_ours` whether the gateway
    /// wrote it.
    pub(crate) fn new(
        config: FhirConfig,
        task: String,
        edit: Edit,
        index: Vec<String>,
        is_ours: bool,
    ) -> Self {
        let phase = Phase::Start;
        Self {
            config,
            task,
            edit,
            index,
            is_ours,
            phase,
            writes: 0,
            written: None,
            memory: Vec::new(),
        }
    }

    /// The same, with rows to remember from what came before.
    pub(crate) fn remembering(mut self, memory: Vec<PartnerRow>) -> Self {
        self.memory = memory;
        self
    }

    fn url(&self) -> String {
        self.config.at_partner(&format!("Task/{}", self.task))
    }

    fn next(&mut self, answer: Option<Answer>, now: Timestamp) -> Asked {
        match self.phase.clone() {
            Phase::Start => self.read(),
            Phase::Reading => match exchange::sort(answer, now)? {
                Reply::Ok(good) => {
                    let (task, etag) = good.resource("Task")?;
                    if task.get("id").and_then(Value::as_str) != Some(self.task.as_str()) {
                        return Err(park(Fault::Partner, "partner answered with another task"));
                    }
                    self.change(&task, etag.as_deref(), now)
                }
                Reply::Gone => Err(park(Fault::Partner, "task is gone at the partner")),
                Reply::Conflict | Reply::Unmet => Err(retry(
                    Fault::Partner,
                    "partner answered a read with 409 or 412",
                )),
            },
            Phase::Writing { is_last } => match exchange::sort(answer, now)? {
                Reply::Ok(good) => {
                    let is_task = |body: &Value| body.get("status").is_some();
                    match good.body.filter(is_task) {
                        Some(task) => self.remember(&task),
                        // Minimal answer: what was written, under the version that the ETag tells.
                        None => {
                            let mut task = self.written.take().unwrap_or_default();
                            set_version(&mut task, good.etag.as_deref());
                            self.remember(&task);
                        }
                    }
                    if is_last {
                        Err(self.done())
                    } else {
                        self.read()
                    }
                }
                // The partner was first: look what it did.
                Reply::Conflict | Reply::Unmet => self.read(),
                Reply::Gone => Err(park(Fault::Partner, "task is gone at the partner")),
            },
        }
    }

    fn read(&mut self) -> Asked {
        self.phase = Phase::Reading;
        exchange::get(&self.url())
    }

    fn change(&mut self, task: &Value, etag: Option<&str>, now: Timestamp) -> Asked {
        let applied = match &self.edit {
            Edit::Move(change) => task_status::apply(task, change, &self.config, now)
                .map_err(|error| park(Fault::Partner, error.to_string()))?,
            Edit::Outputs(outputs) => match task_status::with_outputs(task, outputs.clone(), now) {
                Some(task) => Applied::Changed {
                    task,
                    is_last: true,
                },
                None => Applied::Unchanged,
            },
        };
        match applied {
            Applied::Unchanged => {
                self.remember(task);
                Err(self.done())
            }
            Applied::Changed { task, is_last } => {
                self.writes += 1;
                if self.writes > MOST_WRITES {
                    let text = "the partner keeps changing the task";
                    return Err(retry(Fault::Partner, text));
                }
                self.phase = Phase::Writing { is_last };
                let request = exchange::update(&self.url(), &task, etag);
                self.written = Some(task);
                request
            }
        }
    }

    fn remember(&mut self, task: &Value) {
        let row = Remote::of(task, self.is_ours).row(TASK, &self.task, self.index.clone());
        self.memory
            .retain(|old| !(old.kind == row.kind && old.key == row.key));
        self.memory.push(row);
    }

    fn done(&self) -> Delivery {
        Delivery::Acknowledged {
            reference: Some(format!("Task/{}", self.task)),
        }
    }
}

impl Conversation for UpdateTask {
    fn step(&mut self, answer: Option<Answer>, now: Timestamp) -> Step {
        match self.next(answer, now) {
            Ok(request) => Step::Send(request),
            Err(delivery) => concluded(delivery, std::mem::take(&mut self.memory)),
        }
    }
}

/// Sets the version that an ETag (`W/"7"`) names; without one the version is unknown.
fn set_version(task: &mut Value, etag: Option<&str>) {
    let version = etag.map(|etag| etag.trim_start_matches("W/").trim_matches('"'));
    if let Some(meta) = task.get_mut("meta").and_then(Value::as_object_mut) {
        meta.remove("versionId");
        if let Some(version) = version {
            meta.insert("versionId".to_owned(), version.into());
        }
    }
}

/// The end of a delivery.
pub(crate) fn concluded(delivery: Delivery, memory: Vec<PartnerRow>) -> Step {
    let wait = match &delivery {
        Delivery::Retry { after, .. } => *after,
        _ => None,
    };
    Step::Done(Box::new(Conclusion {
        memory,
        delivery: Some(delivery),
        wait,
        ..Conclusion::default()
    }))
}
