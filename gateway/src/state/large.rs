//! A large input on its way from its blob into the store: how far it is. The document goes when all of it is there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_adapter_port::read::Coverage;
use tandem_adapter_port::report::Report;
use tandem_mappings::model::id::{InputId, SystemId};
use uuid::Uuid;

use crate::store::Document;

/// What is done with a large input next. Each stage goes on from where it was stopped; nothing takes effect before it
/// is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LargeStage {
    /// It is read once more from its original, since a replay asked for it.
    Reading,
    /// Held, until an operator releases it.
    Held,
    /// Its findings become staged events.
    Staging,
    /// Its events take their ingest keys, and repeats go.
    Admitting,
    /// One commit says that it counts.
    Publishing,
    /// What a later delivery to its sender copies is put in place.
    Remembering,
    /// Its events take their places in the queue.
    Releasing,
}

impl LargeStage {
    /// The stage as text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Held => "held",
            Self::Staging => "staging",
            Self::Admitting => "admitting",
            Self::Publishing => "publishing",
            Self::Remembering => "remembering",
            Self::Releasing => "releasing",
        }
    }

    /// Whether it counts.
    #[must_use]
    pub const fn is_published(self) -> bool {
        matches!(self, Self::Remembering | Self::Releasing)
    }
}

/// How far a large input is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LargeDoc {
    /// The input.
    pub input: InputId,
    /// Who sent it.
    pub system: SystemId,
    /// File name or message id: ids of its events are made of it.
    pub name: String,
    /// When it arrived.
    pub received_at: Timestamp,
    /// What it says about what it leaves out.
    pub coverage: Coverage,
    /// Its report, as the reader gave it.
    pub report: Report,
    /// Whether an operator let it withdraw whatever it withdraws.
    pub is_released: bool,
    /// What is done with it next.
    pub stage: LargeStage,
    /// Bytes of its findings.
    pub bytes: u64,
    /// Bytes of its findings that this stage is done with.
    pub reached: u64,
    /// Records of its findings that stand in the store.
    pub records: u64,
    /// The position of the last event that this stage is done with.
    pub position: i64,
    /// Why it does not go on, if it does not.
    #[serde(default)]
    pub problem: Option<String>,
    /// What must be known of an input that is read once more; absent when it is read for the first time.
    #[serde(default)]
    pub again: Option<Again>,
}

/// What must be known of an input that is read once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// The replay that asked for it.
    pub replay: Uuid,
    /// When the input came.
    pub came_at: Timestamp,
    /// Whether something of it took effect before.
    pub took_effect: bool,
    /// Whether only what was never told takes effect.
    #[serde(default)]
    pub only_new: bool,
}

impl LargeDoc {
    /// Goes on to a stage, from its beginning.
    pub fn enter(&mut self, stage: LargeStage) {
        (self.stage, self.reached, self.position) = (stage, 0, 0);
    }

    /// Whether somebody works on it, or will: later inputs of its system wait for it.
    #[must_use]
    pub fn is_in_work(&self) -> bool {
        self.problem.is_none() && self.stage != LargeStage::Held
    }

    /// Bytes of findings that are still to be read.
    #[must_use]
    pub fn bytes_left(&self) -> u64 {
        match self.stage {
            LargeStage::Staging => self.bytes.saturating_sub(self.reached),
            LargeStage::Reading | LargeStage::Held => self.bytes,
            _ => 0,
        }
    }
}

impl Document for LargeDoc {
    const KIND: &'static str = "large-input";

    fn key(&self) -> String {
        self.input.to_string()
    }
}
