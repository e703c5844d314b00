//! A partner's acknowledgement of a file that it picked up.

use tandem_mappings::model::id::SystemId;

use super::outcome;
use crate::pipeline::core::Core;
use crate::store::{OutboxState, StoreError};
use crate::traces::{Field, Step};
use crate::transport::folder::{FileVerdict, PartnerAck};

/// Records what a partner says about the messages of a file. Messages that it does not name stay delivered,
/// unless it speaks of the file as a whole. Returns false when a quick partner answered before the delivery was
/// recorded: the acknowledgement is to be read again.
///
/// # Errors
/// When the store fails.
pub async fn file(
    core: &Core,
    system: &SystemId,
    file: &str,
    ack: &PartnerAck,
) -> Result<bool, StoreError> {
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    let rows = tx.outbox_of_file(system.as_str(), file).await?;
    if rows.iter().any(|row| row.is_handed) {
        return Ok(false);
    }
    for mut row in rows {
        let is_named = ack.rejected.iter().any(|one| one.message_id == row.id);
        let is_rejected = is_named || ack.file == Some(FileVerdict::Rejected);
        let is_accepted = !is_rejected
            && (ack.accepted.contains(&row.id) || ack.file == Some(FileVerdict::Accepted));
        let from = row.state;
        // What its partner has taken is not sent once more, whatever was made of its attempt.
        let may_be_taken = matches!(
            from,
            OutboxState::Queued | OutboxState::Failed | OutboxState::Parked
        );
        let is_said = match from {
            OutboxState::Delivered => is_rejected || is_accepted,
            _ => may_be_taken && is_accepted,
        };
        if !is_said {
            continue;
        }
        row.state = if is_accepted {
            OutboxState::Acknowledged
        } else {
            OutboxState::Parked
        };
        if is_rejected {
            // The partner's words may hold personal data: they stay in its file.
            row.note = Some(format!("refused by the partner: see out/acked/{file}.ack"));
            row.fault = Some("partner".to_owned());
        }
        let answer = core.traces.begin(Step::Acknowledge, row.trace.as_ref());
        answer.note(Field::Message, row.id);
        answer.note(Field::Lane, &row.lane);
        answer.note(Field::Outcome, row.state.code());
        let noted = async {
            tx.move_outbox(&row, from, now).await?;
            outcome::record(core, &mut tx, &row, now).await?;
            if is_accepted {
                outcome::acknowledged(core, &mut tx, row.id, now).await?;
            }
            Ok::<(), StoreError>(())
        };
        answer.around(noted).await?;
    }
    tx.commit().await?;
    core.wake();
    Ok(true)
}
