//! Carrying a plan as an output of a Task: make or replace the CarePlan, then point the Task at it.

use jiff::Timestamp;
use serde_json::Value;
use tandem_adapter_port::conversation::{Answer, Conversation, Step};
use tandem_adapter_port::memory::PartnerRow;
use tandem_adapter_port::outbound::{Outbound, PlanView};
use tandem_adapter_port::write::{Delivery, Fault};

use super::exchange::{self, Asked, Reply, park, retry};
use super::memory::Remote;
use super::place_order::{created, unwritten};
use super::update_task::{Edit, UpdateTask, concluded};
use crate::config::{FhirConfig, OwnIdentifier};
use crate::write::strict::WriteError;
use crate::write::{care_plan, element, task_status};

const KIND: &str = "CarePlan";

/// The Task under which a plan travels.
#[derive(Debug, Clone)]
pub(crate) struct CarryingTask {
    /// Id at the partner.
    pub(crate) id: String,
    /// How the Task is looked up later.
    pub(crate) index: Vec<String>,
    /// Whether the gateway wrote it.
    pub(crate) is_ours: bool,
}

/// Carries one plan.
#[derive(Debug)]
pub(crate) struct CarryPlan {
    config: FhirConfig,
    outbound: Outbound,
    view: PlanView,
    task: CarryingTask,
    /// CarePlan at the partner, once known.
    known: Option<String>,
    phase: Phase,
    memory: Vec<PartnerRow>,
}

#[derive(Debug)]
enum Phase {
    Start,
    Creating,
    Replacing,
    Pointing(Box<UpdateTask>),
}

impl CarryPlan {
    pub(crate) fn new(
        config: FhirConfig,
        outbound: Outbound,
        view: PlanView,
        task: CarryingTask,
        known: Option<String>,
    ) -> Self {
        let phase = Phase::Start;
        Self {
            config,
            outbound,
            view,
            task,
            known,
            phase,
            memory: Vec::new(),
        }
    }

    fn resource(&self) -> Result<Value, Delivery> {
        let patient = element::known_patient(&self.outbound)
            .ok_or_else(|| unwritten(&WriteError::PatientUnknown))?;
        care_plan::resource(&self.config, &self.outbound, &self.view, &patient)
            .map_err(|error| unwritten(&error))
    }

    fn ask_create(&mut self) -> Asked {
        self.phase = Phase::Creating;
        let system = self.config.own_system(OwnIdentifier::Plan);
        let identifier = element::identifier(&system, &care_plan::plan_key(&self.view));
        exchange::create(
            &self.config.at_partner(KIND),
            &self.resource()?,
            &identifier,
        )
    }

    /// The CarePlan is the gateway's alone, so it is replaced whatever version stands there.
    fn ask_replace(&mut self, id: &str) -> Asked {
        self.phase = Phase::Replacing;
        self.known = Some(id.to_owned());
        let mut resource = self.resource()?;
        if let Some(fields) = resource.as_object_mut() {
            fields.insert("id".to_owned(), id.into());
        }
        exchange::update(
            &self.config.at_partner(&format!("{KIND}/{id}")),
            &resource,
            None,
        )
    }

    /// Takes the answer about the CarePlan; `Ok(None)` when the CarePlan stands and the Task is next.
    fn care_plan(
        &mut self,
        answer: Option<Answer>,
        now: Timestamp,
    ) -> Result<Option<Box<http::Request<Vec<u8>>>>, Delivery> {
        match (&self.phase, self.known.clone()) {
            (Phase::Start, Some(id)) => self.ask_replace(&id).map(Some),
            (Phase::Start, None) => self.ask_create().map(Some),
            (Phase::Creating, _) => {
                let good = created(exchange::sort(answer, now)?, KIND)?;
                let id = good.created_id(KIND)?;
                if good.is_created {
                    self.known = Some(id);
                    return Ok(None);
                }
                // It was there already, perhaps in an older version.
                self.ask_replace(&id).map(Some)
            }
            (Phase::Replacing, Some(_)) => match exchange::sort(answer, now)? {
                Reply::Ok(_) => Ok(None),
                Reply::Gone => self.ask_create().map(Some),
                Reply::Conflict | Reply::Unmet => {
                    Err(retry(Fault::Partner, "care plan is locked at the partner"))
                }
            },
            _ => Err(park(Fault::Ours, "care plan conversation lost its place")),
        }
    }

    fn point(&mut self) -> UpdateTask {
        let id = self.known.clone().unwrap_or_default();
        let remote = Remote {
            is_ours: true,
            ..Remote::default()
        };
        let index = vec![care_plan::plan_key(&self.view)];
        self.memory.push(remote.row(KIND, &id, index));
        let output = task_status::additional_content(&format!("{KIND}/{id}"));
        let CarryingTask { id, index, is_ours } = self.task.clone();
        UpdateTask::new(
            self.config.clone(),
            id,
            Edit::Outputs(vec![output]),
            index,
            is_ours,
        )
        .remembering(std::mem::take(&mut self.memory))
    }
}

impl Conversation for CarryPlan {
    fn step(&mut self, answer: Option<Answer>, now: Timestamp) -> Step {
        if let Phase::Pointing(update) = &mut self.phase {
            return update.step(answer, now);
        }
        match self.care_plan(answer, now) {
            Ok(Some(request)) => Step::Send(request),
            Ok(None) => {
                let mut update = Box::new(self.point());
                let step = update.step(None, now);
                self.phase = Phase::Pointing(update);
                step
            }
            Err(delivery) => concluded(delivery, std::mem::take(&mut self.memory)),
        }
    }
}
