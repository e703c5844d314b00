//! A small generator of numbers.

/// SplitMix64 (Steele, Lea and Flood 2014): written out here, so that a seed means the same for ever.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The dice of one part, independent of how often others were thrown.
    pub(crate) fn of(seed: u64, part: u64) -> Self {
        let mut dice = Self(seed ^ part.wrapping_mul(0xD134_2543_DE82_EF95));
        dice.next();
        Self(dice.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, not including, `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// A number from 0 up to, not including, 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// A place in a list of `length` in which place r is drawn about as often as 1 / (r + 10): names and the
    /// like have such frequencies.
    pub(crate) fn ranked(&mut self, length: usize) -> usize {
        let (low, high) = (10.0_f64, length as f64 + 10.0);
        let rank = low * (high / low).powf(self.share()) - low;
        (rank as usize).min(length.saturating_sub(1))
    }

    /// One of several values.
    pub(crate) fn one<T: Copy>(&mut self, values: &[T]) -> Option<T> {
        let place = self.below(values.len() as u64);
        values.get(place as usize).copied()
    }
}
