//! All blocks of a population at once, as sorted arrays.

use std::ops::Range;

use rayon::prelude::*;
use serde::Serialize;

use crate::population::{Population, Slot};
use crate::settings::Blocking;

use super::key::{is_small, schemes};
use super::refine::{DEPTH, part};
use super::sorter::{Entry, Sorter};

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

impl BlockingStatistics {
    fn add(&mut self, other: &Self) {
        self.blocks += other.blocks;
        self.largest = self.largest.max(other.largest);
        self.split += other.split;
        self.pairs_split_apart += other.pairs_split_apart;
        self.windows += other.windows;
        self.pairs_outside_windows += other.pairs_outside_windows;
    }
}

/// So many places for each record are set aside for the members of blocks: memory is taken as it is filled, and growing
/// would copy everything.
const MEMBERSHIPS: usize = 12;

/// Blocks, and for each record the blocks that it is in.
#[derive(Debug)]
pub(crate) struct Blocks {
    /// The records of all blocks, those of one block together.
    members: Vec<Slot>,
    /// Where each block begins in `members`; the last one is where the next would begin.
    bounds: Vec<u32>,
    /// Numbers of the blocks in which only neighbours are compared; few have any.
    windows: Vec<u32>,
    /// Where the blocks of each record begin in `of_record`.
    starts: Vec<u32>,
    of_record: Vec<u32>,
    window: usize,
    pub(crate) statistics: BlockingStatistics,
}

impl Blocks {
    /// No blocks yet.
    pub(super) fn new(limits: &Blocking) -> Self {
        Self {
            members: Vec::new(),
            bounds: vec![0],
            windows: Vec::new(),
            starts: Vec::new(),
            of_record: Vec::new(),
            window: limits.window,
            statistics: BlockingStatistics::default(),
        }
    }

    /// Sorts the records into blocks.
    pub(crate) fn build(population: &Population, limits: &Blocking) -> Self {
        let mut blocks = Self::new(limits);
        blocks.members.reserve(MEMBERSHIPS * population.len());
        // One kind of key after another, so that all keys of all records are never held at once.
        let mut sorter = Sorter::new();
        for scheme in schemes() {
            let parts = sorter.visit(population, scheme, |entries| {
                let mut part = Self::new(limits);
                part.add(population, limits, entries);
                part
            });
            parts.iter().for_each(|part| blocks.append(part));
        }
        drop(sorter);
        blocks.index(population.end());
        blocks
    }

    /// Takes over the blocks of a part of the keys.
    fn append(&mut self, part: &Self) {
        let (members, blocks) = (self.members.len() as u32, self.bounds.len() as u32 - 1);
        self.members.extend_from_slice(&part.members);
        let bounds = part.bounds.iter().skip(1);
        self.bounds.extend(bounds.map(|bound| bound + members));
        let windows = part.windows.iter();
        self.windows.extend(windows.map(|number| number + blocks));
        self.statistics.add(&part.statistics);
    }

    pub(super) fn add(&mut self, population: &Population, limits: &Blocking, entries: &[Entry]) {
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
        if is_window {
            self.windows.push(self.bounds.len() as u32 - 1);
        }
        self.members.extend_from_slice(slots);
        self.bounds.push(self.members.len() as u32);
        self.statistics.blocks += 1;
        if is_window {
            let compared = (slots.len() as u64).saturating_mul(self.window as u64);
            self.statistics.windows += 1;
            self.statistics.pairs_outside_windows += pairs(slots.len()).saturating_sub(compared);
        }
    }

    /// Turns blocks of records into records' blocks. Several tasks do it, each for a range of the records.
    fn index(&mut self, end: Slot) {
        let (members, bounds) = (&self.members, &self.bounds);
        let share = (end as usize).div_ceil(rayon::current_num_threads()).max(1);
        let mut next = vec![0_u32; end as usize];
        let counts = next.par_chunks_mut(share).enumerate();
        counts.for_each(|(number, counts)| count(members, number * share, counts));
        let starts: Vec<u32> = running_sums(&next);
        self.of_record = vec![0; self.members.len()];
        let mut rest = self.of_record.as_mut_slice();
        let mut ranges = Vec::new();
        for (number, next) in next.chunks_mut(share).enumerate() {
            let first = number * share;
            let bound = |place: usize| starts.get(place).map_or(0, |start| *start as usize);
            let (start, end) = (bound(first), bound(first + next.len()));
            let (range, others) = rest.split_at_mut(end - start);
            rest = others;
            ranges.push((first, next, range));
        }
        ranges
            .into_par_iter()
            .for_each(|(first, next, range)| fill(members, bounds, first, next, range));
        self.starts = starts;
    }

