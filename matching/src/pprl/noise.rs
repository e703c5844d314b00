//! Random flips of bits.
//!
//! Each bit is flipped with the probability 1 / (1 + e^epsilon) (BLIP: Alaggan, Gambs and Kermarrec 2012; for record
//! linkage Schnell and Borgs 2016). That is randomised response with the privacy loss epsilon *for one bit*. A field sets
//! up to some 190 positions, so the loss for a whole field, or a whole person, is that many times larger: it blurs
//! patterns of bits and is no differential privacy of a person.

use hmac::Mac as _;

use super::filter::{BITS, Filter};
use super::key::KeyedHash;

/// Below it, more than a quarter of the bits are wrong and nothing links.
const LEAST_EPSILON: f64 = 1.0;
/// Above it, no bit of a record is expected to change.
const MOST_EPSILON: f64 = 16.0;

/// How often bits are flipped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    epsilon: Option<f64>,
}

impl Noise {
    /// No bit is flipped.
    pub const NONE: Self = Self { epsilon: None };

    /// Noise with the privacy loss epsilon for one bit, from 1 (much noise) to 16 (hardly any); `None` outside.
    #[must_use]
    pub fn of(epsilon: f64) -> Option<Self> {
        let is_sound = (LEAST_EPSILON..=MOST_EPSILON).contains(&epsilon);
        is_sound.then_some(Self {
            epsilon: Some(epsilon),
        })
    }

    pub(super) fn is_none(self) -> bool {
        self.epsilon.is_none()
    }

    /// The probability that a bit is flipped.
    pub(super) fn flip(self) -> f64 {
        self.epsilon
            .map_or(0.0, |epsilon| 1.0 / (1.0 + epsilon.exp()))
    }

    /// Flips bits as a keyed hash says.
    pub(super) fn add(self, filter: &mut Filter, hash: &KeyedHash) {
        let limit = self.flip() * f64::from(1_u32 << u16::BITS);
        let mut position = 0;
        for block in 0..=u8::MAX {
            let mut hash = hash.clone();
            hash.update(&[block]);
            let bytes = hash.finalize().into_bytes();
            for (low, high) in bytes.iter().zip(bytes.iter().skip(1)).step_by(2) {
                if position == BITS {
                    return;
                }
                if f64::from(u16::from_le_bytes([*low, *high])) < limit {
                    filter.flip(position);
                }
                position += 1;
            }
        }
    }

    /// As tables of encodings write it: epsilon, or nothing.
    pub(super) fn to_text(self) -> String {
        self.epsilon
            .map_or_else(String::new, |epsilon| epsilon.to_string())
    }

    /// Reads what [`Noise::to_text`] wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::NONE);
        }
        Self::of(text.parse().ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pprl::key::PprlKey;

    #[test]
    fn bits_flip_as_often_as_epsilon_says() {
        let key = "8f1d0c6b92e47a35d1fe60b8437c29a05be2914c7df3086aa91c5e27b4d8f063";
        let key = PprlKey::parse(key).unwrap();
        let noise = Noise::of(2.0).unwrap();
        let flipped = (0..40_u8).map(|record| {
            let mut hash = key.hash("noise");
            hash.update(&[record]);
            let mut filter = Filter::EMPTY;
            noise.add(&mut filter, &hash);
            filter.count()
        });
        let share = f64::from(flipped.sum::<u32>()) / (40.0 * BITS as f64);
        assert!((share - noise.flip()).abs() < 0.01, "{share}");
    }

    #[test]
    fn noise_reads_as_it_was_written() {
        for noise in [Noise::NONE, Noise::of(2.5).unwrap()] {
            assert_eq!(Noise::parse(&noise.to_text()), Some(noise));
        }
        for text in ["0", "-1", "NaN", "inf", "17", "much"] {
            assert_eq!(Noise::parse(text), None, "{text}");
        }
    }
}
