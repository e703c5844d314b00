//! Telling something that belongs to no Task: one conditional create of a Communication.

use jiff::Timestamp;
use tandem_adapter_port::conversation::{Answer, Conversation, Step};
use tandem_adapter_port::outbound::Outbound;
use tandem_adapter_port::write::Delivery;

use super::exchange::{self, Asked};
use super::memory::Remote;
use super::place_order::{created, unwritten};
use super::update_task::concluded;
use crate::config::{FhirConfig, OwnIdentifier};
use crate::write::{communication, element};

const KIND: &str = "Communication";

/// Tells one message.
#[derive(Debug)]
pub(crate) struct Notice {
    config: FhirConfig,
    outbound: Outbound,
    is_asked: bool,
    memory: Vec<tandem_adapter_port::memory::PartnerRow>,
}

impl Notice {
    pub(crate) fn new(config: FhirConfig, outbound: Outbound) -> Self {
        Self {
            config,
            outbound,
            is_asked: false,
            memory: Vec::new(),
        }
    }

    fn next(&mut self, answer: Option<Answer>, now: Timestamp) -> Asked {
        if !self.is_asked {
            self.is_asked = true;
            let resource = communication::resource(&self.config, &self.outbound)
                .map_err(|error| unwritten(&error))?;
            // Messages about one thing share the effect key: each telling is its own Communication.
            let system = self.config.own_system(OwnIdentifier::Message);
            let identifier = element::identifier(&system, &self.outbound.id.to_string());
            return exchange::create(&self.config.at_partner(KIND), &resource, &identifier);
        }
        let good = created(exchange::sort(answer, now)?, KIND)?;
        let id = good.created_id(KIND)?;
        let remote = Remote {
            is_ours: true,
            ..Remote::default()
        };
        self.memory
            .push(remote.row(KIND, &id, vec![self.outbound.id.to_string()]));
        Err(Delivery::Acknowledged {
            reference: Some(format!("{KIND}/{id}")),
        })
    }
}

impl Conversation for Notice {
    fn step(&mut self, answer: Option<Answer>, now: Timestamp) -> Step {
        match self.next(answer, now) {
            Ok(request) => Step::Send(request),
            Err(delivery) => concluded(delivery, std::mem::take(&mut self.memory)),
        }
    }
}
