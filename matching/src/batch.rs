//! The batch: records in, links, reviews and clusters out.

use rayon::prelude::*;

use crate::blocking::Blocks;
use crate::cluster::Clusters;
use crate::decide::Decision;
use crate::doubts::Doubts;
use crate::engine::EngineError;
use crate::estimate::{Estimate, EstimateError, Estimation};
use crate::joining::{self, Joining};
use crate::matcher::Matcher;
use crate::model::Model;
use crate::population::{Population, Slot};
use crate::prepared::Prepared;
use crate::rates::{Conflicts, Rates, false_match_rate};
use crate::record::{Record, RecordKey};
use crate::result::{LinkResult, Pair, Statistics};
use crate::ruling::Rulings;
use crate::settings::Settings;

/// Records that one task scores, and whose pairs are handed on together.
pub(crate) const TASK: Slot = 512;
/// Records whose partners are fetched from memory together.
const GROUP: Slot = 16;
/// Records that are scored before any of their pairs are handed on.
const CHUNK: Slot = 64 * TASK;
/// So many times the wanted rate of false links is the one down to which clusters are tried.
const TRIAL: f64 = 4.0;

/// Records on their way to being linked.
#[derive(Debug)]
pub struct Batch {
    pub(crate) model: Model,
    pub(crate) population: Population,
    /// The blocks of all records, once they are needed and until another record comes.
    blocks: Option<Blocks>,
    /// What the settings were learnt from, when they were.
    estimation: Option<Estimation>,
}

impl Batch {
    pub(crate) fn new(model: Model, population: Population) -> Self {
        Self {
            model,
            population,
            blocks: None,
            estimation: None,
        }
    }

    /// Adds a record. Records are numbered from 0 in this order.
    ///
    /// # Errors
    /// [`EngineError::Duplicate`] when the key is there already; [`EngineError::TooMany`] beyond
    /// four thousand million records.
    pub fn push(&mut self, record: &Record) -> Result<(), EngineError> {
        self.push_prepared(self.population.prepare(record))
    }

    /// Adds a record of which another thread did its part.
    pub(crate) fn push_prepared(&mut self, record: Prepared) -> Result<(), EngineError> {
        if self.population.end() == Slot::MAX {
            return Err(EngineError::TooMany);
        }
        self.blocks = None;
        self.population
            .insert_uncounted(record)
            .map(|_| ())
            .map_err(EngineError::Duplicate)
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
        let blocks = self.take_blocks();
        let estimation = Estimation::of(&self.population, &self.model, &blocks);
        self.blocks = Some(blocks);
        let (settings, estimate) = estimation.settings()?;
        self.model = Model::new(settings);
        self.estimation = Some(estimation);
        Ok(estimate)
    }

    /// The settings in use, estimated probabilities included.
    pub fn settings(&self) -> &Settings {
        &self.model.settings
    }

    /// Number of a record, by its key.
    pub fn number(&self, key: &RecordKey) -> Option<usize> {
        self.population.slot(key).map(|slot| slot as usize)
    }

    /// Sorts the records into blocks now rather than when they are first needed.
    pub(crate) fn block(&mut self) {
        let blocks = self.take_blocks();
        self.blocks = Some(blocks);
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
        mut self,
        rulings: &Rulings,
        mut on_pairs: impl FnMut(&Self, &[Pair]) -> Result<(), E>,
    ) -> Result<LinkResult, E> {
        let blocks = self.take_blocks();
        let mut statistics = Statistics {
            records: self.population.len() as u64,
            blocking: blocks.statistics,
            ..Statistics::default()
        };
        // Room is taken as it is filled; growing would copy what is found again and again.
        let mut kept = Vec::with_capacity(self.population.len());
        let mut hand_on = |batch: &Self, scored: &[Vec<Pair>]| {
            scored.iter().try_for_each(|pairs| {
                statistics.pairs_compared += pairs.len() as u64;
                let is_kept = |pair: &&Pair| pair.decision != Decision::NoLink;
                kept.extend(pairs.iter().filter(is_kept).copied());
                on_pairs(batch, pairs)
            })
        };
        let mut scored = Vec::new();
        for start in (0..self.population.end()).step_by(CHUNK as usize) {
            let end = start.saturating_add(CHUNK).min(self.population.end());
            let mut next = Vec::new();
            // While some pairs are handed on, the next are scored.
            rayon::in_place_scope(|scope| {
                scope.spawn(|_| next = self.score_chunk(&blocks, rulings, start..end));
                hand_on(&self, &scored)
            })?;
            scored = next;
        }
        hand_on(&self, &scored)?;
        drop(scored);
        drop(blocks);
        Ok(self.finish(rulings, kept, statistics))
    }

    pub(crate) fn take_blocks(&mut self) -> Blocks {
        let settings = &self.model.settings;
        self.population
            .count_frequent(settings.frequency.ordinary_holders);
        let blocks = self.blocks.take();
        blocks.unwrap_or_else(|| Blocks::build(&self.population, &settings.blocking))
    }

