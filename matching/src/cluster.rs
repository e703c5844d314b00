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
    /// Members by root; empty for a record alone and for a record that is no root.
    members: Vec<Vec<Slot>>,
    largest: usize,
}

impl Clusters {
    pub(crate) fn new(records: Slot, largest: usize) -> Self {
        Self {
            parents: (0..records).collect(),
            members: vec![Vec::new(); records as usize],
            largest,
        }
    }

    fn root(&mut self, slot: Slot) -> Slot {
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

    fn members_of(&self, root: Slot) -> Vec<Slot> {
        match self.members.get(root as usize) {
            Some(members) if !members.is_empty() => members.clone(),
            _ => vec![root],
        }
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
        let (members_a, members_b) = (self.members_of(root_a), self.members_of(root_b));
        if members_a.len() + members_b.len() > self.largest {
            return false;
        }
        let is_any_refused = members_a.iter().any(|one| {
            members_b
                .iter()
                .any(|other| (*one, *other) != (a, b) && is_refused(*one, *other))
        });
        if is_any_refused {
            return false;
        }
        self.unite(root_a, root_b, members_a, members_b);
        true
    }

    fn unite(&mut self, root_a: Slot, root_b: Slot, mut kept: Vec<Slot>, moved: Vec<Slot>) {
        if let Some(parent) = self.parents.get_mut(root_b as usize) {
            *parent = root_a;
        }
        kept.extend(moved);
        if let Some(members) = self.members.get_mut(root_b as usize) {
            *members = Vec::new();
        }
        if let Some(members) = self.members.get_mut(root_a as usize) {
            *members = kept;
        }
    }

    /// The id of every record's cluster.
    pub(crate) fn ids(mut self, population: &Population) -> Vec<ClusterId> {
        let records = self.parents.len() as Slot;
        let mut least = vec![u128::MAX; records as usize];
        for slot in 0..records {
            let root = self.root(slot);
            if let Some(digest) = least.get_mut(root as usize) {
                *digest = (*digest).min(population.digest(slot));
            }
        }
        (0..records)
            .map(|slot| {
                let root = self.root(slot);
                ClusterId::of(least.get(root as usize).copied().unwrap_or_default())
            })
            .collect()
    }
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
