//! A watched folder. The partner writes `in/NAME.part` and renames it to `in/NAME`; the gateway claims it, reads it,
//! and after its commit moves it to `done/` with an acknowledgement in `ack/`, or to `error/` with an error file.
//! What the gateway writes appears in `out/` by an atomic rename; the partner answers with `out/NAME.ack`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::MessageId;

/// Suffixes of files that are still being written.
const UNFINISHED: [&str; 3] = [".part", ".tmp", ".filepart"];

/// The folders below one path.
#[derive(Debug, Clone)]
pub struct ExchangeFolder {
    root: PathBuf,
}

/// What a partner says about a file that it picked up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PartnerAck {
    /// Messages taken.
    #[serde(default)]
    pub accepted: Vec<MessageId>,
    /// Messages refused.
    #[serde(default)]
    pub rejected: Vec<RejectedMessage>,
    /// What became of the file as a whole, from a partner whose format has no message ids.
    #[serde(default)]
    pub file: Option<FileVerdict>,
}

/// What became of a file as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileVerdict {
    /// Taken.
    Accepted,
    /// Refused.
    Rejected,
}

/// A message that a partner refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedMessage {
    /// Which.
    pub message_id: MessageId,
    /// Why, in the partner's words.
    #[serde(default)]
    pub reason: String,
}

impl ExchangeFolder {
    /// Opens the folder; makes what is missing below it.
    ///
    /// # Errors
    /// When a folder can't be made.
    pub fn open(root: &Path) -> io::Result<Self> {
        for part in ["in", "done", "ack", "error", "out", "out/acked"] {
            std::fs::create_dir_all(root.join(part))?;
        }
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// Files that wait in `in/`, oldest name first.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn waiting(&self) -> io::Result<Vec<PathBuf>> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.root.join("in"))?
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.is_file() && !is_unfinished(path))
            .collect();
        files.sort();
        Ok(files)
    }

    /// Ends an accepted input: acknowledgement first, then the move, so that a crash between the two repeats both.
    ///
    /// # Errors
    /// When a file can't be written or moved.
    pub fn finish(&self, file: &Path, acknowledgement: &str) -> io::Result<()> {
        let name = name_of(file);
        self.write_atomic(&format!("ack/{name}.ack.json"), acknowledgement.as_bytes())?;
        std::fs::rename(file, self.free("done", &name))
    }

    /// Ends a rejected input; the file is kept for replay.
    ///
    /// # Errors
    /// When a file can't be written or moved.
    pub fn fail(&self, file: &Path, error: &str) -> io::Result<()> {
        let name = name_of(file);
        self.write_atomic(&format!("error/{name}.error.json"), error.as_bytes())?;
        std::fs::rename(file, self.free("error", &name))
    }

    /// Hands a file to the partner.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.write_atomic(&format!("out/{name}"), bytes)
    }

    /// Acknowledgements that wait, each with the name of the file it speaks of.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn acknowledgements(&self) -> io::Result<Vec<(String, io::Result<PartnerAck>)>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.root.join("out"))?.filter_map(Result::ok) {
            let path = entry.path();
            if let Some(name) = name_of(&path).strip_suffix(".ack") {
                let ack = std::fs::read(&path)
                    .and_then(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::other));
                found.push((name.to_owned(), ack));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    /// Puts an acknowledgement aside once it is recorded.
    ///
    /// # Errors
    /// When it can't be moved.
    pub fn acknowledgement_taken(&self, name: &str) -> io::Result<()> {
        let from = self.root.join("out").join(format!("{name}.ack"));
        std::fs::rename(from, self.free("out/acked", &format!("{name}.ack")))
    }

    fn free(&self, part: &str, name: &str) -> PathBuf {
        let wanted = self.root.join(part).join(name);
        if !wanted.exists() {
            return wanted;
        }
        (1_u32..)
            .map(|number| self.root.join(part).join(format!("{name}.{number}")))
            .find(|path| !path.exists())
            .unwrap_or(wanted)
    }

    fn write_atomic(&self, relative: &str, bytes: &[u8]) -> io::Result<()> {
        let target = self.root.join(relative);
        let unfinished = self.root.join(format!("{relative}.part"));
        let mut file = std::fs::File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, &target)?;
        if let Some(folder) = target.parent() {
            std::fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

fn is_unfinished(path: &Path) -> bool {
    let name = name_of(path);
    name.starts_with('.') || UNFINISHED.iter().any(|suffix| name.ends_with(suffix))
}

/// The file's name.
#[must_use]
pub fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_file_is_not_read() {
        let place = tempfile::tempdir().unwrap();
        let folder = ExchangeFolder::open(place.path()).unwrap();
        std::fs::write(place.path().join("in/a.csv.part"), b"x").unwrap();
        assert!(folder.waiting().unwrap().is_empty());
        std::fs::rename(
            place.path().join("in/a.csv.part"),
            place.path().join("in/a.csv"),
        )
        .unwrap();
        assert_eq!(folder.waiting().unwrap().len(), 1);
    }

    #[test]
    fn a_second_file_of_one_name_overwrites_nothing() {
        let place = tempfile::tempdir().unwrap();
        let folder = ExchangeFolder::open(place.path()).unwrap();
        for content in ["one", "two"] {
            let file = place.path().join("in/a.csv");
            std::fs::write(&file, content).unwrap();
            folder.finish(&file, "{}").unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(place.path().join("done/a.csv")).unwrap(),
            "one"
        );
        assert_eq!(
            std::fs::read_to_string(place.path().join("done/a.csv.1")).unwrap(),
            "two"
        );
    }
}
