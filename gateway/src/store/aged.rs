//! Rows by their age, kind by kind: which are past an instant, and how many stand at all.

use jiff::Timestamp;
use tandem_mappings::model::id::{DecisionId, InputId, MessageId};

use super::sql::{Argument, Row, query};
use super::tx::{micros, timestamp, uuid};
use super::{Place, StoreError, Tx};

/// Where rows stand that are disposed of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Inputs whose original is kept, and that are read or refused.
    Inputs,
    /// Events whose content is kept, and that wait for nothing.
    Events,
    /// Messages that came to an end, and whose content is kept.
    Messages,
    /// Decisions.
    Decisions,
    /// Documents of a kind.
    Documents(&'static str),
    /// Consents in the versions on which decisions rested, by when one last named them.
    Evidence,
    /// Replays that are done.
    Replays,
}

/// The key of a row on its shelf.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgedKey {
    /// An id, or the place of a document.
    Bytes(Vec<u8>),
    /// The position of an event.
    Number(i64),
    /// A hash.
    Text(String),
}

impl From<AgedKey> for Argument {
    fn from(key: AgedKey) -> Self {
        match key {
            AgedKey::Bytes(bytes) => Self::from(bytes),
            AgedKey::Number(number) => Self::from(number),
            AgedKey::Text(text) => Self::from(text),
        }
    }
}

/// A row with the instant from which its term is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aged {
    /// The instant.
    pub at: Timestamp,
    /// The key.
    pub key: AgedKey,
}

impl Aged {
    fn id(&self) -> Result<uuid::Uuid, StoreError> {
        match &self.key {
            AgedKey::Bytes(bytes) => uuid(bytes),
            _ => Err(StoreError::Shape { kind: "row's key" }),
        }
    }

    /// The input that it is.
    ///
    /// # Errors
    /// When it is none.
    pub fn input(&self) -> Result<InputId, StoreError> {
        self.id().map(InputId)
    }

    /// The message that it is.
    ///
    /// # Errors
    /// When it is none.
    pub fn message(&self) -> Result<MessageId, StoreError> {
        self.id().map(MessageId)
    }

    /// The decision that it is.
    ///
    /// # Errors
    /// When it is none.
    pub fn decision(&self) -> Result<DecisionId, StoreError> {
        self.id().map(DecisionId)
    }

    /// The replay that it is.
    ///
    /// # Errors
    /// When it is none.
    pub fn replay(&self) -> Result<uuid::Uuid, StoreError> {
        self.id()
    }

    /// The position of the event that it is.
    ///
    /// # Errors
    /// When it is none.
    pub const fn position(&self) -> Result<i64, StoreError> {
        match self.key {
            AgedKey::Number(position) => Ok(position),
            _ => Err(StoreError::Shape { kind: "row's key" }),
        }
    }

    /// The hash of the evidence that it is.
    ///
    /// # Errors
    /// When it is none.
    pub fn hash(&self) -> Result<&str, StoreError> {
        match &self.key {
            AgedKey::Text(hash) => Ok(hash),
            _ => Err(StoreError::Shape { kind: "row's key" }),
        }
    }

    /// The place of the document that it is.
    ///
    /// # Errors
    /// When it is none.
    pub fn place(&self) -> Result<Place, StoreError> {
        match &self.key {
            AgedKey::Bytes(bytes) => Ok(Place(bytes.clone())),
            _ => Err(StoreError::Shape { kind: "row's key" }),
        }
    }
}

