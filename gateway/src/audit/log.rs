//! The tree in memory, and what it proves.

use jiff::Timestamp;
use tandem_audit::{Checkpoint, Consistency, Inclusion, Note, Signature, Tree, VerifierKey};
use tokio::sync::Mutex;

use super::keys::{AuditKeyError, AuditKeys, PublicKeys};
use crate::store::{CheckpointRow, CosignatureRow, Kind, Logged, Store, StoreError, Tx};

/// Leaf hashes that are read at a time.
const PAGE: i64 = 10_000;

/// Why the log does not do what it is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys can't be used.
    #[error(transparent)]
    Key(#[from] AuditKeyError),
    /// The store holds another log than the one that was signed before.
    #[error(
        "the audit log in the store contradicts what was signed before: {0}; `tandem audit verify` says where"
    )]
    Contradiction(String),
    /// There is no such leaf or checkpoint.
    #[error("the log has no such entry")]
    Unknown,
    /// A cosignature is not one.
    #[error("no valid signature of the checkpoint of this size by this key")]
    Cosignature,
}

/// The audit log of a running gateway.
#[derive(Debug)]
pub struct AuditLog {
    public: PublicKeys,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    keys: AuditKeys,
    /// Over every durable leaf that was read; the store has the leaves for proofs.
    tree: Tree,
}

/// Gives leaves to what had none in the first logs. It happens once: from then on there is evidence with a leaf, and what
/// comes beside the gateway stays without one. The audit says how many there were.
async fn adopt_later_kinds(tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
    let adopted = tx.adopt(&Kind::LATER).await?;
    if adopted > 0 {
        tracing::info!(
            adopted,
            "evidence, rules and attempts so far have entered the audit log"
        );
        let count = adopted.to_string();
        tx.audit(now, "gateway", "audit.adopt", "", &count).await?;
    }
    Ok(())
}

