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
const ROUNDS: u64 = 512;
/// Bits that are sorted by; a record's number stands below them in its key.
const SAMPLE: u32 = 32;
/// So many bits more must agree than it takes to number the records: few strangers then agree by chance.
const EXTRA_BITS: u32 = 5;
const FEWEST_BITS: u32 = 12;
/// Neighbours with which a record is compared in a round at most.
const NEIGHBOURS: usize = 4;
/// Pairs for each record beyond which no further round is made; half as many and [`NEIGHBOURS`] can come on top before it
/// is noticed.
const MOST_PAIRS: usize = 30;
/// A pair of records by their numbers, the lower one first.
pub(super) type NumberPair = (u32, u32);

/// All pairs to be compared, each once, in order.
pub(super) fn pairs(pool: &Pool, seed: u64) -> Vec<NumberPair> {
    let encodings: Vec<(u32, &Encoding)> = pool.linkable().collect();
    let agreeing = bits_to_agree(encodings.len());
    let mut found: Vec<NumberPair> = Vec::new();
    let mut untidy = NEIGHBOURS * encodings.len();
    for round in 0..ROUNDS {
        let keys = sorted_keys(&encodings, &sample(mix::pair(seed, round)));
        found.par_extend(keys.par_iter().enumerate().flat_map_iter(|(place, key)| {
            let next = keys.iter().skip(place + 1).take(NEIGHBOURS);
            let near = next.take_while(move |other| (key ^ *other).leading_zeros() >= agreeing);
            near.map(move |other| {
                let (one, two) = (*key as u32, *other as u32);
                (one.min(two), one.max(two))
            })
        }));
        if found.len() >= untidy {
            tidy(&mut found);
            if found.len() > MOST_PAIRS * encodings.len() {
                return found;
            }
            untidy = found.len() * 3 / 2 + NEIGHBOURS * encodings.len();
        }
    }
    tidy(&mut found);
    found
}

/// Puts pairs that were found twice together.
fn tidy(found: &mut Vec<NumberPair>) {
    found.par_sort_unstable();
    found.dedup();
}

fn bits_to_agree(records: usize) -> u32 {
    (usize::BITS - records.leading_zeros() + EXTRA_BITS).clamp(FEWEST_BITS, SAMPLE)
}

/// The sampled bits of each record with its number, in order.
fn sorted_keys(encodings: &[(u32, &Encoding)], positions: &[usize]) -> Vec<u64> {
    let key = |(number, encoding): &(u32, &Encoding)| {
        let bits = positions.iter().map(|place| encoding.filter.bit(*place));
        bits.fold(0, |key, bit| key << 1 | bit) << u32::BITS | u64::from(*number)
    };
    let mut keys: Vec<u64> = encodings.par_iter().map(key).collect();
    keys.par_sort_unstable();
    keys
}

/// Positions of a sample, all different.
fn sample(seed: u64) -> Vec<usize> {
    let mut positions = Vec::with_capacity(SAMPLE as usize);
    let mut drawn = 0;
    while positions.len() < SAMPLE as usize {
        let position = (mix::pair(seed, drawn) % BITS as u64) as usize;
        drawn += 1;
        if !positions.contains(&position) {
            positions.push(position);
        }
    }
    positions
}
