//! Settings of the adapter for one CalWORKs system.

use serde::Deserialize;
use tandem_adapter_port::read::{Coverage, FormatReader};
use tandem_adapter_port::write::FormatWriter;
use tandem_mappings::model::id::OrganizationId;
use tandem_mappings::tables::{ExampleFailure, TableError};

use crate::gates::SenderGate;
use crate::read::acf199::{Acf199Reader, Expected};
use crate::read::caseload::{CaseloadLayout, CaseloadReader};
use crate::read::linkages::LinkagesReader;
use crate::write::{LinkagesForm, LinkagesWriter};

/// Settings; every one has a default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What the federal files must be about.
    pub acf_199: Expected,
    /// How the caseload batch looks.
    pub caseload: CaseloadConfig,
    /// How Linkages messages travel.
    pub linkages: LinkagesConfig,
    /// Whether no configured system sends: what compares a message with its sender is not asked then.
    #[serde(skip)]
    pub is_offline: bool,
}

/// How the caseload batch looks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CaseloadConfig {
    /// Files of the county's layouts; the example layouts when empty.
    pub layouts: Vec<String>,
    /// Whether a batch holds the whole caseload: who is absent is then withdrawn.
    pub is_full: bool,
}

/// How Linkages messages travel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkagesConfig {
    /// The form in which the system takes messages.
    pub form: LinkagesForm,
    /// Organisations whose messages never enter.
    pub refused_senders: Vec<OrganizationId>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A layout file cannot be read.
    #[error("layout {file}: {reason}")]
    LayoutFile {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// A table is not sound.
    #[error(transparent)]
    Table(#[from] TableError),
    /// An example pair of a layout does not come true.
    #[error(transparent)]
    Example(#[from] Box<ExampleFailure>),
}

impl Config {
    /// Settings for a file that is read outside a gateway: no configured organisation is its sender.
    #[must_use]
    pub fn offline() -> Self {
        Self {
            is_offline: true,
            ..Self::default()
        }
    }

    /// The readers of the three formats. `load` gives the text of a layout file; adapters do no input of their own.
    ///
    /// # Errors
    /// When a layout cannot be loaded, is not sound, or has an example pair that does not come true.
    pub fn readers(
        &self,
        load: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Vec<Box<dyn FormatReader>>, ConfigError> {
        let gate = if self.is_offline {
            SenderGate::offline()
        } else {
            SenderGate::new(self.linkages.refused_senders.clone())
        };
        Ok(vec![
            Box::new(Acf199Reader::new(self.acf_199)?),
            Box::new(self.caseload_reader(load)?),
            Box::new(LinkagesReader::new(gate)?),
        ])
    }

    /// The writer of Linkages messages.
    ///
    /// # Errors
    /// When the field table is not sound.
    pub fn writer(&self) -> Result<Box<dyn FormatWriter>, ConfigError> {
        Ok(Box::new(LinkagesWriter::new(self.linkages.form)?))
    }

    fn caseload_reader(
        &self,
        load: impl Fn(&str) -> Result<String, String>,
    ) -> Result<CaseloadReader, ConfigError> {
        let mut layouts = Vec::new();
        for file in &self.caseload.layouts {
            let text = load(file).map_err(|reason| ConfigError::LayoutFile {
                file: file.clone(),
                reason,
            })?;
            let layout = CaseloadLayout::load(file, &text)?;
            if let Some(failure) = layout.failed_examples().into_iter().next() {
                return Err(Box::new(failure).into());
            }
            layouts.push(layout);
        }
        let coverage = if self.caseload.is_full {
            Coverage::Full
        } else {
            Coverage::Partial
        };
        if layouts.is_empty() {
            layouts = CaseloadLayout::examples()?;
        }
        Ok(CaseloadReader::new(layouts, coverage)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_from_toml() {
        let text = "[acf_199]\nsection = \"A\"\nprogram = \"TAN\"\n[caseload]\nlayouts = [\"county.csv\"]\n\
            is_full = true\n[linkages]\nform = \"json\"\nrefused_senders = [\"org-shelter\"]\n";
        let config: Config = toml::from_str(text).unwrap();
        assert_eq!(config.linkages.form, LinkagesForm::Json);
        assert!(config.caseload.is_full);
        assert!(toml::from_str::<Config>("colour = \"red\"").is_err());
    }

    #[test]
    fn a_layout_whose_example_does_not_come_true_is_refused() {
        let shipped = include_str!("../../../config/tables/calworks/caseload_csv.csv");
        let config = Config {
            caseload: CaseloadConfig {
                layouts: vec!["county.csv".to_owned()],
                is_full: false,
            },
            ..Config::default()
        };
        assert_eq!(config.readers(|_| Ok(shipped.to_owned())).unwrap().len(), 3);
        let wrong = shipped.replace("sex|F -> female", "sex|F -> male");
        let error = config.readers(|_| Ok(wrong.clone())).err().unwrap();
        assert!(error.to_string().contains("county.csv:4"), "{error}");
        let error = config
            .readers(|_| Err("no such file".to_owned()))
            .err()
            .unwrap();
        assert_eq!(error.to_string(), "layout county.csv: no such file");
    }
}
