//! Reads a system's own events as JSON: which types a system may tell, and what of them must never enter.

use std::collections::BTreeSet;

use serde::Deserialize as _;
use serde_json::Value;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::{FormatReader, Input, Sink, Stopped};
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::SystemId;

use super::problem::ApiError;
use crate::pipeline::accept::gate::Gate;
use crate::pipeline::core::Core;

/// Most events in one input.
const MOST: usize = 100_000;

/// A JSON array of events after the gate: what is kept, and what the reader must know.
pub(super) struct Screened {
    /// The array without what must never enter: this alone is stored.
    pub(super) bytes: Vec<u8>,
    /// What reads it.
    pub(super) reader: OwnEvents,
}

/// Takes out what must never enter, before anything is stored.
///
/// # Errors
/// 422 when there are too many events or none of them may enter, else when the store fails.
pub(super) async fn screen(
    core: &Core,
    system: &SystemId,
    body: &[u8],
) -> Result<Screened, ApiError> {
    let Ok(values) = serde_json::from_slice::<Vec<Value>>(body) else {
        // Of what is no array nothing is used; it is kept like every input that cannot be read.
        return Ok(Screened {
            bytes: body.to_vec(),
            reader: OwnEvents::default(),
        });
    };
    if values.len() > MOST {
        return Err(ApiError::Invalid(format!("more than {MOST} events")));
    }
    let events: Vec<Option<NewEvent>> = values.iter().map(event_of).collect();
    let mut tx = core.store.snapshot().await?;
    let gate = Gate::learn(core, &mut tx, system, events.iter().flatten()).await?;
    drop(tx);
    let is_refused = |place: &usize| match (events.get(*place), values.get(*place)) {
        (Some(Some(event)), _) => gate.refuses(event),
        (_, Some(value)) => gate.refuses_unread(value),
        _ => false,
    };
    let refused: BTreeSet<usize> = (0..values.len()).filter(is_refused).collect();
    if refused.len() == values.len() && !values.is_empty() {
        let text = "every event tells of a record that must never enter; nothing was stored";
        return Err(ApiError::Invalid(text.to_owned()));
    }
    let is_kept = |place: &usize| !refused.contains(place);
    let bytes = if refused.is_empty() {
        body.to_vec()
    } else {
        let kept = (0..).zip(&values).filter(|(place, _)| is_kept(place));
        let kept: Vec<&Value> = kept.map(|(_, value)| value).collect();
        serde_json::to_vec(&kept).map_err(|error| ApiError::Internal(error.to_string()))?
    };
    let elements = (0..).zip(values.iter().zip(events));
    let elements = elements.filter(|(place, _)| is_kept(place));
    let elements = elements.map(|(_, (value, event))| Element::of(value, event));
    let reader = OwnEvents {
        gate,
        elements: Some(elements.collect()),
        refused,
    };
    Ok(Screened { bytes, reader })
}

/// Reads a JSON array of events. There is no agency format behind it: it is the gateway's own.
#[derive(Default)]
pub(super) struct OwnEvents {
    gate: Gate,
    /// The elements of what is kept, read while it was screened; `None` of what is no array.
    elements: Option<Vec<Element>>,
    /// Places, in the array as it was sent, of what was taken out of it.
    refused: BTreeSet<usize>,
}

/// An element of the array.
enum Element {
    Event(Box<NewEvent>),
    /// It is no event of the catalogue.
    Other,
    /// It has a field that events have not.
    UnknownField,
}

impl Element {
    fn of(value: &Value, event: Option<NewEvent>) -> Self {
        match event {
            // A misspelt `labels` must not pass for none.
            _ if has_unknown_field(value) => Self::UnknownField,
            Some(event) => Self::Event(Box::new(event)),
            None => Self::Other,
        }
    }
}

fn event_of(value: &Value) -> Option<NewEvent> {
    NewEvent::deserialize(value).ok()
}

