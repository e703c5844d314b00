//! Root keys come and go: a new one seals from an instant on, an old one that seals nothing any more is retired.

use std::path::PathBuf;

use jiff::Timestamp;

use super::copying::CopyError;
use super::keys::RootKeyRow;
use super::resealing::{Resealer, ResealingRow};
use super::sealed::sealed_tables;
use super::{Store, StoreError, Tx};
use crate::config::Config;
use crate::seal::{SealError, Sealer};

/// Why keys are not rotated or retired.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What older keys sealed is still being sealed anew.
    #[error(
        "what older keys have sealed is still being sealed anew with key {0}: wait until that is done"
    )]
    Unfinished(u32),
    /// Other gateways do not hold the new key.
    #[error(
        "key {number} is made and seals nothing yet: {gateways} other gateways of this store do not hold it, or were killed \
         within the last minute. Copy {file} into their data folders and give the command again"
    )]
    Lacking {
        /// The new key.
        number: u32,
        /// How many gateways.
        gateways: i64,
        /// The file in which it stands.
        file: String,
    },
    /// There is no such key.
    #[error("the store knows no key {0}")]
    Unknown(u32),
    /// The key seals what is written.
    #[error("key {0} seals what is written: rotate the keys first")]
    Seals(u32),
    /// The key still seals something.
    #[error("key {number} still seals {rows} values")]
    Needed {
        /// The key.
        number: u32,
        /// How many values.
        rows: i64,
    },
}

impl From<SealError> for RotationError {
    fn from(error: SealError) -> Self {
        Self::Store(error.into())
    }
}

/// What a rotation would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextKey {
    /// The number of the key that would seal.
    pub number: u32,
    /// Whether it stands in the key file already.
    pub is_made: bool,
    /// Other gateways that do not hold it.
    pub lacking: i64,
}

impl Store {
    /// Opens the store that a configuration names while no gateway serves it, to work on its keys.
    ///
    /// # Errors
    /// When a gateway serves it, it can't be opened, or its keys are not those of the sealer.
    pub async fn at_rest(config: &Config, sealer: Sealer) -> Result<Self, CopyError> {
        let store = Self::to_fill(config, sealer).await?;
        let mut tx = store.begin().await?;
        let gateways = store.gateways(&mut tx.inner).await?;
        drop(tx);
        if gateways > 0 {
            return Err(CopyError::Served(gateways));
        }
        store.check_root().await?;
        Ok(store)
    }

    /// Which key would seal after a rotation: one that the file holds and that never sealed, or else a new one.
    ///
    /// # Errors
    /// When an earlier rotation is not finished, the store fails, or the file can't be read.
    pub async fn next_key(&self) -> Result<NextKey, RotationError> {
        self.sealer().reread()?;
        let mut tx = self.snapshot().await?;
        let known = tx.root_keys().await?;
        let (number, is_made) = self.next_of(&known, &tx.resealing().await?)?;
        drop(tx);
        let lacking = self.gateways_that_hold_below(number).await?;
        Ok(NextKey {
            number,
            is_made,
            lacking,
        })
    }

    fn next_of(
        &self,
        known: &[RootKeyRow],
        resealing: &[ResealingRow],
    ) -> Result<(u32, bool), RotationError> {
        if let Some(row) = resealing.iter().find(|row| !row.is_done) {
            return Err(RotationError::Unfinished(row.number));
        }
        let last = known.iter().map(|key| key.number).max().unwrap_or(0);
        let held = self.sealer().keys().into_keys().max().unwrap_or(0);
        if held > last {
            return Ok((held, true));
        }
        let next = last.checked_add(1).ok_or(SealError::Numbers(last))?;
        Ok((next, false))
    }

