//! The engine in batch: records in, links, reviews and clusters out.

use rayon::prelude::*;
use thiserror::Error;

use crate::blocking::Blocks;
use crate::cluster::Clusters;
use crate::compare::Comparer;
use crate::decide::{Decision, Judgement, Note, judge};
use crate::estimate::{self, Estimate, EstimateError};
use crate::model::Model;
use crate::nickname::{NicknameError, Nicknames};
use crate::population::{Population, Slot};
use crate::record::{Record, RecordKey};
use crate::result::{LinkResult, Pair, Statistics};
use crate::ruling::{Ruling, Rulings};
use crate::score::{Evidence, Scorer};
use crate::settings::{Settings, SettingsError};

/// Records whose pairs are scored before the scores are handed on.
const CHUNK: Slot = 32_768;
/// Records that one task scores.
const TASK: usize = 256;

/// Why the engine cannot work.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The compiled nickname table is wrong.
    #[error(transparent)]
    Nicknames(#[from] NicknameError),
    /// Two records have the same system and id.
    #[error("record {0} is there twice")]
    Duplicate(RecordKey),
    /// There are more records than one run can address.
    #[error("more than 4,000,000,000 records")]
    TooMany,
}

/// A matching engine: settings compiled once, used for any number of runs.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) model: Model,
    pub(crate) nicknames: Nicknames,
}

impl Engine {
    /// Compiles settings.
    ///
    /// # Errors
    /// [`EngineError`] when the settings are wrong.
    pub fn new(settings: Settings) -> Result<Self, EngineError> {
        settings.check()?;
        Ok(Self {
            model: Model::new(settings),
            nicknames: Nicknames::standard()?,
        })
    }

    /// An engine with the compiled settings.
    ///
    /// # Errors
    /// [`EngineError`] when the compiled settings are wrong, which a test rules out.
    pub fn standard() -> Result<Self, EngineError> {
        Self::new(Settings::standard()?)
    }

    /// The settings in use.
    pub fn settings(&self) -> &Settings {
        &self.model.settings
    }

    /// Links records within and between their systems.
    ///
    /// # Errors
    /// [`EngineError::Duplicate`] when two records have the same key.
    pub fn link(&self, records: &[Record]) -> Result<LinkResult, EngineError> {
        self.link_with(records, &Rulings::new())
    }

    /// Links records, stewards' decisions standing above scores.
    ///
    /// # Errors
    /// [`EngineError::Duplicate`] when two records have the same key.
    pub fn link_with(
        &self,
        records: &[Record],
        rulings: &Rulings,
    ) -> Result<LinkResult, EngineError> {
        let mut batch = self.batch();
        for record in records {
            batch.push(record)?;
        }
        let run = batch.run(rulings, |_, _| Ok::<(), std::convert::Infallible>(()));
        match run {
            Ok(result) => Ok(result),
            Err(never) => match never {},
        }
    }

    /// Starts a batch that takes records one at a time, so that they need not be held as text.
    pub fn batch(&self) -> Batch {
        Batch {
            model: self.model.clone(),
            population: Population::new(self.nicknames.clone()),
        }
    }
}

/// Records on their way to being linked.
#[derive(Debug)]
pub struct Batch {
    model: Model,
    population: Population,
}

impl Batch {
    /// Adds a record. Records are numbered from 0 in this order.
    ///
    /// # Errors
    /// [`EngineError::Duplicate`] when the key is there already; [`EngineError::TooMany`] beyond
    /// four thousand million records.
    pub fn push(&mut self, record: &Record) -> Result<(), EngineError> {
        if self.population.end() == Slot::MAX {
            return Err(EngineError::TooMany);
        }
        match self.population.insert(record) {
            Some(_) => Ok(()),
            None => Err(EngineError::Duplicate(record.key.clone())),
        }
    }

    /// How many records there are so far.
    pub fn len(&self) -> usize {
        self.population.len()
    }

    /// Whether there are no records yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Replaces the probabilities of the class `same` by what the records show.
    ///
    /// # Errors
    /// [`EstimateError`] when there are too few matches or the classes do not separate; the batch
    /// then keeps its settings.
    pub fn estimate(&mut self) -> Result<Estimate, EstimateError> {
        let blocks = Blocks::build(&self.population, &self.model.settings.blocking);
        let (settings, estimate) = estimate::estimate(&self.population, &self.model, &blocks)?;
        self.model = Model::new(settings);
        Ok(estimate)
    }

    /// The settings in use, estimated probabilities included.
    pub fn settings(&self) -> &Settings {
        &self.model.settings
    }

    /// System and id of a record.
    pub fn key(&self, number: usize) -> Option<(&str, &str)> {
        self.population.key_parts(Slot::try_from(number).ok()?)
    }

    /// Compares, decides and clusters. `on_pairs` sees every compared pair, in chunks.
    ///
    /// # Errors
    /// Whatever `on_pairs` returns.
    pub fn run<E>(
        self,
        rulings: &Rulings,
        mut on_pairs: impl FnMut(&Self, &[Pair]) -> Result<(), E>,
    ) -> Result<LinkResult, E> {
        let blocks = Blocks::build(&self.population, &self.model.settings.blocking);
        let mut statistics = Statistics {
            records: self.population.len() as u64,
            blocking: blocks.statistics,
            ..Statistics::default()
        };
        let mut kept = Vec::new();
        for start in (0..self.population.end()).step_by(CHUNK as usize) {
            let end = start.saturating_add(CHUNK).min(self.population.end());
            let pairs = self.score_chunk(&blocks, rulings, start..end);
            statistics.pairs_compared += pairs.len() as u64;
            on_pairs(&self, &pairs)?;
            kept.extend(
                pairs
                    .into_iter()
                    .filter(|pair| pair.decision != Decision::NoLink),
            );
        }
        drop(blocks);
        Ok(self.finish(rulings, kept, statistics))
    }

