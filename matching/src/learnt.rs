//! What records show by themselves: probabilities, and from which score on links keep to a wanted rate; and an index
//! that works by it.

use std::convert::Infallible;

use crate::batch::Batch;
use crate::decide::Decision;
use crate::estimate::EstimateError;
use crate::explain::Explanation;
use crate::index::{Candidate, Index};
use crate::model::Model;
use crate::rates::FalseMatchRate;
use crate::record::RecordKey;
use crate::ruling::Rulings;
use crate::settings::{Settings, SettingsError};

/// What records show.
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

impl Batch {
    /// Links all records once and says what was learnt. Takes as long as a run: seconds for a million records.
    ///
    /// # Errors
    /// [`EstimateError`] when there are too few matches, or the classes do not separate.
    pub fn learn(mut self, rulings: &Rulings) -> Result<Learnt, EstimateError> {
        self.estimate()?;
        let records = self.len();
        let run = self.run(rulings, |_, _| Ok::<(), Infallible>(()));
        let result = match run {
            Ok(result) => result,
            Err(never) => match never {},
        };
        // After an estimation a run tells its rate always.
        let rate = result.statistics().false_match_rate;
        let false_match_rate = rate.unwrap_or(FalseMatchRate {
            expected: 1.0,
            low: 0.0,
            high: 1.0,
        });
        Ok(Learnt {
            settings: result.settings().clone(),
            records,
            false_match_rate,
        })
    }
}

impl Index {
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

    /// What a batch of all records would decide about two of the index, seen from the first; `None` when one is not
    /// there. Two that share no block, which a batch does not compare, are at most for review.
    pub fn candidate(&mut self, key: &RecordKey, other: &RecordKey) -> Option<Candidate> {
        let mut found = self.candidates_of(key).into_iter();
        if let Some(candidate) = found.find(|candidate| candidate.key == *other) {
            return Some(candidate);
        }
        let explanation = self.explain(key, other)?;
        let decision = match explanation.decision {
            Decision::Link => Decision::Review,
            decision => decision,
        };
        Some(Candidate {
            key: other.clone(),
            score_bits: explanation.score_bits,
            decision,
            explanation: Explanation {
                decision,
                ..explanation
            },
        })
    }
}
