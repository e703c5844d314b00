//! Moving an existing Task, at the partner or at the gateway, along the state machine.
//!
//! The Task may be the partner's own: everything in it that is not changed is kept as it is, known or
//! not.

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_adapter_port::outbound::ReferralStatusView;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::referral::{
    ReasonCode, ReferralOutput, ReferralRole, ReferralStatus, SubStatus,
};

use super::element;
use crate::codes::{self, Mover};
use crate::config::FhirConfig;
use crate::terms;

/// A move to make.
#[derive(Debug, Clone)]
pub struct TaskChange {
    /// The state to reach.
    pub status: ReferralStatus,
    /// Why.
    pub reason: Option<ReasonCode>,
    /// Why, in words.
    pub reason_text: Option<String>,
    /// Detail below the state.
    pub sub_status: Option<SubStatus>,
    /// What came of it.
    pub outputs: Vec<ReferralOutput>,
    /// What the referral is for.
    pub domain: Option<Domain>,
    /// On which side of this Task the gateway stands.
    pub gateway_role: ReferralRole,
}

impl TaskChange {
    /// The change that a status view asks for. Towards the source the gateway acts as target of the
    /// source's Task, towards the target as requester of its own.
    #[must_use]
    pub fn from_view(view: &ReferralStatusView) -> Self {
        let gateway_role = match view.recipient_role {
            Some(ReferralRole::Target) => ReferralRole::Source,
            _ => ReferralRole::Target,
        };
        Self {
            status: view.status,
            reason: view.reason,
            reason_text: view.reason_text.clone(),
            sub_status: view.sub_status,
            outputs: view.outputs.clone(),
            domain: view.domain,
            gateway_role,
        }
    }
}

/// Why a Task cannot be moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// The state machine has no way there, or not for the gateway's side.
    #[error("task is {from}: no legal move to {to}")]
    Illegal {
        /// The Task's state.
        from: ReferralStatus,
        /// The state asked for.
        to: ReferralStatus,
    },
    /// The Task has no readable state.
    #[error("task has no status that the standard knows")]
    NoStatus,
}

/// What became of a Task.
#[derive(Debug, Clone, PartialEq)]
pub enum Applied {
    /// It already is what it should be.
    Unchanged,
    /// One step nearer; `is_last` when it is where it should be.
    Changed {
        /// The Task to write.
        task: Value,
        /// Whether no further step is needed.
        is_last: bool,
    },
}

/// Applies the next step of a change to a Task. A state that is several legal moves away is reached
/// by as many updates, so that the partner sees each of them.
///
/// # Errors
/// [`MoveError`] when there is no legal way.
pub fn apply(
    task: &Value,
    change: &TaskChange,
    config: &FhirConfig,
    now: Timestamp,
) -> Result<Applied, MoveError> {
    let current = task
        .get("status")
        .and_then(Value::as_str)
        .and_then(codes::read_task_status);
    let current = current.ok_or(MoveError::NoStatus)?;
    let chain = if current == change.status {
        Vec::new()
    } else {
        legal_chain(current, change)?
    };
    let (next, is_last) = (chain.first().copied().unwrap_or(current), chain.len() <= 1);
    let mut changed = task.clone();
    let Some(fields) = changed.as_object_mut() else {
        return Err(MoveError::NoStatus);
    };
    if next != current {
        fields.insert("status".to_owned(), json!(next.code()));
        fields.remove("statusReason");
    }
    if is_last {
        let needs_reason = codes::allowed_move(current, next).is_some_and(|step| step.needs_reason);
        set_reason(fields, change, needs_reason, config);
        set_sub_status(fields, change, config);
        add_outputs(fields, outputs(change, config));
    }
    if changed == *task {
        return Ok(Applied::Unchanged);
    }
    touch(&mut changed, now);
    Ok(Applied::Changed {
        task: changed,
        is_last,
    })
}

/// Adds outputs that the Task does not have yet; `None` when it has them all.
pub(crate) fn with_outputs(task: &Value, outputs: Vec<Value>, now: Timestamp) -> Option<Value> {
    let mut changed = task.clone();
    if let Some(fields) = changed.as_object_mut() {
        add_outputs(fields, outputs);
    }
    if changed == *task {
        return None;
    }
    touch(&mut changed, now);
    Some(changed)
}

/// An output of type `additional-content` that points at a resource.
pub(crate) fn additional_content(reference: &str) -> Value {
    json!({
        "type": element::concept(terms::SDOHCC_CODES, "additional-content", None),
        "valueReference": {"reference": reference},
    })
}

