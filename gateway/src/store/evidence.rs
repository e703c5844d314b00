//! What decisions rest on, each thing once under the hash of its content: the rules, the facts about an organisation,
//! a directive as it was.

use jiff::{SignedDuration, Timestamp};

use super::logged::Logged;
use super::sql::{query, query_scalar};
use super::tx::micros;
use super::{StoreError, Tx};

/// How exactly it is known when a decision last named a directive.
const NAMED_EVERY: SignedDuration = SignedDuration::from_hours(24);

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
        let known = query(
            "SELECT evidence_use.named_at FROM evidence LEFT JOIN evidence_use \
             ON evidence_use.jurisdiction = $1 AND evidence_use.hash = $2 \
             WHERE evidence.jurisdiction = $1 AND evidence.hash = $2",
        )
        .bind(self.jurisdiction())
        .bind(&evidence.hash)
        .fetch_optional(&mut self.inner)
        .await?;
        if evidence.kind == EvidenceKind::Directive {
            let named_at: Option<i64> = known.as_ref().and_then(|row| row.get("named_at"));
            self.name_evidence(&evidence.hash, named_at, now).await?;
        }
        if known.is_some() {
            return Ok(());
        }
        let (row, plain) = (evidence.hash.as_bytes(), evidence.content.as_bytes());
        let sealed = self.sealer.seal("evidence", "sealed", row, plain)?;
        let written = query(
            "INSERT INTO evidence (jurisdiction, hash, kind, kept_at, sealed) VALUES ($1, $2, $3, $4, $5) RETURNING *",
        )
        .bind(self.jurisdiction())
        .bind(&evidence.hash)
        .bind(evidence.kind.code())
        .bind(micros(now))
        .bind(sealed)
        .fetch_one(&mut self.inner)
        .await?;
        let logged = Logged::Evidence(evidence.hash.clone());
        self.log_written(&logged, written, None).await
    }

    /// Notes that a decision names a directive.
    async fn name_evidence(
        &mut self,
        hash: &str,
        named_at: Option<i64>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let since = now.checked_sub(NAMED_EVERY).unwrap_or(now);
        if named_at.is_some_and(|at| at > micros(since)) {
            return Ok(());
        }
        query(
            "INSERT INTO evidence_use (jurisdiction, hash, named_at) VALUES ($1, $2, $3) \
             ON CONFLICT (jurisdiction, hash) DO UPDATE SET named_at = $3",
        )
        .bind(self.jurisdiction())
        .bind(hash)
        .bind(micros(now))
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// Whether a decision may have named a directive since an instant.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn may_be_named_since(
        &mut self,
        hash: &str,
        instant: Timestamp,
    ) -> Result<bool, StoreError> {
        let named_at: Option<i64> =
            query_scalar("SELECT named_at FROM evidence_use WHERE jurisdiction = $1 AND hash = $2")
                .bind(self.jurisdiction())
                .bind(hash)
                .fetch_optional(&mut self.inner)
                .await?;
        let since = instant.checked_sub(NAMED_EVERY).unwrap_or(instant);
        Ok(named_at.is_some_and(|at| at >= micros(since)))
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
