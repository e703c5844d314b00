//! Settings of the engine: probabilities, priors, thresholds and limits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::field::Field;

/// The settings that are compiled in.
const STANDARD: &str = include_str!("../../config/matching.toml");

/// How far the probabilities of a field may be from adding up to 1.
const TOLERANCE: f64 = 0.01;

/// Settings that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The text is no TOML, or has an unknown or a missing key.
    #[error("matching settings: {0}")]
    Toml(#[from] toml::de::Error),
    /// The settings cannot be written as TOML.
    #[error("matching settings cannot be written: {0}")]
    Write(#[from] toml::ser::Error),
    /// A field or level is not one that is compared.
    #[error("matching settings: unknown {0}")]
    Unknown(String),
    /// A field or level is absent.
    #[error("matching settings: {0} is missing")]
    Missing(String),
    /// A value is outside its range.
    #[error("matching settings: {place} is {value}, expected {expected}")]
    Range {
        /// Which setting.
        place: String,
        /// Its value.
        value: f64,
        /// What is allowed.
        expected: &'static str,
    },
}

/// Scores at which a pair is linked or reviewed, in bits (log2 of the odds).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// After an estimation: pairs are linked from the lowest score at which no larger share of all links is expected
    /// to be false. It then takes the place of `link_bits`.
    #[serde(default = "one_in_a_hundred")]
    pub false_match_rate: f64,
    /// Pairs in which neither a number nor an exact birth date agrees are never linked without a steward. An
    /// estimation lifts this: the records themselves then show what such pairs are worth.
    #[serde(default = "yes")]
    pub anchored_links: bool,
    /// What speaks for twins, for parent and child of one name or for two holders of two numbers keeps a pair from being
    /// linked, whatever its score. An estimation lifts this where the records' dwellings show that nobody lives with
    /// another.
    #[serde(default = "yes")]
    pub household_rules: bool,
    /// At or above: linked, unless an estimation sets another score.
    pub link_bits: f64,
    /// At or above, and below `link_bits`: a steward decides.
    pub review_bits: f64,
}

fn five() -> usize {
    5
}

fn yes() -> bool {
    true
}

fn one_in_a_hundred() -> f64 {
    0.01
}

/// How many other records of each class a record is expected to have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prior {
    /// Records of the same person in all other systems together.
    pub matches_across_systems: f64,
    /// Further records of the same person in the same system.
    pub matches_within_system: f64,
    /// Records of relatives and household members.
    pub relatives: f64,
    /// Records of people born together with this one.
    pub twins: f64,
    /// Fewer records count as this many.
    pub minimum_population: f64,
}

/// How the frequency of a value changes the weight of agreeing on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frequency {
    /// Records' worth of belief in the probability for strangers.
    pub name_strength: f64,
    /// The most bits by which a frequency may change a weight.
    pub limit_bits: f64,
    /// Up to so many records may hold a telephone, address or number without it losing weight.
    pub ordinary_holders: u32,
}

/// Limits of the blocks within which pairs are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocking {
    /// Larger blocks are split on the next field.
    pub largest_block: usize,
    /// Neighbours on each side in a block that nothing splits.
    pub window: usize,
    /// Blocks by an address or a ZIP code and the sound of a name count up to this many records.
    #[serde(default = "five")]
    pub largest_small_block: usize,
}

/// Limits of clusters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clustering {
    /// No two records of a cluster score below this, in bits.
    pub veto_bits: f64,
    /// The most records in a cluster.
    pub largest_cluster: usize,
}

/// Probability of a level among the pairs of each class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probabilities {
    /// Pairs of records of one person (the m-probability of Fellegi and Sunter 1969).
    pub same: f64,
    /// Pairs of two members of a household or family.
    pub relative: f64,
    /// Pairs of two people born together.
    pub twin: f64,
    /// Pairs of strangers (the u-probability).
    pub stranger: f64,
}

impl Probabilities {
    fn columns(self) -> [(&'static str, f64); 4] {
        [
            ("same", self.same),
            ("relative", self.relative),
            ("twin", self.twin),
            ("stranger", self.stranger),
        ]
    }
}

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Scores at which a pair is linked or reviewed.
    pub thresholds: Thresholds,
    /// Expected number of records by class.
    pub prior: Prior,
    /// Term frequencies.
    pub frequency: Frequency,
    /// Blocks.
    pub blocking: Blocking,
    /// Clusters.
    pub cluster: Clustering,
    /// Probabilities by field and level.
    pub fields: BTreeMap<String, BTreeMap<String, Probabilities>>,
}

impl Settings {
    /// The settings that are compiled in.
    ///
    /// # Errors
    /// [`SettingsError`] when the compiled file is wrong, which a test rules out.
    pub fn standard() -> Result<Self, SettingsError> {
        Self::parse(STANDARD)
    }