impl FormatReader for OwnEvents {
    fn format(&self) -> Format {
        Format::FhirBundle
    }

    fn read(
        &self,
        _input: Input<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        let place = Place::file(context.input_name.clone());
        let Some(elements) = &self.elements else {
            sink.deviation(Deviation::input_error(
                "not-an-array",
                place,
                "a JSON array of events",
            ));
            return Ok(());
        };
        for number in &self.refused {
            sink.record("event");
            // It is cut out already: the place is one in what was sent, not in what is kept.
            sink.refused(Place::file("as-sent").field(format!("[{number}]")), 0);
        }
        for (number, element) in elements.iter().enumerate() {
            sink.record("event");
            let (code, expected) = match element {
                Element::Event(event) if is_for_systems(&event.body) => {
                    sink.event(self.gate.raised(NewEvent::clone(event)))?;
                    continue;
                }
                Element::Event(_) => ("not-a-systems-event", "a type that systems tell".to_owned()),
                Element::Other => ("not-an-event", "an event of the catalogue".to_owned()),
                Element::UnknownField => ("unknown-field", expected_fields()),
            };
            let place = place.clone().field(format!("[{number}]"));
            sink.deviation(Deviation::record_error(code, place, expected));
        }
        Ok(())
    }
}

/// Fields of an event.
const FIELDS: [&str; 11] = [
    "occurred_at",
    "source_event_id",
    "source_person_id",
    "source_household_id",
    "category",
    "labels",
    "program",
    "codes",
    "original",
    "type",
    "payload",
];

fn expected_fields() -> String {
    format!("no field beside those of an event: {}", FIELDS.join(", "))
}

fn has_unknown_field(value: &Value) -> bool {
    let fields = value.as_object();
    fields.is_some_and(|fields| fields.keys().any(|name| !FIELDS.contains(&name.as_str())))
}

/// Whether a system writes events of this type (specs coordination 11, "written by"). The others are the gateway's, its
/// stewards', the consent service's or a data owner's.
fn is_for_systems(body: &Body) -> bool {
    matches!(
        body,
        Body::RecordReceived(_)
            | Body::RecordWithdrawn(_)
            | Body::RecordSealed(_)
            | Body::HouseholdMembership(_)
            | Body::EnrollmentActive(_)
            | Body::EnrollmentEnded(_)
            | Body::EnrollmentSensitive(_)
            | Body::CaseOpened(_)
            | Body::CaseClosed(_)
            | Body::ParticipationStatus(_)
            | Body::PlacementChanged(_)
            | Body::AddressChanged(_)
            | Body::EmploymentChanged(_)
            | Body::WorkerChanged(_)
            | Body::CourtDate(_)
            | Body::SafetyAlert(_)
            | Body::ReferralDrafted(_)
            | Body::ReferralRequested(_)
            | Body::ReferralAccepted(_)
            | Body::ReferralRejected(_)
            | Body::ReferralInProgress(_)
            | Body::ReferralOnHold(_)
            | Body::ReferralClosed(_)
            | Body::ReferralCancelled(_)
            | Body::ReferralError(_)
            | Body::ReferralContact(_)
            | Body::ServiceDelivered(_)
            | Body::PlanProposed(_)
            | Body::PlanAgreed(_)
            | Body::PlanActive(_)
            | Body::PlanUpdate(_)
            | Body::PlanEnded(_)
            | Body::GoalUpdated(_)
            | Body::ActivityUpdated(_)
            | Body::FundingLine(_)
            | Body::MeetingScheduled(_)
            | Body::MeetingHeld(_)
            | Body::ComanagementStarted(_)
            | Body::ComanagementPaused(_)
            | Body::ComanagementEnded(_)
            | Body::CoordinationStep(_)
            | Body::CoordinationIntensity(_)
            | Body::AssessmentRecorded(_)
            | Body::MessageSent(_)
            | Body::MessageRead(_)
    )
}
