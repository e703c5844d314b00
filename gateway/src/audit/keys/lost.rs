//! Keys and stores that were there and are not any more: nothing is made in their place. A new key would sign another log than the
//! one that others have seen, and an empty store would be served as if nothing had ever been told.

use std::io::ErrorKind;
use std::path::Path;

use tandem_audit::{Checkpoint, Note};
use tandem_mappings::model::id::Jurisdiction;

use super::{AuditKeyError, AuditKeys, LOG, WITNESS, key_file, memory, public_file};
use crate::config::Config;
use crate::store::{self, Store};

/// Refuses when a key is not there and was before. A store in which leaves stand shows it, as any of the other files does.
pub(super) fn refuse(data: &Path, log: Option<&str>) -> Result<(), AuditKeyError> {
    let (origin, witness) = (key_file(data, LOG), key_file(data, WITNESS));
    let published = [
        public_file(data, LOG),
        public_file(data, WITNESS),
        memory(data),
    ];
    // The key of the log is made first: a start that was cut off may have left it alone.
    for (file, earlier) in [(&origin, Some(&witness)), (&witness, None)] {
        if file.exists() {
            continue;
        }
        let mut others = earlier.into_iter().chain(&published);
        let found = others.find(|path| path.exists());
        let found = found.map(|path| path.display().to_string());
        if let Some(beside) = found.or_else(|| log.map(str::to_owned)) {
            let name = file.file_name().unwrap_or_default();
            return Err(AuditKeyError::Lost {
                file: file.clone(),
                name: name.to_string_lossy().into_owned(),
                beside,
            });
        }
    }
    Ok(())
}

impl AuditKeys {
    /// Reads the keys by which the log of a store is signed; makes them at the first run. To be asked before anything is written
    /// that gets a leaf.
    ///
    /// # Errors
    /// When the store has a log and a key is not there, when it has none and the folder's witness remembers one, when a file can't
    /// be read or made or holds no key, or the store fails.
    pub async fn for_store(
        data: &Path,
        jurisdiction: &Jurisdiction,
        store: &Store,
    ) -> Result<Self, AuditKeyError> {
        let mut tx = store.snapshot().await?;
        let has_log = !tx.leaf_hashes(0, 1).await?.is_empty();
        drop(tx);
        if has_log {
            refuse(data, Some("the audit log in the store"))?;
        } else {
            refuse_emptied(data, "the store")?;
        }
        Self::open_or_create(data, jurisdiction)
    }

    /// Refuses a file of SQLite that would be made anew though the folder's witness remembers its log. To be asked before the
    /// store is opened: nothing is in the way of a restoration then.
    ///
    /// # Errors
    /// When the file is empty or not there, and had a log.
    pub fn expect_store(config: &Config) -> Result<(), AuditKeyError> {
        match store::sqlite_file(config) {
            Some(file) if holds_nothing(&file) => {
                refuse_emptied(&config.data, &file.display().to_string())
            }
            _ => Ok(()),
        }
    }

    /// How many leaves the log of a data folder has at least, as its witness remembers.
    ///
    /// # Errors
    /// When what it remembers can't be read.
    pub fn leaves_remembered(data: &Path) -> Result<u64, AuditKeyError> {
        let last = Self::remembered(data)?.and_then(|state| state.last);
        let note = last.and_then(|text| Note::parse(&text).ok());
        let head = note.and_then(|note| Checkpoint::parse(&note.text).ok());
        Ok(head.map_or(0, |head| head.size))
    }
}

fn holds_nothing(file: &Path) -> bool {
    match file.metadata() {
        Ok(data) => data.len() == 0,
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

fn refuse_emptied(data: &Path, store: &str) -> Result<(), AuditKeyError> {
    match AuditKeys::leaves_remembered(data)? {
        0 => Ok(()),
        leaves => Err(AuditKeyError::Emptied {
            store: store.to_owned(),
            memory: memory(data),
            leaves,
        }),
    }
}

#[cfg(test)]
mod tests;