    fn score_chunk(
        &self,
        blocks: &Blocks,
        rulings: &Rulings,
        slots: std::ops::Range<Slot>,
    ) -> Vec<Pair> {
        let slots: Vec<Slot> = slots.collect();
        let matcher = Matcher::new(&self.population, &self.model, rulings);
        let chunks: Vec<Vec<Pair>> = slots
            .par_chunks(TASK)
            .map(|slots| {
                let mut partners = Vec::new();
                let mut pairs = Vec::new();
                for slot in slots {
                    blocks.partners(&self.population, *slot, &mut partners);
                    matcher.add_ruled(*slot, &mut partners);
                    let found = partners
                        .iter()
                        .filter_map(|other| matcher.pair(*slot, *other));
                    pairs.extend(found);
                }
                pairs
            })
            .collect();
        chunks.concat()
    }

    fn finish(
        self,
        rulings: &Rulings,
        mut kept: Vec<Pair>,
        mut statistics: Statistics,
    ) -> LinkResult {
        let matcher = Matcher::new(&self.population, &self.model, rulings);
        let mut order: Vec<usize> = (0..kept.len()).collect();
        order.retain(|place| {
            kept.get(*place)
                .is_some_and(|pair| pair.decision == Decision::Link)
        });
        order.par_sort_by_key(|place| kept.get(*place).map(|pair| matcher.rank(pair)));
        let largest = self.model.settings.cluster.largest_cluster;
        let mut clusters = Clusters::new(self.population.end(), largest);
        for place in order {
            let Some(pair) = kept.get_mut(place) else {
                continue;
            };
            let is_joined = clusters.join(pair.a, pair.b, |a, b| matcher.refuses(a, b));
            if !is_joined {
                pair.decision = Decision::Review;
                pair.notes.add(Note::ClusterConflict);
                statistics.links_refused_by_cluster += 1;
            }
        }
        let (links, reviews): (Vec<Pair>, Vec<Pair>) = kept
            .into_iter()
            .partition(|pair| pair.decision == Decision::Link);
        statistics.links = links.len() as u64;
        statistics.reviews = reviews.len() as u64;
        let clusters = clusters.ids(&self.population);
        LinkResult::new(
            self.model,
            self.population,
            links,
            reviews,
            clusters,
            statistics,
        )
    }
}

/// Compares, scores and judges pairs of one population.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matcher<'a> {
    population: &'a Population,
    comparer: Comparer<'a>,
    scorer: Scorer<'a>,
    rulings: &'a Rulings,
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(population: &'a Population, model: &'a Model, rulings: &'a Rulings) -> Self {
        Self {
            population,
            comparer: Comparer::new(population, model),
            scorer: Scorer::new(model, population.len()),
            rulings,
        }
    }

    /// Evidence and judgement of a pair.
    pub(crate) fn judge(&self, a: Slot, b: Slot) -> Option<(Evidence, Judgement)> {
        let (one, other) = (self.population.person(a)?, self.population.person(b)?);
        let evidence = self.comparer.compare(one, other);
        let ruling = self
            .rulings
            .get(self.population.digest(a), self.population.digest(b));
        Some((evidence, judge(&self.scorer, &evidence, ruling)))
    }

    fn pair(&self, a: Slot, b: Slot) -> Option<Pair> {
        let (evidence, judgement) = self.judge(a, b)?;
        Some(Pair {
            a,
            b,
            bits: judgement.bits,
            decision: judgement.decision,
            notes: judgement.notes,
            evidence,
        })
    }

    /// Adds the records that stewards have decided about, whether they share a block or not.
    fn add_ruled(&self, slot: Slot, partners: &mut Vec<Slot>) {
        if self.rulings.is_empty() {
            return;
        }
        let digests = self.rulings.partners(self.population.digest(slot));
        let ruled = digests.filter_map(|digest| self.population.slot_of(digest));
        partners.extend(ruled.filter(|other| *other > slot));
        partners.sort_unstable();
        partners.dedup();
    }

    /// Whether two records may not be in one cluster.
    pub(crate) fn refuses(&self, a: Slot, b: Slot) -> bool {
        let veto = self.scorer.model.settings.cluster.veto_bits;
        self.judge(a, b).is_none_or(|(_, judgement)| {
            let is_unlikely = judgement.bits < veto;
            judgement.is_forbidden
                || (is_unlikely && !self.is_confirmed(a) && !self.is_confirmed(b))
        })
    }

    /// Whether a steward has confirmed that the record belongs to another: then it may look unlike
    /// the rest of its cluster.
    fn is_confirmed(&self, slot: Slot) -> bool {
        let digest = self.population.digest(slot);
        self.rulings
            .partners(digest)
            .any(|other| self.rulings.get(digest, other) == Some(Ruling::Confirmed))
    }

    /// Place of a link in the order of joining: stewards' pairs, then by score; equal scores by
    /// key, so that the order of the input does not matter.
    fn rank(&self, pair: &Pair) -> (bool, std::cmp::Reverse<i64>, u128, u128) {
        let (a, b) = (
            self.population.digest(pair.a),
            self.population.digest(pair.b),
        );
        let is_confirmed = pair.notes.contains(Note::StewardConfirmed);
        let millibits = (pair.bits * 1000.0).round() as i64;
        (
            !is_confirmed,
            std::cmp::Reverse(millibits),
            a.min(b),
            a.max(b),
        )
    }
}
