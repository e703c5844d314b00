//! A programme's own plan, as its owner told it last.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{EpisodeId, PlanId, SystemId};
use tandem_mappings::model::plan::{ConflictKind, PlanContent};

use super::sensitivity::Sensitivity;
use crate::store::{Document, Index};

/// A source plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanDoc {
    /// The owner's system.
    pub system: SystemId,
    /// The plan with every object told so far.
    pub content: PlanContent,
    /// How sensitive it is.
    #[serde(default)]
    pub sensitivity: Sensitivity,
    /// The episode in whose overlay it is lined up.
    pub episode: Option<EpisodeId>,
    /// When its owner told of it last.
    pub updated_at: Timestamp,
}

impl PlanDoc {
    /// The key of a plan.
    #[must_use]
    pub fn key_of(system: &SystemId, plan: &PlanId) -> String {
        format!("{system}\u{1f}{plan}")
    }
}

impl Document for PlanDoc {
    const KIND: &'static str = "plan";

    fn key(&self) -> String {
        Self::key_of(&self.system, &self.content.plan)
    }

    fn indexes(&self) -> Vec<Index> {
        self.episode
            .iter()
            .map(|episode| Index::new("plan.episode", episode.to_string()))
            .collect()
    }
}

/// A clash that was flagged: flagged once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConflictDoc {
    /// The episode.
    pub episode: EpisodeId,
    /// What kind.
    pub kind: ConflictKind,
    /// The objects, in order.
    pub objects: Vec<String>,
}

impl Document for ConflictDoc {
    const KIND: &'static str = "conflict";

    fn key(&self) -> String {
        format!(
            "{}\u{1f}{}\u{1f}{}",
            self.episode,
            self.kind,
            self.objects.join("\u{1e}")
        )
    }

    fn indexes(&self) -> Vec<Index> {
        vec![Index::new("conflict.episode", self.episode.to_string())]
    }
}
