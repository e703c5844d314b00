//! Fills an empty store with what stands in another: in a backup, or in the file of SQLite that a pilot began with.
//!
//! Everything happens in one transaction of the store that is filled, the comparison of every table included. Who stops
//! it, or kills it, finds the store as it was.

use std::path::Path;

use jiff::Timestamp;

use super::backup::{Backup, UNFINISHED};
use super::copying::{CopyError, Sums, Watch, copy_all};
use super::engine::Engine;
use super::keys::ROOT_KEYS;
use super::schema::{all_steps, applied};
use super::tables::{Table, tables_of};
use super::{Store, Tx};
use crate::config::SchemaChange;
use crate::seal::Sealer;

/// Who the audit names.
const ACTOR: &str = "gateway";

/// How a store is filled from a backup.
#[derive(Debug, Clone)]
pub struct Filling<'a> {
    /// Whether what stands there is removed first.
    pub replaces: bool,
    /// The lanes that are configured.
    pub lanes: &'a [String],
    /// The time.
    pub now: Timestamp,
}

impl Backup {
    /// The public key of the audit log, as the store of the backup knew it.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn audit_key(&self) -> Result<Option<Vec<u8>>, CopyError> {
        Ok(self.store.snapshot().await?.known_key("audit").await?)
    }

    /// Whether the keys by which it is sealed are those of this sealer.
    ///
    /// # Errors
    /// When the file can't be read, or a key is another or not there.
    pub async fn check_root(&self, sealer: &Sealer) -> Result<(), CopyError> {
        let mut tx = self.store.snapshot().await?;
        let knows_numbers = self.steps.contains_key(&ROOT_KEYS);
        tx.check_keys(sealer, knows_numbers).await?;
        Ok(())
    }

    /// The checkpoint of a size, or else the last, as a note.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn checkpoint(&self, size: Option<i64>) -> Result<Option<String>, CopyError> {
        let mut tx = self.store.snapshot().await?;
        let found = match size {
            None => tx.last_checkpoint().await?,
            Some(size) => {
                let found = tx.checkpoints(size, 1).await?;
                found.into_iter().find(|row| row.size == size)
            }
        };
        Ok(found.map(|row| row.note))
    }

    /// The same rows with the schema of this program, in a file of their own in the folder, when the backup is older.
    ///
    /// # Errors
    /// When the copy can't be made, or a step of the schema fails.
    async fn up_to_date(
        &self,
        folder: &Path,
    ) -> Result<Option<(Self, tempfile::TempPath)>, CopyError> {
        if self.steps.keys().eq(all_steps().keys()) {
            return Ok(None);
        }
        let copy = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(folder)
            .map_err(CopyError::file(folder))?
            .into_temp_path();
        std::fs::copy(&self.file, &copy).map_err(CopyError::file(&self.file))?;
        let engine = Engine::sqlite_in_making(&copy).await?;
        let brought_up = engine.bring_up(SchemaChange::AtStart).await;
        engine.close().await;
        brought_up?;
        Ok(Some((Self::open(&copy).await?, copy)))
    }
}

impl Store {
    /// Whether a jurisdiction has nothing in the store.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn is_empty(&self) -> Result<bool, CopyError> {
        let mut tx = self.snapshot().await?;
        Ok(first_filled(&mut tx, &tables_of(&all_steps()).await?)
            .await?
            .is_none())
    }

    /// Puts what stands in a backup into this store. The lanes are held, and the audit says so.
    ///
    /// # Errors
    /// When gateways serve the store, it is not empty and nothing is to be replaced, or a table is not the same
    /// afterwards.
    pub async fn fill(
        &self,
        backup: &Backup,
        folder: &Path,
        filling: &Filling<'_>,
        watch: Watch<'_>,
    ) -> Result<Sums, CopyError> {
        let newer = backup.up_to_date(folder).await?;
        let from = newer.as_ref().map_or(backup, |(newer, _)| newer);
        let filled = self.fill_from(&from.store, filling.replaces, watch).await;
        if let Some((newer, _)) = &newer {
            newer.close().await;
        }
        let (mut tx, sums) = filled?;
        let taken_at = backup.manifest.taken_at;
        tx.hold_lanes(filling.lanes, taken_at, filling.now).await?;
        let head = backup.manifest.audit.as_ref().map_or(0, |head| head.size);
        tx.audit(
            filling.now,
            ACTOR,
            "store.restore",
            &taken_at.to_string(),
            &head.to_string(),
        )
        .await?;
        tx.commit().await?;
        Ok(sums)
    }

    /// Puts what stands in another store with the same schema into this one, which is empty.
    ///
    /// # Errors
    /// When gateways serve this store, it is not empty, or a table is not the same afterwards.
    pub async fn take_over(
        &self,
        from: &Self,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Sums, CopyError> {
        let (mut tx, sums) = self.fill_from(from, false, watch).await?;
        tx.audit(now, ACTOR, "store.copy", "", "").await?;
        tx.commit().await?;
        Ok(sums)
    }

    async fn fill_from(
        &self,
        from: &Self,
        replaces: bool,
        watch: Watch<'_>,
    ) -> Result<(Tx, Sums), CopyError> {
        let mut from = from.engine.snapshot().await?;
        let steps = applied(&mut from).await?;
        let mut tx = self.begin().await?;
        if !applied(&mut tx.inner).await?.keys().eq(steps.keys()) {
            return Err(CopyError::Schema);
        }
        let gateways = self.gateways(&mut tx.inner).await?;
        if gateways > 0 {
            return Err(CopyError::Served(gateways));
        }
        let tables = tables_of(&steps).await?;
        let jurisdiction = tx.jurisdiction();
        if replaces {
            for table in &tables {
                table.clear(&mut tx.inner, &jurisdiction).await?;
            }
        } else if let Some(table) = first_filled(&mut tx, &tables).await? {
            return Err(CopyError::NotEmpty(table));
        }
        let sums = copy_all(&tables, &mut from, &mut tx.inner, &jurisdiction, watch).await?;
        Ok((tx, sums))
    }
}

/// The first table in which a jurisdiction has something.
async fn first_filled(tx: &mut Tx, tables: &[Table]) -> Result<Option<String>, CopyError> {
    let jurisdiction = tx.jurisdiction();
    for table in tables {
        if table.has_rows(&mut tx.inner, &jurisdiction).await? {
            return Ok(Some(table.name.clone()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
