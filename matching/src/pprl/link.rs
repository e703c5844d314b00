//! From compared encodings to links, reviews and clusters.

use rayon::prelude::*;

use crate::batch::decide;
use crate::cluster::{ClusterId, Clusters};
use crate::decide::{Decision, Notes};
use crate::estimate::EstimateError;
use crate::rates::{Conflicts, FalseMatchRate, Rates, interval};
use crate::result::{Pair, Statistics};
use crate::score::Evidence;
use crate::settings::Settings;

use super::block::{self, NumberPair};
use super::compare;
use super::odds::{Learnt, Odds, learn};
use super::pool::Pool;
use super::rival::{Compared, Rivals};

/// A candidate whose odds are nearer than 8 : 1 to the best one's is one too many: a steward tells them apart.
const NEAR_EQUAL_BITS: f64 = 3.0;
/// So many times the wanted rate of false links is the one down to which clusters are tried.
const TRIAL: f64 = 3.0;
/// Two records that share less than this are two people, whoever links them.
const STRANGERS: f64 = 40.0;
/// Without odds, pairs from this score on are for a steward: about what a name and a birth date give.
const REVIEW_SCORE: f64 = 120.0;

/// What encodings showed.
#[derive(Debug)]
pub(super) struct Linked {
    pub(super) links: Vec<Pair>,
    pub(super) reviews: Vec<Pair>,
    /// Every compared pair with its score.
    pub(super) compared: Vec<Compared>,
    pub(super) odds: Option<Odds>,
    /// Cluster of each record, and how many there are.
    pub(super) clusters: (Vec<ClusterId>, u64),
    pub(super) statistics: Statistics,
    /// Pairs that went to a steward because another candidate was as good.
    pub(super) near_equal: u64,
    /// Why nothing was linked.
    pub(super) refused: Option<EstimateError>,
}

/// How a pair stands against the other candidates of its records; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// Another candidate is clearly better.
    Outdone,
    /// Another candidate is about as good.
    NearEqual,
    Best,
}

/// A run over a pool.
struct Run<'a> {
    pool: &'a Pool,
    settings: &'a Settings,
}

/// Compares, decides and clusters; `seed` is the same for all encodings of one key.
pub(super) fn link(pool: &Pool, seed: u64, settings: &Settings) -> Linked {
    let run = Run { pool, settings };
    let pairs = block::pairs(pool, seed).into_par_iter();
    let compared: Vec<Compared> = pairs
        .map(|records| Compared {
            records,
            score: run.score(records.0, records.1),
        })
        .collect();
    let rivals = Rivals::of(pool, &compared);
    match learn(&rivals, |one, two| run.score(one, two)) {
        Ok(learnt) => run.decide(compared, &rivals, &learnt),
        Err(reason) => run.review_all(compared, reason),
    }
}

