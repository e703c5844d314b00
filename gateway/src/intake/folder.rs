//! Looks into the watched folder of one system, for inputs and for acknowledgements.
//!
//! Whatever touches the folder does so on a thread that may wait: a server that serves it need not answer.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tandem_adapter_port::format::Format;
use tandem_adapter_port::report::{Outcome, Report};
use tandem_mappings::model::id::SystemId;
use tokio_util::sync::CancellationToken;

use super::Intake;
use crate::config::Folder;
use crate::delivery::acknowledge;
use crate::figures;
use crate::pipeline::accept::{AcceptError, Accepted, gate};
use crate::transport::folder::{
    ExchangeFolder, LONGEST_NAME, has_long_name, name_of, read_acknowledgement, size_of, subject_of,
};

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
    let mut watched = Watched {
        intake,
        system,
        config,
        folder,
        is_behind: false,
        strangers: BTreeSet::new(),
        unclaimed: BTreeSet::new(),
    };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = watched.look().await {
            let system = &watched.system;
            tracing::error!(%system, error = format!("{error:#}"), "the exchange folder cannot be worked");
        }
    }
}

/// A folder, and what is known of it from look to look.
struct Watched {
    intake: Intake,
    system: SystemId,
    config: Folder,
    folder: Arc<ExchangeFolder>,
    /// Whether a file waits until a large one of the system has come into the store. To try it is to read it to its end.
    is_behind: bool,
    /// What lies among the inputs and is no file, as far as it was told of.
    strangers: BTreeSet<PathBuf>,
    /// What waits and can't be claimed, as far as it was told of.
    unclaimed: BTreeSet<PathBuf>,
}

impl Watched {
    /// One look: acknowledgements first, then inputs.
    async fn look(&mut self) -> anyhow::Result<()> {
        let heard = self.hear().await;
        self.take_inputs().await.and(heard)
    }

    /// Does something with the folder on a thread that may wait.
    async fn apart<T, W>(&self, work: W) -> anyhow::Result<T>
    where
        T: Send + 'static,
        W: FnOnce(Arc<ExchangeFolder>) -> io::Result<T> + Send + 'static,
    {
        let folder = Arc::clone(&self.folder);
        let done = tokio::task::spawn_blocking(move || work(folder)).await;
        Ok(done.context("working in the exchange folder ended abnormally")??)
    }

    /// Records what the partner acknowledged. One answer that can't be recorded must not keep back the others.
    async fn hear(&self) -> anyhow::Result<()> {
        let waiting = self.apart(|folder| folder.acknowledgements()).await;
        for file in waiting.context("looking for acknowledgements")? {
            if let Err(error) = self.record(&file).await {
                let system = &self.system;
                tracing::error!(%system, error = format!("{error:#}"), "an acknowledgement cannot be recorded; it stays and is tried again");
            }
        }
        Ok(())
    }

    async fn record(&self, file: &Path) -> anyhow::Result<()> {
        let system = &self.system;
        let path = file.to_owned();
        match self.apart(move |_| read_acknowledgement(&path)).await {
            Ok(None) => return Ok(()),
            Ok(Some(ack)) => {
                let name = subject_of(file);
                if !acknowledge::file(&self.intake.core, system, &name, &ack).await? {
                    return Ok(());
                }
            }
            Err(error) if is_no_acknowledgement(&error) => {
                tracing::warn!(%system, error = format!("{error:#}"), "an acknowledgement is not readable and is put aside");
            }
            Err(error) => return Err(error.context("reading an acknowledgement")),
        }
        let path = file.to_owned();
        self.apart(move |folder| folder.acknowledgement_taken(&path))
            .await
            .context("putting an acknowledgement aside")
    }

