//! Writes messages as files of the destination's format, and hands them over.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tandem_adapter_port::outbound::Outbound;
use tandem_adapter_port::write::{
    Delivery, Fault, FormatWriter, WriteContext, Written, WrittenFile,
};
use tandem_mappings::model::id::MessageId;
use tokio::runtime::Handle;

use super::carry::{self, Carried};
use super::lane::Lane;
use super::outcome;
use super::ready::{Decided, Noted, Ready};
use crate::pipeline::core::Core;
use crate::state::partner::{PartnerRowDoc, StoredMemory};
use crate::store::{Handed, StoreError};
use crate::traces::{Field, Open, Step};

/// Sends messages that go together.
///
/// # Errors
/// When the store fails.
pub(super) async fn send(
    core: &Arc<Core>,
    lane: &Lane,
    writer: Arc<dyn FormatWriter>,
    Decided {
        ready,
        number,
        mut noted,
    }: Decided,
    started_at: Timestamp,
) -> Result<(), StoreError> {
    let _under_way = lane.gate.signs.begin(ready.len());
    if core.store.is_shared() {
        // Another gateway is not to wait while the messages are written.
        noted.see_to_it();
    }
    let context = WriteContext {
        system: lane.system.clone(),
        organization: ready.first().map_or_else(
            || core.gateway_organization(),
            |one| one.proposal.recipient.clone(),
        ),
        now: started_at,
        zone: core.loaded.zone.clone(),
        sequence: number
            .and_then(|number| u64::try_from(number).ok())
            .unwrap_or(0),
    };
    let batch: Vec<Outbound> = ready.iter().map(|one| one.outbound.clone()).collect();
    let memory = StoredMemory::new(core.store.clone(), lane.system.clone(), Handle::current());
    let composing = ready.iter().map(|one| {
        let compose = one.attempt.within(&core.traces, Step::Compose);
        compose.note(Field::Kind, writer.format().name());
        compose
    });
    let composing: Vec<Open> = composing.collect();
    let written =
        tokio::task::spawn_blocking(move || writer.write(&batch, &memory, &context)).await;
    drop(composing);
    let Ok(written) = written else {
        return outcome::park_all(
            core,
            ready,
            started_at,
            "writing the messages ended abnormally",
        )
        .await;
    };
    hand_over(core, lane, ready, written, noted, started_at).await
}

/// Notes which file carries which message before the partner can see it: its acknowledgement may be there before the
/// delivery is recorded.
async fn note_files(
    core: &Core,
    waiting: &HashMap<MessageId, Ready>,
    files: &[WrittenFile],
) -> Result<Handed, StoreError> {
    let mut tx = core.store.begin().await?;
    for file in files {
        for one in file
            .messages
            .iter()
            .filter_map(|message| waiting.get(message))
        {
            tx.hand_over(one.row.id, Some(&file.name), core.clock.now())
                .await?;
        }
    }
    tx.hand_in()
}

async fn hand_over(
    core: &Core,
    lane: &Lane,
    ready: Vec<Ready>,
    written: Written,
    noted: Noted,
    started_at: Timestamp,
) -> Result<(), StoreError> {
    let mut waiting: HashMap<MessageId, Ready> =
        ready.into_iter().map(|one| (one.row.id, one)).collect();
    let mut ended = Vec::new();
    for (message, delivery) in written.not_written {
        if let Some(one) = waiting.remove(&message) {
            ended.push(one.attempted(started_at, None, Carried::of(delivery)));
        }
    }
    let mut all_handed_over = true;
    let named = note_files(core, &waiting, &written.files).await?;
    // Neither a decision nor the number or the name of a file may be lost, or come to be another's.
    noted.durable().await?;
    named.durable().await?;
    for file in &written.files {
        let started = Instant::now();
        let handed = carry::file(&lane.carrier, file).await;
        lane.ended(core, &handed.delivery, started.elapsed());
        all_handed_over &= matches!(
            handed.delivery,
            Delivery::Delivered { .. } | Delivery::Acknowledged { .. }
        );
        for message in &file.messages {
            if let Some(one) = waiting.remove(message) {
                ended.push(one.attempted(started_at, Some(file.name.clone()), handed.clone()));
            }
        }
    }
    // A message that the writer forgot is an error of ours, never a loss.
    for (_, one) in waiting.drain() {
        let text = "the writer returned the message neither written nor refused".to_owned();
        ended.push(one.attempted(
            started_at,
            None,
            Carried::of(Delivery::Park {
                fault: Fault::Ours,
                text,
            }),
        ));
    }
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    if all_handed_over {
        PartnerRowDoc::keep(&mut tx, &lane.system, written.memory, now).await?;
    }
    ended.sort_by_key(|one| one.row.position);
    for one in &ended {
        outcome::settle(core, &mut tx, one, now).await?;
    }
    tx.commit().await
}
