//! Withdrawing an order of which no Task is remembered: the answer to its creation may have been
//! lost, so the partner is asked before anything is taken for undone.

use jiff::Timestamp;
use serde_json::Value;
use tandem_adapter_port::conversation::{Answer, Conversation, Step};
use tandem_adapter_port::write::{Delivery, Fault};

use super::exchange::{self, Reply, retry};
use super::memory::TASK;
use super::search::Search;
use super::update_task::{Edit, UpdateTask, concluded};
use crate::config::{FhirConfig, OwnIdentifier};
use crate::read::reference;
use crate::read::referral::own_referral;
use crate::read::view::{Notes, View};

/// Looks for the Task of a referral and cancels it; without one there is nothing to withdraw.
#[derive(Debug)]
pub(crate) struct Withdraw {
    config: FhirConfig,
    referral: String,
    edit: Edit,
    search: Search,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Start,
    Searching,
    Cancelling(Box<UpdateTask>),
}

impl Withdraw {
    pub(crate) fn new(config: FhirConfig, referral: String, edit: Edit) -> Self {
        let search = Search::new(&config);
        Self {
            config,
            referral,
            edit,
            search,
            phase: Phase::Start,
        }
    }

    fn url(&self) -> String {
        let system = self.config.own_system(OwnIdentifier::Referral);
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("identifier", &format!("{system}|{}", self.referral))
            .finish();
        format!("{}?{query}", self.config.at_partner(TASK))
    }

    /// Id of the Task that carries our referral id, among what the partner found.
    fn found(&mut self, answer: Option<Answer>, now: Timestamp) -> Result<String, Delivery> {
        let nothing = Delivery::Acknowledged { reference: None };
        let page = match exchange::sort(answer, now)? {
            Reply::Ok(good) => self.search.page(good)?,
            Reply::Gone => return Err(nothing),
            Reply::Conflict | Reply::Unmet => {
                return Err(retry(
                    Fault::Partner,
                    "partner answered a search with 409 or 412",
                ));
            }
        };
        let notes = Notes::default();
        let task = page.resources.iter().find(|(resource, _)| {
            View::new(resource, TASK, &notes)
                .and_then(|view| own_referral(&view, &self.config))
                .is_some_and(|own| own.to_string() == self.referral)
        });
        let id = task.and_then(|(task, _)| task.get("id").and_then(Value::as_str));
        id.filter(|id| reference::is_id(id))
            .map(str::to_owned)
            .ok_or(nothing)
    }
}

impl Conversation for Withdraw {
    fn step(&mut self, answer: Option<Answer>, now: Timestamp) -> Step {
        match &mut self.phase {
            Phase::Start => {
                self.phase = Phase::Searching;
                match exchange::get(&self.url()) {
                    Ok(request) => Step::Send(request),
                    Err(delivery) => concluded(delivery, Vec::new()),
                }
            }
            Phase::Searching => match self.found(answer, now) {
                Ok(task) => {
                    let (config, edit) = (self.config.clone(), self.edit.clone());
                    let index = vec![self.referral.clone()];
                    let mut update = Box::new(UpdateTask::new(config, task, edit, index, true));
                    let step = update.step(None, now);
                    self.phase = Phase::Cancelling(update);
                    step
                }
                Err(delivery) => concluded(delivery, Vec::new()),
            },
            Phase::Cancelling(update) => update.step(answer, now),
        }
    }
}
