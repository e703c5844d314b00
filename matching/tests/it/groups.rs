//! How groups fare, as the model expects it, against what is true. All people are invented.

use std::collections::HashMap;

use tandem_matching::Dimension;
use tandem_population::{Parameters, Population};

use crate::tables_run::{Ran, Wanted, generated, run};

const PEOPLE: u64 = 8000;
const SEED: u64 = 23;

fn ran() -> Ran {
    let wanted = Wanted {
        beside: true,
        page: true,
        estimate: true,
        ..Wanted::default()
    };
    run(&generated(PEOPLE, SEED), wanted).unwrap()
}

#[test]
fn every_pair_is_in_one_group_of_each_dimension() {
    let ran = ran();
    for dimension in [Dimension::FamilyName, Dimension::Age, Dimension::Systems] {
        let groups = ran.report.fairness.iter();
        let groups = groups.filter(|group| group.dimension == dimension);
        let links: f64 = groups.map(|group| group.links).sum();
        assert!((links - ran.report.statistics.links as f64).abs() < 1e-6);
    }
    assert_eq!(ran.fairness.len(), ran.report.fairness.len());
    assert!(ran.page.contains("How groups fare"));
}

#[test]
fn expected_recall_is_near_the_true_one_and_least_for_the_system_that_fares_worst() {
    let ran = ran();
    let parameters = Parameters {
        people: PEOPLE,
        seed: SEED,
        difficulty: 1.0,
    };
    let mut population = Population::new(parameters).unwrap();
    let mut person = HashMap::new();
    let mut records: HashMap<u64, Vec<String>> = HashMap::new();
    while let Some(family) = population.next_family() {
        for (row, about) in family {
            let system = row.system.label().to_owned();
            person.insert((system.clone(), row.values[0].clone()), about.person);
            records.entry(about.person).or_default().push(system);
        }
    }
    // `tanf - cws`, the tables coming in this order.
    let order = ["tanf", "cws", "fhir", "hmis"];
    let name = |a: &str, b: &str| {
        let place = |system: &str| order.iter().position(|other| *other == system);
        let (a, b) = if place(a) <= place(b) { (a, b) } else { (b, a) };
        format!("{a} - {b}")
    };
    let mut matches: HashMap<String, f64> = HashMap::new();
    for systems in records.values() {
        for (place, one) in systems.iter().enumerate() {
            for other in systems.iter().skip(place + 1) {
                *matches.entry(name(one, other)).or_default() += 1.0;
            }
        }
    }
    let mut right: HashMap<String, f64> = HashMap::new();
    for row in ran.links.iter().filter(|row| row[5] == "link") {
        let key = |place: usize| person[&(row[place].clone(), row[place + 1].clone())];
        if key(0) == key(2) {
            *right.entry(name(&row[0], &row[2])).or_default() += 1.0;
        }
    }
    // The model does not see pairs that share no key, nor errors that look like agreement: it expects a little too much
    // of every group, but of the group that fares worst it expects least.
    let mut compared = Vec::new();
    let groups = ran.report.fairness.iter();
    for group in groups.filter(|group| group.dimension == Dimension::Systems) {
        let (Some(expected), true) = (group.recall, matches[&group.group] > 200.0) else {
            continue;
        };
        let found = right[&group.group] / matches[&group.group];
        println!("{} expected {expected:.3} found {found:.3}", group.group);
        assert!((expected - found).abs() < 0.05, "{}", group.group);
        compared.push((&group.group, expected, found));
    }
    assert!(compared.len() >= 6, "{compared:?}");
    let least = |rate: fn(&(&String, f64, f64)) -> f64| {
        let groups = compared.iter();
        groups
            .min_by(|a, b| rate(a).total_cmp(&rate(b)))
            .map(|group| group.0)
    };
    let (expected, found) = (least(|group| group.1), least(|group| group.2));
    assert!(expected.is_some_and(|group| group.contains("hmis")));
    assert!(found.is_some_and(|group| group.contains("hmis")));
}

#[test]
fn a_group_of_a_few_pairs_has_no_rate() {
    let wanted = Wanted {
        beside: true,
        ..Wanted::default()
    };
    let ran = run(&generated(60, 3), wanted).unwrap();
    let is_small = |expected: f64| expected < 30.0;
    let groups = &ran.report.fairness;
    assert!(groups.iter().any(|group| is_small(group.expected_matches)));
    for group in groups {
        assert_eq!(
            group.recall.is_none(),
            is_small(group.expected_matches),
            "{group:?}"
        );
    }
}