    /// Takes what is claimed, then what waits, each by name.
    async fn take_inputs(&mut self) -> anyhow::Result<()> {
        let core = Arc::clone(&self.intake.core);
        if self.is_behind && core.files.has_in_work(&core.store, &self.system).await? {
            return Ok(());
        }
        self.is_behind = false;
        let claimed = self.apart(|folder| folder.claimed()).await;
        for file in claimed.context("reading what is claimed")? {
            if !core.has_room().await? || !self.take_in_turn(&file).await {
                return Ok(());
            }
        }
        let waiting = self.apart(|folder| folder.waiting()).await;
        let waiting = waiting.context("reading the inputs")?;
        self.tell_of(waiting.others);
        self.unclaimed.retain(|file| waiting.files.contains(file));
        for file in waiting.files {
            // The files stay where they are until there is room.
            if !core.has_room().await? {
                return Ok(());
            }
            if let Some(claimed) = self.claim(file).await
                && !self.take_in_turn(&claimed).await
            {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Tells once of what is no file.
    fn tell_of(&mut self, others: Vec<PathBuf>) {
        let others: BTreeSet<PathBuf> = others.into_iter().collect();
        let count = others.difference(&self.strangers).count();
        if count > 0 {
            let system = &self.system;
            tracing::warn!(%system, count, "what lies among the inputs and is no regular file is not read");
        }
        self.strangers = others;
    }

    /// Claims a file; tells once of one that can't be claimed: its partner has to do something, and each look tries it again.
    async fn claim(&mut self, file: PathBuf) -> Option<PathBuf> {
        let path = file.clone();
        match self.apart(move |folder| folder.claim(&path)).await {
            Ok(claimed) => {
                self.unclaimed.remove(&file);
                claimed
            }
            Err(error) => {
                if self.unclaimed.insert(file) {
                    let system = &self.system;
                    tracing::error!(%system, error = format!("{error:#}"), "a file cannot be opened or claimed; it stays in in/ and is tried again");
                }
                None
            }
        }
    }

    /// Takes a claimed file, or leaves it for a later look. Returns whether those after it may be taken: one that can't be taken must
    /// not keep them back, save for one that has to wait until a large file has come into the store.
    async fn take_in_turn(&mut self, file: &Path) -> bool {
        let Err(error) = self.take(file).await else {
            return true;
        };
        if let Some(AcceptError::Busy(_)) = error.downcast_ref() {
            self.is_behind = true;
            return false;
        }
        let system = &self.system;
        tracing::error!(%system, error = format!("{error:#}"), "a file cannot be taken; it stays and is tried again");
        true
    }

    async fn take(&self, file: &Path) -> anyhow::Result<()> {
        let name = name_of(file);
        let format = match self.examine(file, &name).await? {
            Ok(format) => format,
            Err(problem) => {
                return self
                    .fail(file, problem.to_string())
                    .await
                    .context("putting a file aside that is not read");
            }
        };
        let accepted = match self.accept(format, &name, file.to_owned()).await {
            Ok(accepted) => accepted,
            Err(error) => return self.put_unread_aside(file, &name, error).await,
        };
        let report = acknowledgement(&name, &accepted);
        if accepted.report.outcome == Outcome::Rejected {
            self.fail(file, report)
                .await
                .context("writing the error file")?;
        } else {
            let path = file.to_owned();
            self.apart(move |folder| folder.finish(&path, &report))
                .await
                .context("writing the acknowledgement")?;
        }
        self.intake.core.wake();
        Ok(())
    }

    /// Puts a file aside on which its reader ends abnormally: it would at each look, and no other of its name would be read. Any other
    /// error is handed on.
    async fn put_unread_aside(
        &self,
        file: &Path,
        name: &str,
        error: anyhow::Error,
    ) -> anyhow::Result<()> {
        if !ends_reader(&error) {
            return Err(error);
        }
        let system = &self.system;
        tracing::error!(%system, error = format!("{error:#}"), "a file is put aside: nothing of it was accepted");
        let problem = json!({
            "file": name,
            "error": "reader-ended",
            "expected": "a file that the gateway can read: its reader ended abnormally on this one, and nothing of it was accepted",
        });
        self.fail(file, problem.to_string())
            .await
            .context("putting a file aside that could not be read")
    }

    async fn fail(&self, file: &Path, text: String) -> anyhow::Result<()> {
        let path = file.to_owned();
        self.apart(move |folder| folder.fail(&path, &text)).await?;
        let system = &self.system;
        figures::rejected(system.as_str(), 1);
        tracing::warn!(%system, "a file was put aside: what is beside it in error/ says why");
        Ok(())
    }

    /// The format of a file that is to be read, or what the error file says of one that is not.
    async fn examine(&self, file: &Path, name: &str) -> anyhow::Result<Result<Format, Value>> {
        if has_long_name(file) {
            return Ok(Err(json!({
                "file": name,
                "error": "name-too-long",
                "expected": format!("a name of at most {LONGEST_NAME} bytes"),
            })));
        }
        let Some(format) = format_of(&self.config, name) else {
            return Ok(Err(json!({
                "file": name,
                "error": "no format is configured for a file of this name",
                "expected": self.config.inputs.iter().map(|input| format!("{}* = {}", input.prefix, input.format)).collect::<Vec<_>>(),
            })));
        };
        if gate::refuses_sender(&self.intake.core, &self.system) {
            return Ok(Err(json!({
                "file": name,
                "error": "nothing of a victim service provider enters; the file was not read",
            })));
        }
        let limit = self.intake.core.loaded.config.limits.input_bytes;
        let path = file.to_owned();
        // A partner renames a file when it is whole: none grows afterwards.
        let size = self.apart(move |_| size_of(&path)).await;
        Ok(match size.context("looking at the file")? {
            Some(size) if size <= limit.get() => Ok(format),
            Some(_) => Err(json!({
                "file": name,
                "error": "too-large",
                "expected": format!("at most {limit} (limits.input_bytes)"),
            })),
            None => Err(json!({
                "file": name,
                "error": "no-file",
                "expected": "a regular file: no link, folder or pipe",
            })),
        })
    }

    async fn accept(&self, format: Format, name: &str, file: PathBuf) -> anyhow::Result<Accepted> {
        let (intake, system) = (&self.intake, &self.system);
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
        intake.core.has_taken(&accepted.report);
        Ok(accepted)
    }
}

/// Whether what was to be read is surely no acknowledgement. Anything else may be read at a later look.
fn is_no_acknowledgement(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
}

/// Whether a reader ended abnormally.
fn ends_reader(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(AcceptError::Reader(_)))
}

fn format_of(config: &Folder, name: &str) -> Option<Format> {
    let input = config
        .inputs
        .iter()
        .find(|input| name.starts_with(&input.prefix))?;
    input.format.parse().ok()
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

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn only_what_is_surely_no_acknowledgement_is_put_aside() {
        let error = |kind: io::ErrorKind| anyhow::Error::from(io::Error::from(kind));
        assert!(is_no_acknowledgement(&error(io::ErrorKind::InvalidData)));
        assert!(!is_no_acknowledgement(&error(
            io::ErrorKind::PermissionDenied
        )));
        assert!(!is_no_acknowledgement(&anyhow!("the thread ended")));
    }

    #[test]
    fn a_file_is_put_aside_only_when_its_reader_ended_abnormally() {
        assert!(ends_reader(&AcceptError::Reader("hmis/csv").into()));
        assert!(!ends_reader(&AcceptError::Changed.into()));
        let unread = io::Error::from(io::ErrorKind::PermissionDenied);
        assert!(!ends_reader(&AcceptError::Io(unread).into()));
    }
}
