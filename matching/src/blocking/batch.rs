//! All blocks of a population at once, as sorted arrays.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use serde::Serialize;

use crate::population::{Population, Slot};
use crate::settings::Blocking;

use super::key::{Scheme, is_small, schemes};
use super::refine::{DEPTH, part};

/// How the records fell into blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct BlockingStatistics {
    /// Blocks of two records or more, after splitting.
    pub blocks: u64,
    /// Records in the largest block, before splitting.
    pub largest: u64,
    /// Blocks that were split on further fields.
    pub split: u64,
    /// Pairs that shared a key but fell apart in a split; another key may still reach them.
    pub pairs_split_apart: u64,
    /// Blocks that no field split and in which only neighbours are compared.
    pub windows: u64,
    /// Pairs of those blocks that are not compared there.
    pub pairs_outside_windows: u64,
}

/// Records whose keys one task makes.
const TASK: usize = 4096;

/// The start of each block in the array of members.
#[derive(Debug, Clone, Copy)]
struct Block {
    start: u32,
    end: u32,
    is_window: bool,
}

/// Blocks, and for each record the blocks that it is in.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    members: Vec<Slot>,
    blocks: Vec<Block>,
    /// Where the blocks of each record begin in `of_record`.
    starts: Vec<u32>,
    of_record: Vec<u32>,
    window: usize,
    pub(crate) statistics: BlockingStatistics,
}

impl Blocks {
    /// Sorts the records into blocks.
    pub(crate) fn build(population: &Population, limits: &Blocking) -> Self {
        let mut blocks = Self {
            window: limits.window,
            ..Self::default()
        };
        // One kind of key after another, so that all keys of all records are never held at once.
        let mut entries = Vec::with_capacity(population.len());
        for scheme in schemes() {
            sort_entries(population, scheme, &mut entries);
            blocks.add(population, limits, &entries);
        }
        drop(entries);
        blocks.index(population.end());
        blocks
    }

