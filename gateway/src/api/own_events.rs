//! Reads a system's own events as JSON: which types a system may tell, and what of them must never enter.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::Deserialize as _;
use serde_json::Value;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::format::Format;
use tandem_adapter_port::json::{ListFault, ListLimits, Parsed, each_element};
use tandem_adapter_port::read::{FormatReader, Input, Sink, Stopped};
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::SystemId;

use super::problem::ApiError;
use super::push::work_on;
use crate::pipeline::accept::gate::Gate;
use crate::pipeline::core::Core;

/// What one input may hold. A value takes many times the room of its text.
const MOST: ListLimits = ListLimits {
    elements: 100_000,
    values_of_one: 10_000,
    values: 4_000_000,
};

/// The agency format that these events are counted as.
pub(super) const LIKE: Format = Format::FhirBundle;
/// As what they are kept: the reader of no agency format reads them.
pub(super) const FORM: &str = "tandem/events";

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
/// 422 when there is too much in the array or none of it may enter, else when the store fails.
pub(super) async fn screen(
    core: &Core,
    system: &SystemId,
    body: Bytes,
) -> Result<Screened, ApiError> {
    let Some(elements) = work_on(&body, elements_of).await?? else {
        // Of what is no array nothing is used; it is kept like every input that cannot be read.
        return Ok(Screened {
            bytes: body.into(),
            reader: OwnEvents::default(),
        });
    };
    let gate = learn(core, system, &elements).await?;
    let sifted = work_on(&body, move |body| sift(body, elements, gate));
    let (reader, kept) = sifted.await??;
    Ok(Screened {
        bytes: kept.unwrap_or_else(|| body.into()),
        reader,
    })
}

/// The gate for the events among the elements.
async fn learn(core: &Core, system: &SystemId, elements: &[Element]) -> Result<Gate, ApiError> {
    let events = elements.iter().filter_map(|one| one.event.as_deref());
    let events: Vec<&NewEvent> = events.collect();
    let mut tx = core.store.snapshot().await?;
    let gate = Gate::learn(core, &mut tx, system, events.iter().copied()).await?;
    Ok(gate)
}

/// The elements of an array; `None` of what is none.
fn elements_of(body: &[u8]) -> Result<Option<Vec<Element>>, ApiError> {
    let mut elements = Vec::new();
    let read = each_element(body, MOST, |parsed| elements.push(Element::of(&parsed)));
    let ListLimits {
        elements: events,
        values_of_one,
        values,
    } = MOST;
    match read {
        Ok(()) => Ok(Some(elements)),
        Err(ListFault::NoList) => Ok(None),
        Err(ListFault::TooManyElements) => {
            Err(ApiError::Invalid(format!("more than {events} events")))
        }
        Err(ListFault::TooManyValues) => Err(ApiError::Invalid(format!(
            "more than {values_of_one} values in one event, or {values} in all of them"
        ))),
    }
}

/// What reads the elements that may enter, and their array unless it is the one that was sent.
fn sift(
    body: &[u8],
    elements: Vec<Element>,
    gate: Gate,
) -> Result<(OwnEvents, Option<Vec<u8>>), ApiError> {
    let refused = (0..).zip(&elements).filter(|(_, element)| {
        let event = element.event.as_deref();
        event.is_some_and(|event| gate.refuses(event))
    });
    let mut refused: BTreeSet<usize> = refused.map(|(place, _)| place).collect();
    let is_as_sent = |refused: &BTreeSet<usize>| {
        refused.is_empty() && !elements.iter().any(|element| element.has_repeated_key)
    };
    let is_read = elements.iter().all(|element| element.event.is_some());
    let mut kept = None;
    if !is_read || !is_as_sent(&refused) {
        let array = without_refused(body, &elements, &gate, &mut refused)?;
        kept = (!is_as_sent(&refused)).then_some(array);
    }
    if refused.len() == elements.len() && !elements.is_empty() {
        let text = "every event tells of a record that must never enter; nothing was stored";
        return Err(ApiError::Invalid(text.to_owned()));
    }
    let elements = (0..).zip(elements);
    let elements = elements.filter(|(place, _)| !refused.contains(place));
    let elements: Vec<Element> = elements.map(|(_, element)| element).collect();
    let reader = OwnEvents {
        gate,
        elements: Some(elements),
        refused,
    };
    Ok((reader, kept))
}

/// The array without what must never enter: what was found so, and what cannot be read and says so of itself.
fn without_refused(
    body: &[u8],
    elements: &[Element],
    gate: &Gate,
    refused: &mut BTreeSet<usize>,
) -> Result<Vec<u8>, ApiError> {
    let (mut kept, mut next) = (vec![b'['], 0);
    let read = each_element(body, MOST, |parsed| {
        let place = next;
        next += 1;
        let is_unread = elements.get(place).is_none_or(|one| one.event.is_none());
        if is_unread && gate.refuses_unread(&parsed.value) {
            refused.insert(place);
        }
        if refused.contains(&place) {
            return;
        }
        if kept.len() > 1 {
            kept.push(b',');
        }
        kept.extend_from_slice(parsed.value.to_string().as_bytes());
    });
    read.map_err(|_| ApiError::Internal("an array was read once and not again".to_owned()))?;
    kept.push(b']');
    Ok(kept)
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

/// An element of the array. The value itself is not kept: it would take many times the room.
struct Element {
    /// The event that it is, if it is one of the catalogue.
    event: Option<Box<NewEvent>>,
    /// Whether it has a field that events have not: a misspelt `labels` must not pass for none.
    has_unknown_field: bool,
    /// Whether it has a key twice: what is kept is what was read.
    has_repeated_key: bool,
}

impl Element {
    fn of(parsed: &Parsed) -> Self {
        let event = NewEvent::deserialize(&parsed.value);
        Self {
            event: event.ok().map(Box::new),
            has_unknown_field: has_unknown_field(&parsed.value),
            has_repeated_key: parsed.repeated_keys > 0,
        }
    }

    /// The event, or as what it deviates.
    fn usable(&self) -> Result<&NewEvent, (&'static str, String)> {
        match self.event.as_deref() {
            _ if self.has_unknown_field => Err(("unknown-field", expected_fields())),
            Some(event) if is_for_systems(&event.body) => Ok(event),
            Some(_) => Err(("not-a-systems-event", "a type that systems tell".to_owned())),
            None => Err(("not-an-event", "an event of the catalogue".to_owned())),
        }
    }
}

impl FormatReader for OwnEvents {
    fn format(&self) -> Format {
        LIKE
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
            let place = place.clone().field(format!("[{number}]"));
            if element.has_repeated_key {
                let expected = "each key once in an object; the first one counts";
                sink.deviation(Deviation::warning("repeated-key", place.clone(), expected));
            }
            match element.usable() {
                Ok(event) => sink.event(self.gate.raised(event.clone()))?,
                Err((code, expected)) => {
                    sink.deviation(Deviation::record_error(code, place, expected));
                }
            }
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
