//! Holds a conversation with a FHIR server about one message.

use std::collections::HashMap;
use std::time::Instant;

use jiff::Timestamp;
use tandem_adapter_port::conversation::{Conclusion, Conversation};
use tandem_adapter_port::format::Format;
use tandem_adapter_port::memory::PartnerRow;
use tandem_adapter_port::outbound::Outbound;
use tandem_adapter_port::write::{Delivery, Fault};
use tandem_fhir::config::FhirConfig;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use super::carry::{self, Carried, Carrier, Heard};
use super::lane::Lane;
use super::outcome::{self, Attempted};
use super::ready::{self, Draft, Drafts, Ready};
use super::response::Response;
use crate::pipeline::core::Core;
use crate::state::partner::StoredMemory;
use crate::store::StoreError;
use crate::traces::{Field, Step};
use crate::transport::http::{ATTEMPT_LIMIT, PartnerClient};

/// Holds a conversation about each message, one after the other.
///
/// # Errors
/// When the store fails.
pub(super) async fn hold(
    core: &Core,
    lane: &Lane,
    config: &FhirConfig,
    drafts: Drafts,
    started_at: Timestamp,
    place: OwnedSemaphorePermit,
) -> Result<(), StoreError> {
    let mut talks = HashMap::new();
    for draft in &drafts.all {
        if let Some(outbound) = draft.outbound() {
            let talk = begin(core, lane, config, draft, outbound).await;
            talks.insert(outbound.id, talk);
        }
    }
    let handed = talks.keys().map(|message| (*message, None)).collect();
    let (mut ended, mut memory) = (Vec::new(), Vec::new());
    for one in ready::decide(core, lane, drafts, handed, started_at).await? {
        match (&lane.carrier, talks.remove(&one.row.id).flatten()) {
            (Carrier::Fhir(client), Some(talk)) => {
                let (attempted, rows) = hold_one(core, lane, client, talk, one, started_at).await;
                ended.push(attempted);
                memory.extend(rows);
            }
            _ => {
                let text = "starting the conversation ended abnormally".to_owned();
                let fault = Fault::Ours;
                let parked = Carried::of(Delivery::Park { fault, text });
                ended.push(one.attempted(started_at, None, parked));
            }
        }
    }
    drop(place);
    if ended.is_empty() {
        return Ok(());
    }
    outcome::all_ended(core, lane, ended, memory).await
}

/// The conversation about a message; `None` when beginning it ended abnormally.
async fn begin(
    core: &Core,
    lane: &Lane,
    config: &FhirConfig,
    draft: &Draft,
    outbound: &Outbound,
) -> Option<Box<dyn Conversation>> {
    let memory = StoredMemory::new(core.store.clone(), lane.system.clone(), Handle::current());
    let (config, outbound) = (config.clone(), outbound.clone());
    let compose = draft.attempt.within(&core.traces, Step::Compose);
    compose.note(Field::Kind, Format::FhirBundle.name());
    let talk = tokio::task::spawn_blocking(move || {
        tandem_fhir::conversation::deliver(&config, &outbound, &memory)
    });
    let talk = talk.await.ok();
    drop(compose);
    talk
}

/// Holds a conversation to its end. Returns how the attempt ended, and what is to be remembered of the partner.
async fn hold_one(
    core: &Core,
    lane: &Lane,
    client: &PartnerClient,
    mut talk: Box<dyn Conversation>,
    ready: Ready,
    started_at: Timestamp,
) -> (Attempted, Vec<PartnerRow>) {
    let _under_way = lane.gate.signs.begin(1);
    let started = Instant::now();
    let mut heard = Heard::default();
    let talking = carry::heard(client, talk.as_mut(), &core.clock, &mut heard);
    let ended = tokio::time::timeout(ATTEMPT_LIMIT, talking).await;
    if ended.is_err() {
        heard.last = Some(Response::TIMEOUT);
        heard.may_have_taken |= heard.is_writing;
    }
    let conclusion = ended.unwrap_or_else(|_| Conclusion {
        delivery: Some(Delivery::Retry {
            fault: Fault::Partner,
            after: None,
            text: format!(
                "the conversation took longer than {} s",
                ATTEMPT_LIMIT.as_secs()
            ),
        }),
        ..Conclusion::default()
    });
    let took = started.elapsed();
    let delivery = conclusion.delivery.unwrap_or(Delivery::Park {
        fault: Fault::Ours,
        text: "the conversation ended without an outcome".to_owned(),
    });
    lane.ended(core, &delivery, took);
    let carried = Carried {
        may_have_arrived: carry::is_open(&delivery) && heard.may_have_taken,
        response: heard.last,
        delivery,
    };
    let attempted = ready.attempted(started_at, None, carried);
    (attempted, conclusion.memory)
}