    /// Collects the records with higher slots that share a block with this one, each once.
    pub(crate) fn partners(&self, population: &Population, slot: Slot, found: &mut Vec<Slot>) {
        self.collect(population, slot, slot.saturating_add(1), found);
    }

    /// Collects all records that share a block with this one, each once.
    pub(crate) fn all_partners(&self, population: &Population, slot: Slot, found: &mut Vec<Slot>) {
        std::hint::black_box(self.touch(slot..slot.saturating_add(1)));
        self.collect(population, slot, 0, found);
        found.retain(|other| *other != slot);
    }

    fn collect(&self, population: &Population, slot: Slot, from: Slot, found: &mut Vec<Slot>) {
        found.clear();
        for number in self.blocks_of(slot..slot.saturating_add(1)) {
            let members = self.block(*number);
            if self.is_window(*number) {
                let near = self.window_around(population, slot, members);
                found.extend(near.iter().copied().filter(|other| *other >= from));
            } else {
                found.extend(members.iter().filter(|other| **other >= from));
            }
        }
        found.sort_unstable();
        found.dedup();
    }

    /// The blocks of all records of a range.
    fn blocks_of(&self, slots: Range<Slot>) -> &[u32] {
        let bound = |slot: Slot| self.starts.get(slot as usize).copied();
        let (Some(start), Some(end)) = (bound(slots.start), bound(slots.end)) else {
            return &[];
        };
        let blocks = self.of_record.get(start as usize..end as usize);
        blocks.unwrap_or_default()
    }

    /// Reads the beginning of each block of the records of a range, so that all are fetched from memory at once.
    pub(crate) fn touch(&self, slots: Range<Slot>) -> u32 {
        let blocks = self.blocks_of(slots).iter();
        let bound = |number: u32| self.bounds.get(number as usize).copied().unwrap_or(0);
        let bounds = blocks.clone().fold(0, |sum, number| sum ^ bound(*number));
        let first = blocks.filter_map(|number| self.members.get(bound(*number) as usize));
        first.fold(bounds, |sum, slot| sum ^ slot)
    }

    /// The records of a block.
    fn block(&self, number: u32) -> &[Slot] {
        block(&self.members, &self.bounds, number)
    }

    /// Whether only neighbours are compared in a block.
    fn is_window(&self, number: u32) -> bool {
        !self.windows.is_empty() && self.windows.binary_search(&number).is_ok()
    }

    /// The records of each block, and whether only neighbours among them are compared.
    pub(super) fn each(&self) -> impl Iterator<Item = (&[Slot], bool)> {
        let numbers = 0..self.bounds.len() as u32 - 1;
        numbers.map(|number| (self.block(number), self.is_window(number)))
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

/// The records of a block.
fn block<'a>(members: &'a [Slot], bounds: &[u32], number: u32) -> &'a [Slot] {
    let bound = |number: usize| bounds.get(number).map_or(0, |bound| *bound as usize);
    let number = number as usize;
    members
        .get(bound(number)..bound(number + 1))
        .unwrap_or_default()
}

/// Counts the places of the records from `first` on.
fn count(members: &[Slot], first: usize, counts: &mut [u32]) {
    for slot in members {
        // Records before the range come out far behind it.
        if let Some(count) = counts.get_mut((*slot as usize).wrapping_sub(first)) {
            *count += 1;
        }
    }
}

/// The sum of all counts before each, and of all.
fn running_sums(counts: &[u32]) -> Vec<u32> {
    let mut total = 0;
    let sums = counts.iter().map(|count| {
        total += *count;
        total
    });
    std::iter::once(0).chain(sums).collect()
}

/// Writes the numbers of the blocks of the records from `first` on, of which `next` says how many each has.
fn fill(members: &[Slot], bounds: &[u32], first: usize, next: &mut [u32], range: &mut [u32]) {
    let mut total = 0;
    for place in next.iter_mut() {
        let own = std::mem::replace(place, total);
        total += own;
    }
    for number in 0..bounds.len() as u32 - 1 {
        for slot in block(members, bounds, number) {
            let Some(place) = next.get_mut((*slot as usize).wrapping_sub(first)) else {
                continue;
            };
            if let Some(entry) = range.get_mut(*place as usize) {
                *entry = number;
            }
            *place += 1;
        }
    }
}

/// Whether anything of the records of one key is compared.
fn is_kept(block: &[Entry], limits: &Blocking) -> bool {
    let is_too_large = |key| is_small(key) && block.len() > limits.largest_small_block;
    block.len() > 1 && !block.first().is_some_and(|(key, _)| is_too_large(*key))
}

fn pairs(records: usize) -> u64 {
    let records = records as u64;
    records.saturating_mul(records.saturating_sub(1)) / 2
}
