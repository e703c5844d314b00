//! Recorded decisions: what was asked, what came out and why.

use std::sync::Arc;

use jiff::Timestamp;
use tandem_mappings::model::id::{DecisionId, PersonId};

use super::logged::Logged;
use super::sql::{Row, query, query_scalar};
use super::tx::{micros, timestamp, uuid};
use super::{Evidence, StoreError, Tx};

/// At which point of a message's way a decision was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// May this record enter the match index.
    Intake,
    /// When an outbox row is written, or instead of one.
    Outbox,
    /// Before an attempt.
    Attempt,
    /// Before a query is answered.
    Query,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 4] = [Self::Intake, Self::Outbox, Self::Attempt, Self::Query];

    /// The stage as text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Outbox => "outbox",
            Self::Attempt => "attempt",
            Self::Query => "query",
        }
    }
}

/// A decision that is to be recorded.
#[derive(Debug, Clone)]
pub struct NewDecision {
    /// Its id.
    pub id: DecisionId,
    /// When.
    pub decided_at: Timestamp,
    /// Action asked for.
    pub action: String,
    /// Stage.
    pub stage: String,
    /// Outcome.
    pub outcome: String,
    /// Recipient organisation.
    pub recipient: String,
    /// Person.
    pub person: Option<PersonId>,
    /// Rule bundle hash.
    pub bundle: String,
    /// Position of the events at which links were resolved.
    pub link_version: i64,
    /// Request and answer as JSON.
    pub record: String,
    /// What it rests on; to be kept with it.
    pub evidence: Vec<Arc<Evidence>>,
}

/// A decision as stored.
#[derive(Debug, Clone)]
pub struct DecisionRow {
    /// Its id.
    pub id: DecisionId,
    /// When.
    pub decided_at: Timestamp,
    /// Action asked for.
    pub action: String,
    /// Stage.
    pub stage: String,
    /// Outcome.
    pub outcome: String,
    /// Recipient organisation.
    pub recipient: String,
    /// Person.
    pub person: Option<PersonId>,
    /// Rule bundle hash.
    pub bundle: String,
    /// Position of the events at which links were resolved.
    pub link_version: i64,
    /// Request and answer as JSON.
    pub record: serde_json::Value,
}

impl Tx {
    /// Records a decision.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add_decision(&mut self, row: NewDecision) -> Result<(), StoreError> {
        let (id, plain) = (row.id.as_bytes(), row.record.as_bytes());
        let sealed = self.sealer.seal("decision", "sealed", id, plain)?;
        let written = query(
            "INSERT INTO decision (jurisdiction, id, decided_at, action, stage, outcome, recipient, person, bundle, link_version, sealed) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING *",
        )
        .bind(self.jurisdiction())
        .bind(id.as_slice())
        .bind(micros(row.decided_at))
        .bind(&row.action)
        .bind(&row.stage)
        .bind(&row.outcome)
        .bind(&row.recipient)
        .bind(row.person.map(|person| person.as_bytes().to_vec()))
        .bind(&row.bundle)
        .bind(row.link_version)
        .bind(sealed)
        .fetch_one(&mut self.inner)
        .await?;
        for evidence in &row.evidence {
            self.keep(evidence, row.decided_at).await?;
        }
        self.count_denial(&row);
        self.log_written(&Logged::Decision(row.id), written, Some(row.record))
            .await
    }

    /// Notes a decision that permits nothing: it is counted when it is durable.
    fn count_denial(&mut self, row: &NewDecision) {
        let permits_nothing = matches!(row.outcome.as_str(), "deny" | "needs_human");
        let stages = Stage::ALL.iter().filter(|_| permits_nothing);
        self.denied
            .extend(stages.filter(|stage| stage.code() == row.stage));
    }

    /// The link version at which something was decided.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn link_version_of(&mut self, id: DecisionId) -> Result<Option<i64>, StoreError> {
        Ok(
            query_scalar("SELECT link_version FROM decision WHERE jurisdiction = $1 AND id = $2")
                .bind(self.jurisdiction())
                .bind(id.as_bytes().as_slice())
                .fetch_optional(&mut self.inner)
                .await?,
        )
    }

    /// A decision by id.
    ///
    /// # Errors
    /// When the store fails or the record does not open.
    pub async fn decision(&mut self, id: DecisionId) -> Result<Option<DecisionRow>, StoreError> {
        let row = query("SELECT * FROM decision WHERE jurisdiction = $1 AND id = $2")
            .bind(self.jurisdiction())
            .bind(id.as_bytes().as_slice())
            .fetch_optional(&mut self.inner)
            .await?;
        row.map(|row| self.decision_row(&row)).transpose()
    }

    /// Decisions, newest first; of one person, or of all.
    ///
    /// # Errors
    /// When the store fails or a record does not open.
    pub async fn decisions(
        &mut self,
        person: Option<PersonId>,
        limit: i64,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        // Two statements, so that each goes by an index of its own.
        let query = match person {
            Some(person) => query(
                "SELECT * FROM decision WHERE jurisdiction = $1 AND person = $3 \
                 ORDER BY decided_at DESC, id DESC LIMIT $2",
            )
            .bind(self.jurisdiction())
            .bind(limit)
            .bind(person.as_bytes().as_slice()),
            None => query(
                "SELECT * FROM decision WHERE jurisdiction = $1 \
                 ORDER BY decided_at DESC, id DESC LIMIT $2",
            )
            .bind(self.jurisdiction())
            .bind(limit),
        };
        let rows = query.fetch_all(&mut self.inner).await?;
        rows.iter().map(|row| self.decision_row(row)).collect()
    }

    pub(super) fn decision_row(&self, row: &Row) -> Result<DecisionRow, StoreError> {
        let id: Vec<u8> = row.get("id");
        let person: Option<Vec<u8>> = row.get("person");
        let sealed: Vec<u8> = row.get("sealed");
        let plain = self.sealer.open("decision", "sealed", &id, &sealed)?;
        Ok(DecisionRow {
            id: DecisionId(uuid(&id)?),
            decided_at: timestamp(row.get("decided_at"))?,
            action: row.get("action"),
            stage: row.get("stage"),
            outcome: row.get("outcome"),
            recipient: row.get("recipient"),
            person: person.map(|bytes| uuid(&bytes).map(PersonId)).transpose()?,
            bundle: row.get("bundle"),
            link_version: row.get("link_version"),
            record: serde_json::from_slice(&plain)
                .map_err(|_| StoreError::Shape { kind: "decision" })?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Place, contract, decision};
    use super::*;

    async fn what_permits_nothing_is_counted_also_when_a_person_is_to_look_at_it(place: Place) {
        let mut tx = place.store.begin().await.unwrap();
        let outcomes = [
            "permit",
            "permit_with_redaction",
            "deny",
            "needs_human",
            "not_applicable",
        ];
        for (id, outcome) in (0..).zip(outcomes) {
            let row = decision(id, Stage::Outbox, outcome);
            tx.add_decision(row).await.unwrap();
        }
        assert_eq!(tx.denied, [Stage::Outbox, Stage::Outbox]);
        let waiting = tx.waiting_decisions(10).await.unwrap();
        assert_eq!(waiting.len(), 1);
    }

    contract!(what_permits_nothing_is_counted_also_when_a_person_is_to_look_at_it);
}
