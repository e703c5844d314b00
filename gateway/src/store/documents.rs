//! State as sealed documents: one JSON value per (kind, key), with keyed-hash indexes for look-up.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::due::WRITTEN;
use super::reads::{Asked, Opened};
use super::sql::{Query, Row, query, query_scalar};
use super::tx::{micros, timestamp};
use super::{StoreError, Tx};

/// An index entry: a field and its value in clear; the store keeps a keyed hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Index {
    /// Name of the field.
    pub field: &'static str,
    /// Value.
    pub value: String,
}

impl Index {
    /// An index entry.
    pub fn new(field: &'static str, value: impl Into<String>) -> Self {
        Self {
            field,
            value: value.into(),
        }
    }
}

/// Something kept as a document.
pub trait Document: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Kind: names the documents of one type.
    const KIND: &'static str;
    /// Whether time does something to it: it is then due to be looked at whenever it was written.
    const HAS_TIMES: bool = false;

    /// Whether every gateway holds it in memory, and must hear that it was written.
    const IS_FOLLOWED: bool = false;

    /// Whether decisions rest on it.
    const IS_BASIS: bool = false;

    /// Key in clear; the store keeps a keyed hash.
    fn key(&self) -> String;

    /// By what else it is looked up.
    fn indexes(&self) -> Vec<Index> {
        Vec::new()
    }
}

/// Where a document stands among those of its kind: by the keyed hash of its key, which tells nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub(super) Vec<u8>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// A document as it was found, whether it can be read or not.
#[derive(Debug)]
pub struct Found<D> {
    /// Where it stands.
    pub place: Place,
    /// The document, or why it can't be read.
    pub document: Result<D, StoreError>,
}

impl Tx {
    /// The document under a key.
    ///
    /// # Errors
    /// When the store fails or the document does not open.
    pub async fn get<D: Document>(&mut self, key: &str) -> Result<Option<D>, StoreError> {
        let key = self.mac(D::KIND, key)?;
        self.under::<D>(&key).await
    }

    /// The document under a keyed hash.
    pub(super) async fn under<D: Document>(&mut self, key: &[u8]) -> Result<Option<D>, StoreError> {
        let statement = query(
            "SELECT key, sealed FROM document WHERE jurisdiction = $1 AND kind = $2 AND key = $3",
        )
        .bind(self.jurisdiction())
        .bind(D::KIND)
        .bind(key);
        let asked = Asked::Key(key.to_vec());
        let found = self.remembered::<D>(asked, statement).await?;
        found.into_iter().next().map(|one| one.document).transpose()
    }

    /// What a statement finds, which is not asked again in the same transaction.
    async fn remembered<D: Document>(
        &mut self,
        asked: Asked,
        statement: Query,
    ) -> Result<Vec<Found<D>>, StoreError> {
        if let Some(known) = self.reads.known::<D>(D::KIND, &asked) {
            let one = |(place, document): &Opened<D>| Found {
                place: Place(place.clone()),
                document: Ok(D::clone(document)),
            };
            return Ok(known.iter().map(one).collect());
        }
        let rows = statement.fetch_all(&mut self.inner).await?;
        let opened = rows.iter().map(|row| {
            let key: Vec<u8> = row.get("key");
            let document = self.opened_of_late::<D>(&key, row.get("sealed"));
            (key, document)
        });
        let opened: Vec<_> = opened.collect();
        let all = opened.iter().map(|(key, document)| {
            let document = document.as_ref().ok()?;
            Some((key.clone(), Arc::clone(document)))
        });
        if let Some(all) = all.collect::<Option<Vec<Opened<D>>>>() {
            self.reads.keep(D::KIND, asked, all);
        }
        let found = opened.into_iter().map(|(key, document)| Found {
            place: Place(key),
            document: document.map(|document| D::clone(&document)),
        });
        Ok(found.collect())
    }

