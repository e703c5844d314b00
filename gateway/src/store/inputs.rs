//! Accepted inputs and the keys that make accepting idempotent.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tandem_mappings::model::id::{InputId, SystemId};

use super::sql::{Row, query, query_scalar};
use super::tx::{micros, timestamp, uuid};
use super::{StoreError, Tx};
use crate::traces::Place;

/// Where an input stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputState {
    /// Accepted, and on its way into the store.
    Staging,
    /// Read; its events go on.
    Published,
    /// Refused as a whole; kept for replay.
    Rejected,
    /// A full refresh that waits for an operator's release.
    Held,
    /// Accepted, but its blob can't be used: it goes on when the blob is back.
    Parked,
}

impl InputState {
    /// The state as text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Published => "published",
            Self::Rejected => "rejected",
            Self::Held => "held",
            Self::Parked => "parked",
        }
    }
}

/// A new input.
#[derive(Debug, Clone)]
pub struct Received<'a> {
    /// Its id.
    pub id: InputId,
    /// Who sent it.
    pub system: &'a SystemId,
    /// In which format.
    pub format: &'a str,
    /// File name or message id.
    pub name: &'a str,
    /// Hash of its content.
    pub content_hash: [u8; 32],
    /// When.
    pub at: Timestamp,
    /// The original, or where it is kept; sealed by the store.
    pub original: &'a [u8],
    /// How it came out, when that is known by now; else it is being read.
    pub settled: Option<Settled<'a>>,
}

/// How an input came out.
#[derive(Debug, Clone, Copy)]
pub struct Settled<'a> {
    /// Where it stands.
    pub state: InputState,
    /// The outcome of its report.
    pub outcome: &'a str,
    /// The report as JSON.
    pub report: &'a str,
}

/// An input as operators see it.
#[derive(Debug, Clone)]
pub struct InputRow {
    /// Its id.
    pub id: InputId,
    /// Who sent it.
    pub system: String,
    /// In which format.
    pub format: String,
    /// When.
    pub received_at: Timestamp,
    /// Where it stands.
    pub state: String,
    /// How it came out.
    pub outcome: Option<String>,
    /// The report as JSON.
    pub report: Option<String>,
}

/// What the store says about an ingest key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ingested {
    /// Never seen.
    New,
    /// Seen with the same content: nothing to do.
    Same,
    /// Seen with other content: a further version.
    Changed,
}

