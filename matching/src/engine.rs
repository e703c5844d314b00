//! The engine: settings compiled once, used for any number of runs.

use thiserror::Error;

use crate::batch::Batch;
use crate::model::Model;
use crate::nickname::{NicknameError, Nicknames};
use crate::population::Population;
use crate::record::{Record, RecordKey};
use crate::result::LinkResult;
use crate::ruling::Rulings;
use crate::settings::{Settings, SettingsError};

/// Why the engine cannot work.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The compiled nickname table is wrong.
    #[error(transparent)]
    Nicknames(#[from] NicknameError),
    /// Two records have the same system and id.
    #[error("record {0} is there twice")]
    Duplicate(RecordKey),
    /// There are more records than one run can address.
    #[error("more than 4,000,000,000 records")]
    TooMany,
}

/// A matching engine: settings compiled once, used for any number of runs.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) model: Model,
    pub(crate) nicknames: Nicknames,
}

impl Engine {
    /// Compiles settings.
    ///
    /// # Errors
    /// [`EngineError`] when the settings are wrong.
    pub fn new(settings: Settings) -> Result<Self, EngineError> {
        settings.check()?;
        Ok(Self {
            model: Model::new(settings),
            nicknames: Nicknames::standard()?,
        })
    }

    /// An engine with the compiled settings.
    ///
    /// # Errors
    /// [`EngineError`] when the compiled settings are wrong, which a test rules out.
    pub fn standard() -> Result<Self, EngineError> {
        Self::new(Settings::standard()?)
    }

    /// The same engine to which these pairs of given names, as [`given_name`](crate::given_name) tells them, are names of
    /// one person.
    #[must_use]
    pub fn knowing<'a>(mut self, names: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        for (a, b) in names {
            self.nicknames.learn(a, b);
        }
        self
    }

    /// The settings in use.
    pub fn settings(&self) -> &Settings {
        &self.model.settings
    }

    /// Links records within and between their systems.
    ///
    /// # Errors
    /// [`EngineError::Duplicate`] when two records have the same key.
    pub fn link(&self, records: &[Record]) -> Result<LinkResult, EngineError> {
        self.link_with(records, &Rulings::new())
    }

    /// Links records, stewards' decisions standing above scores.
    ///
    /// # Errors
    /// [`EngineError::Duplicate`] when two records have the same key.
    pub fn link_with(
        &self,
        records: &[Record],
        rulings: &Rulings,
    ) -> Result<LinkResult, EngineError> {
        let mut batch = self.batch();
        for record in records {
            batch.push(record)?;
        }
        let run = batch.run(rulings, |_, _| Ok::<(), std::convert::Infallible>(()));
        match run {
            Ok(result) => Ok(result),
            Err(never) => match never {},
        }
    }

    /// Starts a batch that takes records one at a time, so that they need not be held as text.
    pub fn batch(&self) -> Batch {
        let population = Population::new(self.nicknames.clone());
        Batch::new(self.model.clone(), population)
    }
}
