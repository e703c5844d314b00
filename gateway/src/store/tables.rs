//! The tables of the schema, as SQLite tells them: the same columns stand in PostgreSQL.

use super::StoreError;
use super::engine::Engine;
use super::schema::{Applied, steps_of};
use super::sql::{Session, query};

/// Tables that say what runs and not what is known, or how the schema came about.
const LEFT_OUT: [&str; 2] = ["_sqlx_migrations", "lease"];

/// A table that is copied with the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// Name.
    pub(super) name: String,
    /// Columns, in the order of the schema.
    pub(super) columns: Vec<Column>,
    /// The columns of the primary key, in its order.
    pub(super) key: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// Name.
    pub(super) name: String,
    /// What stands in it.
    pub(super) kind: Kind,
}

/// What stands in a column: one of the three types of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A 64-bit integer.
    Integer,
    /// A text.
    Text,
    /// Bytes.
    Bytes,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "INTEGER" | "BIGINT" => Some(Self::Integer),
            "TEXT" => Some(Self::Text),
            "BLOB" => Some(Self::Bytes),
            _ => None,
        }
    }
}

/// The tables that a store with these steps of the schema has.
pub(super) async fn tables_of(steps: &Applied) -> Result<Vec<Table>, StoreError> {
    let engine = Engine::sqlite_in_memory().await?;
    if let Engine::Sqlite { writer, .. } = &engine {
        let steps = steps_of(&steps.keys().copied().collect());
        writer.take(&steps).await?;
    }
    let tables = tables(&mut engine.snapshot().await?).await;
    engine.close().await;
    tables
}

async fn tables(session: &mut Session) -> Result<Vec<Table>, StoreError> {
    let names = query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .fetch_all(session)
        .await?;
    let mut found = Vec::new();
    for row in names {
        let name: String = row.try_get("name")?;
        if !LEFT_OUT.contains(&name.as_str()) && !name.starts_with("sqlite_") {
            found.push(table(session, name).await?);
        }
    }
    Ok(found)
}

async fn table(session: &mut Session, name: String) -> Result<Table, StoreError> {
    let rows = query("SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid")
        .bind(&name)
        .fetch_all(session)
        .await?;
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    for row in rows {
        let kind = Kind::of(&row.try_get::<String>("type")?);
        let column = Column {
            name: row.try_get("name")?,
            kind: kind.ok_or(StoreError::Shape { kind: "column" })?,
        };
        let place: i64 = row.try_get("pk")?;
        if place > 0 {
            key.push((place, column.clone()));
        }
        columns.push(column);
    }
    key.sort_by_key(|(place, _)| *place);
    Ok(Table {
        name,
        columns,
        key: key.into_iter().map(|(_, column)| column).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::schema::all_steps;
    use super::*;

    #[tokio::test]
    async fn every_table_is_copied_by_jurisdiction_and_in_the_order_of_its_key() {
        let tables = tables_of(&all_steps()).await.unwrap();
        assert!(tables.len() > 15, "only {} tables", tables.len());
        for table in &tables {
            let first = table.key.first().map(|column| column.name.as_str());
            assert_eq!(first, Some("jurisdiction"), "{}", table.name);
        }
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        for name in [
            "input",
            "event",
            "outbox",
            "attempt",
            "audit_leaf",
            "key_check",
        ] {
            assert!(names.contains(&name), "{name} is not copied");
        }
    }
}
