//! What a batch would compare, before anything is compared.

use rayon::prelude::*;
use serde::Serialize;

use crate::batch::Batch;
use crate::blocking::{BlockingStatistics, Survey};
use crate::population::Slot;

/// Slots whose partners one task counts.
const TASK: usize = 4096;

/// What a batch would compare.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BlockingPlan {
    /// Pairs that would be compared, each once.
    pub pairs: u64,
    /// Pairs for each record: a pair is one record's, not both's.
    pub pairs_per_record: f64,
    /// How the records fall into blocks.
    pub blocking: BlockingStatistics,
    /// What each kind of key contributes.
    #[serde(flatten)]
    pub survey: Survey,
}

impl Batch {
    /// The blocks that a run would make and the pairs that it would compare.
    pub fn plan(mut self) -> BlockingPlan {
        let blocks = self.take_blocks();
        let slots: Vec<Slot> = (0..self.population.end()).collect();
        let count = |slots: &[Slot]| {
            let mut partners = Vec::new();
            let of_each = slots.iter().map(|slot| {
                blocks.partners(&self.population, *slot, &mut partners);
                partners.len() as u64
            });
            of_each.sum::<u64>()
        };
        let pairs: u64 = slots.par_chunks(TASK).map(count).sum();
        let blocking = blocks.statistics;
        drop(blocks);
        let limits = &self.model.settings.blocking;
        BlockingPlan {
            pairs,
            pairs_per_record: pairs as f64 / self.population.len().max(1) as f64,
            blocking,
            survey: Survey::of(&self.population, limits, std::iter::empty()),
        }
    }
}
