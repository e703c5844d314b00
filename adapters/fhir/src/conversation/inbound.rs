//! What a partner posts to the gateway: `POST /fhir/Task`, `PUT /fhir/Task/{id}`, `GET /fhir/Task/{id}`.
//!
//! A posted Task brings its focus contained, or names it by an absolute reference on the partner's
//! server, from where [`FetchFocus`] reads it. Every refusal is a list of issues for an
//! OperationOutcome.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::json;
use tandem_adapter_port::report::Collected;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::ReferralId;
use tandem_mappings::model::referral::{ReferralRole, ReferralStatus};

use super::focus::FetchFocus;
use crate::codes::{self, Mover};
use crate::config::FhirConfig;
use crate::profile;
use crate::read::collect::{Collector, Held};
use crate::read::referral;
use crate::read::resource::{contained, focus_id, has_modifier};
use crate::read::task_events;
use crate::read::view::{Notes, View};
use crate::write::outcome::Issue;

pub use super::focus::Fetched;
pub use crate::write::outcome::operation_outcome;
pub use crate::write::task_status::{Applied, MoveError, TaskChange, apply};

/// Most values in a posted Task with what it carries.
const MOST_VALUES: usize = 100_000;

/// A request that is refused: the status and the issues of its OperationOutcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: StatusCode,
    /// What is wrong.
    pub issues: Vec<Issue>,
}

/// A posted Task that may be accepted.
#[derive(Debug)]
pub struct PostedTask {
    /// The Task as posted; unknown elements are kept.
    pub task: Value,
    /// The events that it tells.
    pub events: Vec<NewEvent>,
    /// What was doubtful in it.
    pub deviations: Vec<Deviation>,
    /// Key of the posting: repeating it gives the same key.
    pub effect: String,
}

/// What became of a posted Task.
#[derive(Debug)]
pub enum Posted {
    /// It can be accepted: commit its events, then answer 201 with [`stored_task`].
    Complete(Box<PostedTask>),
    /// Its focus has to be fetched first; give it to [`with_focus`].
    NeedsFocus {
        /// The Task as posted.
        task: Box<Value>,
        /// Fetches the focus.
        fetch: Box<FetchFocus>,
    },
    /// It is refused.
    Refused(Refusal),
}

/// Takes the body of `POST /fhir/Task`.
#[must_use]
pub fn receive_task(body: &[u8], config: &FhirConfig, context: &ReadContext) -> Posted {
    let task = match readable(body) {
        Ok(task) => task,
        Err(refusal) => return Posted::Refused(refusal),
    };
    let mut issues = profile::task_issues(&task);
    let status = task
        .get("status")
        .and_then(Value::as_str)
        .and_then(codes::read_task_status);
    if !matches!(
        status,
        None | Some(ReferralStatus::Draft | ReferralStatus::Requested)
    ) {
        let text = "a new referral is draft or requested";
        issues.push(Issue::error("business-rule", "Task.status", text));
    }
    if let Some(issue) = closed(&task, "Task", config) {
        return refused(vec![issue]);
    }
    let reference = task.get("focus").and_then(|focus| focus.get("reference"));
    let reference = reference.and_then(Value::as_str).unwrap_or("").to_owned();
    let fetch = FetchFocus::new(config, &reference);
    issues.extend(focus_issue(&task, &reference, fetch.is_some()));
    if issues.iter().any(Issue::is_error) {
        return refused(issues);
    }
    match fetch {
        Some(fetch) => Posted::NeedsFocus {
            task: Box::new(task),
            fetch: Box::new(fetch),
        },
        None => complete(task, None, config, context),
    }
}

/// Why a resource must not enter, whatever it says: a label under which nothing does, or a modifier that may turn what
/// it says into its opposite (FHIR R4, section 2.4.0.1).
fn closed(resource: &Value, path: &str, config: &FhirConfig) -> Option<Issue> {
    if crate::gates::is_refused(resource, &config.refused_labels) {
        let path = format!("{path}.meta.security");
        return Some(Issue::error("business-rule", path, "label not accepted"));
    }
    let text = "a modifierExtension that is not known here";
    has_modifier(resource).then(|| Issue::error("extension", path, text))
}

