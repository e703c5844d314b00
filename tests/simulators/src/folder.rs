//! The exchange folder that a partner system and the gateway share.
//!
//! Protocol: the partner writes `in/NAME.part` and renames it to `in/NAME`; the gateway answers with
//! `ack/NAME.ack.json` or `error/NAME.error.json`. The gateway puts whole files into `out/NAME`; the
//! partner answers with `out/NAME.ack`: `accepted` and `rejected` message ids where the format shows
//! them, and `file` (`accepted` or `rejected`, then with `reason`) for the file as a whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::inbox::Inbox;

/// How often a folder is looked through.
const POLL: Duration = Duration::from_millis(25);

/// The gateway's answer to a file that was dropped.
#[derive(Debug, Clone, PartialEq)]
pub struct FileAnswer {
    /// Name of the file that the answer is for.
    pub file: String,
    /// True for `ack/`, false for `error/`.
    pub accepted: bool,
    /// The answer as the gateway wrote it.
    pub body: Value,
}

/// What the partner tells the gateway about a file it picked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Ids of the messages that were taken, where the format shows message ids.
    pub accepted: Vec<String>,
    /// Ids of the messages that were refused, each with its reason.
    pub rejected: Vec<(String, String)>,
    /// Why the file as a whole was refused; `None` when it was read.
    pub file_refused: Option<String>,
}

impl Acknowledgement {
    fn to_json(&self) -> Value {
        let rejected: Vec<Value> = self
            .rejected
            .iter()
            .map(|(message_id, reason)| json!({"message_id": message_id, "reason": reason}))
            .collect();
        let file = if self.file_refused.is_none() {
            "accepted"
        } else {
            "rejected"
        };
        let mut answer = json!({"accepted": self.accepted, "rejected": rejected, "file": file});
        if let Some(reason) = &self.file_refused {
            answer["reason"] = json!(reason);
        }
        answer
    }
}

/// One system's exchange folder and the task that watches it.
#[derive(Debug)]
pub struct ExchangeFolder {
    root: PathBuf,
    answers: Arc<Mutex<BTreeMap<String, FileAnswer>>>,
    _watching: DropGuard,
}

impl ExchangeFolder {
    /// Creates the sub-folders and starts watching `out/`, `ack/` and `error/`. `read` gets each
    /// outbound file with its name and says what to acknowledge. The watch ends when the folder is
    /// dropped.
    ///
    /// # Errors
    /// When the sub-folders cannot be created.
    pub(crate) async fn watch<C, R>(root: PathBuf, inbox: Inbox<C>, read: R) -> anyhow::Result<Self>
    where
        C: Clone + Send + 'static,
        R: Fn(&str, &[u8]) -> Acknowledgement + Send + Sync + 'static,
    {
        for part in ["in", "out", "ack", "done", "error"] {
            let path = root.join(part);
            tokio::fs::create_dir_all(&path)
                .await
                .with_context(|| format!("creating {}", path.display()))?;
        }
        let cancel = CancellationToken::new();
        let answers = Arc::default();
        let watcher = Watcher {
            root: root.clone(),
            handled: BTreeMap::new(),
            inbox,
            read,
            answers: Arc::clone(&answers),
        };
        tokio::spawn(watcher.run(cancel.clone()));
        Ok(Self {
            root,
            answers,
            _watching: cancel.drop_guard(),
        })
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Hands a file to the gateway: written aside first, then renamed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) async fn drop_file(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        // An earlier file of this name may have been answered; its answer is not this one's.
        self.answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
        write_whole(&self.root.join("in"), name, bytes).await
    }

    /// The gateway's answer to `name`, if it came.
    #[must_use]
    pub fn answer(&self, name: &str) -> Option<FileAnswer> {
        self.answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }
}

async fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let part = folder.join(format!("{name}.part"));
    tokio::fs::write(&part, bytes)
        .await
        .with_context(|| format!("writing {name}"))?;
    tokio::fs::rename(&part, folder.join(name))
        .await
        .with_context(|| format!("renaming {name}"))
}

/// When a file was last written, and its size: tells a new file from one that was handled.
type Stamp = (SystemTime, u64);

struct Watcher<C, R> {
    root: PathBuf,
    handled: BTreeMap<PathBuf, Stamp>,
    inbox: Inbox<C>,
    read: R,
    answers: Arc<Mutex<BTreeMap<String, FileAnswer>>>,
}

