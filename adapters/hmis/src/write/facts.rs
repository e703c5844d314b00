//! What a message says, as questions and answers: the content of custom rows.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tandem_adapter_port::outbound::{Outbound, OutboundBody, Party};
use tandem_mappings::model::worker::WorkerContact;

use super::event::local;
use crate::value::instant_text;

/// One value of a message.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    /// What the value belongs to; blank for the message as a whole.
    pub(crate) part: String,
    pub(crate) question: &'static str,
    pub(crate) answer: String,
}

/// Collects facts; blank ones are left out, as if they were not there.
pub(crate) struct Facts<'a> {
    zone: &'a TimeZone,
    part: String,
    list: Vec<Fact>,
}

impl<'a> Facts<'a> {
    /// Name of the kind of message, and everything that it says, in order.
    pub(crate) fn of(message: &Outbound, zone: &'a TimeZone) -> (&'static str, Vec<Fact>) {
        let mut facts = Facts {
            zone,
            part: String::new(),
            list: Vec::new(),
        };
        let kind = facts.body(&message.body);
        // A message from which everything was taken says nothing, its sender included.
        if !facts.list.is_empty() {
            facts.part.clear();
            facts.put("sender", &message.sender.name);
            for notice in &message.notices {
                facts.part = format!("notice {}", notice.code);
                facts.put("text", &notice.text);
            }
        }
        (kind, facts.list)
    }

    fn body(&mut self, body: &OutboundBody) -> &'static str {
        match body {
            OutboundBody::MutualClient(view) => self.mutual_client(view),
            OutboundBody::Referral(view) => self.referral(view),
            OutboundBody::ReferralStatus(view) => self.referral_status(view),
            OutboundBody::Plan(view) => self.plan(view),
            OutboundBody::Participation(view) => self.participation(view),
            OutboundBody::Comanagement(view) => self.comanagement(view),
            OutboundBody::Meeting(view) => self.meeting(view),
            OutboundBody::Assessment(view) => self.assessment(view),
            OutboundBody::Conflict(view) => self.conflict(view),
            OutboundBody::Change(view) => self.change(view),
            OutboundBody::Recall(view) => self.recall(view),
            OutboundBody::ConsentReminder(view) => self.consent_reminder(view),
        }
    }

    pub(crate) fn part(&mut self, part: impl Into<String>) {
        self.part = part.into();
    }

    pub(crate) fn put(&mut self, question: &'static str, answer: &str) {
        if !answer.trim().is_empty() {
            let fact = Fact {
                part: self.part.clone(),
                question,
                answer: answer.to_owned(),
            };
            self.list.push(fact);
        }
    }

    pub(crate) fn maybe(&mut self, question: &'static str, answer: Option<impl ToString>) {
        if let Some(answer) = answer {
            self.put(question, &answer.to_string());
        }
    }

    pub(crate) fn moment(&mut self, question: &'static str, at: Timestamp) {
        self.put(question, &instant_text(local(at, self.zone)));
    }

    pub(crate) fn party(&mut self, question: &'static str, party: Option<&Party>) {
        self.maybe(question, party.map(|party| party.name.as_str()));
    }

    pub(crate) fn worker(&mut self, worker: Option<&WorkerContact>) {
        let Some(worker) = worker else { return };
        self.maybe("worker name", worker.name.as_deref());
        self.maybe("worker role", worker.role.as_deref());
        self.maybe("worker telephone", worker.phone.as_deref());
        self.maybe("worker email", worker.email.as_deref());
    }
}
