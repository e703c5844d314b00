//! Twins, father and son, sisters, mother and daughter of one name, with the errors that records have, amid a
//! population: whom the engine takes for one person.

use std::convert::Infallible;

use tandem_matching::{Engine, LinkResult, Pair, Record, Rulings};
use tandem_population::{Lookalikes, Parameters, Population, TruthRow};

use crate::generator::record;

/// A thousand families amid eight thousand people, linked as `tandem link` does it without settings.
fn linked(seed: u64, difficulty: f64) -> (LinkResult, Vec<TruthRow>) {
    let parameters = Parameters {
        people: 8_000,
        seed,
        difficulty,
    };
    let mut population = Population::new(parameters).unwrap();
    let mut lookalikes = Lookalikes::new(1_000, seed, difficulty).unwrap();
    let mut rows = Vec::new();
    rows.extend(std::iter::from_fn(|| population.next_family()).flatten());
    rows.extend(std::iter::from_fn(|| lookalikes.next_family()).flatten());
    let records: Vec<Record> = rows.iter().map(|(row, _)| record(row)).collect();
    let mut batch = Engine::standard().unwrap().batch();
    records
        .iter()
        .for_each(|record| batch.push(record).unwrap());
    batch.estimate().unwrap();
    let result = batch.run(&Rulings::new(), |_, _| Ok::<(), Infallible>(()));
    let truth = rows.into_iter().map(|(_, about)| about).collect();
    (result.unwrap(), truth)
}

/// Links within a look-alike family: those of two people, and those of one.
fn within_families(result: &LinkResult, truth: &[TruthRow]) -> (usize, usize) {
    let is_within = |pair: &&Pair| {
        let (a, b) = (&truth[pair.a()], &truth[pair.b()]);
        a.household == b.household && a.household >= tandem_population::LOOKALIKES_FROM
    };
    let links = result.links().iter().filter(is_within);
    let (right, wrong): (Vec<&Pair>, Vec<&Pair>) =
        links.partition(|pair| truth[pair.a()].person == truth[pair.b()].person);
    (wrong.len(), right.len())
}

/// Pairs of records of one person in look-alike families.
fn true_pairs(truth: &[TruthRow]) -> usize {
    let mut people: Vec<u64> = truth
        .iter()
        .filter(|about| about.household >= tandem_population::LOOKALIKES_FROM)
        .map(|about| about.person)
        .collect();
    people.sort_unstable();
    let sizes = people.chunk_by(|one, other| one == other).map(<[u64]>::len);
    sizes.map(|size| size * (size - 1) / 2).sum()
}

#[test]
fn without_errors_no_link_in_a_thousand_families_is_wrong() {
    let (result, truth) = linked(202, 0.0);
    let (wrong, right) = within_families(&result, &truth);
    let pairs = true_pairs(&truth);
    assert_eq!(wrong, 0, "beside {right} right ones");
    assert!(right * 100 >= pairs * 98, "{right} of {pairs}");
}

#[test]
fn at_most_two_links_in_a_thousand_families_are_wrong_at_the_default_threshold() {
    // One suite can be unlucky: with the names Lan and Loan a slip is a sister. The promise is two on average.
    let seeds = 201..=205;
    let families = seeds.clone().count();
    let (mut wrong, mut right, mut pairs) = (0, 0, 0);
    for seed in seeds {
        let (result, truth) = linked(seed, 1.0);
        let found = within_families(&result, &truth);
        println!("seed {seed}: {} wrong, {} right", found.0, found.1);
        wrong += found.0;
        right += found.1;
        pairs += true_pairs(&truth);
    }
    assert!(wrong <= 2 * families, "{wrong} wrong links");
    assert!(right * 100 >= pairs * 96, "{right} of {pairs}");
}
