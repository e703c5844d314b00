//! Sets and maps of 64-bit fingerprints that take some seven bytes an entry beside its value, so that a file of half a
//! gigabyte fits into the memory limit. Of a fingerprint 57 bits are kept: two keys of a file of five million records
//! share one with a chance of about one in ten thousand.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Buckets of a map, so that a file of half a gigabyte has some forty to eighty entries in each.
const BUCKETS: usize = 1 << 17;
/// Entries that stand together. A bucket fills a block before it takes another.
const WIDTH: usize = 6;
/// Bytes of the blocks that are allocated at once, a size that an allocator rounds up little. They never move, so that
/// growing copies nothing and frees nothing.
const SEGMENT_BYTES: usize = 1 << 19;

/// Makes fingerprints that cannot be predicted from outside, so that nobody can craft colliding cases.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints(RandomState);

impl Fingerprints {
    /// The fingerprint of a key given in parts; never 0.
    #[must_use]
    pub(crate) fn of(&self, parts: &[&str]) -> u64 {
        let mut hasher = self.0.build_hasher();
        for part in parts {
            hasher.write(part.as_bytes());
            hasher.write_u8(0xff);
        }
        hasher.finish().max(1)
    }
}

/// A map from fingerprints to small values: buckets of linked blocks. Values of single bytes waste nothing on alignment.
#[derive(Debug)]
pub(crate) struct CompactMap<V> {
    /// The newest block of each bucket by number, from 1 on; 0 for none.
    heads: Vec<u32>,
    segments: Vec<Vec<Block<V>>>,
}

/// What is kept of a key: its upper 40 bits, never all zero, which marks a free place. The lowest bits chose the bucket.
type Rest = [u8; 5];

const FREE: Rest = [0; 5];

fn rest(key: u64) -> Rest {
    let [a, b, c, d, e, ..] = key.to_be_bytes();
    match [a, b, c, d, e] {
        FREE => [0, 0, 0, 0, 1],
        rest => rest,
    }
}

fn bucket(key: u64) -> usize {
    usize::try_from(key % BUCKETS as u64).unwrap_or(0)
}

/// Some entries of one bucket, filled from the front.
#[derive(Debug, Clone, Copy)]
struct Block<V> {
    keys: [Rest; WIDTH],
    values: [V; WIDTH],
    /// The next older block of the bucket.
    next: [u8; 4],
}

impl<V: Copy + Default> Default for CompactMap<V> {
    fn default() -> Self {
        Self {
            heads: vec![0; BUCKETS],
            segments: Vec::new(),
        }
    }
}

impl<V: Copy + Default> CompactMap<V> {
    /// Blocks of a segment.
    const SEGMENT: usize = SEGMENT_BYTES / size_of::<Block<V>>();

    /// The value of a key, inserted as default when it is new. The flag says whether it was new.
    pub(crate) fn entry(&mut self, key: u64) -> (Option<&mut V>, bool) {
        let (bucket, key) = (bucket(key), rest(key));
        let (place, is_new) = match self.find(bucket, key) {
            Some(place) => (Some(place), false),
            None => (self.insert(bucket, key), true),
        };
        match place {
            Some((number, slot)) => {
                let block = self.block_mut(number);
                (block.and_then(|block| block.values.get_mut(slot)), is_new)
            }
            None => (None, false),
        }
    }

    /// Every value.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.segments.iter().flatten().flat_map(|block| {
            let filled = block.keys.iter().zip(&block.values);
            filled
                .filter(|(key, _)| **key != FREE)
                .map(|(_, value)| value)
        })
    }

    /// The value of a key.
    #[must_use]
    pub(crate) fn get(&self, key: u64) -> Option<&V> {
        let (number, slot) = self.find(bucket(key), rest(key))?;
        self.block(number)?.values.get(slot)
    }

    /// Block and slot of a key.
    fn find(&self, bucket: usize, key: Rest) -> Option<(u32, usize)> {
        let mut number = *self.heads.get(bucket)?;
        while let Some(block) = self.block(number) {
            if let Some(slot) = block.keys.iter().position(|known| *known == key) {
                return Some((number, slot));
            }
            number = u32::from_ne_bytes(block.next);
        }
        None
    }

    /// Puts a new key into its bucket. `None` when there are more blocks than numbers.
    fn insert(&mut self, bucket: usize, key: Rest) -> Option<(u32, usize)> {
        let head = *self.heads.get(bucket)?;
        if let Some(block) = self.block_mut(head)
            && let Some(slot) = block.keys.iter().position(|known| *known == FREE)
        {
            *block.keys.get_mut(slot)? = key;
            return Some((head, slot));
        }
        let mut block = Block {
            keys: [FREE; WIDTH],
            values: [V::default(); WIDTH],
            next: head.to_ne_bytes(),
        };
        *block.keys.first_mut()? = key;
        let number = self.push(block)?;
        *self.heads.get_mut(bucket)? = number;
        Some((number, 0))
    }

    fn push(&mut self, block: Block<V>) -> Option<u32> {
        let is_full = self
            .segments
            .last()
            .is_none_or(|segment| segment.len() == Self::SEGMENT);
        if is_full {
            self.segments.push(Vec::with_capacity(Self::SEGMENT));
        }
        let before = (self.segments.len() - 1) * Self::SEGMENT;
        let segment = self.segments.last_mut()?;
        let number = u32::try_from(before + segment.len() + 1).ok()?;
        segment.push(block);
        Some(number)
    }

    fn block(&self, number: u32) -> Option<&Block<V>> {
        let place = usize::try_from(number.checked_sub(1)?).ok()?;
        self.segments
            .get(place / Self::SEGMENT)?
            .get(place % Self::SEGMENT)
    }

    fn block_mut(&mut self, number: u32) -> Option<&mut Block<V>> {
        let place = usize::try_from(number.checked_sub(1)?).ok()?;
        self.segments
            .get_mut(place / Self::SEGMENT)?
            .get_mut(place % Self::SEGMENT)
    }

    /// Bytes allocated.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        let blocks: usize = self.segments.iter().map(Vec::capacity).sum();
        self.heads.capacity() * size_of::<u32>() + blocks * size_of::<Block<V>>()
    }
}

/// A set of fingerprints.
#[derive(Debug, Default)]
pub(crate) struct CompactSet(CompactMap<()>);

impl CompactSet {
    /// Inserts a key; `true` when it was new.
    pub(crate) fn insert(&mut self, key: u64) -> bool {
        self.0.entry(key).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_remembers_every_key_while_it_grows() {
        let fingerprints = Fingerprints::default();
        let mut set = CompactSet::default();
        let keys: Vec<u64> = (0..50_000)
            .map(|n: u32| fingerprints.of(&["key", &n.to_string()]))
            .collect();
        assert!(keys.iter().all(|key| set.insert(*key)));
        assert!(keys.iter().all(|key| !set.insert(*key)));
    }

    #[test]
    fn parts_do_not_run_together() {
        let fingerprints = Fingerprints::default();
        assert_ne!(fingerprints.of(&["ab", "c"]), fingerprints.of(&["a", "bc"]));
    }

    #[test]
    fn a_map_keeps_its_values_while_it_grows() {
        let mut map = CompactMap::<u32>::default();
        for key in 1..5_000_u64 {
            let spread = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *map.entry(spread).0.unwrap() = key as u32;
        }
        for key in 1..5_000_u64 {
            assert_eq!(
                map.get(key.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                Some(&(key as u32))
            );
        }
        assert_eq!(map.values().count(), 4_999);
    }
}
