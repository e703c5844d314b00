//! What stewards have decided about pairs of records.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::population::key_digest;
use crate::record::RecordKey;

/// A steward's decision about a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ruling {
    /// The two records are one person.
    Confirmed,
    /// The two records are two people, and must not be linked, directly or through others.
    Rejected,
}

/// Stewards' decisions; each stands above every score.
#[derive(Debug, Clone, Default)]
pub struct Rulings {
    pairs: HashMap<(u128, u128), Ruling>,
    partners: HashMap<u128, BTreeSet<u128>>,
}

impl Rulings {
    /// No decisions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a decision; a later one about the same pair replaces it.
    pub fn set(&mut self, a: &RecordKey, b: &RecordKey, ruling: Ruling) {
        let (a, b) = (key_digest(a), key_digest(b));
        self.pairs.insert(ordered(a, b), ruling);
        self.partners.entry(a).or_default().insert(b);
        self.partners.entry(b).or_default().insert(a);
    }

    /// Undoes a decision; whether there was one.
    pub fn withdraw(&mut self, a: &RecordKey, b: &RecordKey) -> bool {
        let (a, b) = (key_digest(a), key_digest(b));
        for (one, other) in [(a, b), (b, a)] {
            if let Some(partners) = self.partners.get_mut(&one) {
                partners.remove(&other);
            }
        }
        self.pairs.remove(&ordered(a, b)).is_some()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    pub(crate) fn get(&self, a: u128, b: u128) -> Option<Ruling> {
        if self.pairs.is_empty() {
            return None;
        }
        self.pairs.get(&ordered(a, b)).copied()
    }

    /// Records that a steward has decided about together with this one.
    pub(crate) fn partners(&self, digest: u128) -> impl Iterator<Item = u128> {
        self.partners.get(&digest).into_iter().flatten().copied()
    }
}

fn ordered(a: u128, b: u128) -> (u128, u128) {
    (a.min(b), a.max(b))
}
