//! The steps of the schema on SQLite, in the table in which every store so far has them.

use std::collections::BTreeMap;
use std::time::Instant;

use rusqlite::{Connection, params};
use sqlx::migrate::{MigrateError, Migrator};
use tokio::task::spawn_blocking;

use super::{Fault, Pool};

/// As `sqlx` has it, which made the stores of earlier versions.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
)";

impl Pool {
    /// Takes the steps that the file lacks, each in a transaction of its own.
    ///
    /// # Errors
    /// When a step fails, or one that was taken is not the one that is known by its number.
    pub(in crate::store) async fn take(&self, steps: &Migrator) -> Result<(), MigrateError> {
        let mut lent = self.lend().await?;
        let steps = Migrator {
            migrations: steps.migrations.clone(),
            ..Migrator::DEFAULT
        };
        let taken =
            spawn_blocking(
                move || match lent.run(|connection| Ok(all(connection, &steps))) {
                    Ok(taken) => taken,
                    Err(error) => Err(error.into()),
                },
            );
        let taken = taken.await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        self.has_committed();
        taken
    }
}

fn all(connection: &Connection, steps: &Migrator) -> Result<(), MigrateError> {
    let failed = |error| MigrateError::Execute(Fault::of(error));
    connection.execute_batch(TABLE).map_err(failed)?;
    let taken = taken(connection).map_err(failed)?;
    for (&version, (checksum, is_whole)) in &taken {
        if !is_whole {
            return Err(MigrateError::Dirty(version));
        }
        match steps.iter().find(|step| step.version == version) {
            None => return Err(MigrateError::VersionMissing(version)),
            Some(step) if *step.checksum != **checksum => {
                return Err(MigrateError::VersionMismatch(version));
            }
            Some(_) => {}
        }
    }
    for step in steps
        .iter()
        .filter(|step| !taken.contains_key(&step.version))
    {
        let done = one(connection, step);
        done.map_err(|error| MigrateError::ExecuteMigration(Fault::of(error), step.version))?;
    }
    Ok(())
}

/// The checksum of each step that was taken, and whether it was done.
fn taken(connection: &Connection) -> rusqlite::Result<BTreeMap<i64, (Vec<u8>, bool)>> {
    let mut steps =
        connection.prepare("SELECT version, checksum, success FROM _sqlx_migrations")?;
    let steps = steps.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    steps.collect()
}

fn one(connection: &Connection, step: &sqlx::migrate::Migration) -> rusqlite::Result<()> {
    let started = Instant::now();
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(step.sql.as_str())?;
    let nanoseconds = i64::try_from(started.elapsed().as_nanos()).unwrap_or(i64::MAX);
    transaction.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (?1, ?2, TRUE, ?3, ?4)",
        params![step.version, step.description, step.checksum, nanoseconds],
    )?;
    transaction.commit()
}
