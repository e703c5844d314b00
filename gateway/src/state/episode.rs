//! A co-management episode with its family.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tandem_coordination::comanagement::Episode;
use tandem_coordination::steps::Coordination;
use tandem_mappings::model::id::{EpisodeId, PersonId, SystemId};

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
    /// The people of the family.
    pub people: BTreeSet<PersonId>,
    /// The systems that serve the family and may be told so.
    pub systems: BTreeSet<SystemId>,
}

impl Document for EpisodeDoc {
    const KIND: &'static str = "episode";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn indexes(&self) -> Vec<Index> {
        self.people
            .iter()
            .map(|person| Index::new("episode.person", person.to_string()))
            .collect()
    }
}
