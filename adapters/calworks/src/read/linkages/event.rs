//! From a checked message to events.

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::read::{Sink, Stopped};
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{SourceCaseId, SourceEventId, SourceHouseholdId, SourcePersonId};
use tandem_mappings::model::worker::WorkerContact;

use super::{involvement, people, plan, referral};
use crate::gates::SenderGate;
use crate::linkages::{Fields, Message};
use crate::tables::LineType;

/// Code system of codes that come from these messages.
pub(super) const CODE_SYSTEM: &str = crate::describe::LINKAGES_CODES;

/// A message on its way to events.
pub(super) struct Telling<'a> {
    pub(super) name: &'a str,
    pub(super) message: &'a Message,
    pub(super) context: &'a ReadContext,
    pub(super) sink: &'a mut dyn Sink,
    pub(super) created_at: Timestamp,
    count: usize,
}

/// Tells the events of a message.
pub(super) fn tell(
    gate: &SenderGate,
    name: &str,
    message: &Message,
    context: &ReadContext,
    sink: &mut dyn Sink,
) -> Result<(), Stopped> {
    let created_at = message
        .header
        .parsed("created_at")
        .unwrap_or(context.received_at);
    let mut telling = Telling {
        name,
        message,
        context,
        sink,
        created_at,
        count: 0,
    };
    telling.check_sender(gate);
    people::tell(&mut telling)?;
    match message.header.get("message_type") {
        "intake_referral" => referral::request(&mut telling)?,
        "referral_status" => referral::status(&mut telling)?,
        "common_case_referral" => involvement::start(&mut telling)?,
        "end_of_common_case" => involvement::end(&mut telling)?,
        "removal_notice" => involvement::removal(&mut telling)?,
        "participation" => involvement::participation(&mut telling)?,
        "meeting" => involvement::meeting(&mut telling)?,
        "assessment" => plan::assessment(&mut telling)?,
        "plan_update" => plan::update(&mut telling)?,
        "conflict" | "recall" | "consent_reminder" => {
            telling.info("gateway-message", "a message that the gateway alone sends")
        }
        _ => {}
    }
    involvement::step(&mut telling)
}

impl Telling<'_> {
    /// The header.
    pub(super) fn header(&self) -> &Fields {
        &self.message.header
    }

    /// The people of the message, by the sender's ids, each once.
    pub(super) fn people(&self) -> Vec<SourcePersonId> {
        let mut people = Vec::new();
        for part in self.message.rows(LineType::Person) {
            if let Ok(id) = SourcePersonId::new(part.fields.get("person_id"))
                && !people.contains(&id)
            {
                people.push(id);
            }
        }
        people
    }

    /// The sender's case.
    pub(super) fn case(&self) -> Option<SourceCaseId> {
        SourceCaseId::new(self.header().get("case_number")).ok()
    }

    /// The sender's household: its case.
    pub(super) fn household(&self) -> Option<SourceHouseholdId> {
        SourceHouseholdId::new(self.header().get("case_number")).ok()
    }

    /// The sender's worker, when the message names one.
    pub(super) fn worker(&self) -> Option<WorkerContact> {
        let header = self.header();
        let worker = WorkerContact {
            name: header.some("worker_name"),
            phone: header.some("worker_phone"),
            email: header.some("worker_email"),
            ..WorkerContact::default()
        };
        (worker != WorkerContact::default()).then_some(worker)
    }

    /// The domain of a row: canonical, or `other` with the sender's own code. The flag says that it was not known.
    pub(super) fn domain(&mut self, fields: &Fields, line: u64) -> (Domain, Option<Coding>) {
        let code = fields.get("domain");
        if let Some(domain) = Domain::from_code(code) {
            return (domain, None);
        }
        if code.is_empty() {
            return (Domain::Other, None);
        }
        self.warn(
            "unknown-domain",
            line,
            "domain",
            "a canonical domain code; read as other",
        );
        (Domain::Other, Some(Coding::new(CODE_SYSTEM, code)))
    }

    /// The day on which the message was written, in the jurisdiction's zone.
    pub(super) fn written_on(&self) -> Date {
        self.created_at.to_zoned(self.context.zone.clone()).date()
    }

    /// When something happened that the message dates by day: the day's beginning, or the moment of writing when the
    /// message was written on that day.
    pub(super) fn moment_of(&self, day: Option<Date>) -> Timestamp {
        match day {
            Some(day) if day != self.written_on() => day
                .to_zoned(self.context.zone.clone())
                .map_or(self.created_at, |zoned| zoned.timestamp()),
            _ => self.created_at,
        }
    }

    /// Tells an event under the message's id, so that the same message read twice has the same event ids.
    pub(super) fn event(
        &mut self,
        at: Timestamp,
        body: Body,
        person: Option<SourcePersonId>,
    ) -> Result<(), Stopped> {
        let id = if self.count == 0 {
            self.message.id.clone()
        } else {
            format!("{}#{}", self.message.id, self.count)
        };
        self.count += 1;
        let Ok(source) = SourceEventId::new(id) else {
            self.drop(
                "message-id-too-long",
                "message_id",
                "a message id of at most 190 characters",
            );
            return Ok(());
        };
        let mut event = NewEvent::new(at, source, body);
        event.source_household_id = self.household();
        event.source_person_id = person;
        self.sink.event(event)
    }

    /// The message is dropped.
    pub(super) fn drop(&mut self, code: &str, field: &str, expected: &str) {
        let place = Place::line(self.name, self.message.line).field(field);
        self.sink
            .deviation(Deviation::record_error(code, place, expected));
    }

    /// A value is left out.
    pub(super) fn leave_out(&mut self, code: &str, line: u64, field: &str, expected: &str) {
        let place = Place::line(self.name, line).field(field);
        self.sink
            .deviation(Deviation::value_error(code, place, expected));
    }

    /// Something is used though doubtful.
    pub(super) fn warn(&mut self, code: &str, line: u64, field: &str, expected: &str) {
        let place = Place::line(self.name, line).field(field);
        self.sink
            .deviation(Deviation::warning(code, place, expected));
    }

    fn info(&mut self, code: &str, expected: &str) {
        let place = Place::line(self.name, self.message.line);
        self.sink.deviation(Deviation::info(code, place, expected));
    }

    fn check_sender(&mut self, gate: &SenderGate) {
        if gate.is_other(self.header().get("sender"), &self.context.organization) {
            let expected = "the organisation that runs the sending system";
            self.warn("other-sender", self.message.line, "sender", expected);
        }
    }
}
