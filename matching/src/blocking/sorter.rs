//! Keys of one kind with their records, sorted by all threads.

use rayon::prelude::*;

use crate::population::{Population, Slot};

use super::key::Scheme;

/// A key and a record that has it.
pub(super) type Entry = (u64, Slot);

/// Pieces into which keys fall by their highest bits: each is sorted near the processor.
const PIECES: usize = 64;
const PIECE_SHIFT: u32 = u64::BITS - PIECES.ilog2();
/// Shares of the records for each thread, so that none waits long for another.
const SHARES: usize = 4;

/// Room for keys, used again for each kind.
#[derive(Debug)]
pub(super) struct Sorter {
    /// Keys of each share of the records, by piece.
    shares: Vec<Vec<Vec<Entry>>>,
}

impl Sorter {
    pub(super) fn new() -> Self {
        let shares = SHARES * rayon::current_num_threads();
        Self {
            shares: vec![vec![Vec::new(); PIECES]; shares],
        }
    }

    /// Sorts the keys of one kind of all records. Each piece is visited by one thread; all entries of one key are in one
    /// piece, and what the visits gave comes in the order of the keys.
    pub(super) fn visit<T: Send>(
        &mut self,
        population: &Population,
        scheme: Scheme,
        visit: impl Fn(&[Entry]) -> T + Sync,
    ) -> Vec<T> {
        let records = (population.end() as usize).div_ceil(self.shares.len()) as Slot;
        let shares = self.shares.par_iter_mut().enumerate();
        shares.for_each(|(number, pieces)| {
            let first = records.saturating_mul(number as Slot);
            let slots = first..first.saturating_add(records).min(population.end());
            fill(population, scheme, slots, pieces);
        });
        let shares = &self.shares;
        let pieces = (0..PIECES)
            .into_par_iter()
            .map_init(Vec::new, |entries, piece| {
                entries.clear();
                for own in shares.iter().filter_map(|share| share.get(piece)) {
                    entries.extend_from_slice(own);
                }
                entries.sort_unstable();
                visit(entries)
            });
        pieces.collect()
    }
}

/// The keys of a range of records, by piece.
fn fill(
    population: &Population,
    scheme: Scheme,
    slots: std::ops::Range<Slot>,
    pieces: &mut [Vec<Entry>],
) {
    pieces.iter_mut().for_each(Vec::clear);
    let mut keys = Vec::new();
    for slot in slots {
        keys.clear();
        if let Some(person) = population.person(slot) {
            scheme.append(population, person, &mut keys);
        }
        if keys.len() > 1 {
            keys.sort_unstable();
            keys.dedup();
        }
        for key in &keys {
            if let Some(piece) = pieces.get_mut((*key >> PIECE_SHIFT) as usize) {
                piece.push((*key, slot));
            }
        }
    }
}
