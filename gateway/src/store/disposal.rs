//! Disposal: what is past its term goes, and the log says by which rule and when.
//!
//! Rows without which something would be taken in twice, or positions would run back, stay with an empty content. Records
//! that have a leaf (decisions, attempts) go whole, and with them the key of their leaf's commitments. The leaf stays and
//! names the audit entry of the disposal; that entry holds a digest of the leaves that it disposed of. So who verifies the
//! log tells a disposal from a row that somebody deleted: the digest stands in a leaf of its own, under a signed head.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tandem_mappings::model::event::Event;
use tandem_mappings::model::id::{DecisionId, InputId, MessageId, PersonId};

use super::documents::{Document, Place};
use super::logged::Logged;
use super::sql::{Argument, query, query_scalar};
use super::tx::micros;
use super::{StoreError, Tx};

/// What the log says of a disposal.
#[derive(Debug, Clone)]
pub struct Disposal {
    /// When.
    pub at: Timestamp,
    /// By whose word.
    pub actor: String,
    /// The action.
    pub action: &'static str,
    /// The kind of what went.
    pub object: &'static str,
    /// By which rule, and how many; where leaves went, their number and digest are added.
    pub detail: String,
}

/// The digest of leaves, in the order of the log.
#[derive(Debug, Clone, Default)]
pub struct LeafDigest {
    hash: Sha256,
    /// How many leaves it is of.
    pub count: u64,
}

impl LeafDigest {
    /// Takes the next leaf.
    pub fn add(&mut self, position: i64, leaf: &[u8]) {
        self.hash.update(position.to_be_bytes());
        self.hash.update(leaf);
        self.count += 1;
    }

    /// The digest as it stands in the log.
    #[must_use]
    pub fn finish(self) -> String {
        format!("sha256:{}", hex::encode(self.hash.finalize()))
    }
}

