//! A co-management episode with its family.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tandem_coordination::comanagement::Episode;
use tandem_coordination::steps::Coordination;
use tandem_mappings::model::comanagement::ComanagementState;
use tandem_mappings::model::id::{EpisodeId, RecordKey, SystemId};

use super::record::RecordDoc;
use crate::store::{Document, Index};

/// An episode.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EpisodeDoc {
    /// Its id.
    pub id: EpisodeId,
    /// Its state.
    pub episode: Episode,
    /// The five steps.
    #[serde(default)]
    pub steps: Coordination,
    /// The people of the family, by the records through which the programmes serve them.
    #[serde(default)]
    pub members: BTreeSet<RecordKey>,
}

impl EpisodeDoc {
    /// An episode of nobody yet.
    #[must_use]
    pub fn new(id: EpisodeId) -> Self {
        Self {
            id,
            episode: Episode::default(),
            steps: Coordination::default(),
            members: BTreeSet::new(),
        }
    }

    /// The systems that serve the family and may be told so.
    #[must_use]
    pub fn systems(&self) -> BTreeSet<SystemId> {
        self.members
            .iter()
            .map(|member| member.system.clone())
            .collect()
    }

    /// Whether the episode has begun and not ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !matches!(self.episode.state(), None | Some(ComanagementState::Ended))
    }

    /// The systems that are told what happens in another one: those that co-manage and still share the family.
    #[must_use]
    pub fn told_by(&self, system: &SystemId) -> Vec<SystemId> {
        let serving = self.systems();
        self.episode
            .told_by(system)
            .filter(|other| serving.contains(*other) && serving.contains(system))
            .cloned()
            .collect()
    }
}

impl Document for EpisodeDoc {
    const KIND: &'static str = "episode";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn indexes(&self) -> Vec<Index> {
        self.members
            .iter()
            .map(|member| Index::new("episode.record", RecordDoc::key_of(member)))
            .collect()
    }
}