/// The focus is contained, or stands under an absolute URL on the partner's own server.
fn focus_issue(task: &Value, reference: &str, is_at_partner: bool) -> Option<Issue> {
    let path = "Task.focus.reference";
    if reference.starts_with('#') {
        let found = focus_id(task).and_then(|id| contained(task, id));
        let text = "the contained resource does not exist";
        return found
            .is_none()
            .then(|| Issue::error("not-found", path, text));
    }
    let is_good = reference.is_empty() || (is_at_partner && reference.contains("://"));
    let text = "contain the ServiceRequest, or name it by an absolute URL on your own server";
    (!is_good).then(|| Issue::error("value", path, text))
}

/// Takes a posted Task with the focus that was fetched for it.
#[must_use]
pub fn with_focus(task: Value, focus: Value, config: &FhirConfig, context: &ReadContext) -> Posted {
    if let Some(issue) = closed(&focus, "Task.focus", config) {
        return refused(vec![issue]);
    }
    complete(task, Some(focus), config, context)
}

fn complete(
    task: Value,
    fetched: Option<Value>,
    config: &FhirConfig,
    context: &ReadContext,
) -> Posted {
    let in_task = focus_id(&task).and_then(|id| contained(&task, id));
    let issues = match fetched.as_ref().or(in_task) {
        Some(service) => profile::service_request_issues(service),
        None => vec![Issue::error(
            "not-found",
            "Task.focus",
            "the ServiceRequest is missing",
        )],
    };
    if issues.iter().any(Issue::is_error) {
        return refused(issues);
    }
    let effect = effect(&task, context);
    let mut found = Collected::default();
    let mut collector = Collector::new(config.clone(), context.clone());
    let place = Place::file(context.input_name.clone());
    let held = |value: Value| Held {
        value,
        place: place.clone(),
        last_line: 0,
        full_url: None,
    };
    if let Some(service) = fetched {
        // INVARIANT: `Collected` never stops a reader.
        let _ = collector.add(held(service), &mut found);
    }
    let read = task_events::read(
        &collector,
        &held(identified(&task, &effect)),
        None,
        &mut found,
    );
    if read.is_err() || found.events.is_empty() {
        let text = "the task tells nothing that the gateway could pass on";
        return refused(vec![Issue::error("business-rule", "Task", text)]);
    }
    forget_task_url(&mut found.events, &effect);
    let deviations = found.deviations;
    Posted::Complete(Box::new(PostedTask {
        task,
        events: found.events,
        deviations,
        effect,
    }))
}

/// A posted Task stands at the gateway, not at the partner.
fn forget_task_url(events: &mut [NewEvent], effect: &str) {
    let own = format!("/Task/{effect}");
    for event in events {
        if let Body::ReferralRequested(request) | Body::ReferralDrafted(request) = &mut event.body {
            request.source_resources.retain(|url| !url.ends_with(&own));
        }
    }
}

/// The sender's own identifier of the Task, else a key made of its content.
fn effect(task: &Value, context: &ReadContext) -> String {
    let identifier = task.get("identifier").and_then(|all| all.get(0));
    let text = |name: &str| {
        identifier
            .and_then(|one| one.get(name))
            .and_then(Value::as_str)
    };
    match (text("system"), text("value")) {
        (system, Some(value)) => context.keyed_id(&["task", system.unwrap_or(""), value]),
        _ => context.keyed_id(&["task", &task.to_string()]),
    }
}

/// The Task under the id by which the source will be told of it: a posted id is not the gateway's,
/// and a version that the sender made up must not key its event.
fn identified(task: &Value, effect: &str) -> Value {
    let mut task = task.clone();
    if let Some(fields) = task.as_object_mut() {
        fields.insert("id".to_owned(), json!(effect));
        let mut meta = match fields.remove("meta") {
            Some(Value::Object(meta)) => meta,
            _ => Map::new(),
        };
        meta.insert("versionId".to_owned(), json!("posted"));
        fields.insert("meta".to_owned(), Value::Object(meta));
    }
    task
}

/// The Task as the gateway stores and serves it: the posted content under the gateway's id. This is
/// the body of the 201; its headers are `Location: {own_base}/Task/{id}/_history/{version}` and
/// `ETag: W/"{version}"`.
#[must_use]
pub fn stored_task(posted: &Value, referral: ReferralId, version: u64, now: Timestamp) -> Value {
    let mut task = posted.clone();
    if let Some(fields) = task.as_object_mut() {
        fields.insert("id".to_owned(), json!(referral.to_string()));
        let mut meta = match fields.remove("meta") {
            Some(Value::Object(meta)) => meta,
            _ => Map::new(),
        };
        meta.insert("versionId".to_owned(), json!(version.to_string()));
        meta.insert("lastUpdated".to_owned(), json!(now.to_string()));
        fields.insert("meta".to_owned(), Value::Object(meta));
        // Base FHIR's `received` is not a state of the referral profile.
        if fields.get("status").and_then(Value::as_str) == Some("received") {
            fields.insert("status".to_owned(), json!("requested"));
        }
    }
    task
}

