//! What PostgreSQL's planner knows of the tables.
//!
//! It keeps a plan until statistics are gathered, and gathers them a minute after a table has grown at best. A plan that was made while a
//! table was empty goes through all of it, and a store that fills in that minute slows down with every row.

use sqlx::AssertSqlSafe;

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
        let Some(pool) = self.engine.shared() else {
            return Ok(0);
        };
        let names: Vec<String> = sqlx::query_scalar(
            "SELECT quote_ident(stat.relname) FROM pg_stat_user_tables AS stat \
             JOIN pg_class AS class ON class.oid = stat.relid WHERE stat.schemaname = current_schema() \
             AND stat.n_mod_since_analyze > $1 AND stat.n_mod_since_analyze > class.reltuples \
             AND pg_has_role(class.relowner, 'USAGE')",
        )
        .bind(SMALL)
        .fetch_all(pool)
        .await?;
        for name in &names {
            // No turn of a writer: it holds up nobody.
            let analyze = AssertSqlSafe(format!("ANALYZE {name}"));
            sqlx::query(analyze).execute(pool).await?;
        }
        Ok(names.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::sql::{composed, query};
    use super::super::tests::{Note, now, on_postgres, on_sqlite};

    #[tokio::test]
    async fn a_table_that_has_grown_is_planned_for_as_it_is_by_now() {
        let place = on_postgres().await;
        let mut tx = place.store.begin().await.unwrap();
        for number in 0..300 {
            let note = Note {
                id: format!("note {number}"),
                owner: format!("owner {number}"),
            };
            tx.put(&note, now()).await.unwrap();
        }
        // Else the database counts what was written within a second or later.
        query("SELECT pg_stat_force_next_flush()")
            .execute(&mut tx.inner)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert!(place.store.renew_statistics().await.unwrap() >= 2);
        assert_eq!(place.store.renew_statistics().await.unwrap(), 0);

        let mut tx = place.store.snapshot().await.unwrap();
        let steps = composed(
            "EXPLAIN SELECT d.key, d.sealed FROM document_index i \
             JOIN document d ON d.jurisdiction = i.jurisdiction AND d.kind = i.kind AND d.key = i.key \
             WHERE i.jurisdiction = 'demo-county' AND i.kind = 'note' AND i.field = 'note.owner' AND i.value = '1' \
             ORDER BY i.key"
                .to_owned(),
        );
        let steps = steps.fetch_all(&mut tx.inner).await.unwrap();
        let steps: Vec<String> = steps.iter().map(|row| row.get("QUERY PLAN")).collect();
        let by_key = |step: &String| step.contains("Index Cond") && step.contains("key = i.key");
        assert!(steps.iter().any(by_key), "{steps:#?}");
    }

    #[tokio::test]
    async fn on_sqlite_there_are_none() {
        let place = on_sqlite().await;
        assert_eq!(place.store.renew_statistics().await.unwrap(), 0);
    }
}