impl Tx {
    /// The input of the same system, name and content, when there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn same_input(
        &mut self,
        system: &SystemId,
        name: &str,
        content_hash: &[u8; 32],
    ) -> Result<Option<InputRow>, StoreError> {
        let key = self.mac("input", name)?;
        let row = query(
            "SELECT id, system, format, received_at, state, outcome, report FROM input \
             WHERE jurisdiction = $1 AND system = $2 AND key_hash = $3 AND content_hash = $4",
        )
        .bind(self.jurisdiction())
        .bind(system.as_str())
        .bind(key.as_slice())
        .bind(content_hash.as_slice())
        .fetch_optional(&mut self.inner)
        .await?;
        row.as_ref().map(input_row).transpose()
    }

    /// Whether an input of the same system and name came with other content.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_other_content(
        &mut self,
        system: &SystemId,
        name: &str,
        content_hash: &[u8; 32],
    ) -> Result<bool, StoreError> {
        let key = self.mac("input", name)?;
        let found: Option<i64> = query_scalar(
            "SELECT CAST(1 AS BIGINT) FROM input WHERE jurisdiction = $1 AND system = $2 AND key_hash = $3 AND content_hash <> $4 LIMIT 1",
        )
        .bind(self.jurisdiction())
        .bind(system.as_str())
        .bind(key.as_slice())
        .bind(content_hash.as_slice())
        .fetch_optional(&mut self.inner)
        .await?;
        Ok(found.is_some())
    }

    /// Forgets an input that was given up, so that the same can be taken.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_input(&mut self, id: InputId) -> Result<(), StoreError> {
        query("DELETE FROM input WHERE jurisdiction = $1 AND id = $2")
            .bind(self.jurisdiction())
            .bind(id.as_bytes().as_slice())
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// Keeps a new input with its sealed original.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add_input(&mut self, input: &Received<'_>) -> Result<(), StoreError> {
        let key = self.mac("input", input.name)?;
        let sealed = self
            .sealer
            .seal("input", "sealed", input.id.as_bytes(), input.original)?;
        let settled = input.settled;
        query(
            "INSERT INTO input (jurisdiction, id, system, format, key_hash, content_hash, received_at, state, sealed, outcome, report, trace) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(self.jurisdiction())
        .bind(input.id.as_bytes().as_slice())
        .bind(input.system.as_str())
        .bind(input.format)
        .bind(key.as_slice())
        .bind(input.content_hash.as_slice())
        .bind(micros(input.at))
        .bind(settled.map_or(InputState::Staging, |one| one.state).code())
        .bind(sealed)
        .bind(settled.map(|one| one.outcome))
        .bind(settled.map(|one| one.report))
        .bind(Place::here().map(|place| place.to_string()))
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// Keeps the original of an input that was held anew.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn set_original(&mut self, id: InputId, original: &[u8]) -> Result<(), StoreError> {
        let sealed = self
            .sealer
            .seal("input", "sealed", id.as_bytes(), original)?;
        query("UPDATE input SET sealed = $3 WHERE jurisdiction = $1 AND id = $2")
            .bind(self.jurisdiction())
            .bind(id.as_bytes().as_slice())
            .bind(sealed)
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// Says how an input came out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle_input(
        &mut self,
        id: InputId,
        settled: Settled<'_>,
    ) -> Result<(), StoreError> {
        query(
            "UPDATE input SET state = $3, outcome = $4, report = $5 WHERE jurisdiction = $1 AND id = $2",
        )
        .bind(self.jurisdiction())
        .bind(id.as_bytes().as_slice())
        .bind(settled.state.code())
        .bind(settled.outcome)
        .bind(settled.report)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// Moves an input from a state to another; what is said of it stays. Returns whether it stood there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn move_input(
        &mut self,
        id: InputId,
        from: InputState,
        to: InputState,
    ) -> Result<bool, StoreError> {
        let done =
            query("UPDATE input SET state = $4 WHERE jurisdiction = $1 AND id = $2 AND state = $3")
                .bind(self.jurisdiction())
                .bind(id.as_bytes().as_slice())
                .bind(from.code())
                .bind(to.code())
                .execute(&mut self.inner)
                .await?;
        Ok(done == 1)
    }

    /// The original of an input; `None` when there is no such input, or its original was disposed of. That of a large
    /// input is empty here: it is in its blob.
    ///
    /// # Errors
    /// When the store fails or the original does not open.
    pub async fn original(&mut self, id: InputId) -> Result<Option<Vec<u8>>, StoreError> {
        let row = query(
            "SELECT sealed FROM input WHERE jurisdiction = $1 AND id = $2 AND disposed_at IS NULL",
        )
        .bind(self.jurisdiction())
        .bind(id.as_bytes().as_slice())
        .fetch_optional(&mut self.inner)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let sealed: Vec<u8> = row.get("sealed");
        Ok(Some(self.sealer.open(
            "input",
            "sealed",
            id.as_bytes(),
            &sealed,
        )?))
    }

    /// Inputs, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inputs(&mut self, limit: i64) -> Result<Vec<InputRow>, StoreError> {
        let rows = query(
            "SELECT id, system, format, received_at, state, outcome, report FROM input \
             WHERE jurisdiction = $1 ORDER BY received_at DESC, id DESC LIMIT $2",
        )
        .bind(self.jurisdiction())
        .bind(limit)
        .fetch_all(&mut self.inner)
        .await?;
        rows.iter().map(input_row).collect()
    }

    /// Records the ingest key of an event. The key never expires; only its hash is kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ingest(
        &mut self,
        system: &SystemId,
        key: &str,
        content: &[u8],
    ) -> Result<Ingested, StoreError> {
        let content_hash: [u8; 32] = Sha256::digest(content).into();
        if self.ingest_first(system, key, &content_hash).await? {
            return Ok(Ingested::New);
        }
        let key = self.mac("ingest", key)?;
        let changed = query(
            "UPDATE ingest_key SET content_hash = $4, version = version + 1 \
             WHERE jurisdiction = $1 AND system = $2 AND key_hash = $3 AND content_hash <> $4",
        )
        .bind(self.jurisdiction())
        .bind(system.as_str())
        .bind(key.as_slice())
        .bind(content_hash.as_slice())
        .execute(&mut self.inner)
        .await?;
        Ok(if changed > 0 {
            Ingested::Changed
        } else {
            Ingested::Same
        })
    }

    /// Records the ingest key of an event that was never seen. Returns whether it was; the key of one that was seen stays as it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ingest_first(
        &mut self,
        system: &SystemId,
        key: &str,
        content_hash: &[u8; 32],
    ) -> Result<bool, StoreError> {
        let key = self.mac("ingest", key)?;
        let added = query(
            "INSERT INTO ingest_key (jurisdiction, system, key_hash, content_hash, version) \
             VALUES ($1, $2, $3, $4, 1) ON CONFLICT (jurisdiction, system, key_hash) DO NOTHING",
        )
        .bind(self.jurisdiction())
        .bind(system.as_str())
        .bind(key.as_slice())
        .bind(content_hash.as_slice())
        .execute(&mut self.inner)
        .await?;
        Ok(added > 0)
    }

    /// Forgets the key of an event that must leave no trace.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_key(&mut self, system: &SystemId, key: &str) -> Result<(), StoreError> {
        let key = self.mac("ingest", key)?;
        query("DELETE FROM ingest_key WHERE jurisdiction = $1 AND system = $2 AND key_hash = $3")
            .bind(self.jurisdiction())
            .bind(system.as_str())
            .bind(key.as_slice())
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }
}

pub(super) fn input_row(row: &Row) -> Result<InputRow, StoreError> {
    let id: Vec<u8> = row.get("id");
    Ok(InputRow {
        id: InputId(uuid(&id)?),
        system: row.get("system"),
        format: row.get("format"),
        received_at: timestamp(row.get("received_at"))?,
        state: row.get("state"),
        outcome: row.get("outcome"),
        report: row.get("report"),
    })
}
