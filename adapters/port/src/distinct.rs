//! Counting distinct keys in little memory: about five bytes a key, so that a file of half a gigabyte fits into the memory
//! limit beside what its reader remembers.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU32;

/// Keys up to which each stands by itself: most inputs tell of a few people, and the shards alone take half a mebibyte.
const FEW: usize = 1_024;
/// Keys are spread by the first 16 bits of their hash, and each keeps 32 further bits.
const SHARDS: usize = 1 << 16;
/// Remainders that stand together. A shard fills a block before it takes another.
const WIDTH: usize = 6;
/// Blocks that are allocated at once, half a mebibyte, which an allocator rounds up little. They never move: growing
/// copies nothing and leaves no holes.
const SEGMENT: usize = (1 << 19) / size_of::<Block>();

/// Some remainders of one shard, filled from the front.
#[derive(Clone, Copy)]
struct Block {
    rests: [u32; WIDTH],
    /// The next older block of the shard, which is full.
    older: Option<NonZeroU32>,
}

/// Where a shard begins.
#[derive(Clone, Copy, Default)]
struct Head {
    /// Its newest block, by number from 1 on.
    newest: Option<NonZeroU32>,
    /// How many remainders stand in that block.
    filled: u8,
}

/// A set of keys that only knows how many there are. Two keys count as one with a chance of about 2^-48 for each pair:
/// below one in fifty for a file of three million people.
pub(crate) struct Distinct {
    hasher: RandomState,
    /// What is kept of each key, while there are few.
    few: HashSet<[u8; 6]>,
    /// The shards, once there are more.
    heads: Vec<Head>,
    segments: Vec<Vec<Block>>,
    count: u64,
}

impl Distinct {
    /// No key yet.
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            few: HashSet::new(),
            heads: Vec::new(),
            segments: Vec::new(),
            count: 0,
        }
    }

    /// Adds a key.
    pub(crate) fn add(&mut self, key: &str) {
        let hash = self.hasher.hash_one(key);
        let [a, b, c, d, e, f, ..] = hash.to_be_bytes();
        if !self.heads.is_empty() {
            return self.spread([a, b, c, d, e, f]);
        }
        self.few.insert([a, b, c, d, e, f]);
        if self.few.len() > FEW {
            self.heads = vec![Head::default(); SHARDS];
            for kept in std::mem::take(&mut self.few) {
                self.spread(kept);
            }
        }
    }

    /// Adds what is kept of a key to its shard.
    fn spread(&mut self, [a, b, c, d, e, f]: [u8; 6]) {
        let shard = usize::from(u16::from_be_bytes([a, b]));
        let rest = u32::from_be_bytes([c, d, e, f]);
        let Some(mut head) = self.heads.get(shard).copied() else {
            return;
        };
        if self.holds(head, rest) {
            return;
        }
        self.keep(&mut head, rest);
        if let Some(place) = self.heads.get_mut(shard) {
            *place = head;
        }
        self.count += 1;
    }

    fn holds(&self, head: Head, rest: u32) -> bool {
        let mut filled = usize::from(head.filled);
        let mut next = head.newest;
        while let Some(block) = next.and_then(|number| self.block(number)) {
            if block.rests.iter().take(filled).any(|one| *one == rest) {
                return true;
            }
            filled = WIDTH;
            next = block.older;
        }
        false
    }

    fn keep(&mut self, head: &mut Head, rest: u32) {
        if head.newest.is_none() || usize::from(head.filled) == WIDTH {
            head.newest = self.push(Block {
                rests: [0; WIDTH],
                older: head.newest,
            });
            head.filled = 0;
        }
        let (segment, place) = head.newest.map_or((0, 0), position);
        let block = self.segments.get_mut(segment);
        let block = block.and_then(|segment| segment.get_mut(place));
        if let Some(slot) = block.and_then(|block| block.rests.get_mut(usize::from(head.filled))) {
            *slot = rest;
            head.filled += 1;
        }
    }

    fn block(&self, number: NonZeroU32) -> Option<&Block> {
        let (segment, place) = position(number);
        self.segments.get(segment)?.get(place)
    }

    /// Adds a block; its number.
    fn push(&mut self, block: Block) -> Option<NonZeroU32> {
        if self.segments.last().is_none_or(|one| one.len() == SEGMENT) {
            self.segments.push(Vec::with_capacity(SEGMENT));
        }
        let full = self.segments.len().checked_sub(1)?;
        let segment = self.segments.last_mut()?;
        segment.push(block);
        NonZeroU32::new(u32::try_from(full * SEGMENT + segment.len()).ok()?)
    }

    /// How many keys there are.
    pub(crate) fn count(&self) -> u64 {
        self.count + self.few.len() as u64
    }
}

/// Segment and place of a block.
fn position(number: NonZeroU32) -> (usize, usize) {
    let at = usize::try_from(number.get() - 1).unwrap_or(usize::MAX);
    (at / SEGMENT, at % SEGMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_counts_once_however_often_it_comes() {
        let mut distinct = Distinct::new();
        for many in [3, FEW, FEW + 1, 100_000] {
            for _ in 0..2 {
                (0..many).for_each(|key| distinct.add(&format!("person-{key}")));
            }
            assert_eq!(distinct.count(), many as u64);
        }
    }

    #[test]
    fn a_key_takes_five_bytes_or_so() {
        let mut distinct = Distinct::new();
        (0..1_000_000).for_each(|key| distinct.add(&format!("person-{key}")));
        assert_eq!(distinct.count(), 1_000_000);
        let blocks: usize = distinct.segments.iter().map(Vec::capacity).sum();
        let bytes = blocks * size_of::<Block>();
        assert!(bytes < 6_000_000, "{bytes} bytes");
    }
}
