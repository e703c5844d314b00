//! What can go wrong in the store.

use std::sync::Arc;

use sqlx::migrate::MigrateError;

use super::sqlite::Fault;
use crate::seal::SealError;

/// A failure of the store. The text holds no personal data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database refused or failed. The library's error is told here once, and is no source: it would be told again.
    #[error("database: {}", in_words(.0))]
    Database(sqlx::Error),
    /// No connection to the database of PostgreSQL came about.
    #[error("cannot reach the database at {place}: {}", in_words(.error))]
    Unreached {
        /// Its host or folder of sockets, and its port.
        place: String,
        /// Why.
        error: sqlx::Error,
    },
    /// The file with the database's password can't be read.
    #[error("store.password_file: {0}")]
    Password(std::io::Error),
    /// The schema could not be brought up to date.
    #[error("migration: {}", step_in_words(.0))]
    Migration(MigrateError),
    /// The store has steps of the schema that this program does not know.
    #[error(
        "the store has schema {store}, newer than {program}, the newest that this program knows: \
         run the newer program, or restore a backup of the older store"
    )]
    Newer {
        /// The newest step of the store.
        store: i64,
        /// The newest step of the program.
        program: i64,
    },
    /// The store lacks steps of the schema, and the configuration leaves them to a command.
    #[error(
        "the store lacks {0} steps of the schema, and `store.schema` is \"by-command\": run `tandem migrate`"
    )]
    Older(usize),
    /// A sealed value does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Another gateway has put other rules in force, and this one has not followed yet: nothing is decided meanwhile.
    #[error("other rules are in force since a moment; try again")]
    OtherRules,
    /// The store was written with another key, which stands in the data folder of whoever wrote it.
    #[error(
        "{0} is not the one of this store: copy it from the data folder of the gateway that made the store"
    )]
    OtherKey(&'static str),
    /// A stored value has not the shape that this version of the program knows.
    #[error("stored {kind} has an unknown shape")]
    Shape {
        /// What was read.
        kind: &'static str,
    },
    /// What several have asked for together failed.
    #[error("{0}")]
    Shared(Arc<Self>),
}

impl StoreError {
    /// Whether the same may succeed later, without anybody changing the request: the disk is full or can't be written, the
    /// database is away or too busy, or other rules are being followed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Database(error) | Self::Unreached { error, .. } => is_passing(error),
            Self::OtherRules => true,
            Self::Shared(error) => error.is_passing(),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        Self::Migration(error)
    }
}

/// What went wrong, in the words of the database: the library's own begin with what is said already, and name lines of
/// PostgreSQL's source.
fn in_words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(refused) => match refused.code() {
            Some(code) => format!("{} (code {code})", refused.message()),
            None => refused.message().to_owned(),
        },
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::PoolTimedOut => "no connection came about or was free in time".to_owned(),
        other => other.to_string(),
    }
}

fn step_in_words(error: &MigrateError) -> String {
    match error {
        MigrateError::Execute(error) => in_words(error),
        MigrateError::ExecuteMigration(error, step) => format!("step {step}: {}", in_words(error)),
        other => other.to_string(),
    }
}

fn is_passing(error: &sqlx::Error) -> bool {
    let Some(refused) = error.as_database_error() else {
        // No answer of the database, or one of its transaction under another writer.
        return !matches!(
            error,
            sqlx::Error::RowNotFound
                | sqlx::Error::ColumnNotFound(_)
                | sqlx::Error::ColumnIndexOutOfBounds { .. }
                | sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::Encode(_)
                | sqlx::Error::Decode(_)
                | sqlx::Error::TypeNotFound { .. }
        );
    };
    if let Some(fault) = refused.try_downcast_ref::<Fault>() {
        // Busy, locked, read-only, I/O error, full, cannot open.
        return [5, 6, 8, 10, 13, 14].contains(&fault.primary());
    }
    let code = refused.code().unwrap_or_default();
    // Connection, lack of resources, the operator's intervention, the system's errors, a read-only transaction, one that stood still
    // for too long, and a statement that is to be prepared anew (PostgreSQL 15, Appendix A).
    ["08", "53", "57", "58"]
        .iter()
        .any(|class| code.starts_with(class))
        || ["25006", "25P03", "0A000"].contains(&code.as_ref())
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use sqlx::migrate::MigrateError;

    use super::super::sql::query;
    use super::super::tests::{on_postgres, on_sqlite};
    use super::StoreError;

    #[tokio::test]
    async fn what_a_database_refused_is_told_once_and_without_lines_of_its_source() {
        for place in [on_sqlite().await, on_postgres().await] {
            let mut tx = place.store.begin().await.unwrap();
            let refused = async |tx: &mut crate::store::Tx| {
                let refused = query("VALUES (nothing)").execute(&mut tx.inner).await;
                refused.unwrap_err()
            };
            let plain = StoreError::from(refused(&mut tx).await);
            let step = MigrateError::ExecuteMigration(refused(&mut tx).await, 7);
            for error in [plain, StoreError::from(step)] {
                assert!(error.source().is_none(), "{error:?}");
                let told = format!(
                    "{:#}",
                    anyhow::Error::new(error).context("opening the store")
                );
                assert_eq!(told.matches("code").count(), 1, "{told}");
                assert!(
                    !told.contains("at line") && !told.contains("returned from"),
                    "{told}"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_database_that_can_not_be_written_now_is_told_from_a_statement_that_is_wrong() {
        for place in [on_sqlite().await, on_postgres().await] {
            let mut tx = place.store.snapshot().await.unwrap();
            let write = query("delete from consent_revision");
            let refused = write.execute(&mut tx.inner).await.unwrap_err();
            assert!(StoreError::from(refused).is_passing());
            let mut tx = place.store.begin().await.unwrap();
            let wrong = query("VALUES (nothing)").execute(&mut tx.inner).await;
            assert!(!StoreError::from(wrong.unwrap_err()).is_passing());
            drop(tx);
            let mut tx = place.store.begin().await.unwrap();
            let none = query("WITH none AS (SELECT 1 WHERE 1 = 0) SELECT * FROM none")
                .fetch_one(&mut tx.inner)
                .await;
            assert!(!StoreError::from(none.err().unwrap()).is_passing());
        }
    }
}
