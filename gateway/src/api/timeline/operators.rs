//! What operators did with a message, and when: by the audit, for single messages and for replays that chose it among others.

use jiff::Timestamp;
use tandem_mappings::model::id::MessageId;
use uuid::Uuid;

use super::Step;
use crate::store::{OutboxRow, StoreError, Tx};

/// Entries of an action that are looked through, newest first: the audit has no index by message.
const ENTRIES: i64 = 1_000;
/// Replays that are looked through, newest first.
const REPLAYS: i64 = 50;
/// What is audited of a single message, and the step that it is.
const ACTIONS: [(&str, &str); 2] = [
    ("message.replay", "replayed"),
    ("message.hasten", "hastened"),
];

/// The steps in order, each with its time.
///
/// # Errors
/// When the store fails.
pub(super) async fn of(tx: &mut Tx, row: &OutboxRow) -> Result<Vec<(Timestamp, Step)>, StoreError> {
    let mut steps = Vec::new();
    for (action, step) in ACTIONS {
        for (at, by) in audited(tx, action, row.id).await? {
            let step = Step {
                by: Some(by),
                ..Step::new(step, at)
            };
            steps.push((at, step));
        }
    }
    let begun = tx.audit_entries(Some("replay.start"), REPLAYS).await?;
    for entry in begun {
        let Ok(replay) = entry.object.parse::<Uuid>() else {
            continue;
        };
        if entry.at >= row.created_at && tx.was_put_back(replay, row.id).await? {
            let step = Step {
                by: Some(entry.actor),
                replay: Some(entry.object),
                ..Step::new("replayed", entry.at)
            };
            steps.push((entry.at, step));
        }
    }
    steps.sort_by_key(|(at, _)| *at);
    Ok(steps)
}

/// Who has given a message up.
///
/// # Errors
/// When the store fails.
pub(super) async fn skipped_by(
    tx: &mut Tx,
    message: MessageId,
) -> Result<Option<String>, StoreError> {
    let audited = audited(tx, "message.skip", message).await?;
    Ok(audited.into_iter().next().map(|(_, by)| by))
}

/// When something was done with a message, and by whom, newest first.
async fn audited(
    tx: &mut Tx,
    action: &str,
    message: MessageId,
) -> Result<Vec<(Timestamp, String)>, StoreError> {
    let message = message.to_string();
    let entries = tx.audit_entries(Some(action), ENTRIES).await?;
    let own = entries.into_iter().filter(|entry| entry.object == message);
    Ok(own.map(|entry| (entry.at, entry.actor)).collect())
}
