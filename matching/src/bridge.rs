//! Bridges: links on which alone a record, or a part of a cluster, hangs.
//!
//! Records of one person mostly agree each with each. When one record agrees weakly with a single member of a cluster and
//! with none of the others, or two groups of records hang together by one weak pair, the others speak against it: such
//! a pair is for a steward.

use std::collections::{HashMap, HashSet};

use crate::cluster::Clusters;
use crate::population::Slot;
use crate::result::Pair;

/// By so many bits a link must be above the threshold when nothing else of its cluster supports it. Set on generated
/// populations: four of five bridges less than about this far above the threshold of 1 in 100 were false, as against
/// one in five of the pairs of that score that no other record could support.
const UNSUPPORTED: f64 = 4.0;

/// Places of the links that are weak bridges of clusters of three records or more; `lowest` is the score from which
/// pairs are linked, `clusters` what the links have made.
pub(crate) fn bridges(pairs: &[Pair], lowest: f64, clusters: &mut Clusters) -> Vec<usize> {
    let links = || {
        let all = pairs.iter().enumerate();
        all.filter(|(_, pair)| pair.is_to_link(lowest) && !pair.is_refused)
    };
    let is_weak = |pair: &Pair| pair.is_open && pair.bits < lowest + UNSUPPORTED;
    let weak: Vec<(usize, &Pair)> = links().filter(|(_, pair)| is_weak(pair)).collect();
    let doubtful: HashSet<Slot> = weak.iter().map(|(_, pair)| clusters.root(pair.a)).collect();
    let mut beside = Beside::new();
    for (_, pair) in links().filter(|(_, pair)| doubtful.contains(&clusters.root(pair.a))) {
        beside.entry(pair.a).or_default().push(pair.b);
        beside.entry(pair.b).or_default().push(pair.a);
    }
    let is_bridge = |pair: &Pair| !is_alone(&beside, pair) && !is_supported(&beside, pair);
    weak.into_iter()
        .filter(|(_, pair)| is_bridge(pair))
        .map(|(place, _)| place)
        .collect()
}

/// The records with which each is linked.
type Beside = HashMap<Slot, Vec<Slot>>;

/// Whether the two records are linked with nothing but each other.
fn is_alone(beside: &Beside, pair: &Pair) -> bool {
    let links = |slot: Slot| beside.get(&slot).map_or(0, Vec::len);
    links(pair.a) <= 1 && links(pair.b) <= 1
}

/// Whether the two are together without the link between them.
fn is_supported(beside: &Beside, pair: &Pair) -> bool {
    let mut seen = HashSet::from([pair.a]);
    let mut open = vec![pair.a];
    while let Some(slot) = open.pop() {
        for next in beside.get(&slot).into_iter().flatten() {
            let is_the_link = slot == pair.a && *next == pair.b;
            if is_the_link || !seen.insert(*next) {
                continue;
            }
            if *next == pair.b {
                return true;
            }
            open.push(*next);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bridges_of(links: &[(Slot, Slot, f64)]) -> Vec<usize> {
        let mut clusters = Clusters::new(10, 10);
        let mut pairs = Vec::new();
        for (a, b, bits) in links {
            clusters.join(*a, *b, |_, _| false);
            let (a, b) = (*a, *b);
            pairs.push(Pair {
                a,
                b,
                ..Pair::open(*bits)
            });
        }
        bridges(&pairs, 0.0, &mut clusters)
    }

    #[test]
    fn a_record_that_hangs_on_one_weak_link_is_found() {
        assert_eq!(bridges_of(&[(0, 1, 20.0), (1, 2, 1.0)]), [1]);
    }

    #[test]
    fn a_strong_link_or_one_that_others_support_is_no_bridge() {
        assert!(bridges_of(&[(0, 1, 20.0), (1, 2, 9.0)]).is_empty());
        assert!(bridges_of(&[(0, 1, 20.0), (1, 2, 1.0), (0, 2, 1.0)]).is_empty());
    }

    #[test]
    fn two_records_alone_have_nobody_to_support_them() {
        assert!(bridges_of(&[(0, 1, 1.0), (2, 3, 20.0)]).is_empty());
    }

    #[test]
    fn a_weak_link_between_two_groups_is_found_far_from_their_ends() {
        let chain = [
            (0, 1, 20.0),
            (1, 2, 20.0),
            (2, 3, 2.0),
            (3, 4, 20.0),
            (4, 5, 20.0),
        ];
        assert_eq!(bridges_of(&chain), [2]);
    }
}