    /// A document that was opened before, or is kept from now on for whoever reads it next.
    fn opened_of_late<D: Document>(&self, key: &[u8], sealed: &[u8]) -> Result<Arc<D>, StoreError> {
        if let Some(known) = self.opened.known(D::KIND, key, sealed) {
            return Ok(known);
        }
        let document = Arc::new(self.open_document(key, sealed)?);
        self.opened
            .keep(D::KIND, key, sealed, Arc::clone(&document));
        Ok(document)
    }

    pub(super) fn open_document<D: Document>(
        &self,
        key: &[u8],
        sealed: &[u8],
    ) -> Result<D, StoreError> {
        read(&self.sealer.open("document", D::KIND, key, sealed)?)
    }

    fn found<D: Document>(&self, rows: &[Row]) -> Vec<Found<D>> {
        let one = |row: &Row| {
            let place = Place(row.get("key"));
            let document = self.open_document(&place.0, row.get("sealed"));
            Found { place, document }
        };
        rows.iter().map(one).collect()
    }

    /// Writes a document and its indexes; an earlier one under the same key is replaced.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put<D: Document>(
        &mut self,
        document: &D,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let key = self.mac(D::KIND, &document.key())?;
        let plain =
            serde_json::to_vec(document).map_err(|_| StoreError::Shape { kind: D::KIND })?;
        let sealed = self.sealer.seal("document", D::KIND, &key, &plain)?;
        self.reads.forget(D::KIND);
        let version: i64 = query_scalar(
            "INSERT INTO document (jurisdiction, kind, key, version, updated_at, sealed) \
             VALUES ($1, $2, $3, 1, $4, $5) \
             ON CONFLICT (jurisdiction, kind, key) DO UPDATE \
             SET version = document.version + 1, updated_at = $4, sealed = $5 RETURNING version",
        )
        .bind(self.jurisdiction())
        .bind(D::KIND)
        .bind(key.as_slice())
        .bind(micros(at))
        .bind(sealed)
        .fetch_one(&mut self.inner)
        .await?;
        let known = match version {
            1 => BTreeSet::new(),
            _ => self.indexed(D::KIND, &key).await?,
        };
        self.index(document, &key, known).await?;
        if D::HAS_TIMES {
            self.set_due(D::KIND, &key, Some(WRITTEN)).await?;
        }
        if D::IS_FOLLOWED {
            self.note_change(D::KIND, &key).await?;
        }
        if D::IS_BASIS {
            self.basis_changed().await?;
        }
        Ok(())
    }

    /// Writes the indexes of a document anew.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn write_indexes<D: Document>(&mut self, document: &D) -> Result<(), StoreError> {
        let key = self.mac(D::KIND, &document.key())?;
        let known = self.indexed(D::KIND, &key).await?;
        self.index(document, &key, known).await
    }

    /// The fields by which a document is found, each with the keyed hash of its value.
    async fn indexed(
        &mut self,
        kind: &str,
        key: &[u8],
    ) -> Result<BTreeSet<(String, Vec<u8>)>, StoreError> {
        let rows = query(
            "SELECT field, value FROM document_index WHERE jurisdiction = $1 AND kind = $2 AND key = $3",
        )
        .bind(self.jurisdiction())
        .bind(kind)
        .bind(key)
        .fetch_all(&mut self.inner)
        .await?;
        Ok(rows
            .iter()
            .map(|row| (row.get("field"), row.get("value")))
            .collect())
    }

    /// Lets a document be found by what it says now. Most documents change without being found otherwise.
    async fn index<D: Document>(
        &mut self,
        document: &D,
        key: &[u8],
        known: BTreeSet<(String, Vec<u8>)>,
    ) -> Result<(), StoreError> {
        self.reads.forget(D::KIND);
        let mut wanted = BTreeSet::new();
        for index in document.indexes() {
            let value = self.mac(index.field, &index.value)?;
            wanted.insert((index.field.to_owned(), value.to_vec()));
        }
        let gone = known.difference(&wanted).map(|index| {
            let sql = "DELETE FROM document_index \
                       WHERE jurisdiction = $1 AND kind = $2 AND field = $3 AND value = $4 AND key = $5";
            (sql, index)
        });
        let new = wanted.difference(&known).map(|index| {
            let sql = "INSERT INTO document_index (jurisdiction, kind, field, value, key) \
                       VALUES ($1, $2, $3, $4, $5)";
            (sql, index)
        });
        for (sql, (field, value)) in gone.chain(new) {
            query(sql)
                .bind(self.jurisdiction())
                .bind(D::KIND)
                .bind(field)
                .bind(value.as_slice())
                .bind(key)
                .execute(&mut self.inner)
                .await?;
        }
        Ok(())
    }

    /// Removes a document, its indexes and when it is due.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove<D: Document>(&mut self, key: &str) -> Result<(), StoreError> {
        let key = self.mac(D::KIND, key)?;
        self.reads.forget(D::KIND);
        self.opened.forget(D::KIND, &key);
        for sql in [
            "DELETE FROM document WHERE jurisdiction = $1 AND kind = $2 AND key = $3",
            "DELETE FROM document_index WHERE jurisdiction = $1 AND kind = $2 AND key = $3",
            "DELETE FROM document_due WHERE jurisdiction = $1 AND kind = $2 AND key = $3",
        ] {
            query(sql)
                .bind(self.jurisdiction())
                .bind(D::KIND)
                .bind(key.as_slice())
                .execute(&mut self.inner)
                .await?;
        }
        if D::IS_BASIS {
            self.basis_changed().await?;
        }
        Ok(())
    }

    /// How often a document was written, and when last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn stamp<D: Document>(
        &mut self,
        key: &str,
    ) -> Result<Option<(i64, Timestamp)>, StoreError> {
        let key = self.mac(D::KIND, key)?;
        let row = query(
            "SELECT version, updated_at FROM document WHERE jurisdiction = $1 AND kind = $2 AND key = $3",
        )
        .bind(self.jurisdiction())
        .bind(D::KIND)
        .bind(key.as_slice())
        .fetch_optional(&mut self.inner)
        .await?;
        row.map(|row| Ok((row.get("version"), timestamp(row.get("updated_at"))?)))
            .transpose()
    }

    /// How many documents of a kind stand under an index value.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count<D: Document>(
        &mut self,
        field: &'static str,
        value: &str,
    ) -> Result<i64, StoreError> {
        let value = self.mac(field, value)?;
        Ok(query_scalar(
            "SELECT COUNT(*) FROM document_index \
             WHERE jurisdiction = $1 AND kind = $2 AND field = $3 AND value = $4",
        )
        .bind(self.jurisdiction())
        .bind(D::KIND)
        .bind(field)
        .bind(value.as_slice())
        .fetch_one(&mut self.inner)
        .await?)
    }

    /// All documents of a kind under an index value.
    ///
    /// # Errors
    /// When the store fails or a document does not open.
    pub async fn find<D: Document>(
        &mut self,
        field: &'static str,
        value: &str,
    ) -> Result<Vec<D>, StoreError> {
        readable(self.find_each(field, value).await?)
    }

    /// All documents of a kind under an index value, each as it was found.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_each<D: Document>(
        &mut self,
        field: &'static str,
        value: &str,
    ) -> Result<Vec<Found<D>>, StoreError> {
        let value = self.mac(field, value)?;
        let statement = query(
            "SELECT d.key, d.sealed FROM document_index i \
             JOIN document d ON d.jurisdiction = i.jurisdiction AND d.kind = i.kind AND d.key = i.key \
             WHERE i.jurisdiction = $1 AND i.kind = $2 AND i.field = $3 AND i.value = $4 \
             ORDER BY i.key",
        )
        .bind(self.jurisdiction())
        .bind(D::KIND)
        .bind(field)
        .bind(value.as_slice());
        self.remembered(Asked::Index(field, value), statement).await
    }

    /// Some documents of a kind under an index value, those whose place comes after one that was given before, and the
    /// place from which to go on; an empty page is the end.
    ///
    /// # Errors
    /// When the store fails or a document does not open.
    pub async fn find_page<D: Document>(
        &mut self,
        field: &'static str,
        value: &str,
        after: &[u8],
        most: u32,
    ) -> Result<(Vec<D>, Vec<u8>), StoreError> {
        let (found, last) = self.find_page_each(field, value, after, most).await?;
        Ok((readable(found)?, last))
    }

    /// The same page, each document as it was found.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_page_each<D: Document>(
        &mut self,
        field: &'static str,
        value: &str,
        after: &[u8],
        most: u32,
    ) -> Result<(Vec<Found<D>>, Vec<u8>), StoreError> {
        let value = self.mac(field, value)?;
        let rows = query(
            "SELECT d.key, d.sealed FROM document_index i \
             JOIN document d ON d.jurisdiction = i.jurisdiction AND d.kind = i.kind AND d.key = i.key \
             WHERE i.jurisdiction = $1 AND i.kind = $2 AND i.field = $3 AND i.value = $4 AND i.key > $5 \
             ORDER BY i.key LIMIT $6",
        )
        .bind(self.jurisdiction())
        .bind(D::KIND)
        .bind(field)
        .bind(value.as_slice())
        .bind(after)
        .bind(most)
        .fetch_all(&mut self.inner)
        .await?;
        Ok(self.found_page(&rows))
    }

    /// All documents of a kind.
    ///
    /// # Errors
    /// When the store fails or a document does not open.
    pub async fn all<D: Document>(&mut self) -> Result<Vec<D>, StoreError> {
        let rows = query(
            "SELECT key, sealed FROM document WHERE jurisdiction = $1 AND kind = $2 ORDER BY key",
        )
        .bind(self.jurisdiction())
        .bind(D::KIND)
        .fetch_all(&mut self.inner)
        .await?;
        readable(self.found(&rows))
    }

    /// Some documents of a kind, those whose place comes after one that was given before, and the place from which to go
    /// on; an empty page is the end. Millions of documents need never be in memory at once.
    ///
    /// # Errors
    /// When the store fails or a document does not open.
    pub async fn page<D: Document>(
        &mut self,
        after: &[u8],
        most: u32,
    ) -> Result<(Vec<D>, Vec<u8>), StoreError> {
        let (found, last) = self.page_each(after, most).await?;
        Ok((readable(found)?, last))
    }

    /// The same page, each document as it was found.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn page_each<D: Document>(
        &mut self,
        after: &[u8],
        most: u32,
    ) -> Result<(Vec<Found<D>>, Vec<u8>), StoreError> {
        let rows = query(
            "SELECT key, sealed FROM document \
             WHERE jurisdiction = $1 AND kind = $2 AND key > $3 ORDER BY key LIMIT $4",
        )
        .bind(self.jurisdiction())
        .bind(D::KIND)
        .bind(after)
        .bind(most)
        .fetch_all(&mut self.inner)
        .await?;
        Ok(self.found_page(&rows))
    }

    fn found_page<D: Document>(&self, rows: &[Row]) -> (Vec<Found<D>>, Vec<u8>) {
        let last = rows.last().map(|row| row.get("key"));
        (self.found(rows), last.unwrap_or_default())
    }
}

/// A document from its content.
fn read<D: Document>(plain: &[u8]) -> Result<D, StoreError> {
    serde_json::from_slice(plain).map_err(|_| StoreError::Shape { kind: D::KIND })
}

/// The documents, if each of them can be read.
fn readable<D>(found: Vec<Found<D>>) -> Result<Vec<D>, StoreError> {
    found.into_iter().map(|one| one.document).collect()
}
