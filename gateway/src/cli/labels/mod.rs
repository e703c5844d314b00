//! `tandem labels`: which category and labels codes get, and the tables that say so.

mod explain;
mod list;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Subcommand;
use tandem_mappings::labels::LabelTables;

use super::exit::{Exit, Failure};
use crate::config::Loaded;

/// Show which category and sensitivity labels data get by their source and codes, and why
#[derive(Debug, Subcommand)]
pub(super) enum LabelsCommand {
    Explain(explain::ExplainArgs),
    List(list::ListArgs),
}

impl LabelsCommand {
    /// Runs the command.
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::Explain(args) => args.run(),
            Self::List(args) => args.run(),
        }
    }
}

/// The tables that come with Tandem, with those of the county's configuration when one is named.
fn tables(config: Option<&Path>) -> Result<Arc<LabelTables>, Failure> {
    let Some(file) = config else {
        let shipped = LabelTables::shipped().context("reading the label tables")?;
        return Ok(Arc::new(shipped));
    };
    let loaded = Loaded::from_file(file).context("reading the configuration")?;
    Ok(loaded.labels.tables)
}
