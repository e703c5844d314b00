//! A service referral: its state machine, its content, and both sides' ids.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_coordination::referral::Referral;
use tandem_mappings::model::id::{
    EpisodeId, MessageId, OrganizationId, PersonId, RecordKey, ReferralId, SystemId,
};
use tandem_mappings::model::referral::{ReferralOutput, ReferralRequest, ReferralStatus};

use super::sensitivity::Sensitivity;
use crate::store::{Document, Index};

/// A referral.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReferralDoc {
    /// The gateway's id.
    pub id: ReferralId,
    /// Its state.
    pub state: Referral,
    /// What was asked.
    pub request: ReferralRequest,
    /// How sensitive what was asked is.
    #[serde(default)]
    pub sensitivity: Sensitivity,
    /// The source's system.
    pub source: SystemId,
    /// The source's organisation.
    pub source_organization: OrganizationId,
    /// The target's system, when the target has one.
    pub target: Option<SystemId>,
    /// The target's organisation.
    pub target_organization: OrganizationId,
    /// The people referred, by the source's records; the first is the main subject.
    pub people: Vec<RecordKey>,
    /// The main subject.
    pub person: PersonId,
    /// The source's own id.
    pub source_ref: Option<String>,
    /// The target's own id, once told.
    pub target_ref: Option<String>,
    /// Absolute URLs of the target's own resources (FHIR Task), once told.
    pub target_resources: Vec<String>,
    /// What came of it.
    pub outputs: Vec<ReferralOutput>,
    /// The message that asks the target.
    pub request_message: Option<MessageId>,
    /// The message that tells the source the outcome.
    pub outcome_message: Option<MessageId>,
    /// States that its source was told: read back from there, they are our own words.
    #[serde(default)]
    pub told_to_source: BTreeSet<ReferralStatus>,
    /// Timers that have expired and were flagged, each once.
    #[serde(default)]
    pub flagged: BTreeSet<String>,
    /// When it was first recorded.
    pub created_at: Timestamp,
    /// The case in whose order its messages are delivered, from the first to the last of them: the co-management that ran when it was
    /// recorded, or its own. Those that were recorded before this was kept have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
}

impl ReferralDoc {
    /// The case in whose order its next message is delivered, while a co-management runs or none does.
    #[must_use]
    pub fn case_beside(&self, episode: Option<EpisodeId>) -> String {
        let now = || episode.map_or_else(|| self.id.to_string(), |id| id.to_string());
        self.case.clone().unwrap_or_else(now)
    }
}

impl Document for ReferralDoc {
    const KIND: &'static str = "referral";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn indexes(&self) -> Vec<Index> {
        let mut indexes = vec![
            Index::new("referral.person", self.person.to_string()),
            Index::new("referral.source", self.source.as_str()),
        ];
        if let Some(reference) = &self.source_ref {
            indexes.push(Index::new(
                "referral.ref",
                format!("{}\u{1f}{reference}", self.source),
            ));
        }
        if let Some(target) = &self.target {
            indexes.push(Index::new("referral.target", target.as_str()));
            if let Some(reference) = &self.target_ref {
                indexes.push(Index::new(
                    "referral.ref",
                    format!("{target}\u{1f}{reference}"),
                ));
            }
        }
        let messages = [self.request_message, self.outcome_message];
        indexes.extend(
            messages
                .into_iter()
                .flatten()
                .map(|id| Index::new("referral.message", id.to_string())),
        );
        indexes
    }
}
