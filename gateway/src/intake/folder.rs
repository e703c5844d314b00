//! Looks into the watched folder of one system, for inputs and for acknowledgements.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::report::{Outcome, Report};
use tandem_mappings::model::id::SystemId;
use tokio_util::sync::CancellationToken;

use super::Intake;
use crate::config::Folder;
use crate::delivery::acknowledge;
use crate::figures;
use crate::pipeline::accept::{AcceptError, Accepted, gate};
use crate::transport::folder::{ExchangeFolder, name_of};

/// Watches until cancelled. A file arrives in real time, whatever the gateway's clock says.
pub async fn watch(
    intake: Intake,
    system: SystemId,
    config: Folder,
    folder: Arc<ExchangeFolder>,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(Duration::from_millis(config.poll_ms.max(10)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = look(&intake, &system, &config, &folder).await {
            tracing::error!(%system, error = format!("{error:#}"), "the exchange folder cannot be worked");
        }
    }
}

/// One look: acknowledgements first, then inputs by name.
///
/// # Errors
/// When the folder can't be read.
pub async fn look(
    intake: &Intake,
    system: &SystemId,
    config: &Folder,
    folder: &ExchangeFolder,
) -> anyhow::Result<()> {
    for (name, ack) in folder
        .acknowledgements()
        .context("reading acknowledgements")?
    {
        match ack {
            Ok(ack) => {
                if !acknowledge::file(&intake.core, system, &name, &ack).await? {
                    continue;
                }
            }
            Err(error) => {
                tracing::warn!(%system, %error, "an acknowledgement is not readable and is put aside")
            }
        }
        folder
            .acknowledgement_taken(&name)
            .context("putting an acknowledgement aside")?;
    }
    for file in folder.waiting().context("reading the inputs")? {
        if !intake.core.has_room().await? {
            // The files stay where they are until there is room.
            break;
        }
        // One file that can't be taken must not keep back those after it, save for one that has to come into the store
        // first.
        if let Err(error) = take(intake, system, config, folder, &file).await {
            if let Some(AcceptError::Busy(_)) = error.downcast_ref() {
                continue;
            }
            tracing::error!(%system, error = format!("{error:#}"), "a file cannot be taken; it stays and is tried again");
        }
    }
    Ok(())
}

async fn take(
    intake: &Intake,
    system: &SystemId,
    config: &Folder,
    folder: &ExchangeFolder,
    file: &Path,
) -> anyhow::Result<()> {
    let name = name_of(file);
    let Some(format) = format_of(config, &name) else {
        let problem = serde_json::json!({
            "file": name,
            "error": "no format is configured for a file of this name",
            "expected": config.inputs.iter().map(|input| format!("{}* = {}", input.prefix, input.format)).collect::<Vec<_>>(),
        });
        return folder
            .fail(file, &problem.to_string())
            .context("putting an unknown file aside");
    };
    if gate::refuses_sender(&intake.core, system) {
        let problem = serde_json::json!({
            "file": name,
            "error": "nothing of a victim service provider enters; the file was not read",
        });
        return folder
            .fail(file, &problem.to_string())
            .context("putting a refused file aside");
    }
    let limit = intake.core.loaded.config.limits.input_bytes;
    if size_of(file.to_owned()).await? > limit.get() {
        let problem = serde_json::json!({
            "file": name,
            "error": "too-large",
            "expected": format!("at most {limit} (limits.input_bytes)"),
        });
        return folder
            .fail(file, &problem.to_string())
            .context("putting a file that is too large aside");
    };
    let accepted = accept(intake, system, format, &name, file.to_owned()).await?;
    let report = acknowledgement(&name, &accepted);
    if accepted.report.outcome == Outcome::Rejected {
        folder
            .fail(file, &report)
            .context("writing the error file")?;
    } else {
        folder
            .finish(file, &report)
            .context("writing the acknowledgement")?;
    }
    intake.core.wake();
    Ok(())
}

fn format_of(config: &Folder, name: &str) -> Option<Format> {
    let input = config
        .inputs
        .iter()
        .find(|input| name.starts_with(&input.prefix))?;
    input.format.parse().ok()
}

async fn accept(
    intake: &Intake,
    system: &SystemId,
    format: Format,
    name: &str,
    file: PathBuf,
) -> anyhow::Result<Accepted> {
    let organization = intake
        .core
        .organization_of(system)
        .context("the system is not configured")?;
    let reader = intake
        .adapters
        .reader(system, format)
        .context("no reader for the format")?;
    let context = intake.context(system, &organization, name, intake.core.clock.now())?;
    let accepted = intake.acceptor.accept(reader, context, file).await?;
    figures::received(system.as_str(), format.name(), 1);
    Ok(accepted)
}

/// The file's size. A partner renames a file when it is whole: none grows afterwards.
async fn size_of(file: PathBuf) -> anyhow::Result<u64> {
    let size = tokio::task::spawn_blocking(move || std::fs::metadata(&file).map(|data| data.len()));
    size.await
        .context("looking at the file ended abnormally")?
        .context("looking at the file")
}

/// The acknowledgement: what became of the file, without any personal data.
fn acknowledgement(name: &str, accepted: &Accepted) -> String {
    #[derive(serde::Serialize)]
    struct Ack<'a> {
        file: &'a str,
        input: String,
        duplicate: bool,
        #[serde(flatten)]
        report: &'a Report,
    }
    let ack = Ack {
        file: name,
        input: accepted.input.to_string(),
        duplicate: accepted.is_duplicate,
        report: &accepted.report,
    };
    serde_json::to_string_pretty(&ack).unwrap_or_default()
}
