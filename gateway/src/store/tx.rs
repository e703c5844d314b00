//! A transaction: what is read in it is one snapshot, what is written in it stands or falls together.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::cause::Cause;
use super::opened::OpenedOfLate;
use super::reads::Reads;
use super::sql::{Row, Session, query};
use super::writers::{Handed, Turn, Written};
use super::{Stage, Store, StoreError};
use crate::seal::Sealer;
use crate::traces::Place;

/// A transaction of the store.
pub struct Tx {
    pub(super) inner: Session,
    pub(super) sealer: Arc<Sealer>,
    /// Leaves that this transaction adds to the audit log.
    pub(super) logged: u64,
    /// Whether it was noted that something changed on which decisions rest.
    pub(super) has_changed_basis: bool,
    /// The turn of one that writes; its session is `inner`.
    turn: Option<Turn>,
    /// Whether something was written that other gateways wait for.
    pub(super) tells: bool,
    /// The lanes in which messages were written.
    pub(super) lanes: BTreeSet<String>,
    /// The stages of decisions in it that permit nothing.
    pub(super) denied: Vec<Stage>,
    /// How many wait outside for what is written.
    answers: usize,
    /// The event from which the messages written next follow, by its position.
    pub(super) cause: Option<Cause>,
    /// What it has read.
    pub(super) reads: Reads,
    /// What it and others have opened.
    pub(super) opened: Arc<OpenedOfLate>,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx")
    }
}

impl Tx {
    /// One that reads.
    pub(super) fn reading(inner: Session, store: &Store) -> Self {
        Self {
            inner,
            sealer: Arc::clone(&store.sealer),
            logged: 0,
            has_changed_basis: false,
            turn: None,
            tells: false,
            lanes: BTreeSet::new(),
            denied: Vec::new(),
            answers: 0,
            cause: None,
            reads: Reads::default(),
            opened: Arc::clone(&store.opened),
        }
    }

    /// One that writes, while somebody waits for it outside.
    pub(super) fn writing(turn: Turn, store: &Store) -> Self {
        let mut tx = Self::writing_behind(turn, store);
        tx.answers = 1;
        tx
    }

    /// One that writes, and nobody waits for it.
    pub(super) fn writing_behind(mut turn: Turn, store: &Store) -> Self {
        let mut tx = Self::reading(turn.session.take(), store);
        tx.turn = Some(turn);
        tx
    }

    /// So many wait for it, if anybody does.
    pub(super) fn is_for(&mut self, many: usize) {
        self.answers = self.answers.min(1) * many;
    }

    /// Makes everything written durable. Those that write at one time share the wait.
    ///
    /// # Errors
    /// When the database can't; then nothing was written.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.hand_in()?.durable().await
    }

    /// Ends the transaction without waiting until it is durable: for whoever writes more at once and waits for all of it. What
    /// comes after sees it; nobody outside may be told before [`Handed::durable`].
    ///
    /// # Errors
    /// When the database can't; then nothing was written.
    pub fn hand_in(mut self) -> Result<Handed, StoreError> {
        let written = Written {
            logged: self.logged,
            denied: std::mem::take(&mut self.denied),
            tells: self.tells,
            lanes: std::mem::take(&mut self.lanes),
            answers: self.answers,
        };
        match self.give_back() {
            Some(turn) => turn.hand_in(written),
            None => Ok(Handed::nothing()),
        }
    }

    /// Something in memory follows from here on what is written, before it is durable: should this be given up, or go back to a mark,
    /// [`Store::losses`] says so.
    pub fn note_followed(&mut self) {
        if let Some(turn) = &mut self.turn {
            turn.is_followed = true;
        }
    }

    /// What is written from now on follows from nothing that was written before.
    pub fn forget_cause(&mut self) {
        self.cause = None;
    }

    /// The turn with its session.
    fn give_back(&mut self) -> Option<Turn> {
        let mut turn = self.turn.take()?;
        turn.session = self.inner.take();
        Some(turn)
    }

    /// Marks a place to which the transaction can go back. Marks do not nest: each is passed or gone back to before the
    /// next is set.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mark(&mut self) -> Result<Mark, StoreError> {
        query("SAVEPOINT mark").execute(&mut self.inner).await?;
        Ok(Mark {
            logged: self.logged,
            tells: self.tells,
            denied: self.denied.len(),
            cause: self.cause,
        })
    }

    /// Keeps what was written since a mark, as far as the transaction commits.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pass(&mut self, _mark: Mark) -> Result<(), StoreError> {
        self.release().await
    }

    /// Undoes what was written since a mark, and what was written before it stands.
    ///
    /// # Errors
    /// When the store fails, or with it the whole transaction.
    pub async fn back_to(&mut self, mark: Mark) -> Result<(), StoreError> {
        if let Some(turn) = &self.turn {
            turn.takes_back();
        }
        self.reads.forget_all();
        self.has_changed_basis = false;
        self.inner.back_to("ROLLBACK TO SAVEPOINT mark").await?;
        (self.logged, self.tells, self.cause) = (mark.logged, mark.tells, mark.cause);
        self.denied.truncate(mark.denied);
        self.release().await
    }

    async fn release(&mut self) -> Result<(), StoreError> {
        query("RELEASE SAVEPOINT mark")
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    pub(super) fn jurisdiction(&self) -> String {
        self.sealer.jurisdiction().as_str().to_owned()
    }

    /// Keyed hash of a look-up value.
    ///
    /// # Errors
    /// When no key can be derived.
    pub fn mac(&self, field: &str, value: &str) -> Result<[u8; 32], StoreError> {
        Ok(self.sealer.mac(field, value)?)
    }
}

/// A place in a transaction to which it can go back.
#[derive(Debug)]
#[must_use = "a mark is passed or gone back to"]
pub struct Mark {
    logged: u64,
    tells: bool,
    denied: usize,
    cause: Option<Cause>,
}

impl Drop for Tx {
    fn drop(&mut self) {
        // Of one that was not committed nothing stays.
        drop(self.give_back());
    }
}

/// The store's unit of time.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// Back from the store's unit of time.
pub(super) fn timestamp(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|_| StoreError::Shape { kind: "time" })
}

/// The place in a trace at which a row was written.
pub(super) fn place(row: &Row) -> Option<Place> {
    let text: Option<String> = row.get("trace");
    text.as_deref().and_then(Place::parse)
}

/// A 16-byte id from a column.
pub(super) fn uuid(bytes: &[u8]) -> Result<uuid::Uuid, StoreError> {
    uuid::Uuid::from_slice(bytes).map_err(|_| StoreError::Shape { kind: "id" })
}