    fn score_chunk(
        &self,
        blocks: &Blocks,
        rulings: &Rulings,
        slots: std::ops::Range<Slot>,
    ) -> Vec<Vec<Pair>> {
        let matcher = Matcher::new(&self.population, &self.model, rulings);
        let starts: Vec<Slot> = slots.clone().step_by(TASK as usize).collect();
        let tasks = starts.par_iter().map(|start| {
            let mut groups: Vec<Vec<Slot>> = vec![Vec::new(); GROUP as usize];
            let mut pairs = Vec::with_capacity(5 * TASK as usize);
            let end = start.saturating_add(TASK).min(slots.end);
            for first in (*start..end).step_by(GROUP as usize) {
                let group = first..first.saturating_add(GROUP).min(end);
                // What the records of a group need is fetched from memory at once, rather than each when its turn comes.
                std::hint::black_box(blocks.touch(group.clone()));
                for (slot, partners) in group.clone().zip(&mut groups) {
                    blocks.partners(&self.population, slot, partners);
                    matcher.add_ruled(slot, partners);
                }
                let known = || groups.iter().take(group.len());
                std::hint::black_box(self.population.touch(|| known().flatten().copied()));
                for (slot, partners) in group.clone().zip(known()) {
                    let found = partners.iter();
                    pairs.extend(found.filter_map(|other| matcher.pair(slot, *other)));
                }
            }
            pairs
        });
        tasks.collect()
    }

    fn finish(
        mut self,
        rulings: &Rulings,
        mut kept: Vec<Pair>,
        mut statistics: Statistics,
    ) -> LinkResult {
        let matcher = Matcher::new(&self.population, &self.model, rulings);
        kept.par_sort_unstable_by(|one, other| matcher.order(one, other));
        let raw = Rates::of(&kept, Conflicts::NONE);
        let trial = self.trial(&raw);
        let lowest = trial.unwrap_or(self.model.settings.thresholds.link_bits);
        let doubts = Doubts::of(&matcher, &kept, lowest, self.population.end());
        let rates = match trial {
            Some(trial) => self.rate(rulings, &doubts, &mut kept, trial),
            None => raw,
        };
        let link_bits = self.model.settings.thresholds.link_bits;
        let clusters = self.join(rulings, &doubts, &mut kept, link_bits);
        decide(&mut kept, &rates, link_bits);
        statistics.link_bits = link_bits;
        statistics.links_refused_by_cluster =
            kept.iter().filter(|pair| pair.is_refused).count() as u64;
        // Reviews are few: they are copied out, and the links stay where they are.
        let is_link = |pair: &Pair| pair.decision == Decision::Link;
        let reviews: Vec<Pair> = kept.iter().filter(|pair| !is_link(pair)).copied().collect();
        kept.retain(is_link);
        let links = kept;
        statistics.links = links.len() as u64;
        statistics.reviews = reviews.len() as u64;
        let estimation = self.estimation.take();
        let without_parts = estimation.map(|estimation| estimation.without_each_part());
        if let Some(parts) = &without_parts {
            let expected = rates.at(link_bits);
            let rate = false_match_rate(&links, parts, self.population.len(), expected);
            statistics.false_match_rate = Some(rate);
        }
        let clusters = clusters.ids(&self.population);
        LinkResult::new(
            self.model,
            self.population,
            links,
            reviews,
            clusters,
            statistics,
        )
        .with_parts(without_parts.unwrap_or_default())
    }

    /// The score down to which clusters are tried, so that the threshold can be set; none without an estimation.
    fn trial(&self, raw: &Rates) -> Option<f64> {
        self.estimation.as_ref()?;
        let thresholds = &self.model.settings.thresholds;
        let rate = (thresholds.false_match_rate * TRIAL).min(0.5);
        let trial = raw.threshold(rate).unwrap_or(thresholds.link_bits);
        Some(trial.max(thresholds.review_bits))
    }

    /// Which rates of false links to expect, after a trial of how clusters form; sets the score from which pairs are
    /// linked by the rate that is wanted.
    fn rate(&mut self, rulings: &Rulings, doubts: &Doubts, kept: &mut [Pair], trial: f64) -> Rates {
        self.join(rulings, doubts, kept, trial);
        let tried = kept
            .iter()
            .filter(|pair| pair.is_open && pair.bits >= trial);
        let rates = Rates::of(kept, Conflicts::of(tried));
        let thresholds = &mut self.model.settings.thresholds;
        let found = rates.threshold(thresholds.false_match_rate);
        thresholds.link_bits = found.unwrap_or(thresholds.link_bits).max(trial);
        rates
    }

    /// Forms clusters from the pairs that a steward confirmed and the open ones down to a score; see [`Joining::join`].
    fn join(&self, rulings: &Rulings, doubts: &Doubts, kept: &mut [Pair], lowest: f64) -> Clusters {
        let matcher = Matcher::new(&self.population, &self.model, rulings);
        let joining = Joining {
            records: self.population.end(),
            largest: self.model.settings.cluster.largest_cluster,
            lowest,
            refuses: |a, b, duplicates| doubts.refuse(&matcher, (a, b), duplicates),
        };
        joining.join(kept)
    }
}

/// Gives each pair its rate of false links and its decision.
pub(crate) fn decide(kept: &mut [Pair], rates: &Rates, link_bits: f64) {
    kept.par_iter_mut().for_each(|pair| {
        pair.false_match_rate = rates.at(pair.bits);
        joining::decide(pair, link_bits);
    });
}
