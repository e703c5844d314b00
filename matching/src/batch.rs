//! The batch: records in, links, reviews and clusters out.

use rayon::prelude::*;

use crate::blocking::Blocks;
use crate::cluster::Clusters;
use crate::decide::{Decision, Note};
use crate::engine::EngineError;
use crate::estimate::{self, Estimate, EstimateError};
use crate::matcher::Matcher;
use crate::model::Model;
use crate::population::{Population, Slot};
use crate::record::Record;
use crate::result::{LinkResult, Pair, Statistics};
use crate::ruling::Rulings;
use crate::settings::Settings;

/// Records whose pairs are scored before the scores are handed on.
const CHUNK: Slot = 32_768;
/// Records that one task scores.
const TASK: usize = 256;

/// Records on their way to being linked.
#[derive(Debug)]
pub struct Batch {
    model: Model,
    population: Population,
}

impl Batch {
    pub(crate) fn new(model: Model, population: Population) -> Self {
        Self { model, population }
    }

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