/// Takes the body of `PUT /fhir/Task/{id}`: the events that lead from the stored state to the posted
/// one, none when it is the same. `side` is on which side of the Task the sender stands.
///
/// # Errors
/// 400 or 422 when the body is no valid Task, 409 when the move is not allowed to the sender.
pub fn receive_update(
    body: &[u8],
    stored: ReferralStatus,
    side: ReferralRole,
    config: &FhirConfig,
    context: &ReadContext,
) -> Result<Vec<NewEvent>, Refusal> {
    let task = readable(body)?;
    let mut issues = profile::task_issues(&task);
    // What is put is served again: it is held to what a posted Task is held to.
    issues.extend(closed(&task, "Task", config));
    if let Some(service) = focus_id(&task).and_then(|id| contained(&task, id)) {
        issues.extend(profile::service_request_issues(service));
    }
    if issues.iter().any(Issue::is_error) {
        return Err(Refusal {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            issues,
        });
    }
    let status = task
        .get("status")
        .and_then(Value::as_str)
        .and_then(codes::read_task_status);
    let asked = status.unwrap_or(stored);
    if asked == stored {
        return Ok(Vec::new());
    }
    if let Some(issue) = move_issue(stored, asked, side, &task) {
        return Err(Refusal {
            status: StatusCode::CONFLICT,
            issues: vec![issue],
        });
    }
    let mut found = Collected::default();
    let collector = Collector::new(config.clone(), context.clone());
    let place = Place::file(context.input_name.clone());
    let held = Held {
        value: task,
        place,
        last_line: 0,
        full_url: None,
    };
    // INVARIANT: `Collected` never stops a reader.
    let _ = task_events::read(&collector, &held, Some(stored), &mut found);
    Ok(found.events)
}

/// Why a move is not allowed, as an issue; `None` when it is.
#[must_use]
pub fn move_issue(
    from: ReferralStatus,
    to: ReferralStatus,
    side: ReferralRole,
    task: &Value,
) -> Option<Issue> {
    let Some(step) = codes::allowed_move(from, to) else {
        let text = format!("no move from {from} to {to}");
        return Some(Issue::error("conflict", "Task.status", text));
    };
    let is_theirs = matches!(
        (step.mover, side),
        (Mover::Either, _)
            | (Mover::Requester, ReferralRole::Source)
            | (Mover::Target, ReferralRole::Target)
    );
    if !is_theirs {
        let text = format!("the move from {from} to {to} belongs to the other side");
        return Some(Issue::error("conflict", "Task.status", text));
    }
    let notes = Notes::default();
    let has_text = View::new(task, "Task", &notes)
        .and_then(|view| view.concept("statusReason"))
        .is_some_and(|reason| reason.text.is_some());
    if step.needs_reason && !has_text {
        let text = format!("a move to {to} needs its reason in words");
        return Some(Issue::error("required", "Task.statusReason.text", text));
    }
    None
}

/// The referral that a Task of the gateway's own names, so that an update of it finds its referral.
#[must_use]
pub fn referral_of(task: &Value, config: &FhirConfig) -> Option<ReferralId> {
    let notes = Notes::default();
    referral::own_referral(&View::new(task, "Task", &notes)?, config)
}

fn readable(body: &[u8]) -> Result<Value, Refusal> {
    let refuse = |text: &str| Refusal {
        status: StatusCode::BAD_REQUEST,
        issues: vec![Issue::error("structure", "Task", text)],
    };
    let parsed = json::parse(body, MOST_VALUES).map_err(|fault| {
        refuse(&format!(
            "not readable as JSON at line {}, column {}",
            fault.line, fault.column
        ))
    })?;
    // Two readers would see two different Tasks.
    if parsed.repeated_keys > 0 {
        return Err(refuse("a key is repeated within one object"));
    }
    Ok(parsed.value)
}

fn refused(issues: Vec<Issue>) -> Posted {
    Posted::Refused(Refusal {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        issues,
    })
}
