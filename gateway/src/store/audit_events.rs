//! The events of the log that have a view as AuditEvents: decisions, and deliveries of messages.

use tandem_mappings::model::id::{DecisionId, PersonId};

use super::sql::query;
use super::tx::uuid;
use super::{StoreError, Tx};

/// One event, by what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logging {
    /// A decision.
    Decision(DecisionId),
    /// A delivery: the message's id as text.
    Delivery(String),
}

impl Tx {
    /// Decisions and deliveries before a position of the log, newest first, with their positions; decisions of one person
    /// alone when one is named (deliveries are for the caller to compare).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn logged_before(
        &mut self,
        position: i64,
        person: Option<PersonId>,
        limit: i64,
    ) -> Result<Vec<(i64, Logging)>, StoreError> {
        let rows = query(
            "SELECT leaf.position AS place, decision.id AS decision, audit.object AS object \
             FROM audit_leaf AS leaf \
             LEFT JOIN decision ON leaf.kind = 'decision' AND decision.jurisdiction = $1 \
             AND decision.id = leaf.id AND ($3 IS NULL OR decision.person = $3) \
             LEFT JOIN audit ON leaf.kind = 'audit' AND audit.jurisdiction = $1 \
             AND audit.position = leaf.number AND audit.action = 'message.delivered' \
             WHERE leaf.jurisdiction = $1 AND leaf.position < $2 \
             AND (decision.id IS NOT NULL OR audit.position IS NOT NULL) \
             ORDER BY leaf.position DESC LIMIT $4",
        )
        .bind(self.jurisdiction())
        .bind(position)
        .bind(person.map(|person| person.as_bytes().to_vec()))
        .bind(limit)
        .fetch_all(&mut self.inner)
        .await?;
        rows.iter()
            .map(|row| {
                let decision: Option<Vec<u8>> = row.try_get("decision")?;
                let event = match decision {
                    Some(id) => Logging::Decision(DecisionId(uuid(&id)?)),
                    None => Logging::Delivery(row.try_get("object")?),
                };
                Ok((row.try_get("place")?, event))
            })
            .collect()
    }
}
