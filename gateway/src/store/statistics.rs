//! What PostgreSQL's planner knows of the tables.
//!
//! It keeps a plan until statistics are gathered, and gathers them a minute after a table has grown at best. A plan that was made while a
//! table was empty goes through all of it, and a store that fills in that minute slows down with every row.

use super::sql::{composed, query};
use super::{Store, StoreError};

/// Rows below which every plan is as good as any other.
const SMALL: i64 = 100;

impl Store {
    /// Has statistics gathered of the tables in which as many rows were written since the last time as there were then. Returns how many
    /// tables there were; none on SQLite, whose plans do not rest on them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_statistics(&self) -> Result<usize, StoreError> {
        if !self.is_shared() {
            return Ok(0);
        }
        let mut snapshot = self.snapshot().await?;
        let grown = query(
            "SELECT quote_ident(stat.relname) AS name FROM pg_stat_user_tables AS stat \
             JOIN pg_class AS class ON class.oid = stat.relid WHERE stat.schemaname = current_schema() \
             AND stat.n_mod_since_analyze > $1 AND stat.n_mod_since_analyze > class.reltuples \
             AND pg_has_role(class.relowner, 'USAGE')",
        )
        .bind(SMALL)
        .fetch_all(&mut snapshot.inner)
        .await?;
        drop(snapshot);
        let names: Vec<String> = grown.iter().map(|row| row.get("name")).collect();
        for name in &names {
            // No turn of a writer: it holds up nobody.
            let mut session = self.engine.to_maintain().await?;
            composed(format!("ANALYZE {name}"))
                .execute(&mut session)
                .await?;
            session.commit().await?;
        }
        Ok(names.len())
    }
}
