//! Pulls what changed at a FHIR server.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::conversation::Conclusion;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::{FormatReader, Input, Sink, Stopped};
use tandem_mappings::model::id::SystemId;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::Intake;
use crate::delivery::converse;
use crate::figures;
use crate::pipeline::accept::gate;
use crate::state::partner::StoredMemory;
use crate::transport::http::PartnerClient;

/// Pulls until cancelled, at the interval that the clock shows.
pub async fn watch(
    intake: Intake,
    system: SystemId,
    client: PartnerClient,
    every: Duration,
    stop: CancellationToken,
) {
    loop {
        let started_at = intake.core.clock.now();
        if let Err(error) = once(&intake, &system, &client).await {
            tracing::error!(%system, error = format!("{error:#}"), "pulling from the FHIR server failed");
        }
        // What changes at the server while it is read may be missed by this pull, and is due for the next.
        let next = started_at.checked_add(every).unwrap_or(started_at);
        tokio::select! {
            () = stop.cancelled() => return,
            () = intake.core.clock.sleep_until(next) => {}
        }
    }
}

/// One pull. What was read is accepted as one input; the cursor moves with it.
///
/// # Errors
/// When the server or the store fails, or the pull broke off; what was read before that is accepted.
pub async fn once(
    intake: &Intake,
    system: &SystemId,
    client: &PartnerClient,
) -> anyhow::Result<usize> {
    anyhow::ensure!(
        !gate::refuses_sender(&intake.core, system),
        "nothing of a victim service provider enters"
    );
    let config = intake
        .adapters
        .fhir(system)
        .context("the system is no FHIR server")?
        .clone();
    let organization = intake
        .core
        .organization_of(system)
        .context("the system is not configured")?;
    let core = &intake.core;
    if !core.has_room().await? || core.files.has_in_work(&core.store, system).await? {
        // What is new there is still new at the next pull.
        return Ok(0);
    }
    let now = intake.core.clock.now();
    let name = format!("pull-{}", now.as_microsecond());
    let context = intake.context(system, &organization, &name, now)?;
    let memory = StoredMemory::new(intake.core.store.clone(), system.clone(), Handle::current());
    let mut talk = {
        let context = context.clone();
        tokio::task::spawn_blocking(move || {
            tandem_fhir::conversation::pull(&config, &context, &memory)
        })
        .await
        .context("preparing the pull ended abnormally")?
    };
    let conclusion = converse(client, &mut talk, &intake.core.clock).await;
    // What was read before a pull broke off is kept: only a whole pull moves the cursor, and what comes again has no
    // second effect. Else one page that cannot be read would hold back all others for ever.
    let failure = conclusion.delivery.clone();
    let count = conclusion.events.len();
    if count > 0 || !conclusion.memory.is_empty() {
        accept(intake, system, context, conclusion).await?;
    }
    match failure {
        Some(delivery) => anyhow::bail!("the pull did not end well: {delivery:?}"),
        None => Ok(count),
    }
}

async fn accept(
    intake: &Intake,
    system: &SystemId,
    context: ReadContext,
    conclusion: Conclusion,
) -> anyhow::Result<()> {
    let count = conclusion.events.len();
    // The events are the original: the server keeps its resources.
    let original = serde_json::to_vec(&conclusion.events)?;
    let reader = Arc::new(Pulled { conclusion });
    intake
        .acceptor
        .accept(reader, context, Arc::new(original))
        .await?;
    figures::received(system.as_str(), "fhir/pull", count as u64);
    intake.core.wake();
    Ok(())
}

/// What a conversation read, as something that can be accepted like any input.
struct Pulled {
    conclusion: Conclusion,
}

impl FormatReader for Pulled {
    fn format(&self) -> Format {
        Format::FhirBundle
    }

    fn read(
        &self,
        _input: Input<'_>,
        _context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        for deviation in &self.conclusion.deviations {
            sink.deviation(deviation.clone());
        }
        for event in &self.conclusion.events {
            sink.event(event.clone())?;
        }
        for row in &self.conclusion.memory {
            sink.partner_row(row.clone())?;
        }
        Ok(())
    }
}
