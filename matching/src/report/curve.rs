//! The expected rate of false links at other thresholds than the one that was used.

use rayon::prelude::*;

use crate::model::Model;
use crate::rates::{FalseMatchRate, interval};
use crate::result::{LinkResult, Pair};
use crate::score::Scorer;
use crate::settings::Settings;

/// Scores above this say no more about thresholds.
const HIGHEST: f64 = 40.0;

/// What would be linked from one score on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) bits: f64,
    pub(super) links: u64,
    pub(super) rate: FalseMatchRate,
}

/// Points at each whole bit of the review band and above, and at the threshold itself; the highest first. Below the
/// threshold the pairs count that the score alone would link.
pub(super) fn curve(result: &LinkResult) -> Vec<Point> {
    let open = |pair: &&Pair| pair.is_open && !pair.is_refused;
    let reviews = result.reviews().iter().filter(open);
    let pairs: Vec<&Pair> = result.links().iter().chain(reviews).collect();
    let thresholds = thresholds(result.settings(), &pairs);
    let place = |pair: &Pair| thresholds.partition_point(|bits| *bits > pair.bits);
    let (mut links, mut expected) = (vec![0_u64; thresholds.len()], vec![0.0; thresholds.len()]);
    for pair in &pairs {
        let place = place(pair);
        if let (Some(links), Some(expected)) = (links.get_mut(place), expected.get_mut(place)) {
            *links += 1;
            *expected = f64::max(*expected, pair.false_match_rate);
        }
    }
    let records = result.clusters().len();
    let without_parts = result.without_parts.par_iter();
    let wrong: Vec<Vec<f64>> = without_parts
        .map(|settings| {
            let model = Model::new(settings.clone());
            let scorer = Scorer::new(&model, records);
            let mut wrong = vec![0.0; thresholds.len()];
            for pair in &pairs {
                if let Some(sum) = wrong.get_mut(place(pair)) {
                    *sum += scorer.score(&pair.evidence).false_share();
                }
            }
            wrong
        })
        .collect();
    added_up(&thresholds, &links, &expected, &wrong)
}

fn thresholds(settings: &Settings, pairs: &[&Pair]) -> Vec<f64> {
    let set = &settings.thresholds;
    let highest = pairs
        .iter()
        .map(|pair| pair.bits)
        .fold(set.link_bits, f64::max);
    let whole = set.review_bits.ceil() as i32..=highest.min(HIGHEST).floor() as i32;
    let mut thresholds: Vec<f64> = whole.map(f64::from).collect();
    thresholds.push(set.link_bits);
    thresholds.sort_unstable_by(|a, b| b.total_cmp(a));
    thresholds.dedup();
    thresholds
}

/// From what lies between two thresholds to what lies at each and above.
fn added_up(thresholds: &[f64], links: &[u64], expected: &[f64], wrong: &[Vec<f64>]) -> Vec<Point> {
    let (mut total, mut rate) = (0, 0.0);
    let mut sums = vec![0.0; wrong.len()];
    let mut points = Vec::new();
    for (place, ((bits, links), expected)) in thresholds.iter().zip(links).zip(expected).enumerate()
    {
        total += links;
        rate = f64::max(rate, *expected);
        for (sum, part) in sums.iter_mut().zip(wrong) {
            *sum += part.get(place).copied().unwrap_or(0.0);
        }
        if total == 0 {
            continue;
        }
        let shares: Vec<f64> = sums.iter().map(|sum| sum / total as f64).collect();
        points.push(Point {
            bits: *bits,
            links: total,
            rate: interval(rate, total as usize, &shares),
        });
    }
    points
}