impl Run<'_> {
    fn score(&self, one: u32, two: u32) -> f64 {
        match (self.pool.encoding(one), self.pool.encoding(two)) {
            (Some((one, one_noise)), Some((two, two_noise))) => {
                compare::score(one, one_noise, two, two_noise)
            }
            _ => f64::NEG_INFINITY,
        }
    }

    fn is_within(&self, one: u32, two: u32) -> bool {
        self.pool.system_of(one) == self.pool.system_of(two)
    }

    fn bits(&self, odds: &Odds, one: u32, two: u32) -> f64 {
        odds.bits(self.score(one, two), self.is_within(one, two))
    }

    fn decide(&self, compared: Vec<Compared>, rivals: &Rivals, learnt: &Learnt) -> Linked {
        let odds = &learnt.odds;
        let thresholds = &self.settings.thresholds;
        let standings = self.standings(odds, rivals, compared.len());
        let kept = compared.iter().zip(&standings);
        let mut kept: Vec<Pair> = kept
            .filter(|(_, standing)| **standing != Standing::Outdone)
            .filter_map(|(pair, standing)| {
                let (a, b) = pair.records;
                let bits = odds.bits(pair.score, self.is_within(a, b));
                let open = open_pair(pair.records, bits, *standing == Standing::Best);
                (bits >= thresholds.review_bits).then_some(open)
            })
            .collect();
        // The surest first: in this order clusters form and rates are counted.
        kept.par_sort_unstable_by(|one, other| {
            let by_bits = other.bits.total_cmp(&one.bits);
            by_bits.then((one.a, one.b).cmp(&(other.a, other.b)))
        });
        let near_equal = kept.iter().filter(|pair| !pair.is_open).count() as u64;
        let (rates, link_bits) = self.rate(odds, &mut kept);
        let clusters = self.join(odds, &mut kept, link_bits);
        decide(&mut kept, &rates, link_bits);
        let mut linked = self.linked(compared, clusters);
        let statistics = &mut linked.statistics;
        statistics.link_bits = link_bits;
        statistics.links_refused_by_cluster =
            kept.iter().filter(|pair| pair.is_refused).count() as u64;
        let is_link = |pair: &Pair| pair.decision == Decision::Link;
        (linked.links, linked.reviews) = kept.into_iter().partition(is_link);
        statistics.links = linked.links.len() as u64;
        statistics.reviews = linked.reviews.len() as u64;
        let expected = rates.at(link_bits);
        statistics.false_match_rate = self.false_match_rate(&linked.links, expected, learnt);
        linked.near_equal = near_equal;
        linked.odds = Some(learnt.odds.clone());
        linked
    }

    /// How each pair stands against the other candidates of its records. A candidate that is the best one twice (a
    /// system holds the person twice) is no rival.
    fn standings(&self, odds: &Odds, rivals: &Rivals, pairs: usize) -> Vec<Standing> {
        let mut found = vec![Standing::Best; pairs];
        let mut lower = |pair: usize, standing: Standing| {
            if let Some(place) = found.get_mut(pair) {
                *place = (*place).min(standing);
            }
        };
        for candidates in rivals.groups() {
            let Some(best) = candidates.iter().next() else {
                continue;
            };
            let bits = |score| odds.bits(score, candidates.is_within);
            for other in candidates.iter().skip(1) {
                if self.bits(odds, best.other, other.other) >= 0.0 {
                    continue;
                }
                if bits(best.score) - bits(other.score) < NEAR_EQUAL_BITS {
                    lower(best.pair, Standing::NearEqual);
                    lower(other.pair, Standing::NearEqual);
                } else {
                    lower(other.pair, Standing::Outdone);
                }
            }
        }
        found
    }

    /// Which rates of false links to expect and from which score to link, after a trial of how clusters would form below
    /// it: what they refuse is mostly false.
    fn rate(&self, odds: &Odds, kept: &mut [Pair]) -> (Rates, f64) {
        let thresholds = &self.settings.thresholds;
        let (wanted, lowest) = (thresholds.false_match_rate, thresholds.review_bits);
        let raw = Rates::of(kept, Conflicts::NONE);
        let Some(trial) = raw.threshold((wanted * TRIAL).min(0.5)) else {
            return (raw, f64::INFINITY);
        };
        let trial = trial.max(lowest);
        self.join(odds, kept, trial);
        let tried = kept
            .iter()
            .filter(|pair| pair.is_open && pair.bits >= trial);
        let rates = Rates::of(kept, Conflicts::of(tried));
        let found = rates.threshold(wanted);
        let link_bits = found.map_or(f64::INFINITY, |bits| bits.max(trial));
        (rates, link_bits)
    }

    /// Forms clusters from the pairs in their order, the surest first; weak bridges stay, since three of four of those
    /// between encodings were right. Two records of one system are one person only
    /// when they are linked themselves: a system rarely holds a person twice.
    fn join(&self, odds: &Odds, kept: &mut [Pair], link_bits: f64) -> Clusters {
        let records = u32::try_from(self.pool.len()).unwrap_or(u32::MAX);
        let mut clusters = Clusters::new(records, self.settings.cluster.largest_cluster);
        let is_refused = |one: u32, two: u32| {
            let is_twice = self.is_within(one, two) && self.bits(odds, one, two) < link_bits;
            is_twice || self.score(one, two) < STRANGERS
        };
        for pair in kept.iter_mut().filter(|pair| pair.is_to_link(link_bits)) {
            let is_joined = clusters.join(pair.a, pair.b, is_refused);
            pair.is_refused = !is_joined;
        }
        clusters
    }

    /// The share of links that are expected to be false, with what each part of the records makes of it.
    fn false_match_rate(
        &self,
        links: &[Pair],
        expected: f64,
        learnt: &Learnt,
    ) -> Option<FalseMatchRate> {
        if links.is_empty() {
            return None;
        }
        let share = |odds: &Odds| {
            let shares = links.iter().map(|pair| {
                let bits = self.bits(odds, pair.a, pair.b);
                1.0 / (1.0 + bits.exp2())
            });
            shares.sum::<f64>() / links.len() as f64
        };
        let shares: Vec<f64> = learnt.without_parts.iter().map(share).collect();
        Some(interval(expected, links.len(), &shares))
    }

    /// Nothing could be learnt: a steward sees what looks alike.
    fn review_all(&self, compared: Vec<Compared>, reason: EstimateError) -> Linked {
        let alike = compared.iter().filter(|pair| pair.score >= REVIEW_SCORE);
        let pairs: Vec<Pair> = alike
            .map(|pair| Pair {
                false_match_rate: 1.0,
                ..open_pair(pair.records, 0.0, false)
            })
            .collect();
        let records = u32::try_from(self.pool.len()).unwrap_or(u32::MAX);
        let mut linked = self.linked(compared, Clusters::new(records, 1));
        linked.statistics.reviews = pairs.len() as u64;
        linked.reviews = pairs;
        linked.refused = Some(reason);
        linked
    }

    fn linked(&self, compared: Vec<Compared>, clusters: Clusters) -> Linked {
        let statistics = Statistics {
            records: self.pool.len() as u64,
            pairs_compared: compared.len() as u64,
            ..Statistics::default()
        };
        Linked {
            links: Vec::new(),
            reviews: Vec::new(),
            compared,
            odds: None,
            clusters: clusters.ids_by(|number| self.pool.digest(number)),
            statistics,
            near_equal: 0,
            refused: None,
        }
    }
}

impl Linked {
    /// Every compared pair with its bits; 0 when nothing was learnt.
    pub(super) fn scores(&self, pool: &Pool) -> impl Iterator<Item = (NumberPair, f64)> {
        self.compared.iter().map(|pair| {
            let (a, b) = pair.records;
            let is_within = pool.system_of(a) == pool.system_of(b);
            let odds = self.odds.as_ref();
            let bits = odds.map_or(0.0, |odds| odds.bits(pair.score, is_within));
            (pair.records, bits)
        })
    }
}

fn open_pair((a, b): (u32, u32), bits: f64, is_open: bool) -> Pair {
    Pair {
        a,
        b,
        bits,
        decision: Decision::Review,
        notes: Notes::default(),
        evidence: Evidence::default(),
        is_open,
        is_refused: false,
        is_bridge: false,
        false_match_rate: 0.0,
    }
}
