//! Which encodings are compared: those that agree in a sample of their bits.
//!
//! Locality-sensitive hashing by bit sampling (Indyk and Motwani 1998; for record linkage Durham 2012, Karapiperis and
//! Verykios 2015): in each round the encodings are sorted by other bits, and those that agree in the first of them are
//! compared with their nearest neighbours. The samples follow from the key check value: they are the same in every run over
//! the same encodings, and nobody who lacks an encoding knows which bits they are. How many pairs there are is bounded
//! whatever the encodings are.

use rayon::prelude::*;

use crate::mix;

use super::encode::Encoding;
use super::filter::BITS;
use super::pool::Pool;

/// Rounds, each with another sample.
const ROUNDS: u64 = 192;
/// Bits that are sorted by.
const SAMPLE: usize = 64;
/// So many bits more must agree than it takes to number the records: few strangers then agree by chance.
const EXTRA_BITS: u32 = 3;
const FEWEST_BITS: u32 = 12;
/// Neighbours with which a record is compared in a round at most.
const NEIGHBOURS: usize = 4;
/// Pairs for each record at which no further round is made.
const MOST_PAIRS: usize = 32;
/// Rounds between two times that pairs found twice are put together.
const TIDIED: u64 = 4;

/// A pair of records by their numbers, the lower one first.
pub(super) type NumberPair = (u32, u32);

/// All pairs to be compared, each once, in order.
pub(super) fn pairs(pool: &Pool, seed: u64) -> Vec<NumberPair> {
    let encodings: Vec<(u32, &Encoding)> = pool.linkable().collect();
    let agreeing = bits_to_agree(encodings.len());
    let mut found: Vec<NumberPair> = Vec::new();
    for round in 0..ROUNDS {
        let keys = sorted_keys(&encodings, &sample(mix::pair(seed, round)));
        found.par_extend(keys.par_iter().enumerate().flat_map_iter(|(place, key)| {
            let next = keys.iter().skip(place + 1).take(NEIGHBOURS);
            let near = next.take_while(|other| (key.0 ^ other.0).leading_zeros() >= agreeing);
            near.map(|other| (key.1.min(other.1), key.1.max(other.1)))
        }));
        if round % TIDIED == TIDIED - 1 {
            found.par_sort_unstable();
            found.dedup();
            if found.len() > MOST_PAIRS * encodings.len() {
                break;
            }
        }
    }
    found
}

fn bits_to_agree(records: usize) -> u32 {
    (usize::BITS - records.leading_zeros() + EXTRA_BITS).max(FEWEST_BITS)
}

/// Records by their sampled bits.
fn sorted_keys(encodings: &[(u32, &Encoding)], positions: &[usize]) -> Vec<(u64, u32)> {
    let key = |encoding: &Encoding| {
        let bits = positions.iter().map(|place| encoding.filter.bit(*place));
        bits.fold(0, |key, bit| key << 1 | bit)
    };
    let keys = encodings.par_iter();
    let mut keys: Vec<(u64, u32)> = keys
        .map(|(number, encoding)| (key(encoding), *number))
        .collect();
    keys.par_sort_unstable();
    keys
}

/// Positions of a sample, all different.
fn sample(seed: u64) -> Vec<usize> {
    let mut positions = Vec::with_capacity(SAMPLE);
    let mut drawn = 0;
    while positions.len() < SAMPLE {
        let position = (mix::pair(seed, drawn) % BITS as u64) as usize;
        drawn += 1;
        if !positions.contains(&position) {
            positions.push(position);
        }
    }
    positions
}
