//! What an index learns from its own records: probabilities, and from which score on links keep to a wanted rate.

use std::convert::Infallible;

use crate::batch::Batch;
use crate::estimate::EstimateError;
use crate::index::{Candidate, Index};
use crate::model::Model;
use crate::population::Population;
use crate::rates::FalseMatchRate;
use crate::record::RecordKey;
use crate::settings::{Settings, SettingsError};

/// What the records of an index show.
#[derive(Debug, Clone, PartialEq)]
pub struct Learnt {
    /// The settings with the estimated probabilities; `thresholds.link_bits` is the lowest score down to which no
    /// larger share of the links is expected to be false than `thresholds.false_match_rate`.
    pub settings: Settings,
    /// From how many records.
    pub records: usize,
    /// Share of false links to be expected from that score on.
    pub false_match_rate: FalseMatchRate,
}

impl Index {
    /// Links all records of the index once, as a batch would, and says what was learnt. Nothing in the index changes:
    /// [`Index::adopt`] does that. Takes as long as a batch (seconds for a million records) and some memory for it.
    ///
    /// # Errors
    /// [`EstimateError`] when there are too few matches, or the classes do not separate.
    pub fn learn(&mut self, base: &Settings) -> Result<Learnt, EstimateError> {
        let nobody = Population::new(Default::default());
        let population = std::mem::replace(&mut self.population, nobody);
        let mut batch = Batch::new(Model::new(base.clone()), population);
        if let Err(error) = batch.estimate() {
            self.population = batch.population;
            return Err(error);
        }
        let records = batch.len();
        let run = batch.run(&self.rulings, |_, _| Ok::<(), Infallible>(()));
        let result = match run {
            Ok(result) => result,
            Err(never) => match never {},
        };
        let settings = result.settings().clone();
        let rate = result.statistics().false_match_rate;
        self.population = result.population;
        // After an estimation a run tells its rate always.
        let false_match_rate = rate.unwrap_or(FalseMatchRate {
            expected: 1.0,
            low: 0.0,
            high: 1.0,
        });
        Ok(Learnt {
            settings,
            records,
            false_match_rate,
        })
    }

    /// Compares and decides by other settings from now on.
    ///
    /// # Errors
    /// [`SettingsError`] when they are wrong; the index then keeps its own.
    pub fn adopt(&mut self, settings: Settings) -> Result<(), SettingsError> {
        settings.check()?;
        self.model = Model::new(settings);
        Ok(())
    }

    /// The settings in use.
    pub fn settings(&self) -> &Settings {
        &self.model.settings
    }

    /// What is decided about two records of the index, seen from the first; `None` when one is not there.
    pub fn candidate(&self, key: &RecordKey, other: &RecordKey) -> Option<Candidate> {
        let explanation = self.explain(key, other)?;
        Some(Candidate {
            key: other.clone(),
            score_bits: explanation.score_bits,
            decision: explanation.decision,
            explanation,
        })
    }
}