impl AuditLog {
    /// Builds the tree from the stored hashes. A store that has no log yet gets one over what it holds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn load(store: &Store, keys: AuditKeys, now: Timestamp) -> Result<Self, LogError> {
        let mut tx = store.begin().await?;
        let own = keys.public().origin.to_string();
        if tx.key_check("audit", own.as_bytes()).await? != own.as_bytes() {
            return Err(StoreError::OtherKey("audit.key").into());
        }
        let is_new = tx.leaf_hashes(0, 1).await?.is_empty();
        if is_new && keys.witness.last().is_none() {
            let adopted = tx.adopt(&Kind::ALL).await?;
            if adopted > 0 {
                tracing::info!(adopted, "the records so far have entered the audit log");
            }
        } else if !is_new && !tx.has_leaf_of(Kind::Evidence).await? {
            adopt_later_kinds(&mut tx, now).await?;
        }
        tx.commit().await?;
        let log = Self {
            public: keys.public(),
            inner: Mutex::new(Inner {
                keys,
                tree: Tree::lean(),
            }),
        };
        let mut inner = log.inner.lock().await;
        let mut tx = store.snapshot().await?;
        inner.catch_up(&mut tx).await?;
        if let Err(error) = inner.compare(&mut tx).await {
            tracing::error!(%error, "the audit log was altered; the gateway serves, and signs no checkpoint");
        }
        drop(inner);
        Ok(log)
    }

    /// The public keys.
    #[must_use]
    pub fn public(&self) -> &PublicKeys {
        &self.public
    }

    /// Signs a checkpoint over everything durable, unless nothing but the last one was added. Gives the newest.
    ///
    /// # Errors
    /// When the store fails, or holds another log than the one that was signed before: then nothing is signed.
    pub async fn sign(&self, store: &Store, now: Timestamp) -> Result<Option<Note>, LogError> {
        let mut inner = self.inner.lock().await;
        let mut tx = store.begin().await?;
        inner.catch_up(&mut tx).await?;
        inner.compare(&mut tx).await?;
        let last = tx.last_checkpoint().await?;
        let size = i64::try_from(inner.tree.size()).map_err(|_| LogError::Unknown)?;
        // The leaf that records the last checkpoint is nothing new.
        let is_new = size > last.as_ref().map_or(0, |last| last.size + 1);
        if !is_new {
            return last.map(|last| parse(&last.note)).transpose();
        }
        let note = inner.sign(&mut tx, now).await?;
        let row = CheckpointRow {
            size,
            note: note.to_string(),
        };
        tx.add_checkpoint(&row, now).await?;
        tx.commit().await?;
        Ok(Some(note))
    }

    /// The newest checkpoint, with what witnesses signed of it.
    ///
    /// # Errors
    /// When none was signed yet, or the store fails.
    pub async fn newest(&self, tx: &mut Tx) -> Result<Note, LogError> {
        let last = tx.last_checkpoint().await?.ok_or(LogError::Unknown)?;
        with_cosignatures(tx, &last).await
    }

    /// A proof that a leaf is in the log, under the newest checkpoint. To be asked in a snapshot: who holds the writer
    /// would wait for a signing that waits for the writer.
    ///
    /// # Errors
    /// When there is no such leaf, no checkpoint covers it yet, or the store fails.
    pub async fn prove(
        &self,
        tx: &mut Tx,
        position: i64,
        shows_record: bool,
    ) -> Result<Inclusion, LogError> {
        let leaves = tx.leaves(position, 1).await?;
        let row = leaves
            .first()
            .filter(|row| row.position == position)
            .ok_or(LogError::Unknown)?;
        let head = self.newest(tx).await?;
        let size = Checkpoint::parse(&head.text).map_err(|_| shape())?.size;
        let at = number(position)?;
        let mut inner = self.inner.lock().await;
        inner.catch_up(tx).await?;
        inner.lend(tx, [at, size.saturating_sub(1)]).await?;
        let path = inner.tree.inclusion(at, size);
        inner.tree.give_back();
        drop(inner);
        let path = path.ok_or(LogError::Unknown)?;
        let opening = tx.opening_of(row, shows_record).await?;
        Ok(Inclusion::new(
            &self.public.origin,
            row.leaf.clone(),
            &path,
            &head,
            opening,
        ))
    }

    /// A proof that the log only grew from one checkpoint to another. In a snapshot, as with [`AuditLog::prove`].
    ///
    /// # Errors
    /// When one of them was never signed, the older is empty or larger than the newer, or the store fails.
    pub async fn prove_growth(
        &self,
        tx: &mut Tx,
        old: i64,
        new: i64,
    ) -> Result<Consistency, LogError> {
        let (older, newer) = (note(tx, old).await?, note(tx, new).await?);
        let mut inner = self.inner.lock().await;
        inner.catch_up(tx).await?;
        let (old, new) = (number(old)?, number(new)?);
        inner
            .lend(tx, [old, new].map(|size| size.saturating_sub(1)))
            .await?;
        let nodes = inner.tree.consistency(old, new);
        inner.tree.give_back();
        let nodes = nodes.ok_or(LogError::Unknown)?;
        Ok(Consistency::new(&older, &newer, &nodes))
    }

    /// Stores what a witness signed, once it holds.
    ///
    /// # Errors
    /// When the signature is not this key's for this checkpoint, or the store fails.
    pub async fn cosign(
        &self,
        tx: &mut Tx,
        size: i64,
        key: &VerifierKey,
        line: &Signature,
    ) -> Result<bool, LogError> {
        let checkpoint = note(tx, size).await?;
        // A witness's line has its time; a log's key signs no one else's log.
        if !matches!(key.verify(&checkpoint.text, line), Some(Some(_))) {
            return Err(LogError::Cosignature);
        }
        Ok(tx
            .add_cosignature(&CosignatureRow {
                size,
                witness_key: key.to_string(),
                line: line.to_string(),
            })
            .await?)
    }

    /// The leaf of a record.
    ///
    /// # Errors
    /// When it has none, or the store fails.
    pub async fn position_of(&self, tx: &mut Tx, logged: Logged) -> Result<i64, LogError> {
        tx.position_of(&logged).await?.ok_or(LogError::Unknown)
    }
}

