//! What decisions rest on, each thing once under the hash of its content: the rules, the facts about an organisation,
//! a directive as it was.

use jiff::Timestamp;

use super::logged::Logged;
use super::sql::query;
use super::tx::micros;
use super::{StoreError, Tx};

/// What a piece of evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceKind {
    /// Every file of a bundle of rules.
    Bundle,
    /// What was known about an organisation.
    Organization,
    /// A directive in one version.
    Directive,
    /// The label tables by which something was labelled, Tandem's and the county's.
    LabelTables,
}

impl EvidenceKind {
    /// The kind as text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Organization => "organization",
            Self::Directive => "directive",
            Self::LabelTables => "label_tables",
        }
    }
}

/// A piece of evidence under its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What it is.
    pub kind: EvidenceKind,
    /// The hash by which decisions name it.
    pub hash: String,
    /// Its content, as JSON.
    pub content: String,
}

impl Tx {
    /// Keeps a piece of evidence, once.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep(&mut self, evidence: &Evidence, now: Timestamp) -> Result<(), StoreError> {
        let known = query("SELECT 1 FROM evidence WHERE jurisdiction = $1 AND hash = $2")
            .bind(self.jurisdiction())
            .bind(&evidence.hash)
            .fetch_optional(&mut self.inner)
            .await?;
        if known.is_some() {
            return Ok(());
        }
        let (row, plain) = (evidence.hash.as_bytes(), evidence.content.as_bytes());
        let sealed = self.sealer.seal("evidence", "sealed", row, plain)?;
        query(
            "INSERT INTO evidence (jurisdiction, hash, kind, kept_at, sealed) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(self.jurisdiction())
        .bind(&evidence.hash)
        .bind(evidence.kind.code())
        .bind(micros(now))
        .bind(sealed)
        .execute(&mut self.inner)
        .await?;
        self.log(Logged::Evidence(evidence.hash.clone())).await
    }

    /// The content of a piece of evidence.
    ///
    /// # Errors
    /// When the store fails or the content does not open.
    pub async fn evidence(
        &mut self,
        kind: EvidenceKind,
        hash: &str,
    ) -> Result<Option<String>, StoreError> {
        let row = query(
            "SELECT sealed FROM evidence WHERE jurisdiction = $1 AND hash = $2 AND kind = $3",
        )
        .bind(self.jurisdiction())
        .bind(hash)
        .bind(kind.code())
        .fetch_optional(&mut self.inner)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let sealed: Vec<u8> = row.get("sealed");
        let plain = self
            .sealer
            .open("evidence", "sealed", hash.as_bytes(), &sealed)?;
        let text = String::from_utf8(plain);
        text.map(Some)
            .map_err(|_| StoreError::Shape { kind: "evidence" })
    }
}
