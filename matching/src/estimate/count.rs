//! What there is to learn from: the patterns of the pairs in the blocks, and those of pairs drawn at random.

use rayon::prelude::*;

use crate::blocking::Blocks;
use crate::compare::Comparer;
use crate::field::Pattern;
use crate::mix::{self, MixedMap};
use crate::model::Model;
use crate::population::{Population, Slot};
use crate::score::Scorer;

use super::Matched;

/// Parts into which the pairs fall, so that an estimate can be made without each in turn.
pub(crate) const PARTS: usize = 8;
/// Records up to which every pair of the blocks is counted; of more records the pairs of one in so many are.
const COUNTED_RECORDS: u64 = 100_000;
/// Pairs drawn at random to see what strangers have in common.
pub(super) const DRAWN_PAIRS: u64 = 200_000;
/// Slots, or drawn pairs, that one task compares.
const TASK: usize = 8192;

/// How many pairs have each pattern, by part; sorted, so that adding up has one order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts(Vec<(Pattern, [f64; PARTS])>);

impl Counts {
    /// Counts the pairs in the blocks. Of many records a part is counted and stands for the rest: which one
    /// depends on their keys alone, not on the order of the input.
    pub(super) fn of(population: &Population, model: &Model, blocks: &Blocks) -> Self {
        let comparer = Comparer::new(population, model);
        let one_in = (population.len() as u64).div_ceil(COUNTED_RECORDS).max(1);
        // A pair is met from either of its records, hence half a pair each time.
        let weight = one_in as f64 / 2.0;
        let slots: Vec<Slot> = (0..population.end())
            .filter(|slot| mix::word(population.digest(*slot) as u64).is_multiple_of(one_in))
            .collect();
        let count_task = |slots: &[Slot]| {
            let (mut counts, mut partners) = (Map::default(), Vec::new());
            for slot in slots {
                blocks.all_partners(population, *slot, &mut partners);
                std::hint::black_box(population.touch(|| partners.iter().copied()));
                let Some(one) = population.person(*slot) else {
                    continue;
                };
                for partner in &partners {
                    let Some(other) = population.person(*partner) else {
                        continue;
                    };
                    let pattern = comparer.compare(one, other).pattern;
                    let part = part(population, *slot, *partner);
                    let (_, parts) = counts.entry(pattern.mixed()).or_insert((pattern, NONE));
                    if let Some(count) = parts.get_mut(part) {
                        *count += weight;
                    }
                }
            }
            counts
        };
        let counts = slots
            .par_chunks(TASK)
            .map(count_task)
            .reduce(Map::default, merged);
        let mut counts: Vec<_> = counts.into_values().collect();
        counts.par_sort_unstable_by_key(|(pattern, _)| *pattern);
        Self(counts)
    }

    /// The patterns with their counts, those of one part left out.
    pub(super) fn without(&self, part: Option<usize>) -> impl Iterator<Item = (Pattern, f64)> {
        let share = part.map_or(1.0, |_| PARTS as f64 / (PARTS - 1) as f64);
        self.0.iter().map(move |(pattern, counts)| {
            let left_out = part
                .and_then(|part| counts.get(part))
                .copied()
                .unwrap_or(0.0);
            let all: f64 = counts.iter().sum();
            (*pattern, (all - left_out) * share)
        })
    }

    /// Distinct patterns.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Counts by pattern, under the pattern mixed into a key.
type Map = MixedMap<u64, (Pattern, [f64; PARTS])>;

const NONE: [f64; PARTS] = [0.0; PARTS];

fn merged(mut all: Map, some: Map) -> Map {
    for (key, (pattern, counts)) in some {
        let (_, sums) = all.entry(key).or_insert((pattern, NONE));
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    all
}

/// The part that a pair falls into; the order of the two does not matter.
fn part(population: &Population, a: Slot, b: Slot) -> usize {
    let sum = population.digest(a).wrapping_add(population.digest(b));
    (mix::word((sum >> 64) as u64) % PARTS as u64) as usize
}

/// Levels of pairs drawn at random; the draw depends on nothing but the number of records.
pub(super) fn drawn(population: &Population, model: &Model) -> Matched {
    let comparer = Comparer::new(population, model);
    let scorer = Scorer::new(model, population.len());
    let end = u64::from(population.end()).max(1);
    let numbers: Vec<u64> = (0..DRAWN_PAIRS).collect();
    let draw_task = |numbers: &[u64]| {
        let mut drawn = Matched::default();
        for number in numbers {
            let a = (mix::word(number * 2) % end) as Slot;
            let b = (mix::word(number * 2 + 1) % end) as Slot;
            let (Some(one), Some(other)) = (population.person(a), population.person(b)) else {
                continue;
            };
            if a != b {
                // In a small table some drawn pairs are no strangers: they count by the chance that
                // they are.
                let evidence = comparer.compare(one, other);
                drawn.add(evidence.pattern, scorer.stranger_share(&evidence));
            }
        }
        drawn
    };
    // Sums of the tasks in order, so that the same records give the same estimate.
    let tasks: Vec<Matched> = numbers.par_chunks(TASK).map(draw_task).collect();
    tasks.iter().fold(Matched::default(), Matched::plus)
}
