//! The events that a Task tells, given what was known of it before.
//!
//! A Task is a snapshot: between two looks it may have moved more than once, so a state that is not
//! one step away from the last known one is told as the chain of moves that leads to it.

use serde_json::Value;
use tandem_adapter_port::deviation::Deviation;
use tandem_adapter_port::read::{Sink, Stopped};
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::SourcePersonId;
use tandem_mappings::model::person::RecordReceived;
use tandem_mappings::model::referral::ReferralStatus;

use super::collect::{Collector, Held, report};
use super::patient;
use super::reference;
use super::referral;
use super::resource::contained;
use super::view::{Notes, View};
use crate::codes;
use crate::terms;

/// What a Task was when it was read, to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenTask {
    pub(crate) id: String,
    pub(crate) status: ReferralStatus,
    pub(crate) version: Option<String>,
    /// The gateway's referral id when the gateway wrote the Task.
    pub(crate) referral: Option<String>,
}

/// Reads a Task whose last known state is `known`; `None` when it was never seen.
pub(crate) fn read(
    collector: &Collector,
    held: &Held,
    known: Option<ReferralStatus>,
    sink: &mut dyn Sink,
) -> Result<Option<SeenTask>, Stopped> {
    let notes = Notes::default();
    let Some(task) = View::new(&held.value, "Task", &notes) else {
        return Ok(None);
    };
    if !is_referral(&task) {
        let expected = "a Task of code fulfill and intent order";
        sink.deviation(Deviation::info(
            "task-not-a-referral",
            held.place.clone(),
            expected,
        ));
        return Ok(None);
    }
    let Some(status) = referral::status(&task) else {
        let place = held.place.clone().field("Task.status");
        sink.deviation(Deviation::record_error(
            "status-missing",
            place,
            "a code of task-status",
        ));
        return Ok(None);
    };
    let own = referral::own_referral(&task, &collector.config);
    let mut events = Vec::new();
    let is_new = matches!(known, None | Some(ReferralStatus::Draft)) && known != Some(status);
    if is_new && own.is_none() {
        events.extend(contained_person(collector, held, &task));
        events.extend(request_event(collector, held, &task, status, sink));
    }
    let before = known.unwrap_or(ReferralStatus::Requested);
    events.extend(moves(collector, held, &task, before, status));
    let id = task.text("id").map(str::to_owned);
    drop(task);
    report(notes, &held.place, sink);
    for event in events {
        sink.event(event)?;
    }
    let meta = held.value.get("meta");
    let version = meta.and_then(|meta| meta.get("versionId")?.as_str());
    Ok(id.map(|id| SeenTask {
        id,
        status,
        version: version.map(str::to_owned),
        referral: own.map(|own| own.to_string()),
    }))
}

/// Gravity: `code` is `fulfill`; a Task without a code but with a focus is taken for one.
fn is_referral(task: &View<'_>) -> bool {
    let code = task.concept("code");
    let is_fulfil = code.as_ref().is_none_or(|code| {
        code.codings.is_empty() || code.code_in(terms::TASK_CODE) == Some("fulfill")
    });
    let intent = task.text("intent");
    is_fulfil && intent.is_none_or(|intent| matches!(intent, "order" | "filler-order"))
}

/// The ServiceRequest that the Task asks to fulfil: contained, or elsewhere in the payload.
pub(crate) fn focus<'a>(collector: &'a Collector, task: &'a Value) -> Option<&'a Value> {
    let target = reference::parse(task.get("focus")?.get("reference")?.as_str()?)?;
    let service = if target.is_contained {
        contained(task, target.id)?
    } else if collector.is_local(target.base) {
        &collector.services.get(collector.resolved(target.id))?.value
    } else {
        return None;
    };
    let kind = service.get("resourceType").and_then(Value::as_str);
    (kind == Some("ServiceRequest")).then_some(service)
}

