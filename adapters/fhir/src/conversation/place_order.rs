//! Placing the gateway's order at a target: Patient where needed, ServiceRequest, Task.
//!
//! Every create is conditional on an identifier that stays the same for all attempts, so an attempt
//! whose answer was lost can be repeated and has its effect once.

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_adapter_port::conversation::{Answer, Conversation, Step};
use tandem_adapter_port::memory::PartnerRow;
use tandem_adapter_port::outbound::{Outbound, ReferralView};
use tandem_adapter_port::write::{Delivery, Fault};

use super::exchange::{self, Asked, Good, Reply, park, retry};
use super::memory::{Remote, TASK};
use super::update_task::concluded;
use crate::config::FhirConfig;
use crate::write::strict::WriteError;
use crate::write::{element, patient, referral};

/// Places one order.
#[derive(Debug)]
pub(crate) struct PlaceOrder {
    config: FhirConfig,
    outbound: Outbound,
    view: ReferralView,
    patient: Option<String>,
    phase: Phase,
    memory: Vec<PartnerRow>,
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Start,
    Patient,
    ServiceRequest,
    Task,
}

impl PlaceOrder {
    pub(crate) fn new(config: FhirConfig, outbound: Outbound, view: ReferralView) -> Self {
        let patient = element::known_patient(&outbound);
        Self {
            config,
            outbound,
            view,
            patient,
            phase: Phase::Start,
            memory: Vec::new(),
        }
    }

    fn next(&mut self, answer: Option<Answer>, now: Timestamp) -> Asked {
        match self.phase {
            Phase::Start => match (self.patient.clone(), self.config.create_patients) {
                (Some(patient), _) => self.ask_service_request(&patient),
                (None, true) => self.ask_patient(),
                (None, false) => Err(unwritten(&WriteError::PatientUnknown)),
            },
            Phase::Patient => {
                let id = self.created(answer, "Patient", now)?;
                let patient = format!("Patient/{id}");
                self.patient = Some(patient.clone());
                self.ask_service_request(&patient)
            }
            Phase::ServiceRequest => {
                let id = self.created(answer, "ServiceRequest", now)?;
                self.ask_task(&format!("ServiceRequest/{id}"))
            }
            Phase::Task => {
                let id = self.created(answer, TASK, now)?;
                Err(Delivery::Acknowledged {
                    reference: Some(format!("Task/{id}")),
                })
            }
        }
    }

    fn ask_patient(&mut self) -> Asked {
        self.phase = Phase::Patient;
        let resource = patient::resource(&self.config, &self.outbound);
        let resource = resource.map_err(|error| unwritten(&error))?;
        let identifier = patient::identifier(&self.config, &self.outbound)
            .ok_or_else(|| unwritten(&WriteError::PatientUnknown))?;
        exchange::create(&self.config.at_partner("Patient"), &resource, &identifier)
    }

    fn ask_service_request(&mut self, patient: &str) -> Asked {
        self.phase = Phase::ServiceRequest;
        let resource = referral::service_request(&self.config, &self.outbound, &self.view, patient);
        let resource = resource.map_err(|error| unwritten(&error))?;
        self.create("ServiceRequest", &resource)
    }

    fn ask_task(&mut self, service_request: &str) -> Asked {
        self.phase = Phase::Task;
        let patient = self.patient.as_deref().unwrap_or_default();
        let resource = referral::task(
            &self.config,
            &self.outbound,
            &self.view,
            patient,
            service_request,
        );
        let resource = resource.map_err(|error| unwritten(&error))?;
        self.create(TASK, &resource)
    }

    fn create(&self, kind: &str, resource: &Value) -> Asked {
        let identifier = element::effect(&self.config, &self.outbound);
        exchange::create(&self.config.at_partner(kind), resource, &identifier)
    }

    /// Id of the resource that the last create made or found.
    fn created(
        &mut self,
        answer: Option<Answer>,
        kind: &'static str,
        now: Timestamp,
    ) -> Result<String, Delivery> {
        let good = created(exchange::sort(answer, now)?, kind)?;
        let id = good.created_id(kind)?;
        let body = good.body.unwrap_or_else(|| json!({"status": "requested"}));
        let index = vec![self.view.referral.to_string()];
        self.memory
            .push(Remote::of(&body, true).row(kind, &id, index));
        Ok(id)
    }
}

/// The good answer to a conditional create (FHIR R4, section 3.1.0.8.1): 412 alone says that several
/// resources match the condition. 409 is a conflict, as when two creates under one condition meet:
/// asked again, the server finds what the first of them made.
pub(crate) fn created(reply: Reply, kind: &str) -> Result<Good, Delivery> {
    match reply {
        Reply::Ok(good) => Ok(good),
        Reply::Conflict => {
            let text = format!("partner answered the create of a {kind} with 409, a conflict");
            Err(retry(Fault::Partner, text))
        }
        Reply::Unmet => {
            let text = format!("more than one {kind} at the partner carries our identifier");
            Err(park(Fault::Partner, text))
        }
        Reply::Gone => Err(park(Fault::Partner, format!("partner takes no {kind}"))),
    }
}

/// A view that cannot be written is parked: whose fault depends on what is missing.
pub(crate) fn unwritten(error: &WriteError) -> Delivery {
    let fault = match error {
        WriteError::PatientUnknown => Fault::Partner,
        _ => Fault::Ours,
    };
    park(fault, error.to_string())
}

impl Conversation for PlaceOrder {
    fn step(&mut self, answer: Option<Answer>, now: Timestamp) -> Step {
        match self.next(answer, now) {
            Ok(request) => Step::Send(request),
            Err(delivery) => concluded(delivery, std::mem::take(&mut self.memory)),
        }
    }
}