    /// Makes a new root key, and lets it seal from now on. It stands in the key file, synced, before anything is sealed
    /// with it. What older keys sealed is sealed anew from then on, by [`super::Resealer`].
    ///
    /// # Errors
    /// When an earlier rotation is not finished, another gateway does not hold the new key, or the store or the file
    /// fails.
    pub async fn rotate(&self, actor: &str, now: Timestamp) -> Result<u32, RotationError> {
        let next = self.next_key().await?;
        if !next.is_made {
            self.sealer().add(next.number, now)?;
        }
        if next.lacking > 0 {
            return Err(RotationError::Lacking {
                number: next.number,
                gateways: next.lacking,
                file: self.sealer().file().display().to_string(),
            });
        }
        let tables = sealed_tables().await?;
        let mut tx = self.begin_apart().await?;
        // Another rotation may have come first.
        let known = tx.root_keys().await?;
        let (number, _) = self.next_of(&known, &tx.resealing().await?)?;
        if number != next.number {
            return Err(RotationError::Unfinished(number));
        }
        tx.add_root_key(number, Some(now)).await?;
        tx.begin_resealing(&tables, number).await?;
        let text = number.to_string();
        tx.audit(now, actor, "keys.rotate", &text, "").await?;
        tx.tells = true;
        // Whoever writes after this transaction seals with the new key, and is durable only if this is.
        let before = self.sealer().sealing();
        self.sealer().seal_with(number)?;
        if let Err(error) = tx.commit().await {
            self.sealer().seal_with(before)?;
            return Err(error.into());
        }
        self.tell_keys().await?;
        Ok(number)
    }

    /// Has everything gone through once more, for what older keys have sealed: after a value that could not be opened
    /// can be, for example because the line of a key was brought back.
    ///
    /// # Errors
    /// When it is being done, or the store fails.
    pub async fn reseal_again(&self, actor: &str, now: Timestamp) -> Result<u32, RotationError> {
        self.follow_keys().await?;
        let tables = sealed_tables().await?;
        let mut tx = self.begin_apart().await?;
        if let Some(row) = tx.resealing().await?.iter().find(|row| !row.is_done) {
            return Err(RotationError::Unfinished(row.number));
        }
        let number = self.sealer().sealing();
        tx.begin_resealing(&tables, number).await?;
        let text = number.to_string();
        tx.audit(now, actor, "keys.reseal", &text, "").await?;
        tx.commit().await?;
        Ok(number)
    }

    /// Retires a key that seals nothing any more: it is taken out of the key file, into a file of its own whose name is
    /// given.
    ///
    /// # Errors
    /// When there is no such key, it seals, still has values (counted once more), or these were not counted to the end; or
    /// the store or a file fails.
    pub async fn retire_key(
        &self,
        number: u32,
        actor: &str,
        now: Timestamp,
    ) -> Result<PathBuf, RotationError> {
        // Since it was counted a gateway that had not heard of the new key may have sealed with this one. Counted once more beside the
        // writers, since it takes its time.
        let counting = Resealer::of(self).await?;
        let left = counting
            .count(&mut self.snapshot().await?)
            .await?
            .remove(&number);
        let mut tx = self.begin_apart().await?;
        let known = tx.root_keys().await?;
        let key = known.iter().find(|key| key.number == number);
        let key = key.ok_or(RotationError::Unknown(number))?;
        self.may_go(&mut tx, key).await?;
        if let Some(rows) = left.filter(|rows| *rows > 0) {
            return Err(RotationError::Needed { number, rows });
        }
        if key.retired_at.is_none() {
            tx.retire_root_key(number, now).await?;
            let text = number.to_string();
            tx.audit(now, actor, "keys.retire", &text, "").await?;
        } else if !self.sealer().keys().contains_key(&number) {
            return Err(RotationError::Unknown(number));
        }
        tx.commit().await?;
        Ok(self.sealer().take_out(number)?)
    }

    async fn may_go(&self, tx: &mut Tx, key: &RootKeyRow) -> Result<(), RotationError> {
        let sealing = self.sealer().sealing();
        if key.number == sealing {
            return Err(RotationError::Seals(sealing));
        }
        if let Some(row) = tx.resealing().await?.iter().find(|row| !row.is_done) {
            return Err(match key.rows_left {
                Some(rows) if rows > 0 => RotationError::Needed {
                    number: key.number,
                    rows,
                },
                _ => RotationError::Unfinished(row.number),
            });
        }
        match key.rows_left {
            Some(0) => Ok(()),
            Some(rows) => Err(RotationError::Needed {
                number: key.number,
                rows,
            }),
            None => Err(RotationError::Unfinished(sealing)),
        }
    }
}
