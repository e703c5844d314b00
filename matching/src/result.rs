//! What a batch found.

use serde::Serialize;

use crate::blocking::BlockingStatistics;
use crate::cluster::ClusterId;
use crate::decide::{Decision, Judgement, Note, Notes};
use crate::explain::Explanation;
use crate::model::Model;
use crate::population::{Population, Slot};
use crate::rates::FalseMatchRate;
use crate::record::RecordKey;
use crate::score::{Evidence, Scorer, false_share};
use crate::settings::Settings;

/// A compared pair. Records go by their number in the order of input; `a` is below `b`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    pub(crate) a: Slot,
    pub(crate) b: Slot,
    pub(crate) bits: f64,
    pub(crate) decision: Decision,
    pub(crate) notes: Notes,
    pub(crate) evidence: Evidence,
    /// The score alone decides: no steward has, and no rule forbids a link.
    pub(crate) is_open: bool,
    /// The rest of the clusters speaks against a link.
    pub(crate) is_refused: bool,
    /// It does because no other pair supports this weak one.
    pub(crate) is_bridge: bool,
    /// Share of false links to be expected among the pairs of this score and above.
    pub(crate) false_match_rate: f64,
}

impl Pair {
    /// A pair of which nothing but the score matters.
    #[cfg(test)]
    pub(crate) fn open(bits: f64) -> Self {
        Self {
            a: 0,
            b: 1,
            bits,
            decision: Decision::Review,
            notes: Notes::default(),
            evidence: Evidence::default(),
            is_open: true,
            is_refused: false,
            is_bridge: false,
            false_match_rate: 0.0,
        }
    }

    /// The probability, by the model, that the pair is two people.
    pub(crate) fn false_share(&self) -> f64 {
        false_share(self.bits)
    }

    /// Whether it is linked from this score on, clusters permitting.
    pub(crate) fn is_to_link(&self, lowest: f64) -> bool {
        if self.is_open {
            self.bits >= lowest
        } else {
            self.notes.contains(Note::StewardConfirmed)
        }
    }

    /// Why it was decided as it was.
    pub(crate) fn explained(&self, scorer: &Scorer<'_>) -> Explanation {
        let judgement = Judgement {
            bits: self.bits,
            decision: self.decision,
            is_forbidden: false,
            is_open: self.is_open,
            notes: self.notes,
        };
        Explanation::new(scorer, &self.evidence, &judgement)
    }

    /// Number of the first record.
    pub fn a(&self) -> usize {
        self.a as usize
    }

    /// Number of the second record.
    pub fn b(&self) -> usize {
        self.b as usize
    }

    /// log2 of the odds that the two are one person, by the model.
    pub fn score_bits(&self) -> f64 {
        self.bits
    }

    /// What is decided.
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// The share of false links to be expected among the pairs of this score and above, by the model.
    pub fn false_match_rate(&self) -> f64 {
        self.false_match_rate
    }
}

/// Counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Statistics {
    /// Records.
    pub records: u64,
    /// How they fell into blocks.
    pub blocking: BlockingStatistics,
    /// Pairs that were compared, each once.
    pub pairs_compared: u64,
    /// Pairs linked.
    pub links: u64,
    /// Pairs for a steward.
    pub reviews: u64,
    /// Pairs for a steward because linking them would have joined people that differ.
    pub links_refused_by_cluster: u64,
    /// Score from which pairs were linked, in bits.
    pub link_bits: f64,
    /// Share of false links to be expected; only after an estimation.
    pub false_match_rate: Option<FalseMatchRate>,
}

/// Links, reviews and clusters of a batch.
#[derive(Debug)]
pub struct LinkResult {
    pub(crate) model: Model,
    pub(crate) population: Population,
    links: Vec<Pair>,
    reviews: Vec<Pair>,
    clusters: Vec<ClusterId>,
    people: u64,
    statistics: Statistics,
    /// The settings as they would have been estimated without each part of the pairs; empty without an estimation.
    pub(crate) without_parts: Vec<Settings>,
}

impl LinkResult {
    pub(crate) fn new(
        model: Model,
        population: Population,
        links: Vec<Pair>,
        reviews: Vec<Pair>,
        (clusters, people): (Vec<ClusterId>, u64),
        statistics: Statistics,
    ) -> Self {
        Self {
            model,
            population,
            links,
            reviews,
            clusters,
            people,
            statistics,
            without_parts: Vec::new(),
        }
    }

    /// Keeps what the interval of the rate of false links was made from.
    pub(crate) fn with_parts(mut self, without_parts: Vec<Settings>) -> Self {
        self.without_parts = without_parts;
        self
    }

    /// Pairs that are one person.
    pub fn links(&self) -> &[Pair] {
        &self.links
    }

    /// Pairs that a steward should see.
    pub fn reviews(&self) -> &[Pair] {
        &self.reviews
    }

    /// Cluster of each record, in the order of input.
    pub fn clusters(&self) -> &[ClusterId] {
        &self.clusters
    }

    /// How many clusters there are: people, as far as was found.
    pub fn people(&self) -> u64 {
        self.people
    }

    /// Counts of the run.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The settings that scored the pairs.
    pub fn settings(&self) -> &Settings {
        &self.model.settings
    }

    /// System and id of a record, by its number.
    pub fn key_parts(&self, number: usize) -> Option<(&str, &str)> {
        self.population.key_parts(Slot::try_from(number).ok()?)
    }

    /// Key of a record, by its number.
    pub fn key(&self, number: usize) -> Option<RecordKey> {
        self.population.key(Slot::try_from(number).ok()?)
    }

    /// Number of a record, by its key.
    pub fn number(&self, key: &RecordKey) -> Option<usize> {
        self.population.slot(key).map(|slot| slot as usize)
    }

    /// The link or review between two records.
    pub fn pair(&self, a: &RecordKey, b: &RecordKey) -> Option<&Pair> {
        let (a, b) = (self.population.slot(a)?, self.population.slot(b)?);
        let (a, b) = (a.min(b), a.max(b));
        self.links
            .iter()
            .chain(&self.reviews)
            .find(|pair| (pair.a, pair.b) == (a, b))
    }

    /// Why a pair was decided as it was.
    pub fn explain(&self, pair: &Pair) -> Explanation {
        let scorer = Scorer::new(&self.model, self.population.len());
        pair.explained(&scorer)
    }
}