    /// The commented text of the compiled settings, for a person to start from.
    pub fn standard_text() -> &'static str {
        STANDARD
    }

    /// Reads and checks settings.
    ///
    /// # Errors
    /// [`SettingsError`] when the text is no TOML, a key is unknown or absent, or a value is out
    /// of range.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text)?;
        settings.check()?;
        Ok(settings)
    }

    /// Writes the settings as TOML that [`Settings::parse`] reads.
    ///
    /// # Errors
    /// [`SettingsError::Write`] when a value has no TOML form.
    pub fn to_toml(&self) -> Result<String, SettingsError> {
        Ok(toml::to_string_pretty(self)?)
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`SettingsError`] naming the first setting that is wrong.
    pub fn check(&self) -> Result<(), SettingsError> {
        self.check_scalars()?;
        if let Some(unknown) = self.fields.keys().find(|name| field_named(name).is_none()) {
            return Err(SettingsError::Unknown(format!("field {unknown}")));
        }
        for field in Field::ALL {
            let levels = self.fields.get(field.label());
            let levels =
                levels.ok_or_else(|| SettingsError::Missing(format!("field {}", field.label())))?;
            check_field(*field, levels)?;
        }
        Ok(())
    }

    fn check_scalars(&self) -> Result<(), SettingsError> {
        let positive = [
            (
                "prior.matches_across_systems",
                self.prior.matches_across_systems,
            ),
            (
                "prior.matches_within_system",
                self.prior.matches_within_system,
            ),
            ("prior.relatives", self.prior.relatives),
            ("prior.twins", self.prior.twins),
            ("prior.minimum_population", self.prior.minimum_population),
            ("frequency.name_strength", self.frequency.name_strength),
            ("frequency.limit_bits", self.frequency.limit_bits),
            ("blocking.largest_block", self.blocking.largest_block as f64),
            ("blocking.window", self.blocking.window as f64),
            (
                "cluster.largest_cluster",
                self.cluster.largest_cluster as f64,
            ),
        ];
        for (place, value) in positive {
            require(
                value.is_finite() && value > 0.0,
                place,
                value,
                "more than 0",
            )?;
        }
        self.check_thresholds()
    }

    fn check_thresholds(&self) -> Result<(), SettingsError> {
        let Thresholds {
            false_match_rate,
            link_bits,
            review_bits,
            ..
        } = self.thresholds;
        require(
            false_match_rate > 0.0 && false_match_rate < 1.0,
            "thresholds.false_match_rate",
            false_match_rate,
            "above 0, below 1",
        )?;
        require(
            link_bits.is_finite(),
            "thresholds.link_bits",
            link_bits,
            "a number",
        )?;
        let is_below = review_bits.is_finite() && review_bits <= link_bits;
        require(
            is_below,
            "thresholds.review_bits",
            review_bits,
            "at most link_bits",
        )?;
        let veto = self.cluster.veto_bits;
        require(veto.is_finite(), "cluster.veto_bits", veto, "a number")
    }

    /// Probabilities of one level.
    pub(crate) fn level(&self, field: Field, level: &str) -> Option<Probabilities> {
        self.fields.get(field.label())?.get(level).copied()
    }
}

fn field_named(name: &str) -> Option<Field> {
    Field::ALL
        .iter()
        .copied()
        .find(|field| field.label() == name)
}

fn require(
    holds: bool,
    place: impl Into<String>,
    value: f64,
    expected: &'static str,
) -> Result<(), SettingsError> {
    if holds {
        return Ok(());
    }
    Err(SettingsError::Range {
        place: place.into(),
        value,
        expected,
    })
}

fn check_field(
    field: Field,
    levels: &BTreeMap<String, Probabilities>,
) -> Result<(), SettingsError> {
    let name = field.label();
    let is_known = |level: &&String| field.levels().contains(&level.as_str());
    if let Some(unknown) = levels.keys().find(|level| !is_known(level)) {
        return Err(SettingsError::Unknown(format!("level {name}.{unknown}")));
    }
    let mut sums = [0.0; 4];
    for level in field.levels() {
        let found = levels.get(*level);
        let found = found.ok_or_else(|| SettingsError::Missing(format!("level {name}.{level}")))?;
        for ((class, value), sum) in found.columns().into_iter().zip(&mut sums) {
            let is_probability = value > 0.0 && value <= 1.0;
            require(
                is_probability,
                format!("{name}.{level}.{class}"),
                value,
                "above 0, up to 1",
            )?;
            *sum += value;
        }
    }
    for (sum, class) in sums
        .into_iter()
        .zip(["same", "relative", "twin", "stranger"])
    {
        let adds_up = (sum - 1.0).abs() <= TOLERANCE;
        require(adds_up, format!("sum of {name}.{class}"), sum, "1")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_settings_are_valid_and_survive_saving() {
        let settings = Settings::standard().unwrap();
        assert_eq!(
            Settings::parse(&settings.to_toml().unwrap()).unwrap(),
            settings
        );
    }

    #[test]
    fn wrong_settings_are_named() {
        let cases = [
            (
                "link_bits = 6.6",
                "link_bits = -9.0",
                "thresholds.review_bits",
            ),
            ("twins = 0.04", "twins = 0.0", "prior.twins"),
            (
                "same = { same = 0.98,",
                "same = { same = 0.5,",
                "sum of sex.same",
            ),
            ("[fields.phone]", "[fields.fax]", "field fax"),
            (
                "swapped = { same = 0.008, relative = 0.0001",
                "turned = { same = 0.008, relative = 0.0001",
                "birth_date.turned",
            ),
            ("window = 20", "window = 20\nwindows = 20", "windows"),
        ];
        for (from, to, named) in cases {
            let text = Settings::standard_text().replacen(from, to, 1);
            assert!(text != Settings::standard_text(), "{from}");
            let error = Settings::parse(&text).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