fn legal_chain(
    current: ReferralStatus,
    change: &TaskChange,
) -> Result<Vec<ReferralStatus>, MoveError> {
    let illegal = MoveError::Illegal {
        from: current,
        to: change.status,
    };
    let Some(chain) = codes::path(current, change.status) else {
        return Err(illegal);
    };
    let froms = std::iter::once(current).chain(chain.iter().copied());
    let is_ours = froms.zip(&chain).all(|(from, to)| {
        let mover = codes::allowed_move(from, *to).map(|step| step.mover);
        matches!(
            (change.gateway_role, mover),
            (_, Some(Mover::Either))
                | (ReferralRole::Target, Some(Mover::Target))
                | (ReferralRole::Source, Some(Mover::Requester))
        )
    });
    if is_ours { Ok(chain) } else { Err(illegal) }
}

type Fields = serde_json::Map<String, Value>;

/// `statusReason.text` is required whenever a reason is given (Gravity 3.0.0).
fn set_reason(fields: &mut Fields, change: &TaskChange, is_needed: bool, config: &FhirConfig) {
    let text = change
        .reason_text
        .clone()
        .filter(|text| !text.trim().is_empty());
    let text = text.or_else(|| change.reason.map(|reason| reason.code().replace('-', " ")));
    let reason = match (change.reason, text) {
        (Some(reason), Some(text)) => {
            element::own_concept(config, "referral-reason", reason.code(), &text)
        }
        (_, Some(text)) => json!({"text": text}),
        _ if is_needed => json!({"text": "no reason told"}),
        _ => return,
    };
    fields.insert("statusReason".to_owned(), reason);
}

fn set_sub_status(fields: &mut Fields, change: &TaskChange, config: &FhirConfig) {
    if let Some(sub) = change.sub_status {
        let text = sub.code().replace('-', " ");
        let concept = element::own_concept(config, "referral-sub-status", sub.code(), &text);
        fields.insert("businessStatus".to_owned(), concept);
    }
}

fn add_outputs(fields: &mut Fields, outputs: Vec<Value>) {
    if outputs.is_empty() {
        return;
    }
    let known = fields.entry("output").or_insert_with(|| json!([]));
    if let Some(known) = known.as_array_mut() {
        for output in outputs {
            let reference = output.pointer("/valueReference/reference");
            let is_known = known.iter().any(|old| {
                *old == output
                    || (reference.is_some()
                        && old.pointer("/valueReference/reference") == reference)
            });
            if !is_known {
                known.push(output);
            }
        }
    }
}

/// A completed Task tells the resulting activity: by reference, by code, or at least by its domain.
fn outputs(change: &TaskChange, config: &FhirConfig) -> Vec<Value> {
    let mut outputs: Vec<Value> = change.outputs.iter().filter_map(output).collect();
    if let (true, ReferralStatus::Completed, Some(domain)) =
        (outputs.is_empty(), change.status, change.domain)
    {
        let code = config.codes.write_service_code(domain);
        outputs.push(resulting_activity(&json!({
            "coding": [{"system": code.system, "code": code.code, "display": code.display}],
            "text": change.reason_text.as_deref().unwrap_or(code.display),
        })));
    }
    outputs
}

fn output(output: &ReferralOutput) -> Option<Value> {
    let is_absolute = output
        .reference
        .as_deref()
        .filter(|url| url.contains("://"));
    if let Some(reference) = is_absolute {
        return Some(match output.kind.as_str() {
            "procedure" => json!({
                "type": element::concept(terms::SDOHCC_CODES, "resulting-activity", None),
                "valueReference": {"reference": reference},
            }),
            _ => additional_content(reference),
        });
    }
    let coding = output.coding.as_ref();
    let coding = coding.map(|coding| vec![json!({"system": coding.system, "code": coding.code})]);
    if coding.is_none() && output.text.is_none() {
        return None;
    }
    let mut concept = json!({"coding": coding, "text": output.text});
    super::strict::prune(&mut concept);
    Some(resulting_activity(&concept))
}

fn resulting_activity(concept: &Value) -> Value {
    json!({
        "type": element::concept(terms::SDOHCC_CODES, "resulting-activity", None),
        "valueCodeableConcept": concept,
    })
}

/// Sets `lastModified`, never before `authoredOn` (inv-1).
fn touch(task: &mut Value, now: Timestamp) {
    let authored = task.get("authoredOn").and_then(Value::as_str);
    let authored = authored.and_then(|text| text.parse::<Timestamp>().ok());
    let modified = authored.map_or(now, |authored| authored.max(now));
    if let Some(fields) = task.as_object_mut() {
        fields.insert("lastModified".to_owned(), json!(modified.to_string()));
    }
}
