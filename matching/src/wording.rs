//! How decisions and notes are put to people.

use crate::account::DecidedBy;
use crate::decide::Note;

impl Note {
    /// The note in a sentence's part.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::StewardConfirmed => "a steward confirmed the pair",
            Self::StewardRejected => "a steward rejected the pair",
            Self::TwinConflict => {
                "one birth date, or nearly, and two given names: twins or sisters, unless a number agrees"
            }
            Self::SuffixConflict => "two generational suffixes: father and son, or further apart",
            Self::OtherGeneration => "birth dates a generation apart: parent and child",
            Self::NoAnchor => "neither a number nor an exact birth date agrees",
            Self::SexConflict => {
                "female and male, with given names that are not the same and no number that agrees"
            }
            Self::IdentifierConflict => {
                "two identifiers of a kind of which a person should have one"
            }
            Self::HouseholdRival => {
                "two members of one household could look like this; the score was lowered for it"
            }
            Self::ClusterConflict => "linking them would join records that cannot be one person",
            Self::Bridge => {
                "weak, and nothing else of their cluster supports it: the other records speak against it"
            }
        }
    }
}

impl DecidedBy {
    /// What decided, in a sentence's part.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Steward => "a steward decided",
            Self::NotCompared => "no key brought the two together, so they were never compared",
            Self::Rule => "a rule stands above the score",
            Self::Cluster => "the rest of their clusters speaks against it",
            Self::LinkThreshold => "the score is at the link threshold or above",
            Self::ReviewBand => "the score is below the link threshold and within the review band",
            Self::BelowReview => "the score is below the review band",
        }
    }
}