impl Inner {
    /// Takes the leaves that became durable since.
    async fn catch_up(&mut self, tx: &mut Tx) -> Result<(), LogError> {
        loop {
            let from = i64::try_from(self.tree.size()).map_err(|_| LogError::Unknown)?;
            let hashes = tx.leaf_hashes(from, PAGE).await?;
            if hashes.is_empty() {
                return Ok(());
            }
            self.tree.extend(hashes);
        }
    }

    /// Lends the tree what a proof about these leaves goes into.
    async fn lend<const N: usize>(
        &mut self,
        tx: &mut Tx,
        leaves: [u64; N],
    ) -> Result<(), LogError> {
        for leaf in leaves {
            let Some((first, count)) = self.tree.missing(leaf) else {
                continue;
            };
            let from = i64::try_from(first).map_err(|_| LogError::Unknown)?;
            let count = i64::try_from(count).map_err(|_| LogError::Unknown)?;
            let hashes = tx.leaf_hashes(from, count).await?;
            if !self.tree.lend(first, hashes) {
                let text = format!("other leaves from {first} on than were read before");
                return Err(LogError::Contradiction(text));
            }
        }
        Ok(())
    }

    /// Whether the store still holds what the gateway's own witness signed last.
    async fn compare(&mut self, tx: &mut Tx) -> Result<(), LogError> {
        let last = self.keys.witness.last();
        let Some((size, signed)) = last.map(|last| (last.size, last.root)) else {
            return Ok(());
        };
        if size <= self.tree.size() {
            self.lend(tx, [size.saturating_sub(1)]).await?;
        }
        let root = self.tree.root(size);
        self.tree.give_back();
        match root {
            Some(root) if root == signed => Ok(()),
            Some(_) => Err(contradiction("another root", size)),
            None => Err(contradiction("fewer leaves than", size)),
        }
    }

    async fn sign(&mut self, tx: &mut Tx, now: Timestamp) -> Result<Note, LogError> {
        let size = self.tree.size();
        let last = self.keys.witness.last();
        if let Some(size) = last.map(|last| last.size) {
            self.lend(tx, [size.saturating_sub(1)]).await?;
        }
        let root = self.tree.root(size).ok_or(LogError::Unknown)?;
        let origin = self.keys.origin.public().name().to_owned();
        let mut note = Checkpoint { origin, size, root }.sign(&self.keys.origin);
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let last = self.keys.witness.state().last;
        let proof = last.map(|last| parse(&last)).transpose()?.and_then(|last| {
            let from = self.keys.witness.last()?.size;
            let nodes = self.tree.consistency(from, size)?;
            Some(Consistency::new(&last, &note, &nodes))
        });
        self.tree.give_back();
        let line = self
            .keys
            .witness
            .cosign_note(&note, proof.as_ref(), seconds)
            .map_err(|error| LogError::Contradiction(error.to_string()))?;
        self.keys.remember()?;
        note.signatures.push(line);
        Ok(note)
    }
}

fn contradiction(what: &str, size: u64) -> LogError {
    LogError::Contradiction(format!(
        "{what} the {size} leaves under the last checkpoint"
    ))
}

fn parse(note: &str) -> Result<Note, LogError> {
    Note::parse(note).map_err(|_| shape().into())
}

fn shape() -> StoreError {
    StoreError::Shape { kind: "checkpoint" }
}

fn number(from: i64) -> Result<u64, LogError> {
    u64::try_from(from).map_err(|_| LogError::Unknown)
}

/// The stored checkpoint of a size.
async fn note(tx: &mut Tx, size: i64) -> Result<Note, LogError> {
    let found = tx.checkpoints(size, 1).await?;
    let row = found
        .first()
        .filter(|row| row.size == size)
        .ok_or(LogError::Unknown)?;
    parse(&row.note)
}

/// A checkpoint with what witnesses said of it later.
///
/// # Errors
/// When it is no note, or the store fails.
pub(super) async fn with_cosignatures(tx: &mut Tx, row: &CheckpointRow) -> Result<Note, LogError> {
    let mut note = parse(&row.note)?;
    let lines = tx.cosignatures().await?;
    let later = lines.iter().filter(|line| line.size == row.size);
    note.signatures
        .extend(later.filter_map(|line| Signature::parse(&line.line)));
    Ok(note)
}
