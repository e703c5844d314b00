//! Holds a conversation with a FHIR server about one message.

use std::time::Instant;

use jiff::Timestamp;
use tandem_adapter_port::conversation::Conclusion;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::write::{Delivery, Fault};
use tandem_fhir::config::FhirConfig;
use tokio::runtime::Handle;

use super::carry::{self, Carried, Carrier, Heard};
use super::lane::Lane;
use super::outcome;
use super::ready::Ready;
use super::response::Response;
use crate::pipeline::core::Core;
use crate::state::partner::{PartnerRowDoc, StoredMemory};
use crate::store::StoreError;
use crate::traces::{Field, Step};
use crate::transport::http::ATTEMPT_LIMIT;

/// Holds the conversation to its end.
///
/// # Errors
/// When the store fails.
pub(super) async fn hold(
    core: &Core,
    lane: &Lane,
    config: &FhirConfig,
    ready: Ready,
    started_at: Timestamp,
) -> Result<(), StoreError> {
    let Carrier::Fhir(client) = &lane.carrier else {
        return outcome::park_all(core, vec![ready], started_at, "the lane has no FHIR server")
            .await;
    };
    let _under_way = lane.gate.signs.begin(1);
    let memory = StoredMemory::new(core.store.clone(), lane.system.clone(), Handle::current());
    let (config, outbound) = (config.clone(), ready.outbound.clone());
    let compose = ready.attempt.within(&core.traces, Step::Compose);
    compose.note(Field::Kind, Format::FhirBundle.name());
    let talk = tokio::task::spawn_blocking(move || {
        tandem_fhir::conversation::deliver(&config, &outbound, &memory)
    })
    .await;
    drop(compose);
    let Ok(mut talk) = talk else {
        return outcome::park_all(
            core,
            vec![ready],
            started_at,
            "starting the conversation ended abnormally",
        )
        .await;
    };
    let mut tx = core.store.begin().await?;
    tx.hand_over(ready.row.id, None, core.clock.now()).await?;
    tx.commit().await?;
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
    let (now, took) = (core.clock.now(), started.elapsed());
    let delivery = conclusion.delivery.unwrap_or(Delivery::Park {
        fault: Fault::Ours,
        text: "the conversation ended without an outcome".to_owned(),
    });
    lane.ended(core, &delivery, took);
    let mut tx = core.store.begin().await?;
    PartnerRowDoc::keep(&mut tx, &lane.system, conclusion.memory, now).await?;
    let carried = Carried {
        may_have_arrived: carry::is_open(&delivery) && heard.may_have_taken,
        response: heard.last,
        delivery,
    };
    let attempted = ready.attempted(started_at, None, carried);
    outcome::settle(core, &mut tx, &attempted, now).await?;
    tx.commit().await
}
