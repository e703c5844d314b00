//! Copies what a jurisdiction has from one store into another, of either engine, and compares the two table by table.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::StoreError;
use super::rows::TableSum;
use super::sql::Session;
use super::tables::Table;

/// Is told which table is gone through, and how many of its rows are done.
pub type Watch<'a> = &'a mut (dyn FnMut(&str, u64) + 'a);

/// The sums of tables, by name.
pub type Sums = BTreeMap<String, TableSum>;

/// Why a store is not copied. The texts hold no personal data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A table can't be read or written.
    #[error("table {table}: {error}")]
    Table {
        /// Which.
        table: String,
        /// Why.
        error: Box<StoreError>,
    },
    /// The copy of a table is not what was copied.
    #[error(
        "table {table}: {} rows with hash {} were read, {} rows with hash {} were written",
        read.rows, read.sha256, written.rows, written.sha256
    )]
    Differs {
        /// Which.
        table: String,
        /// What was read.
        read: TableSum,
        /// What stands in the copy.
        written: TableSum,
    },
    /// There is something where the copy would go.
    #[error("the store is not empty: table {0} has rows")]
    NotEmpty(String),
    /// The stores have different steps of the schema.
    #[error("the schemas of the two stores differ: run `tandem migrate` on the older one first")]
    Schema,
    /// Gateways are connected to the store.
    #[error("{0} gateways serve the store, or were killed within the last minute: stop them first")]
    Served(i64),
    /// There is a file where the copy would go.
    #[error("{0} is there already, and no backup is written over another file")]
    Exists(PathBuf),
    /// A file can't be read or written.
    #[error("{file}: {error}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file is no backup, or not a whole one.
    #[error("{file}: {problem}")]
    NoBackup {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

impl From<sqlx::Error> for CopyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl CopyError {
    /// What is wrong with a file.
    pub(crate) fn file(file: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.into();
        move |error| Self::File { file, error }
    }
}

/// Copies every table, and reads each again where it came to.
pub(super) async fn copy_all(
    tables: &[Table],
    from: &mut Session,
    to: &mut Session,
    jurisdiction: &str,
    watch: Watch<'_>,
) -> Result<Sums, CopyError> {
    let mut sums = Sums::new();
    for table in tables {
        let read = table.copy(from, to, jurisdiction, &mut *watch).await?;
        let written = table.sum(to, jurisdiction).await?;
        if read != written {
            let table = table.name.clone();
            return Err(CopyError::Differs {
                table,
                read,
                written,
            });
        }
        sums.insert(table.name.clone(), read);
    }
    Ok(sums)
}
