//! What can go wrong in the store.

use crate::seal::SealError;

/// A failure of the store. The text holds no personal data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database refused or failed.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The file with the database's password can't be read.
    #[error("store.password_file: {0}")]
    Password(std::io::Error),
    /// The schema could not be brought up to date.
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
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
}
