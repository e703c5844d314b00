//! Why a pair was decided as it was, in a form that can be stored and shown: it holds no name,
//! number or date.

use serde::{Deserialize, Serialize};

use crate::decide::{Decision, Judgement, Note};
use crate::field::Field;
use crate::model::STRANGER;
use crate::score::{Evidence, Scorer};

/// One part of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldWeight {
    /// The field; or `prior`, the odds before anything is compared; or `household`, what the
    /// chance of a relative or a twin takes away.
    pub field: String,
    /// At what level the values agree.
    pub level: String,
    /// Its part of the score, in bits.
    pub weight_bits: f64,
}

/// Why a pair was decided as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// log2 of the odds that the pair is one person, by the model.
    pub score_bits: f64,
    /// What was decided.
    pub decision: Decision,
    /// Parts of the score; they add up to it.
    pub fields: Vec<FieldWeight>,
    /// What beside the score made or changed the decision.
    pub notes: Vec<Note>,
}

impl Explanation {
    pub(crate) fn new(scorer: &Scorer<'_>, evidence: &Evidence, judgement: &Judgement) -> Self {
        let score = scorer.score(evidence);
        let mut fields = vec![weight("prior", "population", score.prior_bits)];
        for field in Field::ALL {
            if let Some(label) = evidence.pattern.label(*field) {
                let level = evidence.pattern.level(*field);
                let bits = scorer.model.weight(*field, level)[STRANGER];
                let bits = bits + evidence.frequency_of(*field);
                fields.push(weight(field.label(), label, bits));
            }
        }
        fields.push(weight(
            "household",
            "relative or twin",
            score.household_bits,
        ));
        Self {
            score_bits: judgement.bits,
            decision: judgement.decision,
            fields,
            notes: judgement.notes.iter().collect(),
        }
    }
}

fn weight(field: &str, level: &str, weight_bits: f64) -> FieldWeight {
    FieldWeight {
        field: field.to_owned(),
        level: level.to_owned(),
        weight_bits,
    }
}
