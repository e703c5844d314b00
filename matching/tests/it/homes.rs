//! Households across systems, and counts in which nobody is counted twice. All people are invented.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tandem_population::{Parameters, Population};

use crate::tables_run::{Ran, Tables, Wanted, generated, run, tables};

const HEADER: &str = "record_id,first_name,last_name,dob,ssn,street,zip,household_id\n";

fn ran(tables: &Tables, estimate: bool) -> Ran {
    let wanted = Wanted {
        beside: true,
        estimate,
        ..Wanted::default()
    };
    run(tables, wanted).unwrap()
}

/// A mother with two children in two systems, the elder child with the father in a third, and the father alone in the
/// second.
fn separated_parents() -> Ran {
    let mother = "Testa,Demofield,1988-03-04,900112233,1 Example Street,90001";
    let elder = "Xenia,Demofield,2012-05-06,900112244,1 Example Street,90001";
    let younger = "Yuri,Demofield,2016-07-08,900112255,1 Example Street,90001";
    let father = "Carlos,Exampleman,1985-09-10,900112266,9 Sample Avenue,90002";
    let a = format!("{HEADER}1,{mother},H1\n2,{elder},H1\n3,{younger},H1\n");
    let b = format!("{HEADER}1,{mother},77\n2,{younger},77\n3,{father},78\n");
    let elder_there = elder.replace("1 Example Street,90001", "9 Sample Avenue,90002");
    let c = format!("{HEADER}1,{father},F\n2,{elder_there},F\n");
    ran(&tables(&[("a", &a), ("b", &b), ("c", &c)]), false)
}

#[test]
fn a_child_of_separated_parents_does_not_make_one_household_of_two() {
    let ran = separated_parents();
    let mut homes: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for row in &ran.households {
        let record = format!("{}{}", row[1], row[2]);
        homes.entry(&row[0]).or_default().insert(record);
    }
    let found: BTreeSet<Vec<String>> = homes
        .into_values()
        .map(|records| records.into_iter().collect())
        .collect();
    let expected = [vec!["a1", "a2", "a3", "b1", "b2"], vec!["b3", "c1", "c2"]];
    let expected: BTreeSet<Vec<String>> = expected
        .into_iter()
        .map(|records| records.into_iter().map(str::to_owned).collect())
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn people_families_and_children_are_counted_once() {
    let counts = separated_parents().report.unduplicated.unwrap();
    assert_eq!((counts.persons, counts.children), (4, 2));
    assert_eq!((counts.households, counts.families), (2, 2));
    assert_eq!(counts.families_with_children, 2);
    assert_eq!(counts.persons_without_household, 0);
}

#[test]
fn household_ids_stay_when_tables_come_in_another_order() {
    let mut systems = generated(300, 8);
    let ids = |ran: &Ran| -> BTreeSet<Vec<String>> { ran.households.iter().cloned().collect() };
    let first = ran(&systems, false);
    systems.reverse();
    assert_eq!(ids(&first), ids(&ran(&systems, false)));
    assert!(!first.households.is_empty());
}

#[test]
fn households_of_generated_families_are_joined_rightly() {
    let (people, seed) = (6000, 14);
    let ran = ran(&generated(people, seed), true);
    let parameters = Parameters {
        people,
        seed,
        difficulty: 1.0,
    };
    let mut population = Population::new(parameters).unwrap();
    let mut truth = HashMap::new();
    while let Some(family) = population.next_family() {
        for (row, about) in family {
            let key = (row.system.label().to_owned(), row.values[0].clone());
            truth.insert(key, about.household);
        }
    }
    // Pairs of records of two systems: of one household by truth, of one as found, and of both.
    let mut found: HashMap<&str, Vec<u64>> = HashMap::new();
    let mut own: HashMap<u64, u64> = HashMap::new();
    for row in &ran.households {
        let household = truth[&(row[1].clone(), row[2].clone())];
        found.entry(&row[0]).or_default().push(household);
        *own.entry(household).or_default() += 1;
    }
    let pairs = |count: u64| count * (count - 1) / 2;
    let of_truth: u64 = own.values().copied().map(pairs).sum();
    let of_found: u64 = found.values().map(|list| pairs(list.len() as u64)).sum();
    let mut of_both = 0;
    for list in found.values() {
        let mut same: HashMap<u64, u64> = HashMap::new();
        list.iter()
            .for_each(|one| *same.entry(*one).or_default() += 1);
        of_both += same.values().copied().map(pairs).sum::<u64>();
    }
    let precision = of_both as f64 / of_found as f64;
    let recall = of_both as f64 / of_truth as f64;
    println!("precision {precision:.3} recall {recall:.3}");
    assert!(precision > 0.95, "{precision}");
    assert!(recall > 0.85, "{recall}");
}
