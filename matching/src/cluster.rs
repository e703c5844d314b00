//! From linked pairs to people: the surest pairs first, and never two records in one cluster that
//! cannot be one person.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::population::{Population, Slot};

/// A person as the batch found it: the set of records that share this id.
///
/// The id derives from the members' keys, not from their order or content: the same set has the
/// same id in every run, and a growing set usually keeps its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClusterId(Uuid);

impl ClusterId {
    /// The id as a UUID.
    pub fn uuid(self) -> Uuid {
        self.0
    }

    fn of(least_digest: u128) -> Self {
        Self(uuid::Builder::from_custom_bytes(least_digest.to_be_bytes()).into_uuid())
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Clusters while they grow. Two records are together when they have one root.
#[derive(Debug)]
pub(crate) struct Clusters {
    parents: Vec<Slot>,
    /// The next record of the same cluster, round in a ring.
    next: Vec<Slot>,
    largest: usize,
    /// Members of the two clusters that are to be joined.
    members: (Vec<Slot>, Vec<Slot>),
}

impl Clusters {
    pub(crate) fn new(records: Slot, largest: usize) -> Self {
        Self {
            parents: (0..records).collect(),
            next: (0..records).collect(),
            largest,
            members: (Vec::new(), Vec::new()),
        }
    }

    /// The record that stands for the cluster of a record.
    pub(crate) fn root(&mut self, slot: Slot) -> Slot {
        let mut root = slot;
        while let Some(parent) = self.parents.get(root as usize).filter(|up| **up != root) {
            root = *parent;
        }
        let mut next = slot;
        while let Some(parent) = self
            .parents
            .get_mut(next as usize)
            .filter(|up| **up != root)
        {
            next = std::mem::replace(parent, root);
        }
        root
    }

    /// Joins the clusters of two records when no pair across them is refused; whether they are
    /// together afterwards.
    pub(crate) fn join(
        &mut self,
        a: Slot,
        b: Slot,
        mut is_refused: impl FnMut(Slot, Slot) -> bool,
    ) -> bool {
        let (root_a, root_b) = (self.root(a), self.root(b));
        if root_a == root_b {
            return true;
        }
        let (mut one, mut other) = std::mem::take(&mut self.members);
        self.ring(root_a, usize::MAX, &mut one);
        self.ring(root_b, usize::MAX, &mut other);
        let is_joined = may_become_one((&one, &other), (a, b), self.largest, &mut is_refused);
        self.members = (one, other);
        if is_joined {
            self.link(root_a, root_b);
        }
        is_joined
    }

    /// Brings two records together, whatever speaks against it.
    pub(crate) fn unite(&mut self, a: Slot, b: Slot) {
        let (root_a, root_b) = (self.root(a), self.root(b));
        if root_a != root_b {
            self.link(root_a, root_b);
        }
    }

    /// Two clusters of these roots become one.
    fn link(&mut self, root_a: Slot, root_b: Slot) {
        if let Some(parent) = self.parents.get_mut(root_b as usize) {
            *parent = root_a;
        }
        // Two rings become one when a member of each changes its neighbour with the other.
        self.next.swap(root_a as usize, root_b as usize);
    }

    /// The records that are together with a record, itself first, but so many at most.
    pub(crate) fn ring(&self, first: Slot, most: usize, members: &mut Vec<Slot>) {
        members.clear();
        members.extend(ring(&self.next, first).take(most));
    }

    /// The id of every record's cluster, and how many clusters there are.
    pub(crate) fn ids(self, population: &Population) -> (Vec<ClusterId>, u64) {
        self.ids_by(|slot| population.digest(slot))
    }

    /// The same for records that are in no population, from the digests of their keys.
    pub(crate) fn ids_by(mut self, digest_of: impl Fn(Slot) -> u128) -> (Vec<ClusterId>, u64) {
        let records = self.parents.len() as Slot;
        let mut least = vec![u128::MAX; records as usize];
        let mut clusters = 0;
        for slot in 0..records {
            let root = self.root(slot);
            clusters += u64::from(root == slot);
            if let Some(digest) = least.get_mut(root as usize) {
                *digest = (*digest).min(digest_of(slot));
            }
        }
        let ids = (0..records).map(|slot| {
            let root = self.root(slot);
            ClusterId::of(least.get(root as usize).copied().unwrap_or_default())
        });
        (ids.collect(), clusters)
    }
}

/// Whether two clusters may become one by the link of a pair: they do not grow too large, and no other pair across them
/// is refused.
pub(crate) fn may_become_one(
    (one, other): (&[Slot], &[Slot]),
    link: (Slot, Slot),
    largest: usize,
    mut is_refused: impl FnMut(Slot, Slot) -> bool,
) -> bool {
    one.len() + other.len() <= largest
        && !one.iter().any(|one| {
            other
                .iter()
                .any(|other| (*one, *other) != link && is_refused(*one, *other))
        })
}

/// The members of a record's ring, itself first.
fn ring(next: &[Slot], first: Slot) -> impl Iterator<Item = Slot> {
    std::iter::successors(Some(first), move |slot| {
        next.get(*slot as usize)
            .copied()
            .filter(|next| *next != first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_pair_keeps_whole_clusters_apart() {
        let mut clusters = Clusters::new(4, 10);
        let refuses = |a: Slot, b: Slot| (a.min(b), a.max(b)) == (0, 3);
        assert!(clusters.join(0, 1, refuses));
        assert!(clusters.join(2, 3, refuses));
        assert!(!clusters.join(1, 2, refuses), "0 and 3 would come together");
        assert!(clusters.join(0, 1, refuses), "they are together already");
    }

    #[test]
    fn a_cluster_never_grows_beyond_its_limit() {
        let mut clusters = Clusters::new(4, 2);
        assert!(clusters.join(0, 1, |_, _| false));
        assert!(!clusters.join(1, 2, |_, _| false));
    }
}