    pub(super) fn add(
        &mut self,
        population: &Population,
        limits: &Blocking,
        entries: &[(u64, Slot)],
    ) {
        let mut scratch = Vec::new();
        for same_key in entries
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|block| is_kept(block, limits))
        {
            scratch.clear();
            scratch.extend(same_key.iter().map(|(_, slot)| *slot));
            let size = scratch.len() as u64;
            self.statistics.largest = self.statistics.largest.max(size);
            self.split(population, limits, &mut scratch, 0);
        }
    }

    fn split(
        &mut self,
        population: &Population,
        limits: &Blocking,
        slots: &mut [Slot],
        depth: usize,
    ) {
        if slots.len() <= limits.largest_block {
            return self.push(slots, false);
        }
        if depth == DEPTH {
            slots.sort_unstable_by_key(|slot| population.digest(*slot));
            return self.push(slots, true);
        }
        self.statistics.split += u64::from(depth == 0);
        let mut parts: Vec<(u64, Slot)> = slots
            .iter()
            .map(|slot| (part(population, *slot, depth), *slot))
            .collect();
        parts.sort_unstable();
        let mut kept = 0;
        let mut scratch = Vec::new();
        for same_part in parts.chunk_by(|a, b| a.0 == b.0) {
            kept += pairs(same_part.len());
            scratch.clear();
            scratch.extend(same_part.iter().map(|(_, slot)| *slot));
            self.split(population, limits, &mut scratch, depth + 1);
        }
        self.statistics.pairs_split_apart += pairs(slots.len()) - kept;
    }

    fn push(&mut self, slots: &[Slot], is_window: bool) {
        if slots.len() < 2 {
            return;
        }
        let start = self.members.len() as u32;
        self.members.extend_from_slice(slots);
        self.blocks.push(Block {
            start,
            end: self.members.len() as u32,
            is_window,
        });
        self.statistics.blocks += 1;
        if is_window {
            let compared = (slots.len() as u64).saturating_mul(self.window as u64);
            self.statistics.windows += 1;
            self.statistics.pairs_outside_windows += pairs(slots.len()).saturating_sub(compared);
        }
    }

    /// Turns blocks of records into records' blocks.
    fn index(&mut self, end: Slot) {
        let mut starts = vec![0_u32; end as usize + 1];
        for slot in &self.members {
            if let Some(count) = starts.get_mut(*slot as usize + 1) {
                *count += 1;
            }
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        let mut next = starts.clone();
        self.of_record = vec![0; self.members.len()];
        for (number, block) in self.blocks.iter().enumerate() {
            let members = self.members.get(block.start as usize..block.end as usize);
            for slot in members.unwrap_or_default() {
                if let Some(place) = next.get_mut(*slot as usize) {
                    if let Some(entry) = self.of_record.get_mut(*place as usize) {
                        *entry = number as u32;
                    }
                    *place += 1;
                }
            }
        }
        self.starts = starts;
    }

    /// Collects the records with higher slots that share a block with this one, each once.
    pub(crate) fn partners(&self, population: &Population, slot: Slot, found: &mut Vec<Slot>) {
        self.collect(population, slot, slot.saturating_add(1), found);
    }

    /// Collects all records that share a block with this one, each once.
    pub(crate) fn all_partners(&self, population: &Population, slot: Slot, found: &mut Vec<Slot>) {
        self.collect(population, slot, 0, found);
        found.retain(|other| *other != slot);
    }

    fn collect(&self, population: &Population, slot: Slot, from: Slot, found: &mut Vec<Slot>) {
        found.clear();
        let bounds = (
            self.starts.get(slot as usize),
            self.starts.get(slot as usize + 1),
        );
        let (Some(start), Some(end)) = bounds else {
            return;
        };
        let blocks = self.of_record.get(*start as usize..*end as usize);
        let blocks = blocks.unwrap_or_default();
        std::hint::black_box(self.touch(blocks));
        for number in blocks {
            let Some(block) = self.blocks.get(*number as usize) else {
                continue;
            };
            let members = self.members.get(block.start as usize..block.end as usize);
            let members = members.unwrap_or_default();
            if block.is_window {
                let near = self.window_around(population, slot, members);
                found.extend(near.iter().copied().filter(|other| *other >= from));
            } else {
                found.extend(members.iter().filter(|other| **other >= from));
            }
        }
        found.sort_unstable();
        found.dedup();
    }

    /// Reads the beginning of each of the blocks, so that all are fetched from memory at once.
    fn touch(&self, blocks: &[u32]) -> u32 {
        let blocks = blocks.iter();
        let blocks = blocks.filter_map(|number| self.blocks.get(*number as usize));
        let first = blocks.filter_map(|block| self.members.get(block.start as usize));
        first.fold(0, |sum, slot| sum ^ slot)
    }

    /// The records of each block, and whether only neighbours among them are compared.
    pub(super) fn each(&self) -> impl Iterator<Item = (&[Slot], bool)> {
        self.blocks.iter().map(|block| {
            let members = self.members.get(block.start as usize..block.end as usize);
            (members.unwrap_or_default(), block.is_window)
        })
    }

    /// The neighbours of a record in a block that nothing splits.
    fn window_around<'a>(
        &self,
        population: &Population,
        slot: Slot,
        members: &'a [Slot],
    ) -> &'a [Slot] {
        let digest = population.digest(slot);
        let place = members.partition_point(|other| population.digest(*other) < digest);
        let last = place
            .saturating_add(self.window)
            .min(members.len().saturating_sub(1));
        members
            .get(place.saturating_sub(self.window)..=last)
            .unwrap_or_default()
    }
}

/// Whether anything of the records of one key is compared.
fn is_kept(block: &[(u64, Slot)], limits: &Blocking) -> bool {
    let is_too_large = |key| is_small(key) && block.len() > limits.largest_small_block;
    block.len() > 1 && !block.first().is_some_and(|(key, _)| is_too_large(*key))
}

/// Keys of one kind with their records, sorted by both.
pub(super) fn sort_entries(
    population: &Population,
    scheme: Scheme,
    entries: &mut Vec<(u64, Slot)>,
) {
    entries.clear();
    let starts: Vec<Slot> = (0..population.end()).step_by(TASK).collect();
    let all = Mutex::new(entries);
    // Sorting follows, so that it does not matter which task hands its keys on first.
    starts.par_iter().for_each_init(
        || (Vec::new(), Vec::with_capacity(TASK * 2)),
        |(keys, own), start| {
            let end = start.saturating_add(TASK as Slot).min(population.end());
            for slot in *start..end {
                keys.clear();
                if let Some(person) = population.person(slot) {
                    scheme.append(population, person, keys);
                }
                own.extend(keys.iter().map(|key| (*key, slot)));
            }
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            all.extend_from_slice(own);
            own.clear();
        },
    );
    let entries = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    entries.par_sort_unstable();
    entries.dedup();
}

fn pairs(records: usize) -> u64 {
    let records = records as u64;
    records.saturating_mul(records.saturating_sub(1)) / 2
}
