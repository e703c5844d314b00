//! Event.csv (element 4.20): referrals of ours and their results, and referrals that the HMIS made itself.
//!
//! A row whose EventID is ours answers a referral that the gateway wrote there: result 1 accepts it, 2 and 3 reject
//! it (list 4.20.D), a deleted row cancels it, and an unanswered row tells nothing, being our own echo. HMIS has no
//! state before the result and no reason; an enrollment of the person in the receiving project on or after the
//! result's date is the proof that the service was received.

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_adapter_port::read::Stopped;
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{ReferralId, SourceEventId, SourcePersonId};
use tandem_mappings::model::referral::{
    ReasonCode, ReferralRef, ReferralRequest, ReferralRole, ReferralStatus, ReferralTarget,
    ReferralUpdate, ServiceDelivered, SubStatus, Urgency,
};

use super::finding::Finding;
use super::prepass::person_in_project;
use super::row::Row;
use super::session::Session;
use crate::config::OutsideService;
use crate::describe::{self, CODE_SYSTEM};
use crate::tables::EventTypes;

/// Why a referral whose row was deleted is cancelled.
pub(super) const DELETED_TEXT: &str = "the row was deleted in HMIS, which gives no reason";

/// An accepted referral of ours that an enrollment would prove.
#[derive(Debug, Clone)]
pub(crate) struct Awaited {
    referral: ReferralId,
    event_id: String,
    domain: Domain,
    since: Date,
}

/// What a row of Event says of its referral.
struct Told {
    status: ReferralStatus,
    reason: Option<ReasonCode>,
    text: Option<&'static str>,
    at: Timestamp,
}

