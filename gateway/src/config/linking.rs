//! How far the gateway links by itself.

use serde::{Deserialize, Serialize};

/// How far the gateway links by itself, and what waits for a steward.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkingConfig {
    /// Records are linked without a steward down to the score at which this share of all links is expected to be false.
    pub false_match_rate: Share,
    /// Whether that score is learnt from the records. Otherwise, and while there are too few, it is the score at which
    /// the odds of one pair alone are those of the rate, or that of the matching settings where it is higher.
    pub learn: bool,
}

impl Default for LinkingConfig {
    fn default() -> Self {
        Self {
            false_match_rate: Share(1_000),
            learn: true,
        }
    }
}

/// A share above 0 and up to a half, kept in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Share(u32);

impl Share {
    /// The share as a number.
    #[must_use]
    pub fn get(self) -> f64 {
        f64::from(self.0) / 1e6
    }

    /// log2 of the odds of a pair of which this share is false.
    #[must_use]
    pub fn bits(self) -> f64 {
        (1.0 / self.get() - 1.0).log2()
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        share.get()
    }
}

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(share: f64) -> Result<Self, String> {
        if !(1e-6..=0.5).contains(&share) {
            return Err(format!("{share}: expected a share from 0.000001 to 0.5"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and half a million, as was just checked"
        )]
        let millionths = (share * 1e6).round() as u32;
        Ok(Self(millionths))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_acts_alone_at_one_in_a_thousand_unless_it_is_told_otherwise() {
        let config = LinkingConfig::default();
        assert!((config.false_match_rate.get() - 0.001).abs() < 1e-12);
        assert!((config.false_match_rate.bits() - 9.964).abs() < 0.001);
        let told: LinkingConfig = toml::from_str("false_match_rate = 0.01").unwrap();
        assert!((told.false_match_rate.get() - 0.01).abs() < 1e-12);
        assert!(told.learn);
    }

    #[test]
    fn a_rate_that_is_none_is_named() {
        for wrong in ["0.0", "-0.1", "0.6", "1.0", "nan", "1e-9"] {
            let text = format!("false_match_rate = {wrong}");
            let error = toml::from_str::<LinkingConfig>(&text).unwrap_err();
            assert!(error.to_string().contains("false_match_rate"), "{error}");
        }
    }
}
