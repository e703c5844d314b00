//! The coordinated plan of an episode: the programmes' plans lined up.

use serde::{Deserialize, Serialize};
use tandem_coordination::plan::Overlay;
use tandem_mappings::model::id::EpisodeId;

use crate::store::Document;

/// The overlay of an episode.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OverlayDoc {
    /// The episode.
    pub episode: EpisodeId,
    /// The overlay.
    pub overlay: Overlay,
}

impl Document for OverlayDoc {
    const KIND: &'static str = "overlay";

    fn key(&self) -> String {
        self.episode.to_string()
    }
}
