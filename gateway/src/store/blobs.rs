//! Which blobs there are, and the keys that open them. The files are in a folder of their own (`crate::blob`).

use jiff::Timestamp;
use tandem_mappings::model::id::InputId;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::sql::{Row, query};
use super::tx::{micros, uuid};
use super::{Backup, StoreError, Tx};
use crate::blob::{DataKey, Written};

/// The step of the schema since which there are blobs.
const SINCE: i64 = 20_261_201_000_010;

/// What a blob holds of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlobPart {
    /// The input as it came, without what must never enter.
    Original,
    /// What was found in it, until all of it stands in the store.
    Findings,
}

impl BlobPart {
    /// The part as text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Findings => "findings",
        }
    }
}

/// A blob with its key.
#[derive(Clone)]
pub struct BlobRow {
    /// Its id, which names its file.
    pub id: Uuid,
    /// Bytes of text in it.
    pub bytes: u64,
    /// What opens it.
    pub key: DataKey,
}

impl std::fmt::Debug for BlobRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlobRow({}, {} bytes)", self.id, self.bytes)
    }
}

/// A blob as whoever has no key knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobHead {
    /// Its id, which names its file.
    pub id: Uuid,
    /// Of which input.
    pub input: InputId,
    /// Bytes of its file.
    pub length: u64,
    /// Hash of its file.
    pub sha256: Vec<u8>,
}

impl Tx {
    /// Notes a blob of an input whose file is on the disk.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add_blob(
        &mut self,
        input: InputId,
        part: BlobPart,
        blob: &Written,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let id = blob.id.as_bytes().as_slice();
        let sealed = self
            .sealer
            .seal("blob", "sealed", id, blob.key.as_slice())?;
        query(
            "INSERT INTO blob (jurisdiction, id, input, part, bytes, length, sha256, made_at, sealed) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(self.jurisdiction())
        .bind(id)
        .bind(input.as_bytes().as_slice())
        .bind(part.code())
        .bind(number(blob.bytes))
        .bind(number(blob.length))
        .bind(blob.sha256.as_slice())
        .bind(micros(at))
        .bind(sealed)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// A blob of an input, if it has one.
    ///
    /// # Errors
    /// When the store fails or the key does not open.
    pub async fn blob(
        &mut self,
        input: InputId,
        part: BlobPart,
    ) -> Result<Option<BlobRow>, StoreError> {
        let row = query(
            "SELECT id, bytes, sealed FROM blob WHERE jurisdiction = $1 AND input = $2 AND part = $3",
        )
        .bind(self.jurisdiction())
        .bind(input.as_bytes().as_slice())
        .bind(part.code())
        .fetch_optional(&mut self.inner)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (id, sealed): (Vec<u8>, Vec<u8>) = (row.get("id"), row.get("sealed"));
        let plain = Zeroizing::new(self.sealer.open("blob", "sealed", &id, &sealed)?);
        let key = plain.as_slice().try_into();
        Ok(Some(BlobRow {
            id: uuid(&id)?,
            bytes: size(&row, "bytes"),
            key: Zeroizing::new(key.map_err(|_| StoreError::Shape { kind: "blob" })?),
        }))
    }

    /// All blobs, as they are known without a key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn blob_heads(&mut self) -> Result<Vec<BlobHead>, StoreError> {
        let rows =
            query("SELECT id, input, length, sha256 FROM blob WHERE jurisdiction = $1 ORDER BY id")
                .bind(self.jurisdiction())
                .fetch_all(&mut self.inner)
                .await?;
        let head = |row: &Row| {
            let (id, input): (Vec<u8>, Vec<u8>) = (row.get("id"), row.get("input"));
            Ok(BlobHead {
                id: uuid(&id)?,
                input: InputId(uuid(&input)?),
                length: size(row, "length"),
                sha256: row.get("sha256"),
            })
        };
        rows.iter().map(head).collect()
    }

    /// Forgets a blob. Its file goes after the commit.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_blob(&mut self, id: Uuid) -> Result<(), StoreError> {
        query("DELETE FROM blob WHERE jurisdiction = $1 AND id = $2")
            .bind(self.jurisdiction())
            .bind(id.as_bytes().as_slice())
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// Forgets the blobs of an input. Returns their ids: their files go after the commit.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_blobs(&mut self, input: InputId) -> Result<Vec<Uuid>, StoreError> {
        let rows = query("DELETE FROM blob WHERE jurisdiction = $1 AND input = $2 RETURNING id")
            .bind(self.jurisdiction())
            .bind(input.as_bytes().as_slice())
            .fetch_all(&mut self.inner)
            .await?;
        let id = |row: &Row| {
            let id: Vec<u8> = row.get("id");
            uuid(&id)
        };
        rows.iter().map(id).collect()
    }
}

impl Backup {
    /// The blobs that its rows name; none in one that is older than blobs.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn blob_heads(&self) -> Result<Vec<BlobHead>, StoreError> {
        if !self.steps.contains_key(&SINCE) {
            return Ok(Vec::new());
        }
        self.store.snapshot().await?.blob_heads().await
    }
}

/// A size as the store keeps it.
fn number(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn size(row: &Row, column: &str) -> u64 {
    u64::try_from(row.get::<i64>(column)).unwrap_or(0)
}
