//! The log as the entries of an export, in one snapshot, page by page.

use std::collections::VecDeque;

use tandem_audit::{Entry, Hash, Header, VerifierKey};

use super::keys::PublicKeys;
use super::log::{LogError, with_cosignatures};
use crate::store::{CheckpointRow, LeafRow, Tx};

/// Leaves that are read at a time.
const PAGE: i64 = 500;

/// What of the records an export shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Nothing: kind, action and time of each event, and its commitments.
    Nothing,
    /// The stored columns, sealed ones as they are sealed.
    Columns,
    /// The columns, and what decisions hold in clear.
    Records,
}

/// Reads a log in order.
#[derive(Debug)]
pub struct Exporter {
    tx: Tx,
    shown: Shown,
    /// Leaves that are exported: those under the last checkpoint, or all.
    end: i64,
    next: i64,
    leaves: VecDeque<LeafRow>,
    checkpoints: VecDeque<CheckpointRow>,
    header: Option<Header>,
}

/// One leaf or checkpoint, or what stands before both.
#[derive(Debug)]
pub enum Step {
    /// The keys.
    Header(Header),
    /// A stored leaf.
    Leaf(Box<LeafRow>, Option<Entry>),
    /// A checkpoint with every signature.
    Checkpoint(CheckpointRow, String),
}

impl Exporter {
    /// Starts; `is_whole` also exports the leaves that no checkpoint covers yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start(
        mut tx: Tx,
        keys: &PublicKeys,
        shown: Shown,
        is_whole: bool,
    ) -> Result<Self, LogError> {
        let last = tx.last_checkpoint().await?;
        let end = if is_whole {
            i64::MAX
        } else {
            last.map_or(0, |last| last.size)
        };
        let mut witness_keys = vec![keys.witness.to_string()];
        for line in tx.cosignatures().await? {
            // A key that is none is for who verifies to complain of, by the signature that then is of nobody known.
            let is_key = VerifierKey::parse(&line.witness_key).is_ok();
            if is_key && !witness_keys.contains(&line.witness_key) {
                witness_keys.push(line.witness_key);
            }
        }
        let checkpoints = tx.checkpoints(0, i64::MAX).await?.into();
        Ok(Self {
            tx,
            shown,
            end,
            next: 0,
            leaves: VecDeque::new(),
            checkpoints,
            header: Some(Header {
                origin_key: keys.origin.to_string(),
                witness_keys,
            }),
        })
    }

    /// The transaction in which the log is read.
    pub fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// The next step; `None` at the end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn step(&mut self) -> Result<Option<Step>, LogError> {
        if let Some(header) = self.header.take() {
            return Ok(Some(Step::Header(header)));
        }
        if self.leaves.is_empty() && self.next < self.end {
            let limit = PAGE.min(self.end - self.next);
            self.leaves = self.tx.leaves(self.next, limit).await?.into();
        }
        let next = self.leaves.front().map_or(i64::MAX, |leaf| leaf.position);
        if let Some(checkpoint) = self.checkpoints.pop_front_if(|row| row.size <= next) {
            let note = match with_cosignatures(&mut self.tx, &checkpoint).await {
                Ok(note) => note.to_string(),
                // What is no note any more is shown as it is.
                Err(LogError::Store(crate::store::StoreError::Shape { .. })) => {
                    checkpoint.note.clone()
                }
                Err(error) => return Err(error),
            };
            return Ok(Some(Step::Checkpoint(checkpoint, note)));
        }
        let Some(leaf) = self.leaves.pop_front() else {
            return Ok(None);
        };
        self.next = leaf.position.saturating_add(1);
        let opening = match self.shown {
            Shown::Nothing => None,
            shown => self.tx.opening_of(&leaf, shown == Shown::Records).await?,
        };
        let opening = opening.map(|opening| Entry::Opening(Box::new(opening)));
        Ok(Some(Step::Leaf(Box::new(leaf), opening)))
    }

    /// The next lines of an export; `None` at the end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lines(&mut self) -> Result<Option<String>, LogError> {
        let mut lines = String::new();
        while lines.len() < 64 << 10 {
            let Some(step) = self.step().await? else {
                break;
            };
            match step {
                Step::Header(header) => lines.push_str(&Entry::Header(header).to_line()),
                Step::Checkpoint(_, note) => lines.push_str(&Entry::Checkpoint(note).to_line()),
                Step::Leaf(leaf, opening) => {
                    let hash: Hash = leaf.hash.try_into().unwrap_or_default();
                    lines.push_str(&Entry::leaf(leaf.leaf, &hash).to_line());
                    lines.extend(opening.map(|opening| opening.to_line()));
                }
            }
        }
        Ok(Some(lines).filter(|lines| !lines.is_empty()))
    }
}
