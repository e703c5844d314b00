//! The way of one message, step by step: nothing of its content, and nothing about a person.

use jiff::Timestamp;
use serde::Serialize;
use tandem_mappings::model::id::DecisionId;
use utoipa::ToSchema;

mod operators;

use super::problem::ApiError;
use crate::store::{AttemptRow, OutboxRow, OutboxState, StoreError, Tx};

/// A step of a message's way.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Step {
    /// When.
    pub at: String,
    /// `received`, `matched`, `decided`, `queued`, `mapped`, `attempted`, `acknowledged`, `parked`, `replayed` (put back into its
    /// lane, by nobody when the gateway delivers it once more by itself), `hastened` (due at once), `withdrawn` or `skipped`.
    pub step: &'static str,
    /// Which operator did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The replay that chose it among others: the step tells when that began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
    /// Of what was received: the event's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// Who told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The input that it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The format in which it came, or into which the message was mapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The links by which persons were known: as they stood after this event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_version: Option<i64>,
    /// The decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Number of the attempt, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<i64>,
    /// When the attempt began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// What came out: of a decision or an attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Whose fault a failure was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// How the destination answered: `2xx` to `5xx`, `timeout`, `refused`, `unreachable`, `tls`, `cut`, `too-large`, or
    /// `stored` for a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// The file that carried it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Step {
    fn new(step: &'static str, at: Timestamp) -> Self {
        Self {
            at: at.to_string(),
            step,
            ..Self::default()
        }
    }
}

/// The way of a message to a destination that is told in this format.
///
/// # Errors
/// When the store fails.
pub(super) async fn of(
    tx: &mut Tx,
    row: &OutboxRow,
    format: Option<&str>,
) -> Result<Vec<Step>, ApiError> {
    let mut steps = Vec::new();
    steps.extend(received(tx, row).await?);
    steps.extend(decided(tx, row.decision, true).await?);
    steps.push(Step::new("queued", row.created_at));
    let attempts = tx.attempts(row.id).await?;
    let words = operators::of(tx, row).await?;
    let last_word = words.last().map(|(at, _)| *at);
    let mut words = words.into_iter().peekable();
    for attempt in &attempts {
        while let Some((_, word)) = words.next_if(|(at, _)| *at < attempt.started_at) {
            steps.push(word);
        }
        steps.extend(decided(tx, attempt.decision, false).await?);
        // The file of the last attempt alone is kept.
        let is_last = attempts
            .last()
            .is_some_and(|last| last.number == attempt.number);
        let file = row.file.clone().filter(|_| is_last);
        steps.extend(mapped(attempt, file, format));
        steps.push(attempted(attempt));
    }
    steps.extend(words.map(|(_, word)| word));
    if let Some(mut end) = ended(row, attempts.last(), last_word) {
        if row.state == OutboxState::Skipped {
            end.by = operators::skipped_by(tx, row.id).await?;
        }
        steps.push(end);
    }
    Ok(steps)
}

async fn received(tx: &mut Tx, row: &OutboxRow) -> Result<Option<Step>, StoreError> {
    let Some(position) = tx.cause_of(row.id).await? else {
        return Ok(None);
    };
    let Some(event) = tx.event_head(position).await? else {
        return Ok(None);
    };
    let format = match event.input {
        Some(input) => tx.format_of_input(input).await?,
        None => None,
    };
    Ok(Some(Step {
        event: Some(event.id.to_string()),
        event_type: Some(event.kind),
        source: Some(event.system),
        input: event.input.map(|input| input.to_string()),
        format,
        ..Step::new("received", event.recorded_at)
    }))
}

/// A decision; before the first one, by which links it knew the persons.
async fn decided(
    tx: &mut Tx,
    id: DecisionId,
    is_first: bool,
) -> Result<impl IntoIterator<Item = Step>, StoreError> {
    let Some(decision) = tx.decision(id).await? else {
        return Ok(None.into_iter().chain(None));
    };
    let matched = Step {
        link_version: Some(decision.link_version),
        ..Step::new("matched", decision.decided_at)
    };
    let decided = Step {
        decision: Some(id.to_string()),
        outcome: Some(decision.outcome),
        ..Step::new("decided", decision.decided_at)
    };
    Ok(Some(matched)
        .filter(|_| is_first)
        .into_iter()
        .chain(Some(decided)))
}

/// What was handed over had been mapped into the destination's own form.
fn mapped(attempt: &AttemptRow, file: Option<String>, format: Option<&str>) -> Option<Step> {
    attempt.response.as_ref()?;
    Some(Step {
        format: format.map(str::to_owned),
        file,
        ..Step::new("mapped", attempt.started_at)
    })
}

fn attempted(attempt: &AttemptRow) -> Step {
    Step {
        attempt: Some(attempt.number),
        started_at: Some(attempt.started_at.to_string()),
        outcome: Some(attempt.outcome.clone()),
        fault: attempt.fault.clone(),
        response: attempt.response.clone(),
        note: attempt.note.clone(),
        ..Step::new("attempted", attempt.ended_at)
    }
}

/// What came after the last attempt: the partner's own acknowledgement or refusal, or an operator's word.
fn ended(row: &OutboxRow, last: Option<&AttemptRow>, last_word: Option<Timestamp>) -> Option<Step> {
    let outcome = last.map(|last| last.outcome.as_str());
    // An attempt leaves no message as one that was never tried: it was put back, by a timer, or so long ago that nobody looks for who did.
    let is_untold = last.is_some_and(|last| last_word.is_none_or(|at| at < last.ended_at));
    let step = match row.state {
        OutboxState::Acknowledged if outcome != Some("acknowledged") => "acknowledged",
        OutboxState::Queued if is_untold => "replayed",
        OutboxState::Parked => "parked",
        OutboxState::Withdrawn => "withdrawn",
        OutboxState::Skipped => "skipped",
        _ => return None,
    };
    Some(Step {
        fault: row.fault.clone(),
        note: row.note.clone(),
        ..Step::new(step, row.changed_at)
    })
}
