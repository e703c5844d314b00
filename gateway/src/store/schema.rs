//! The schema, in numbered steps: which of them a store has, and how it gets the others.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, Migrator};

use super::engine::Engine;
use super::sql::{Session, query};
use super::tx::timestamp;
use super::{SQLITE, StoreError, address};
use crate::config::{Config, SchemaChange};

/// The steps; written for SQLite.
static STEPS: Migrator = sqlx::migrate!("./migrations");

/// A step of the schema.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SchemaStep {
    /// Its number.
    pub version: i64,
    /// What it is about.
    pub name: String,
    /// When the store got it, if it did.
    pub applied_at: Option<Timestamp>,
}

/// Which steps a store has, by number, and when it got them.
pub(super) type Applied = BTreeMap<i64, Timestamp>;

/// The number of the last step that this program knows.
pub(super) fn newest() -> i64 {
    STEPS.iter().map(|step| step.version).max().unwrap_or(0)
}

/// The steps with these numbers.
pub(super) fn steps_of(versions: &BTreeSet<i64>) -> Migrator {
    let steps = STEPS.iter().filter(|step| versions.contains(&step.version));
    Migrator {
        migrations: Cow::Owned(steps.cloned().collect()),
        ..Migrator::DEFAULT
    }
}

/// The steps with PostgreSQL's names of the types.
fn for_postgres() -> Migrator {
    let steps = STEPS.iter().map(|step| {
        let text = step
            .sql
            .as_str()
            .replace("BLOB", "BYTEA")
            .replace("INTEGER", "BIGINT");
        Migration::new(
            step.version,
            step.description.clone(),
            step.migration_type,
            sqlx::AssertSqlSafe(text).into_sql_str(),
            step.no_tx,
        )
    });
    Migrator {
        migrations: Cow::Owned(steps.collect()),
        ..Migrator::DEFAULT
    }
}

/// Which steps a store has. A program older than the store does not know what stands in it, and is told so.
pub(super) async fn applied(session: &mut Session) -> Result<Applied, StoreError> {
    let applied = taken(session).await?;
    match applied.last_key_value() {
        Some((&store, _)) if store > newest() => Err(StoreError::Newer {
            store,
            program: newest(),
        }),
        _ => Ok(applied),
    }
}

/// Which steps a store has, also those that this program does not know.
pub(super) async fn taken(session: &mut Session) -> Result<Applied, StoreError> {
    let (table, steps) = if session.is_postgres() {
        (
            "SELECT 1 AS there WHERE to_regclass('_sqlx_migrations') IS NOT NULL",
            "SELECT version, (EXTRACT(EPOCH FROM installed_on) * 1000000)::BIGINT AS at \
             FROM _sqlx_migrations WHERE success",
        )
    } else {
        (
            "SELECT 1 AS there FROM sqlite_schema WHERE name = '_sqlx_migrations'",
            "SELECT version, CAST(strftime('%s', installed_on) AS INTEGER) * 1000000 AS at \
             FROM _sqlx_migrations WHERE success",
        )
    };
    if query(table).fetch_optional(session).await?.is_none() {
        return Ok(Applied::new());
    }
    let mut applied = Applied::new();
    for row in query(steps).fetch_all(session).await? {
        applied.insert(row.try_get("version")?, timestamp(row.try_get("at")?)?);
    }
    Ok(applied)
}

/// The steps that a store has and lacks, in their order.
fn steps(applied: &Applied) -> Vec<SchemaStep> {
    let step = |step: &Migration| SchemaStep {
        version: step.version,
        name: step.description.to_string(),
        applied_at: applied.get(&step.version).copied(),
    };
    STEPS.iter().map(step).collect()
}

impl Engine {
    /// Gives the store the steps that it lacks, or says that it lacks some.
    pub(super) async fn bring_up(&self, change: SchemaChange) -> Result<(), StoreError> {
        let applied = applied(&mut self.snapshot().await?).await?;
        let lacking = steps(&applied)
            .iter()
            .filter(|step| step.applied_at.is_none())
            .count();
        match (self, change) {
            (_, SchemaChange::ByCommand) if lacking > 0 => Err(StoreError::Older(lacking)),
            (_, SchemaChange::ByCommand) => Ok(()),
            (Self::Sqlite { writer, .. }, SchemaChange::AtStart) => Ok(writer.take(&STEPS).await?),
            (Self::Postgres { pool, .. }, SchemaChange::AtStart) => {
                Ok(for_postgres().run(pool).await?)
            }
        }
    }
}

/// The steps of the store that a configuration names: those that it has, and those that it lacks. Nothing is made.
///
/// # Errors
/// When the store can't be read, or is newer than this program.
pub async fn schema_of(config: &Config) -> Result<Vec<SchemaStep>, StoreError> {
    let engine = match address(&config.store)? {
        Some(address) => Engine::postgres_to_read(address).await?,
        None => {
            let file = config.data.join(SQLITE);
            if !file.exists() {
                return Ok(steps(&Applied::new()));
            }
            Engine::sqlite_to_read(&file).await?
        }
    };
    schema(&engine).await
}

/// Gives the store that a configuration names every step that it lacks, and makes one that is not there. The steps as
/// they are then.
///
/// # Errors
/// When the store can't be opened, a step fails, or it is newer than this program.
pub async fn migrate(config: &Config) -> Result<Vec<SchemaStep>, StoreError> {
    schema(&up_to_date(config).await?).await
}

/// The store that a configuration names, with every step. No gateway is announced by it.
pub(super) async fn up_to_date(config: &Config) -> Result<Engine, StoreError> {
    let engine = match address(&config.store)? {
        Some(address) => Engine::postgres(address, config.jurisdiction.as_str()).await?,
        None => Engine::sqlite(&config.data.join(SQLITE)).await?,
    };
    engine.bring_up(SchemaChange::AtStart).await?;
    Ok(engine)
}

async fn schema(engine: &Engine) -> Result<Vec<SchemaStep>, StoreError> {
    let applied = applied(&mut engine.snapshot().await?).await;
    engine.close().await;
    Ok(steps(&applied?))
}

/// Every step that this program knows.
pub(super) fn all_steps() -> Applied {
    let steps = STEPS.iter();
    steps
        .map(|step| (step.version, Timestamp::UNIX_EPOCH))
        .collect()
}