impl Tx {
    /// Takes the content of an input away. Its key stays, so that the same is never taken in again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn empty_input(&mut self, id: InputId, at: Timestamp) -> Result<(), StoreError> {
        self.empty(
            "UPDATE input SET sealed = $3, disposed_at = $4 WHERE jurisdiction = $1 AND id = $2",
            id.as_bytes().as_slice(),
            at,
        )
        .await
    }

    /// Takes the content of a row away by a statement that names its table.
    async fn empty(
        &mut self,
        statement: &'static str,
        row: impl Into<Argument>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        query(statement)
            .bind(self.jurisdiction())
            .bind(row)
            .bind(Vec::<u8>::new())
            .bind(micros(at))
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// The system from which an input came.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn system_of_input(&mut self, id: InputId) -> Result<Option<String>, StoreError> {
        Ok(
            query_scalar("SELECT system FROM input WHERE jurisdiction = $1 AND id = $2")
                .bind(self.jurisdiction())
                .bind(id.as_bytes().as_slice())
                .fetch_optional(&mut self.inner)
                .await?,
        )
    }

    /// Whether an event of an input waits for something: to be published, for its turn, or for a replay.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn input_waits(&mut self, id: InputId) -> Result<bool, StoreError> {
        self.is_there(
            "SELECT position FROM event WHERE jurisdiction = $1 AND input = $2 \
             AND state IN ('staged', 'waiting', 'parked') LIMIT 1",
            id.as_bytes(),
        )
        .await
    }

    /// An event whose content is kept, by its position.
    ///
    /// # Errors
    /// When the store fails or the event does not open.
    pub async fn kept_event(&mut self, position: i64) -> Result<Option<Event>, StoreError> {
        let rows = query(
            "SELECT position, id, sealed, trace FROM event \
             WHERE jurisdiction = $1 AND position = $2 AND disposed_at IS NULL",
        )
        .bind(self.jurisdiction())
        .bind(position)
        .fetch_all(&mut self.inner)
        .await?;
        let found = self.open_events(rows)?.into_iter().next();
        Ok(found.map(|found| found.event))
    }

    /// Takes the content of an event away. Its positions stay.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn empty_event(&mut self, position: i64, at: Timestamp) -> Result<(), StoreError> {
        self.empty(
            "UPDATE event SET sealed = $3, disposed_at = $4 WHERE jurisdiction = $1 AND position = $2",
            position,
            at,
        )
        .await
    }

    /// Takes the content of a message away. Its id, its lane and how it ended stay.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn empty_message(&mut self, id: MessageId, at: Timestamp) -> Result<(), StoreError> {
        self.empty(
            "UPDATE outbox SET sealed = $3, disposed_at = $4 WHERE jurisdiction = $1 AND id = $2",
            id.as_bytes().as_slice(),
            at,
        )
        .await
    }

    /// Whether the content of a message is kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_is_kept(&mut self, id: MessageId) -> Result<bool, StoreError> {
        self.is_there(
            "SELECT position FROM outbox WHERE jurisdiction = $1 AND id = $2 AND disposed_at IS NULL",
            id.as_bytes(),
        )
        .await
    }

    /// Whether a row of this id answers to a statement.
    async fn is_there(&mut self, statement: &'static str, id: &[u8]) -> Result<bool, StoreError> {
        let found: Option<i64> = query_scalar(statement)
            .bind(self.jurisdiction())
            .bind(id)
            .fetch_optional(&mut self.inner)
            .await?;
        Ok(found.is_some())
    }

    /// The records of a message's attempts.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn logged_attempts(&mut self, id: MessageId) -> Result<Vec<Logged>, StoreError> {
        let rows = query(
            "SELECT number FROM attempt WHERE jurisdiction = $1 AND message = $2 ORDER BY number",
        )
        .bind(self.jurisdiction())
        .bind(id.as_bytes().as_slice())
        .fetch_all(&mut self.inner)
        .await?;
        let attempt = |row: &super::sql::Row| Logged::Attempt(id, row.get("number"));
        Ok(rows.iter().map(attempt).collect())
    }

    /// Whether a message or an attempt rests on a decision, or on one that was made together with it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn decision_is_used(&mut self, id: DecisionId) -> Result<bool, StoreError> {
        let uses = [
            "SELECT told.position FROM decision AS own CROSS JOIN decision AS main CROSS JOIN outbox AS told \
             WHERE own.jurisdiction = $1 AND own.id = $2 \
             AND main.jurisdiction = $1 AND main.decided_at = own.decided_at \
             AND main.recipient = own.recipient AND main.stage = own.stage \
             AND told.jurisdiction = $1 AND told.decision = main.id AND told.disposed_at IS NULL LIMIT 1",
            "SELECT tried.number FROM decision AS own CROSS JOIN decision AS main CROSS JOIN attempt AS tried \
             WHERE own.jurisdiction = $1 AND own.id = $2 \
             AND main.jurisdiction = $1 AND main.decided_at = own.decided_at \
             AND main.recipient = own.recipient AND main.stage = own.stage \
             AND tried.jurisdiction = $1 AND tried.decision = main.id LIMIT 1",
        ];
        for text in uses {
            let found: Option<i64> = query_scalar(text)
                .bind(self.jurisdiction())
                .bind(id.as_bytes().as_slice())
                .fetch_optional(&mut self.inner)
                .await?;
            if found.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a decision about a person stands, other than one that let a record in: that goes with the record.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn was_decided_about(&mut self, person: PersonId) -> Result<bool, StoreError> {
        let found: Option<i64> = query_scalar(
            "SELECT decided_at FROM decision WHERE jurisdiction = $1 AND person = $2 \
             AND stage <> 'intake' LIMIT 1",
        )
        .bind(self.jurisdiction())
        .bind(person.as_bytes().as_slice())
        .fetch_optional(&mut self.inner)
        .await?;
        Ok(found.is_some())
    }

    /// The document at a place.
    ///
    /// # Errors
    /// When the store fails or the document does not open.
    pub async fn document_at<D: Document>(
        &mut self,
        place: &Place,
    ) -> Result<Option<D>, StoreError> {
        self.under::<D>(&place.0).await
    }

    /// Removes the scanned document of a consent.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_scan(&mut self, consent: &str) -> Result<(), StoreError> {
        let key = self.mac("consent_document", consent)?;
        query("DELETE FROM consent_document WHERE jurisdiction = $1 AND key = $2")
            .bind(self.jurisdiction())
            .bind(key.as_slice())
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// Removes a replay and what it says of each message.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_replay(&mut self, id: uuid::Uuid) -> Result<(), StoreError> {
        for text in [
            "DELETE FROM replay_message WHERE jurisdiction = $1 AND replay = $2",
            "DELETE FROM replay WHERE jurisdiction = $1 AND id = $2",
        ] {
            query(text)
                .bind(self.jurisdiction())
                .bind(id.as_bytes().as_slice())
                .execute(&mut self.inner)
                .await?;
        }
        Ok(())
    }

    /// Removes records that have leaves, with the keys of their leaves, and says so in the log, with the number
    /// of the leaves and their digest.
    ///
    /// # Errors
    /// When the store fails, or a record has no leaf: then it was never in the log, and its going would not be seen.
    pub async fn dispose(
        &mut self,
        records: &[Logged],
        disposal: &Disposal,
    ) -> Result<(), StoreError> {
        let mut leaves = Vec::new();
        for record in records {
            let position = self.position_of(record).await?;
            let position = position.ok_or(StoreError::Shape { kind: "audit leaf" })?;
            leaves.push((position, record));
        }
        leaves.sort_by_key(|(position, _)| *position);
        let mut digest = LeafDigest::default();
        for (position, _) in &leaves {
            let hash: Vec<u8> = query_scalar(
                "SELECT hash FROM audit_leaf WHERE jurisdiction = $1 AND position = $2",
            )
            .bind(self.jurisdiction())
            .bind(*position)
            .fetch_one(&mut self.inner)
            .await?;
            digest.add(*position, &hash);
        }
        let count = digest.count;
        let Disposal {
            at,
            actor,
            action,
            object,
            detail,
        } = disposal;
        let detail = match count {
            0 => detail.clone(),
            _ => format!("{detail} leaves={count} digest={}", digest.finish()),
        };
        let entry = self.audited(*at, actor, action, object, &detail).await?;
        for (position, record) in leaves {
            query("UPDATE audit_leaf SET blind = NULL, disposed = $3 WHERE jurisdiction = $1 AND position = $2")
                .bind(self.jurisdiction())
                .bind(position)
                .bind(entry)
                .execute(&mut self.inner)
                .await?;
            self.remove_logged(record).await?;
        }
        Ok(())
    }

    async fn remove_logged(&mut self, record: &Logged) -> Result<(), StoreError> {
        let texts: &[&'static str] = match record {
            Logged::Decision(_) => &["DELETE FROM decision WHERE jurisdiction = $1 AND id = $2"],
            Logged::Attempt(..) => {
                &["DELETE FROM attempt WHERE jurisdiction = $1 AND message = $2 AND number = $3"]
            }
            Logged::Evidence(_) => &[
                "DELETE FROM evidence WHERE jurisdiction = $1 AND hash = $2",
                "DELETE FROM evidence_use WHERE jurisdiction = $1 AND hash = $2",
            ],
            // Of the others nothing is ever disposed of.
            _ => return Err(StoreError::Shape { kind: "disposal" }),
        };
        for &text in texts {
            let removal = query(text).bind(self.jurisdiction());
            let removal = match record.name() {
                Some(name) => removal.bind(name),
                None => removal.bind(record.id()),
            };
            let removal = match record.number() {
                Some(number) => removal.bind(number),
                None => removal,
            };
            removal.execute(&mut self.inner).await?;
        }
        Ok(())
    }
}
