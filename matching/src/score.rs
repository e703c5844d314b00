//! From the evidence of a pair to its score.

use crate::field::{Field, Pattern};
use crate::model::{Bits, FREQUENCY_FIELDS, Model, STRANGER};

/// What a comparison of two records found: levels, and what the frequency of the agreed values
/// adds or takes. Holds no values, so it can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Evidence {
    pub(crate) pattern: Pattern,
    /// Bits by which the frequency of the value changes the weight, by place of the field in
    /// [`FREQUENCY_FIELDS`].
    pub(crate) frequency: [f32; FREQUENCY_FIELDS.len()],
}

impl Evidence {
    /// Frequency bits of one field.
    pub(crate) fn frequency_of(&self, field: Field) -> f64 {
        let place = FREQUENCY_FIELDS
            .iter()
            .position(|candidate| *candidate == field);
        place
            .and_then(|place| self.frequency.get(place))
            .map_or(0.0, |bits| f64::from(*bits))
    }
}

/// A score with the parts that an explanation shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Score {
    /// log2 of the odds that the pair is one person.
    pub(crate) bits: f64,
    /// The part that the prior odds against strangers make up.
    pub(crate) prior_bits: f64,
    /// What the chance of a relative or a twin takes from the score; never above 0.
    pub(crate) household_bits: f64,
}

/// The probability, by the model, that a pair of this score, in bits, is two people.
pub(crate) fn false_share(bits: f64) -> f64 {
    1.0 / (1.0 + bits.exp2())
}

impl Score {
    /// The probability, by the model, that the pair is two people.
    pub(crate) fn false_share(&self) -> f64 {
        false_share(self.bits)
    }
}

/// Scores evidence by a model, in a population of a certain size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scorer<'a> {
    pub(crate) model: &'a Model,
    across: Bits,
    within: Bits,
}

impl<'a> Scorer<'a> {
    pub(crate) fn new(model: &'a Model, population: usize) -> Self {
        Self {
            model,
            across: model.prior(population, false),
            within: model.prior(population, true),
        }
    }

    /// log2 odds of "same" against each class alone.
    pub(crate) fn odds(&self, evidence: &Evidence) -> Bits {
        let prior = self.prior(evidence);
        let mut odds = self.model.sum(evidence.pattern);
        for (bits, prior) in odds.iter_mut().zip(prior) {
            *bits += prior;
        }
        // Frequencies speak about strangers only: relatives share rare names as they do common ones.
        odds[STRANGER] += evidence
            .frequency
            .iter()
            .map(|bits| f64::from(*bits))
            .sum::<f64>();
        odds
    }

    fn prior(&self, evidence: &Evidence) -> Bits {
        if evidence.pattern.is_same_system() {
            self.within
        } else {
            self.across
        }
    }

    /// The odds against all classes together: 1 / (1/odds + 1/odds + 1/odds).
    pub(crate) fn score(&self, evidence: &Evidence) -> Score {
        let odds = self.odds(evidence);
        let least = odds.iter().copied().fold(f64::INFINITY, f64::min);
        let rivals: f64 = odds.iter().map(|bits| (least - bits).exp2()).sum();
        let bits = least - rivals.log2();
        Score {
            bits,
            prior_bits: self.prior(evidence)[STRANGER],
            household_bits: bits - odds[STRANGER],
        }
    }

    /// The probability that the pair are strangers.
    pub(crate) fn stranger_share(&self, evidence: &Evidence) -> f64 {
        let odds = self.odds(evidence);
        let stranger = odds[STRANGER];
        // Everything relative to strangers: same = 2^odds, a rival = 2^(odds - its odds).
        let rivals: f64 = odds.iter().map(|bits| (stranger - bits).exp2()).sum();
        1.0 / (rivals + stranger.exp2())
    }
}
