//! The events of the log that have a view as AuditEvents: decisions, deliveries of messages, and what was seen under broken
//! glass.

use jiff::Timestamp;
use tandem_mappings::model::id::{DecisionId, PersonId};

use super::sql::{Row, query};
use super::tx::{timestamp, uuid};
use super::{StoreError, Tx};

/// One event, by what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logging {
    /// A decision.
    Decision(DecisionId),
    /// A delivery: the message's id as text.
    Delivery(String),
    /// Something was seen under broken glass: the emergency's id as text, and when.
    Seen(String, Timestamp),
}

impl Tx {
    /// Decisions, deliveries and what was seen under broken glass before a position of the log, newest first, with their
    /// positions; decisions of one person alone when one is named (the others are for the caller to compare).
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
            "SELECT leaf.position AS place, decision.id AS decision, \
             audit.object AS object, audit.action AS action, audit.at AS at \
             FROM audit_leaf AS leaf \
             LEFT JOIN decision ON leaf.kind = 'decision' AND decision.jurisdiction = $1 \
             AND decision.id = leaf.id AND ($3 IS NULL OR decision.person = $3) \
             LEFT JOIN audit ON leaf.kind = 'audit' AND audit.jurisdiction = $1 \
             AND audit.position = leaf.number \
             AND audit.action IN ('message.delivered', 'break-glass.open', 'break-glass.read') \
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
                    None => of_audit(row)?,
                };
                Ok((row.try_get("place")?, event))
            })
            .collect()
    }
}

fn of_audit(row: &Row) -> Result<Logging, StoreError> {
    let object = row.try_get("object")?;
    let action: String = row.try_get("action")?;
    if action == "message.delivered" {
        return Ok(Logging::Delivery(object));
    }
    Ok(Logging::Seen(object, timestamp(row.try_get("at")?)?))
}
