//! Runs of the disposal: what each found, and what became of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::config::RowKind;
use crate::store::{Document, Index};

/// What was found of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KindCounts {
    /// Rows that stand.
    pub rows: u64,
    /// From when the oldest of them is counted.
    pub oldest: Option<Timestamp>,
    /// Rows past their term that nothing keeps.
    pub due: u64,
    /// Rows past their term under a legal hold.
    pub held: u64,
    /// Rows past their term that something still needs, by what it is.
    pub needed: BTreeMap<String, u64>,
    /// Rows that the run has disposed of.
    pub disposed: u64,
}

/// The counts of a run, by kind.
pub type Counts = BTreeMap<RowKind, KindCounts>;

/// A run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunDoc {
    /// Its id.
    pub id: Uuid,
    /// Who asked for it: a token's name, or the gateway.
    pub by: String,
    /// Whether it only counts.
    pub is_dry: bool,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it ended.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// What it found.
    #[serde(default)]
    pub counts: Counts,
}

impl RunDoc {
    /// Field by which runs are found by whether they have ended.
    pub const STANDING: &'static str = "retention-run.standing";
    /// Of one that has not ended.
    pub const ASKED: &'static str = "asked";
    /// Of one that has.
    pub const ENDED: &'static str = "ended";
}

impl Document for RunDoc {
    const KIND: &'static str = "retention-run";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn indexes(&self) -> Vec<Index> {
        let standing = self.ended_at.map_or(Self::ASKED, |_| Self::ENDED);
        vec![Index::new(Self::STANDING, standing)]
    }
}

/// The last run that disposed of what it found, and whether the next one may.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LastRunDoc {
    /// When it ended.
    pub at: Timestamp,
    /// What it left.
    pub counts: Counts,
    /// Since when the daily run waits for a person's word: more time than usual had passed, or the clock was set.
    #[serde(default)]
    pub waits_since: Option<Timestamp>,
}

impl LastRunDoc {
    /// Its key: there is one.
    pub const KEY: &'static str = "last";
}

impl Document for LastRunDoc {
    const KIND: &'static str = "retention-last";

    fn key(&self) -> String {
        Self::KEY.to_owned()
    }
}
