//! What messages rest on: the decisions of one ruling, and what still waits of a person.

use tandem_mappings::model::id::PersonId;

use super::sql::query;
use super::tx::micros;
use super::{DecisionRow, OutboxRow, StoreError, Tx};

impl Tx {
    /// The decisions of one ruling: those made at the same instant, at the same stage and for the same recipient, each about
    /// another person of the message.
    ///
    /// # Errors
    /// When the store fails or a record does not open.
    pub async fn decisions_beside(
        &mut self,
        row: &DecisionRow,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        let rows = query(
            "SELECT * FROM decision \
             WHERE jurisdiction = $1 AND decided_at = $2 AND recipient = $3 AND stage = $4 ORDER BY id",
        )
        .bind(self.jurisdiction())
        .bind(micros(row.decided_at))
        .bind(&row.recipient)
        .bind(&row.stage)
        .fetch_all(&mut self.inner)
        .await?;
        rows.iter().map(|row| self.decision_row(row)).collect()
    }

    /// Messages that still wait in their lanes and were decided together with something about a person, in order. They
    /// may be about others alone: several messages are decided at one instant.
    ///
    /// # Errors
    /// When the store fails or a message does not open.
    pub async fn waiting_about(&mut self, person: PersonId) -> Result<Vec<OutboxRow>, StoreError> {
        // The order of the tables is the order of the look-ups: a person has few decisions, and each few beside it.
        let rows = query(
            "SELECT DISTINCT told.* FROM decision AS own CROSS JOIN decision AS main CROSS JOIN outbox AS told \
             WHERE own.jurisdiction = $1 AND own.person = $2 AND own.stage = 'outbox' \
             AND main.jurisdiction = $1 AND main.decided_at = own.decided_at \
             AND main.recipient = own.recipient AND main.stage = 'outbox' \
             AND told.jurisdiction = $1 AND told.decision = main.id \
             AND told.state IN ('queued', 'failed', 'parked') ORDER BY told.position",
        )
        .bind(self.jurisdiction())
        .bind(person.as_bytes().as_slice())
        .fetch_all(&mut self.inner)
        .await?;
        rows.iter().map(|row| self.outbox_row(row)).collect()
    }
}