impl<C, R> Watcher<C, R>
where
    C: Clone + Send + 'static,
    R: Fn(&str, &[u8]) -> Acknowledgement + Send + Sync + 'static,
{
    async fn run(mut self, cancel: CancellationToken) {
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(POLL) => {}
            }
            // A file may vanish between listing and reading while the gateway tidies up; the next
            // round sees the folder as it is then.
            let _gone = self.pick_up().await;
            let _gone = self.collect("ack", ".ack.json", true).await;
            let _gone = self.collect("error", ".error.json", false).await;
        }
    }

    /// Whether the file is new or was written anew since it was handled.
    async fn is_new(&mut self, path: &Path) -> anyhow::Result<bool> {
        let metadata = tokio::fs::metadata(path).await?;
        let stamp = (metadata.modified()?, metadata.len());
        Ok(self.handled.insert(path.to_owned(), stamp) != Some(stamp))
    }

    async fn pick_up(&mut self) -> anyhow::Result<()> {
        let folder = self.root.join("out");
        for name in list(&folder).await? {
            let is_a_message = !name.starts_with('.')
                && !name.ends_with(".ack")
                && !name.ends_with(".part")
                && !name.ends_with(".tmp");
            if !is_a_message || !self.is_new(&folder.join(&name)).await? {
                continue;
            }
            let bytes = tokio::fs::read(folder.join(&name)).await?;
            let acknowledgement = (self.read)(&name, &bytes).to_json().to_string();
            write_whole(&folder, &format!("{name}.ack"), acknowledgement.as_bytes()).await?;
        }
        Ok(())
    }

    async fn collect(&mut self, part: &str, suffix: &str, accepted: bool) -> anyhow::Result<()> {
        let folder = self.root.join(part);
        for name in list(&folder).await? {
            let Some(file) = name.strip_suffix(suffix) else {
                continue;
            };
            if !self.is_new(&folder.join(&name)).await? {
                continue;
            }
            let text = tokio::fs::read_to_string(folder.join(&name)).await?;
            let body = serde_json::from_str(&text).unwrap_or_default();
            let answer = FileAnswer {
                file: file.to_owned(),
                accepted,
                body,
            };
            self.answers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(file.to_owned(), answer);
            self.inbox.keep_raw(format!("{name}\n{text}"));
        }
        Ok(())
    }
}

async fn list(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut entries = tokio::fs::read_dir(folder).await?;
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        if entry.file_type().await?.is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Gives a simulator with an exchange folder the methods that speak of files.
macro_rules! forward_folder {
    ($system:ty) => {
        impl $system {
            /// Hands any bytes to the gateway under `name`, whatever they are.
            ///
            /// # Errors
            /// When the file cannot be written.
            pub async fn drop_bytes(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
                self.folder.drop_file(name, bytes).await
            }

            /// Waits for the gateway's answer to a dropped file.
            ///
            /// # Errors
            /// When `timeout` passes first.
            pub async fn wait_for_answer(
                &self,
                file: &str,
                timeout: std::time::Duration,
            ) -> anyhow::Result<$crate::folder::FileAnswer> {
                self.inbox
                    .wait_for_state(&format!("an answer to {file}"), timeout, || {
                        self.folder.answer(file)
                    })
                    .await
            }
        }
    };
}
pub(crate) use forward_folder;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Acknowledgement, ExchangeFolder};
    use crate::inbox::Inbox;

    #[tokio::test]
    async fn outbound_file_is_read_once_and_acknowledged_beside_itself() {
        let home = tempfile::tempdir().unwrap();
        let inbox: Inbox<()> = Inbox::default();
        let log = inbox.clone();
        let folder =
            ExchangeFolder::watch(home.path().to_owned(), inbox.clone(), move |name, _| {
                log.keep_raw(name);
                Acknowledgement {
                    accepted: vec!["m1".into()],
                    rejected: vec![("m2".into(), "no".into())],
                    file_refused: None,
                }
            })
            .await
            .unwrap();
        tokio::fs::write(home.path().join("out/batch.csv"), b"x")
            .await
            .unwrap();
        let ack = home.path().join("out/batch.csv.ack");
        inbox
            .wait_for_state("the acknowledgement", Duration::from_secs(5), || {
                inbox.contains_text("batch.csv").then_some(())
            })
            .await
            .unwrap();
        // The acknowledgement follows the reading; an answer in ack/ needs one more round.
        tokio::fs::write(
            home.path().join("ack/a.csv.ack.json"),
            b"{\"outcome\":\"accepted\"}",
        )
        .await
        .unwrap();
        inbox
            .wait_for_state("the answer", Duration::from_secs(5), || {
                folder.answer("a.csv")
            })
            .await
            .unwrap();
        let text = tokio::fs::read_to_string(&ack).await.unwrap();
        // The gateway takes the acknowledgement away; the file it leaves is not read again.
        tokio::fs::remove_file(&ack).await.unwrap();
        tokio::fs::write(home.path().join("error/b.csv.error.json"), b"{}")
            .await
            .unwrap();
        inbox
            .wait_for_state("one more round", Duration::from_secs(5), || {
                folder.answer("b.csv")
            })
            .await
            .unwrap();
        assert!(!ack.exists());
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            serde_json::json!({
                "accepted": ["m1"],
                "rejected": [{"message_id": "m2", "reason": "no"}],
                "file": "accepted"
            })
        );
    }
}
