//! The model by which the gateway links: which it is, from which score on it acts alone, and how often that is wrong.

use jiff::Timestamp;
use serde::Serialize;
use tandem_matching::{Explanation, FalseMatchRate, Settings};
use utoipa::ToSchema;

use crate::state::match_model::{MatchModelDoc, version_of};
use crate::store::StoreError;

/// A stored model that this version of the program cannot read.
pub(super) const UNKNOWN: StoreError = StoreError::Shape {
    kind: "match model",
};

/// The model by which links are made now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ModelInUse {
    /// Digest of all its settings.
    pub version: String,
    /// Score from which the gateway links by itself, in bits (log2 of the odds).
    pub link_bits: f64,
    /// Score from which a steward decides, in bits.
    pub review_bits: f64,
    /// Share of false links among all that the gateway may make by itself.
    pub wanted_false_match_rate: f64,
    /// Share that is expected; none while the settings' own probabilities are used, which say nothing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_false_match_rate: Option<Expected>,
    /// From how many records it was learnt; none when it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learnt_from_records: Option<usize>,
    /// When it was learnt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub learnt_at: Option<Timestamp>,
}

/// An expected share of false links with an interval of 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Expected {
    /// The share.
    pub share: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl From<FalseMatchRate> for Expected {
    fn from(rate: FalseMatchRate) -> Self {
        Self {
            share: rate.expected,
            low: rate.low,
            high: rate.high,
        }
    }
}

impl ModelInUse {
    /// The settings as they are.
    ///
    /// # Errors
    /// When they have no TOML form.
    pub fn set(settings: &Settings) -> Result<Self, StoreError> {
        let thresholds = &settings.thresholds;
        Ok(Self {
            version: version_of(settings).map_err(|_| UNKNOWN)?,
            link_bits: thresholds.link_bits,
            review_bits: thresholds.review_bits,
            wanted_false_match_rate: thresholds.false_match_rate,
            expected_false_match_rate: None,
            learnt_from_records: None,
            learnt_at: None,
        })
    }

    /// The explanation of a pair, with the model by which it was made.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub fn explained(&self, explanation: &Explanation) -> Result<serde_json::Value, StoreError> {
        #[derive(Serialize)]
        struct Explained<'a> {
            #[serde(flatten)]
            explanation: &'a Explanation,
            model: &'a ModelInUse,
        }
        let explained = Explained {
            explanation,
            model: self,
        };
        serde_json::to_value(explained).map_err(|_| StoreError::Shape {
            kind: "explanation",
        })
    }
}

/// The settings of a stored model, and the model as it is used.
pub(super) fn read(model: &MatchModelDoc) -> Result<(Settings, ModelInUse), StoreError> {
    let settings = Settings::parse(&model.settings).map_err(|_| UNKNOWN)?;
    let in_use = ModelInUse {
        version: model.version.clone(),
        expected_false_match_rate: Some(model.false_match_rate.into()),
        learnt_from_records: Some(model.records),
        learnt_at: Some(model.at),
        ..ModelInUse::set(&settings)?
    };
    Ok((settings, in_use))
}

/// The model that was learnt last from these settings; one that this version of the program cannot read is left alone,
/// and another is learnt.
pub(super) fn latest<'a>(
    models: &'a [MatchModelDoc],
    base: &Settings,
) -> Result<Option<&'a MatchModelDoc>, StoreError> {
    let base = version_of(base).map_err(|_| UNKNOWN)?;
    let usable = models
        .iter()
        .filter(|model| model.base == base && read(model).is_ok());
    Ok(usable.max_by_key(|model| (model.at, model.records)))
}
