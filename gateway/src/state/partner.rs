//! What an adapter remembers about a partner, as documents, and the adapter's view of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_adapter_port::memory::{PartnerMemory, PartnerRow};
use tandem_mappings::model::id::SystemId;
use tokio::runtime::Handle;

use crate::store::{Document, Index, Store, StoreError, Tx};

/// A remembered row of one partner.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PartnerRowDoc {
    /// The partner's system.
    pub system: SystemId,
    /// The row.
    pub row: PartnerRow,
}

impl PartnerRowDoc {
    fn key_of(system: &SystemId, kind: &str, key: &str) -> String {
        format!("{system}\u{1f}{kind}\u{1f}{key}")
    }

    /// Keeps what is remembered about a partner from now on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep(
        tx: &mut Tx,
        system: &SystemId,
        rows: Vec<PartnerRow>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for row in rows {
            let system = system.clone();
            tx.put(&Self { system, row }, now).await?;
        }
        Ok(())
    }
}

impl Document for PartnerRowDoc {
    const KIND: &'static str = "partner";

    fn key(&self) -> String {
        Self::key_of(&self.system, &self.row.kind, &self.row.key)
    }

    fn indexes(&self) -> Vec<Index> {
        let kind = &self.row.kind;
        let mut indexes = vec![Index::new(
            "partner.kind",
            format!("{}\u{1f}{kind}", self.system),
        )];
        indexes.extend(self.row.index.iter().map(|value| {
            Index::new(
                "partner.index",
                format!("{}\u{1f}{kind}\u{1f}{value}", self.system),
            )
        }));
        indexes
    }
}

/// An adapter's memory of one partner, read from the store. Adapters look things up while they write, on a blocking
/// thread, so each look-up waits for the store.
#[derive(Debug)]
pub struct StoredMemory {
    store: Store,
    system: SystemId,
    runtime: Handle,
}

impl StoredMemory {
    /// The memory of a partner. Use it on a blocking thread only.
    #[must_use]
    pub fn new(store: Store, system: SystemId, runtime: Handle) -> Self {
        Self {
            store,
            system,
            runtime,
        }
    }

    fn find(&self, field: &'static str, value: &str) -> Vec<PartnerRow> {
        let found = self.runtime.block_on(async {
            self.store
                .snapshot()
                .await?
                .find::<PartnerRowDoc>(field, value)
                .await
        });
        let mut rows: Vec<PartnerRow> = match found {
            Ok(documents) => documents.into_iter().map(|document| document.row).collect(),
            Err(error) => {
                tracing::error!(system = %self.system, %error, "partner memory cannot be read");
                Vec::new()
            }
        };
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        rows
    }
}

impl PartnerMemory for StoredMemory {
    fn row(&self, kind: &str, key: &str) -> Option<PartnerRow> {
        let key = PartnerRowDoc::key_of(&self.system, kind, key);
        let found = self.runtime.block_on(async {
            self.store
                .snapshot()
                .await?
                .get::<PartnerRowDoc>(&key)
                .await
        });
        match found {
            Ok(document) => document.map(|document| document.row),
            Err(error) => {
                tracing::error!(system = %self.system, %error, "partner memory cannot be read");
                None
            }
        }
    }

    fn rows_by(&self, kind: &str, index: &str) -> Vec<PartnerRow> {
        self.find(
            "partner.index",
            &format!("{}\u{1f}{kind}\u{1f}{index}", self.system),
        )
    }

    fn rows(&self, kind: &str) -> Vec<PartnerRow> {
        self.find("partner.kind", &format!("{}\u{1f}{kind}", self.system))
    }
}
