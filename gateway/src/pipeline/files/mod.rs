//! Large files: where their blobs lie, which systems have one on its way into the store, and the duty that brings them
//! there.

mod duty;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::RwLock;

use jiff::{SignedDuration, Timestamp};
use tandem_mappings::model::id::SystemId;
use tokio::sync::Notify;
use uuid::Uuid;

pub use self::duty::run;
#[cfg(test)]
pub(crate) use self::duty::work_off;
use crate::blob::{BlobError, BlobFolder};
use crate::config::ByteSize;
use crate::state::large::{LargeDoc, LargeStage};
use crate::store::{Store, StoreError};

/// Where gateways share a folder, a blob without a row may be one that another is just accepting; after so long it is
/// not.
const LONGEST_ACCEPTANCE: SignedDuration = SignedDuration::from_hours(24);

/// What everybody needs to know of large files.
#[derive(Debug)]
pub struct Files {
    folder: BlobFolder,
    large_over: u64,
    /// Systems with a large file in work, as far as this gateway works on it.
    in_work: RwLock<BTreeSet<SystemId>>,
    changed: Notify,
    /// Tells that a file is to be read once more.
    to_be_read: Notify,
}

impl Files {
    /// Large files in a folder.
    #[must_use]
    pub fn new(folder: BlobFolder, large_over: ByteSize) -> Self {
        Self {
            folder,
            large_over: large_over.get(),
            in_work: RwLock::default(),
            changed: Notify::new(),
            to_be_read: Notify::new(),
        }
    }

    /// The folder of blobs.
    #[must_use]
    pub const fn folder(&self) -> &BlobFolder {
        &self.folder
    }

    /// From how many bytes on a file is large.
    #[must_use]
    pub const fn large_over(&self) -> u64 {
        self.large_over
    }

    /// Whether a large file of a system is on its way into the store. Only gateways that share a store must ask it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_in_work(&self, store: &Store, system: &SystemId) -> Result<bool, StoreError> {
        if store.is_shared() {
            let docs = store.snapshot().await?.all::<LargeDoc>().await?;
            return Ok(docs
                .iter()
                .any(|doc| doc.is_in_work() && doc.system == *system));
        }
        let known = self.in_work.read();
        Ok(known.is_ok_and(|known| known.contains(system)))
    }

    /// Looks again at what is on its way, and wakes whoever works on it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn changed(&self, store: &Store) -> Result<Vec<LargeDoc>, StoreError> {
        let docs = store.snapshot().await?.all::<LargeDoc>().await?;
        if let Ok(mut known) = self.in_work.write() {
            let in_work = docs.iter().filter(|doc| doc.is_in_work());
            *known = in_work.map(|doc| doc.system.clone()).collect();
        }
        self.changed.notify_one();
        if docs.iter().any(|doc| doc.stage == LargeStage::Reading) {
            self.to_be_read.notify_one();
        }
        Ok(docs)
    }

    /// Waits until a file is to be read once more, as far as this gateway noted it.
    pub async fn to_be_read(&self) {
        self.to_be_read.notified().await;
    }

    /// Removes the files that no row of the store knows: their acceptance was cut off, or their row has gone. To be
    /// called while nothing is accepted, unless gateways share the folder; `now` is by the clock that stamps files.
    /// Returns how many went.
    ///
    /// # Errors
    /// When the store or the folder fails.
    pub async fn sweep(&self, store: &Store, now: Timestamp) -> Result<u64, SweepError> {
        // Files first: a row that comes meanwhile has its file before.
        let files = self.folder.files()?;
        let heads = store.snapshot().await?.blob_heads().await?;
        let known: BTreeSet<Uuid> = heads.into_iter().map(|head| head.id).collect();
        let mut count = 0;
        for (id, file) in files {
            let is_whole = file == self.folder.file(id);
            let is_known = is_whole && known.contains(&id);
            if is_known || (store.is_shared() && !is_old(&file, now)) {
                continue;
            }
            std::fs::remove_file(&file).map_err(|error| BlobError { file, error })?;
            count += 1;
        }
        Ok(count)
    }

    /// Removes the files of blobs whose rows have gone. One that can't be removed now goes at the next start.
    pub fn remove(&self, blobs: &[Uuid]) {
        for id in blobs {
            if let Err(error) = self.folder.remove(*id) {
                tracing::warn!(%error, "a blob that nobody needs stays until the next start");
            }
        }
    }
}

/// Whether a file was last written long ago.
fn is_old(file: &Path, now: Timestamp) -> bool {
    let written = file.metadata().and_then(|data| data.modified());
    let written = written.ok().and_then(|at| Timestamp::try_from(at).ok());
    written.is_some_and(|at| now.duration_since(at) > LONGEST_ACCEPTANCE)
}

/// Why the folder of blobs was not put in order.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file can't be removed, or the folder not be read.
    #[error(transparent)]
    Blob(#[from] BlobError),
}
