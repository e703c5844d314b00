//! From pairs to clusters: the surest first, no two records together that cannot be one person, no weak bridges. Batch
//! and index both join by this.

use crate::bridge::bridges;
use crate::cluster::Clusters;
use crate::decide::{Decision, Note};
use crate::population::Slot;
use crate::result::Pair;

/// Links less than so many bits above the threshold do not bring two records of one system together that would not be
/// linked themselves: a system keeps twins and sisters apart more often than it keeps one person twice. On generated
/// look-alikes this kept two of three wrong links away, for one right link in ten thousand.
const SURE: f64 = 14.0;

/// How some records are joined.
pub(crate) struct Joining<R> {
    /// The records are numbered below this.
    pub(crate) records: Slot,
    /// No cluster has more.
    pub(crate) largest: usize,
    /// Score from which open pairs are joined.
    pub(crate) lowest: f64,
    /// Whether two records may not be in one cluster; two of one system not either below the score that is given.
    pub(crate) refuses: R,
}

impl<R: Fn(Slot, Slot, Option<f64>) -> bool> Joining<R> {
    /// Forms clusters from the pairs that a steward confirmed and the open ones down to the lowest score; marks the
    /// pairs that would have brought records together that cannot be one person, and the weak bridges. The pairs come
    /// in the order of joining.
    pub(crate) fn join(&self, kept: &mut [Pair]) -> Clusters {
        let mut clusters = Clusters::new(self.records, self.largest);
        for pair in kept.iter_mut().filter(|pair| pair.is_to_link(self.lowest)) {
            let duplicates = duplicates(pair, self.lowest);
            let is_joined = clusters.join(pair.a, pair.b, |a, b| (self.refuses)(a, b, duplicates));
            (pair.is_refused, pair.is_bridge) = (!is_joined, false);
        }
        self.without_bridges(kept, clusters)
    }

    /// Takes weak bridges out of clusters.
    fn without_bridges(&self, kept: &mut [Pair], mut clusters: Clusters) -> Clusters {
        let bridges = bridges(kept, self.lowest, &mut clusters);
        if bridges.is_empty() {
            return clusters;
        }
        for place in bridges {
            if let Some(pair) = kept.get_mut(place) {
                (pair.is_refused, pair.is_bridge) = (true, true);
            }
        }
        // What a bridge held together falls apart; nothing else changes, so that nothing needs to be asked again.
        let mut clusters = Clusters::new(self.records, self.largest);
        let links = kept
            .iter()
            .filter(|pair| pair.is_to_link(self.lowest) && !pair.is_refused);
        for pair in links {
            clusters.join(pair.a, pair.b, |_, _| false);
        }
        clusters
    }
}

/// The score below which a link refuses to bring two records of one system together; `None` when it is sure.
pub(crate) fn duplicates(pair: &Pair, lowest: f64) -> Option<f64> {
    let is_sure = !pair.is_open || pair.bits >= lowest + SURE;
    (!is_sure).then_some(lowest)
}

/// Decides a pair after clusters have formed: a refused link waits for a steward, with the reason.
pub(crate) fn decide(pair: &mut Pair, link_bits: f64) {
    let is_link = pair.is_to_link(link_bits);
    pair.is_refused &= is_link;
    if pair.is_refused {
        pair.notes.add(if pair.is_bridge {
            Note::Bridge
        } else {
            Note::ClusterConflict
        });
    }
    pair.decision = if is_link && !pair.is_refused {
        Decision::Link
    } else {
        Decision::Review
    };
}