/// A Patient that the Task contains has no id at the partner: it gets the Task's and its local one.
fn contained_person(collector: &Collector, held: &Held, task: &View<'_>) -> Option<NewEvent> {
    let person = contained_person_id(task)?;
    let local = task.object("for")?.text("reference")?.strip_prefix('#')?;
    let notes = Notes::default();
    let patient = View::new(contained(&held.value, local)?, "Patient", &notes)?;
    let record = patient::read(&patient, &collector.config.identifier_systems);
    let body = Body::RecordReceived(Box::new(RecordReceived {
        record_kind: "Patient".to_owned(),
        person: record,
    }));
    Some(
        collector
            .event(&held.value, "#patient", body)?
            .about(person),
    )
}

fn contained_person_id(task: &View<'_>) -> Option<SourcePersonId> {
    let local = task.object("for")?.text("reference")?.strip_prefix('#')?;
    SourcePersonId::new(format!("{}.{local}", task.text("id")?)).ok()
}

/// The person referred, by the partner's id.
fn subject(collector: &Collector, task: &View<'_>) -> Option<SourcePersonId> {
    contained_person_id(task).or_else(|| {
        let mut person = referral::person(&task.object("for")?)?;
        collector.resolve_person(&mut person);
        Some(person)
    })
}

fn request_event(
    collector: &Collector,
    held: &Held,
    task: &View<'_>,
    status: ReferralStatus,
    sink: &mut dyn Sink,
) -> Option<NewEvent> {
    let notes = Notes::default();
    let service = focus(collector, &held.value);
    let service = service.and_then(|value| View::new(value, "ServiceRequest", &notes));
    if service.is_none() {
        let place = held.place.clone().field("Task.focus");
        let expected = "its ServiceRequest";
        sink.deviation(Deviation::warning("focus-not-found", place, expected));
    }
    let mut request = referral::request(Some(task), service.as_ref(), &collector.config)?;
    drop(service);
    report(notes, &held.place, sink);
    if let Some(person) = contained_person_id(task) {
        request.subjects = vec![person];
    }
    for subject in &mut request.subjects {
        collector.resolve_person(subject);
    }
    request.subjects.dedup();
    let subject = request.subjects.first().cloned();
    let (part, body) = match status {
        ReferralStatus::Draft => ("#draft", Body::ReferralDrafted(Box::new(request))),
        _ => ("#requested", Body::ReferralRequested(Box::new(request))),
    };
    let event = collector.event(&held.value, part, body)?;
    Some(match subject {
        Some(subject) => event.about(subject),
        None => {
            task.note("for", "a reference to a Patient");
            event
        }
    })
}

fn says_more(task: &View<'_>) -> bool {
    task.raw("businessStatus").is_some() || task.raw("output").is_some()
}

/// The moves from the last known state to this one. A state that cannot be reached is told as it
/// stands: refusing it is for the state machine.
fn moves(
    collector: &Collector,
    held: &Held,
    task: &View<'_>,
    before: ReferralStatus,
    status: ReferralStatus,
) -> Vec<NewEvent> {
    let chain = match before == status {
        // The state stays; what is below it may be new.
        true if says_more(task) => vec![status],
        true => Vec::new(),
        false => codes::path(before, status).unwrap_or_else(|| vec![status]),
    };
    let subject = subject(collector, task);
    let last = chain.len();
    let events = chain.into_iter().enumerate().filter_map(|(at, step)| {
        let mut update = referral::update(task, step, &collector.config);
        if at + 1 < last {
            // What the Task says belongs to the state in which it now is.
            update.reason = None;
            update.reason_text = None;
            update.sub_status = None;
            update.outputs = Vec::new();
        }
        let event = collector.event(&held.value, &format!("#{step}"), referral::body(update)?)?;
        Some(match subject.clone() {
            Some(subject) => event.about(subject),
            None => event,
        })
    });
    events.collect()
}
