//! Writes messages as files of the destination's format, and hands them over.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tandem_adapter_port::memory::PartnerRow;
use tandem_adapter_port::outbound::Outbound;
use tandem_adapter_port::write::{Delivery, Fault, FormatWriter, WriteContext, Written};
use tandem_mappings::model::id::MessageId;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use super::STALE;
use super::carry::{self, Carried};
use super::lane::Lane;
use super::outcome::{self, Attempted};
use super::ready::{self, Drafts, Ready};
use crate::pipeline::core::Core;
use crate::state::partner::StoredMemory;
use crate::store::StoreError;
use crate::traces::{Field, Open, Step};

/// Sends messages that go together.
///
/// # Errors
/// When the store fails.
pub(super) async fn send(
    core: &Arc<Core>,
    lane: &Lane,
    writer: Arc<dyn FormatWriter>,
    drafts: Drafts,
    started_at: Timestamp,
    place: OwnedSemaphorePermit,
) -> Result<(), StoreError> {
    let written = write(core, lane, writer, &drafts, started_at).await?;
    // A file has its name before the partner can see it: its acknowledgement may be there before the delivery is recorded.
    let carried = written.files.iter().flat_map(|file| {
        let messages = file.messages.iter();
        messages.map(|message| (*message, Some(file.name.clone())))
    });
    let ready = ready::decide(core, lane, drafts, carried.collect(), started_at).await?;
    if ready.is_empty() {
        return Ok(());
    }
    let _under_way = lane.gate.signs.begin(ready.len());
    let (ended, memory) = hand_over(core, lane, ready, written, started_at).await;
    drop(place);
    outcome::all_ended(core, lane, ended, memory).await
}

/// Writes what may be told as things stand.
async fn write(
    core: &Arc<Core>,
    lane: &Lane,
    writer: Arc<dyn FormatWriter>,
    drafts: &Drafts,
    started_at: Timestamp,
) -> Result<Written, StoreError> {
    let told = drafts.all.iter().filter_map(|draft| draft.outbound());
    let batch: Vec<Outbound> = told.cloned().collect();
    let Some(first) = batch.first() else {
        return Ok(Written::default());
    };
    let number = lane.gate.numbers.next(core, &lane.system).await?;
    let context = WriteContext {
        system: lane.system.clone(),
        organization: first.recipient.id.clone(),
        now: started_at,
        zone: core.loaded.zone.clone(),
        sequence: u64::try_from(number).unwrap_or(0),
    };
    let memory = StoredMemory::new(core.store.clone(), lane.system.clone(), Handle::current());
    let drafts = drafts.all.iter().filter(|draft| draft.outbound().is_some());
    let composing = drafts.map(|draft| {
        let compose = draft.attempt.within(&core.traces, Step::Compose);
        compose.note(Field::Kind, writer.format().name());
        compose
    });
    let composing: Vec<Open> = composing.collect();
    let ids: Vec<MessageId> = batch.iter().map(|one| one.id).collect();
    let written =
        tokio::task::spawn_blocking(move || writer.write(&batch, &memory, &context)).await;
    drop(composing);
    let park = |message| {
        let text = "writing the messages ended abnormally".to_owned();
        let fault = Fault::Ours;
        (message, Delivery::Park { fault, text })
    };
    Ok(written.unwrap_or_else(|_| Written {
        not_written: ids.into_iter().map(park).collect(),
        ..Written::default()
    }))
}

/// Hands files over. Returns how the attempts ended, and what is to be remembered of the partner.
async fn hand_over(
    core: &Core,
    lane: &Lane,
    ready: Vec<Ready>,
    written: Written,
    started_at: Timestamp,
) -> (Vec<Attempted>, Vec<PartnerRow>) {
    let mut waiting: HashMap<MessageId, Ready> =
        ready.into_iter().map(|one| (one.row.id, one)).collect();
    let mut ended = Vec::new();
    for (message, delivery) in written.not_written {
        if let Some(one) = waiting.remove(&message) {
            ended.push(one.attempted(started_at, None, Carried::of(delivery)));
        }
    }
    let mut all_handed_over = true;
    let begun = Instant::now();
    for (at, file) in written.files.iter().enumerate() {
        let handed = if at > 0 && begun.elapsed() >= STALE {
            // What was decided is too old by now, and the time of the attempt is over.
            Carried::of(Delivery::Retry {
                fault: Fault::Ours,
                after: None,
                text: "the files before it took too long".to_owned(),
            })
        } else {
            let started = Instant::now();
            let handed = carry::file(&lane.carrier, file, core.clock.now()).await;
            lane.ended(core, &handed.delivery, started.elapsed());
            handed
        };
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
    let memory = match all_handed_over {
        true => written.memory,
        false => Vec::new(),
    };
    (ended, memory)
}
