//! Label tables of the county, beside those that come with Tandem (docs/LABELS.md).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use tandem_consent::sha256;
use tandem_mappings::labels::LabelTables;

use super::load::{ConfigError, read};

/// What a reason begins with that names the tables which held the rows beside it.
pub const TABLES: &str = "tables:";

/// The county's label tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LabelsConfig {
    /// The tables, each of one code system.
    pub tables: Vec<CountyTable>,
}

/// One table of the county.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountyTable {
    /// The code system: icd10cm, loinc, snomed, hl7, hmis, calworks, or a name that senders use.
    pub system: String,
    /// The file, as the configuration names it: its rows are cited so, wherever the folder lies.
    pub file: PathBuf,
}

/// The label tables in force.
#[derive(Debug, Clone)]
pub struct Labels {
    /// Tandem's tables with the county's.
    pub tables: Arc<LabelTables>,
    /// Hash of all of them; what they labelled cites it.
    pub hash: String,
}

impl Labels {
    /// The tables in force; the county's files lie in `folder`.
    ///
    /// # Errors
    /// [`ConfigError`] naming file, line and column: a file that can't be read, a row that is none, or an example pair
    /// of a county's table that does not come true.
    pub fn load(config: &LabelsConfig, folder: &Path) -> Result<Self, ConfigError> {
        let problem = |what: &dyn std::fmt::Display| {
            ConfigError::Problems(vec![format!("labels.tables: {what}")])
        };
        let mut tables = LabelTables::shipped().map_err(|error| problem(&error))?;
        for entry in &config.tables {
            if tables.systems().named(&entry.system).is_none() {
                let expected = "icd10cm, loinc, snomed, hl7, hmis or calworks";
                let file = entry.file.display();
                return Err(problem(&format!("{file}: system: expected {expected}")));
            }
            let text = read(&folder.join(&entry.file))?;
            let file = entry.file.to_string_lossy();
            tables = tables
                .with_county(&entry.system, &file, &text)
                .map_err(|error| problem(&error))?;
        }
        if let Some(failure) = tables.failed_examples().first() {
            return Err(problem(failure));
        }
        Ok(Self {
            hash: sha256(tables.content().as_bytes()),
            tables: Arc::new(tables),
        })
    }

    /// The reason by which what was labelled names these tables.
    #[must_use]
    pub fn reason(&self) -> String {
        format!("{TABLES}{}", self.hash)
    }
}
