//! What gateways on one database tell each other: that something waits. Without it they look again every few seconds.

use sqlx::postgres::PgListener;
use tandem_mappings::model::id::Jurisdiction;
use uuid::Uuid;

use super::sql::{Session, query};
use super::{Store, StoreError};

/// The channel of PostgreSQL.
const CHANNEL: &str = "tandem";

/// Tells the others, once the transaction is durable.
pub(super) async fn tell(session: &mut Session, message: &str) -> Result<(), sqlx::Error> {
    if session.is_postgres() {
        query("SELECT pg_notify($1, $2)")
            .bind(CHANNEL)
            .bind(message)
            .fetch_one(session)
            .await?;
    }
    Ok(())
}

/// What a gateway tells.
pub(super) fn message(jurisdiction: &Jurisdiction, instance: Uuid) -> String {
    format!("{jurisdiction} {instance}")
}

/// Hears what other gateways tell.
#[derive(Debug)]
pub struct Heard {
    listener: PgListener,
    jurisdiction: String,
    own: String,
}

impl Store {
    /// Begins to listen to other gateways; `None` when there can be none.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn listen(&self) -> Result<Option<Heard>, StoreError> {
        let Some(pool) = self.engine.shared() else {
            return Ok(None);
        };
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        let jurisdiction = self.sealer.jurisdiction();
        Ok(Some(Heard {
            listener,
            own: message(jurisdiction, self.instance),
            jurisdiction: format!("{jurisdiction} "),
        }))
    }
}

impl Heard {
    /// Waits until another gateway of the jurisdiction has written something that waits, or until it may have been missed.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn next(&mut self) -> Result<(), StoreError> {
        loop {
            // Without a message the connection was lost and made again: something may have been told meanwhile.
            let Some(heard) = self.listener.try_recv().await? else {
                return Ok(());
            };
            let told = heard.payload();
            if told.starts_with(&self.jurisdiction) && told != self.own {
                return Ok(());
            }
        }
    }
}