impl Session<'_> {
    /// A row of Event.
    pub(crate) fn event_row(&mut self, entry: &str, row: &Row<'_>) -> Result<(), Stopped> {
        let Some(domain) = EventTypes::shipped()
            .ok()
            .and_then(|types| types.domain(row.get("Event")))
        else {
            return Ok(());
        };
        let Ok(person) = SourcePersonId::new(row.get("PersonalID")) else {
            self.bad_id(entry, row, "PersonalID");
            return Ok(());
        };
        self.note_result(entry, row);
        match describe::referral_of(row.key()) {
            Some(referral) => self.answered(row, referral, person, domain),
            None => self.own_referral(row, person, domain),
        }
    }

    /// Results that the specification does not expect, and results without a date.
    fn note_result(&mut self, entry: &str, row: &Row<'_>) {
        if row.get("ReferralResult").is_empty() {
            return;
        }
        if row.get("ResultDate").is_empty() {
            let finding = Finding::warning("result-without-date", row.line).at("ResultDate");
            self.tell(entry, finding.expected("a date with every result"));
        }
        if !matches!(
            row.get("Event"),
            "10" | "11" | "12" | "13" | "14" | "15" | "17" | "18"
        ) {
            let finding = Finding::info("result-not-asked", row.line).at("ReferralResult");
            self.tell(
                entry,
                finding.expected("blank: a result goes with events 10-15, 17, 18"),
            );
        }
    }

    /// The partner's answer to a referral of ours.
    fn answered(
        &mut self,
        row: &Row<'_>,
        referral: ReferralId,
        person: SourcePersonId,
        domain: Domain,
    ) -> Result<(), Stopped> {
        let Some(told) = self.told(row) else {
            return Ok(());
        };
        let reference = ours(referral, row.key());
        let place = row.get("LocationCrisisOrPHHousing");
        if told.status == ReferralStatus::Accepted
            && let Some(project) = self.prepass.place(place)
            && let Some(since) = row.date("ResultDate").or(row.date("EventDate"))
        {
            let key = person_in_project(person.as_str(), project);
            let event_id = row.key().to_owned();
            self.awaited.insert(
                key,
                Awaited {
                    referral,
                    event_id,
                    domain,
                    since,
                },
            );
        }
        self.update(row, reference, person, &told, Some(ReferralRole::Target))
    }

    /// What the row tells; `None` while it is unanswered.
    fn told(&self, row: &Row<'_>) -> Option<Told> {
        if row.is_deleted() {
            let at = self
                .moment(row, "DateDeleted")
                .unwrap_or_else(|| self.changed_at(row));
            return Some(Told {
                status: ReferralStatus::Cancelled,
                reason: Some(self.config.deleted_reason),
                text: Some(DELETED_TEXT),
                at,
            });
        }
        let column = if row.get("ResultDate").is_empty() {
            "DateUpdated"
        } else {
            "ResultDate"
        };
        let at = self.day_moment(row, column);
        match row.get("ReferralResult") {
            "1" => Some(Told {
                status: ReferralStatus::Accepted,
                reason: None,
                text: None,
                at,
            }),
            "2" => Some(Told {
                status: ReferralStatus::Rejected,
                reason: Some(ReasonCode::ClientDeclined),
                text: None,
                at,
            }),
            "3" => Some(Told {
                status: ReferralStatus::Rejected,
                reason: Some(self.config.provider_rejected_reason),
                text: Some("provider rejected; HMIS gives no reason"),
                at,
            }),
            _ => None,
        }
    }

    fn update(
        &mut self,
        row: &Row<'_>,
        referral: ReferralRef,
        person: SourcePersonId,
        told: &Told,
        role: Option<ReferralRole>,
    ) -> Result<(), Stopped> {
        let result = row.get("ReferralResult");
        let original = (!result.is_empty() && told.status != ReferralStatus::Cancelled)
            .then(|| Coding::new(CODE_SYSTEM, format!("4.20.D:{result}")));
        let update = ReferralUpdate {
            referral,
            status: told.status,
            reason: told.reason,
            reason_text: told.text.map(str::to_owned),
            sub_status: None,
            role,
            outputs: Vec::new(),
            original: original.clone(),
        };
        let body = match told.status {
            ReferralStatus::Accepted => Body::ReferralAccepted(Box::new(update)),
            ReferralStatus::Cancelled => Body::ReferralCancelled(Box::new(update)),
            _ => Body::ReferralRejected(Box::new(update)),
        };
        let project = self.project_of(row);
        let Ok(id) = SourceEventId::new(format!("Event:{}:{}", row.key(), told.status)) else {
            return Ok(());
        };
        let mut event = self.of_project(NewEvent::new(told.at, id, body).about(person), &project);
        event.original = original;
        self.sink.event(event)
    }

    /// A referral that a user of the HMIS made: to a service outside it, or to another of its projects.
    fn own_referral(
        &mut self,
        row: &Row<'_>,
        person: SourcePersonId,
        domain: Domain,
    ) -> Result<(), Stopped> {
        let outside = self.outside(row.get("LocationCrisisOrPHHousing"));
        if outside.is_none() && !self.config.internal_referrals {
            return Ok(());
        }
        let target = match outside {
            Some(service) => ReferralTarget {
                organization: Some(service.organization),
                service: service.service,
            },
            None => ReferralTarget {
                organization: Some(self.context.organization.clone()),
                service: None,
            },
        };
        let is_internal = target.organization.as_ref() == Some(&self.context.organization);
        let reference = ReferralRef {
            source_ref: Some(row.key().to_owned()),
            ..ReferralRef::default()
        };
        self.request(row, (reference.clone(), target, domain), person.clone())?;
        match self.told(row) {
            Some(told) if told.status == ReferralStatus::Cancelled => {
                self.update(row, reference, person, &told, Some(ReferralRole::Source))
            }
            // Outside the HMIS the target answers itself.
            Some(told) if is_internal => {
                self.update(row, reference, person, &told, Some(ReferralRole::Target))
            }
            _ => Ok(()),
        }
    }

    fn request(
        &mut self,
        row: &Row<'_>,
        (referral, target, domain): (ReferralRef, ReferralTarget, Domain),
        person: SourcePersonId,
    ) -> Result<(), Stopped> {
        let original = Coding::new(CODE_SYSTEM, format!("4.20.2:{}", row.get("Event")));
        let request = ReferralRequest {
            referral,
            source: Some(self.context.organization.clone()),
            worker: None,
            target,
            domain,
            original: Some(original.clone()),
            subjects: vec![person.clone()],
            household: None,
            urgency: Urgency::Routine,
            need: None,
            safe_contact: None,
            goal: None,
            part_of: None,
            source_resources: Vec::new(),
        };
        let Ok(id) = SourceEventId::new(format!("Event:{}:requested", row.key())) else {
            return Ok(());
        };
        let project = self.project_of(row);
        let body = Body::ReferralRequested(Box::new(request));
        let event = NewEvent::new(self.day_moment(row, "EventDate"), id, body).about(person);
        let mut event = self.of_project(event, &project);
        event.original = Some(original);
        self.sink.event(event)
    }

    fn outside(&self, place: &str) -> Option<OutsideService> {
        let services = &self.config.outside_services;
        services
            .iter()
            .find(|(text, _)| text.eq_ignore_ascii_case(place))
            .map(|(_, to)| to.clone())
    }

    fn project_of(&self, row: &Row<'_>) -> String {
        let gates = &self.prepass.gates;
        gates
            .project_of(row.get("EnrollmentID"))
            .unwrap_or_default()
            .to_owned()
    }

    /// An enrollment that proves an accepted referral of ours: the service was delivered.
    pub(crate) fn prove_referral(&mut self, row: &Row<'_>) -> Result<(), Stopped> {
        let (project, person) = (row.get("ProjectID"), row.get("PersonalID"));
        let key = person_in_project(person, project);
        let Some(date) = row.date("EntryDate") else {
            return Ok(());
        };
        let is_proof = self
            .awaited
            .get(&key)
            .is_some_and(|awaited| date >= awaited.since);
        if !is_proof {
            return Ok(());
        }
        let Some(awaited) = self.awaited.remove(&key) else {
            return Ok(());
        };
        let Ok(person) = SourcePersonId::new(person) else {
            return Ok(());
        };
        let reference = ours(awaited.referral, &awaited.event_id);
        let delivered = Body::ServiceDelivered(Box::new(ServiceDelivered {
            person: person.clone(),
            domain: awaited.domain,
            service: Some(project.to_owned()),
            referral: Some(reference.clone()),
            date,
            units: None,
        }));
        let closed = Body::ReferralClosed(Box::new(ReferralUpdate {
            referral: reference,
            status: ReferralStatus::Completed,
            reason: Some(ReasonCode::ServiceReceived),
            reason_text: None,
            sub_status: Some(SubStatus::Enrolled),
            role: Some(ReferralRole::Target),
            outputs: Vec::new(),
            original: None,
        }));
        let at = self.day_moment(row, "EntryDate");
        for (what, body) in [("delivered", delivered), ("closed", closed)] {
            let id = format!("Event:{}:{what}", awaited.event_id);
            let Ok(id) = SourceEventId::new(id) else {
                continue;
            };
            let event = NewEvent::new(at, id, body).about(person.clone());
            let event = self.of_project(event, project);
            self.sink.event(event)?;
        }
        Ok(())
    }
}

fn ours(referral: ReferralId, event_id: &str) -> ReferralRef {
    ReferralRef {
        id: Some(referral),
        source_ref: None,
        target_ref: Some(event_id.to_owned()),
    }
}
