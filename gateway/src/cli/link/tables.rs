//! The tables of a run, as its arguments name them.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;
use tandem_matching::{LinkTablesError, TableInput};

use crate::cli::exit::Failure;

/// `NAME=FILE`.
#[derive(Debug, Clone)]
pub(in crate::cli) struct NamedTable {
    pub(in crate::cli) system: String,
    pub(in crate::cli) file: PathBuf,
}

impl FromStr for NamedTable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((system, file)) if !system.trim().is_empty() && !file.is_empty() => Ok(Self {
                system: system.trim().to_owned(),
                file: file.into(),
            }),
            _ => Err("expected NAME=FILE.csv".to_owned()),
        }
    }
}

/// Opens all tables for their first reading.
pub(super) fn open_all(tables: &[NamedTable]) -> Result<Vec<TableInput<'static>>, Failure> {
    tables.iter().map(open).collect()
}

/// Opens a table.
pub(in crate::cli) fn open(table: &NamedTable) -> Result<TableInput<'static>, Failure> {
    let opened = input(table).with_context(|| format!("reading {}", table.file.display()));
    Ok(opened?)
}

/// Opens all tables once more.
pub(super) fn reopen_all(
    tables: &[NamedTable],
) -> Result<Vec<TableInput<'static>>, LinkTablesError> {
    let open = |table| {
        input(table).map_err(|error| LinkTablesError::Unreadable {
            file: table.file.display().to_string(),
            source: error.into(),
        })
    };
    tables.iter().map(open).collect()
}

/// A pipe can be read once only.
pub(super) fn must_be_readable_twice(tables: &[NamedTable]) -> Result<(), Failure> {
    match tables.iter().find(|table| !table.file.is_file()) {
        Some(table) if table.file.exists() => Err(Failure::Usage(format!(
            "{} is no file that can be read twice, as --report-values needs",
            table.file.display()
        ))),
        _ => Ok(()),
    }
}

/// How a run over tables failed: through its input, or through the machine.
pub(in crate::cli) fn failure(error: LinkTablesError) -> Failure {
    match error {
        LinkTablesError::Value { .. }
        | LinkTablesError::System(_)
        | LinkTablesError::Reference { .. } => Failure::Usage(error.to_string()),
        LinkTablesError::Unreadable { ref source, .. } if !source.is_io_error() => {
            Failure::Usage(error.to_string())
        }
        other => Failure::CouldNotRun(other.into()),
    }
}

fn input(table: &NamedTable) -> std::io::Result<TableInput<'static>> {
    Ok(TableInput {
        system: table.system.clone(),
        file: table.file.display().to_string(),
        input: Box::new(open_file(&table.file)?),
    })
}

fn open_file(path: &Path) -> std::io::Result<BufReader<File>> {
    if path.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    Ok(BufReader::with_capacity(1 << 18, File::open(path)?))
}