impl Shelf {
    /// Rows before an instant and after a row, in order.
    const fn past(self) -> &'static str {
        match self {
            Self::Inputs => {
                "SELECT received_at AS at, id AS key FROM input WHERE jurisdiction = $1 AND received_at < $2 \
                 AND (received_at, id) > ($3, $4) AND disposed_at IS NULL \
                 AND state IN ('published', 'rejected') ORDER BY received_at, id LIMIT $5"
            }
            Self::Events => {
                "SELECT recorded_at AS at, position AS key FROM event WHERE jurisdiction = $1 AND recorded_at < $2 \
                 AND (recorded_at, position) > ($3, $4) AND disposed_at IS NULL \
                 AND state IN ('applied', 'deferred', 'refused', 'given-up') ORDER BY recorded_at, position LIMIT $5"
            }
            Self::Messages => {
                "SELECT changed_at AS at, id AS key FROM outbox WHERE jurisdiction = $1 AND changed_at < $2 \
                 AND (changed_at, id) > ($3, $4) AND disposed_at IS NULL \
                 AND state IN ('delivered', 'acknowledged', 'withdrawn', 'skipped') \
                 ORDER BY changed_at, id LIMIT $5"
            }
            Self::Decisions => {
                "SELECT decided_at AS at, id AS key FROM decision WHERE jurisdiction = $1 AND decided_at < $2 \
                 AND (decided_at, id) > ($3, $4) ORDER BY decided_at, id LIMIT $5"
            }
            Self::Documents(_) => {
                "SELECT updated_at AS at, key FROM document WHERE jurisdiction = $1 AND updated_at < $2 \
                 AND (updated_at, key) > ($3, $4) AND kind = $6 ORDER BY updated_at, key LIMIT $5"
            }
            Self::Evidence => {
                "SELECT named_at AS at, hash AS key FROM evidence_use WHERE jurisdiction = $1 AND named_at < $2 \
                 AND (named_at, hash) > ($3, $4) ORDER BY named_at, hash LIMIT $5"
            }
            Self::Replays => {
                "SELECT started_at AS at, id AS key FROM replay WHERE jurisdiction = $1 AND started_at < $2 \
                 AND (started_at, id) > ($3, $4) AND is_done = 1 ORDER BY started_at, id LIMIT $5"
            }
        }
    }

    /// How many rows stand, and the instant of the oldest.
    const fn standing(self) -> &'static str {
        match self {
            Self::Inputs => {
                "SELECT COUNT(*) AS standing, MIN(received_at) AS oldest FROM input \
                 WHERE jurisdiction = $1 AND disposed_at IS NULL"
            }
            Self::Events => {
                "SELECT COUNT(*) AS standing, MIN(recorded_at) AS oldest FROM event \
                 WHERE jurisdiction = $1 AND disposed_at IS NULL"
            }
            Self::Messages => {
                "SELECT CAST(SUM(standing) AS BIGINT) AS standing, MIN(oldest) AS oldest FROM \
                 (SELECT COUNT(*) AS standing, MIN(changed_at) AS oldest FROM outbox \
                 WHERE jurisdiction = $1 AND disposed_at IS NULL \
                 AND state IN ('delivered', 'acknowledged', 'withdrawn', 'skipped') \
                 UNION ALL \
                 SELECT COUNT(*) AS standing, MIN(changed_at) AS oldest FROM outbox \
                 WHERE jurisdiction = $1 AND state IN ('queued', 'failed', 'parked')) AS shelf"
            }
            Self::Decisions => {
                "SELECT COUNT(*) AS standing, MIN(decided_at) AS oldest FROM decision WHERE jurisdiction = $1"
            }
            Self::Documents(_) => {
                "SELECT COUNT(*) AS standing, MIN(updated_at) AS oldest FROM document \
                 WHERE jurisdiction = $1 AND kind = $2"
            }
            Self::Evidence => {
                "SELECT COUNT(*) AS standing, MIN(named_at) AS oldest FROM evidence_use WHERE jurisdiction = $1"
            }
            Self::Replays => {
                "SELECT COUNT(*) AS standing, MIN(started_at) AS oldest FROM replay WHERE jurisdiction = $1"
            }
        }
    }

    /// A key before all others.
    const fn first(self) -> AgedKey {
        match self {
            Self::Events => AgedKey::Number(i64::MIN),
            Self::Evidence => AgedKey::Text(String::new()),
            _ => AgedKey::Bytes(Vec::new()),
        }
    }
}

impl Tx {
    /// Some rows of a shelf that are older than an instant, oldest first, those after a row that was given before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn past(
        &mut self,
        shelf: Shelf,
        cutoff: Timestamp,
        after: Option<Aged>,
        most: u32,
    ) -> Result<Vec<Aged>, StoreError> {
        let from = after.as_ref().map_or(i64::MIN, |after| micros(after.at));
        let key = after.map_or_else(|| shelf.first(), |after| after.key);
        let mut asked = query(shelf.past())
            .bind(self.jurisdiction())
            .bind(micros(cutoff))
            .bind(from)
            .bind(key)
            .bind(most);
        if let Shelf::Documents(kind) = shelf {
            asked = asked.bind(kind);
        }
        let rows = asked.fetch_all(&mut self.inner).await?;
        let aged = |row: &Row| {
            let key = match shelf {
                Shelf::Events => AgedKey::Number(row.get("key")),
                Shelf::Evidence => AgedKey::Text(row.get("key")),
                _ => AgedKey::Bytes(row.get("key")),
            };
            let at = timestamp(row.get("at"))?;
            Ok(Aged { at, key })
        };
        rows.iter().map(aged).collect()
    }

    /// How many rows stand on a shelf, whatever their age and whatever they wait for, and the instant of the oldest.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn standing(&mut self, shelf: Shelf) -> Result<(u64, Option<Timestamp>), StoreError> {
        let mut asked = query(shelf.standing()).bind(self.jurisdiction());
        if let Shelf::Documents(kind) = shelf {
            asked = asked.bind(kind);
        }
        let row = asked.fetch_one(&mut self.inner).await?;
        let oldest: Option<i64> = row.try_get("oldest")?;
        let count = u64::try_from(row.try_get::<i64>("standing")?).unwrap_or(0);
        Ok((count, oldest.map(timestamp).transpose()?))
    }
}
