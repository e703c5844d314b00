//! What speaks against two records being in one cluster. Links are joined one after another, and each asks about the
//! records on both its sides: the answers are found before, by all threads, for all records that links may bring together.

use std::collections::HashSet;

use rayon::prelude::*;

use crate::cluster::Clusters;
use crate::matcher::Matcher;
use crate::mix::{self, MixedMap};
use crate::population::Slot;
use crate::result::Pair;

/// Groups of more records are few, and would mean too many pairs: about them answers are found when they are asked for.
const LARGEST_GROUP: usize = 24;

/// Records that one task asks about.
const TASK: usize = 4096;

/// What speaks against two records being together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doubt {
    /// The score of the pair.
    pub(crate) bits: f64,
    /// No score helps.
    pub(crate) is_forbidden: bool,
    pub(crate) is_same_system: bool,
}

impl Doubt {
    /// About a record that is not there.
    pub(crate) const ABSENT: Self = Self {
        bits: f64::NEG_INFINITY,
        is_forbidden: true,
        is_same_system: false,
    };

    /// Whether it keeps clusters apart in which no pair may score below `veto`; nor two records of one system below
    /// `duplicates`, if that is given.
    pub(crate) fn refuses(self, veto: f64, duplicates: Option<f64>) -> bool {
        let duplicates = duplicates.filter(|_| self.is_same_system);
        self.is_forbidden || self.bits < duplicates.map_or(veto, |least| least.max(veto))
    }

    /// Whether it could refuse anything.
    fn matters(self, veto: f64) -> bool {
        self.is_same_system || self.refuses(veto, None)
    }
}

/// The doubts about all pairs of records that links may bring together.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    by_pair: MixedMap<u64, Doubt>,
    /// Records of groups that are too large.
    unknown: HashSet<Slot>,
}

impl Doubts {
    /// The doubts about records that the pairs of at least this score bring together, of so many records.
    pub(crate) fn of(matcher: &Matcher<'_>, pairs: &[Pair], lowest: f64, records: Slot) -> Self {
        let mut groups = Clusters::new(records, usize::MAX);
        for pair in pairs.iter().filter(|pair| pair.is_to_link(lowest)) {
            groups.unite(pair.a, pair.b);
        }
        let slots: Vec<Slot> = (0..records).collect();
        let tasks = slots.par_chunks(TASK).map(|slots| {
            let (mut found, mut group) = (Found::default(), Vec::new());
            for slot in slots {
                groups.ring(*slot, LARGEST_GROUP + 1, &mut group);
                found.add(matcher, &group);
            }
            found
        });
        let mut doubts = Self::default();
        for found in tasks.collect::<Vec<_>>() {
            doubts.by_pair.extend(found.doubts);
            doubts.unknown.extend(found.unknown);
        }
        doubts
    }

    /// Whether two records may not be in one cluster; two of one system may not either when they score below
    /// `duplicates`, if that is given.
    pub(crate) fn refuse(
        &self,
        matcher: &Matcher<'_>,
        (a, b): (Slot, Slot),
        duplicates: Option<f64>,
    ) -> bool {
        if !self.unknown.is_empty() && self.unknown.contains(&a) {
            return matcher.refuses(a, b, duplicates);
        }
        let doubt = self.by_pair.get(&mix::unordered(a, b));
        doubt.is_some_and(|doubt| doubt.refuses(matcher.veto_bits(), duplicates))
    }
}

/// What one task found.
#[derive(Default)]
struct Found {
    doubts: Vec<(u64, Doubt)>,
    unknown: Vec<Slot>,
}

impl Found {
    /// Looks at the pairs of a group; the first of its records is the one whose turn it is, and the lowest looks at all.
    fn add(&mut self, matcher: &Matcher<'_>, group: &[Slot]) {
        let Some(first) = group.first() else {
            return;
        };
        if group.len() > LARGEST_GROUP {
            return self.unknown.push(*first);
        }
        // Two records are brought together by the pair itself.
        if group.len() < 3 || group.iter().any(|slot| slot < first) {
            return;
        }
        for (place, one) in group.iter().enumerate() {
            for other in group.iter().skip(place + 1) {
                let doubt = matcher.doubt(*one, *other);
                let doubt = doubt.filter(|doubt| doubt.matters(matcher.veto_bits()));
                self.doubts
                    .extend(doubt.map(|doubt| (mix::unordered(*one, *other), doubt)));
            }
        }
    }
}
