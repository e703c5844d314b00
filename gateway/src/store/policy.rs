//! Which rules are in force from which instant on.

use jiff::Timestamp;

use super::logged::Logged;
use super::sql::{query, query_scalar};
use super::tx::{micros, timestamp};
use super::{StoreError, Tx};

/// A bundle and the instant from which it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivationRow {
    /// From when it counts.
    pub effective_at: Timestamp,
    /// Hash of the rules.
    pub bundle: String,
    /// The signed notes of author and approver; empty where the county has no signers.
    pub approvals: Vec<String>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// By whom.
    pub recorded_by: String,
    /// When a gateway put it in force.
    pub started_at: Option<Timestamp>,
}

impl Tx {
    /// Records that rules are to count from an instant on.
    ///
    /// # Errors
    /// When it is recorded already or the store fails.
    pub async fn add_activation(&mut self, row: &ActivationRow) -> Result<(), StoreError> {
        let approvals = serde_json::to_string(&row.approvals)
            .map_err(|_| StoreError::Shape { kind: "approvals" })?;
        let written = query(
            "INSERT INTO policy_activation (jurisdiction, effective_at, bundle, approvals, recorded_at, recorded_by) \
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING *",
        )
        .bind(self.jurisdiction())
        .bind(micros(row.effective_at))
        .bind(&row.bundle)
        .bind(approvals)
        .bind(micros(row.recorded_at))
        .bind(&row.recorded_by)
        .fetch_one(&mut self.inner)
        .await?;
        self.tells = true;
        let logged = Logged::Activation(micros(row.effective_at), row.bundle.clone());
        self.log_written(&logged, written, None).await
    }

    /// Every activation, the latest instant first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn activations(&mut self) -> Result<Vec<ActivationRow>, StoreError> {
        let rows = query(
            "SELECT known.effective_at, known.bundle, approvals, recorded_at, recorded_by, \
             start.started_at AS started_at FROM policy_activation AS known \
             LEFT JOIN policy_start AS start ON start.jurisdiction = known.jurisdiction \
             AND start.effective_at = known.effective_at AND start.bundle = known.bundle \
             WHERE known.jurisdiction = $1 ORDER BY known.effective_at DESC, recorded_at DESC",
        )
        .bind(self.jurisdiction())
        .fetch_all(&mut self.inner)
        .await?;
        rows.into_iter()
            .map(|row| {
                let approvals: String = row.get("approvals");
                let started: Option<i64> = row.get("started_at");
                Ok(ActivationRow {
                    effective_at: timestamp(row.get("effective_at"))?,
                    bundle: row.get("bundle"),
                    approvals: serde_json::from_str(&approvals)
                        .map_err(|_| StoreError::Shape { kind: "approvals" })?,
                    recorded_at: timestamp(row.get("recorded_at"))?,
                    recorded_by: row.get("recorded_by"),
                    started_at: started.map(timestamp).transpose()?,
                })
            })
            .collect()
    }

    /// Records that a gateway put rules in force.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start_activation(
        &mut self,
        row: &ActivationRow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let written = query(
            "INSERT INTO policy_start (started_at, jurisdiction, effective_at, bundle) \
             VALUES ($1, $2, $3, $4) RETURNING *",
        )
        .bind(micros(now))
        .bind(self.jurisdiction())
        .bind(micros(row.effective_at))
        .bind(&row.bundle)
        .fetch_one(&mut self.inner)
        .await?;
        self.inner.known.started_rules = None;
        self.tells = true;
        let logged = Logged::Start(micros(row.effective_at), row.bundle.clone());
        self.log_written(&logged, written, None).await
    }

    /// The rules that were put in force last; `None` when those of the configuration count.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn started_rules(&mut self) -> Result<Option<String>, StoreError> {
        if let Some(known) = &self.inner.known.started_rules {
            return Ok(known.clone());
        }
        let started: Option<String> = query_scalar(
            "SELECT bundle FROM policy_start WHERE jurisdiction = $1 \
             ORDER BY effective_at DESC, started_at DESC LIMIT 1",
        )
        .bind(self.jurisdiction())
        .fetch_optional(&mut self.inner)
        .await?;
        self.inner.known.started_rules = Some(started.clone());
        Ok(started)
    }
}
