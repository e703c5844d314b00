//! What the generated population promises to those who measure with it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{HashMap, HashSet};

use tandem_population::{COLUMNS, Parameters, Population, Row, TruthRow, write_tables};

const ORDINARY: Parameters = Parameters {
    people: 4000,
    seed: 11,
    difficulty: 1.0,
};

fn drawn(parameters: Parameters) -> Vec<(Row, TruthRow)> {
    let mut population = Population::new(parameters).unwrap();
    let mut rows = Vec::new();
    while let Some(family) = population.next_family() {
        rows.extend(family);
    }
    rows
}

fn value<'a>(row: &'a Row, column: &str) -> &'a str {
    let place = COLUMNS.iter().position(|name| *name == column).unwrap();
    &row.values[place]
}

#[test]
fn one_seed_gives_one_population_and_another_seed_another() {
    assert_eq!(drawn(ORDINARY), drawn(ORDINARY));
    let other = Parameters {
        seed: 12,
        ..ORDINARY
    };
    assert_ne!(drawn(ORDINARY), drawn(other));
}

#[test]
fn more_people_do_not_change_those_who_were_there() {
    let more = drawn(Parameters {
        people: 8000,
        ..ORDINARY
    });
    assert!(more.starts_with(&drawn(ORDINARY)));
}

#[test]
fn record_ids_are_unique_and_tell_nothing_across_systems() {
    let rows = drawn(ORDINARY);
    let mut ids = HashSet::new();
    let mut tails: HashMap<&str, HashSet<u64>> = HashMap::new();
    for (row, about) in &rows {
        let id = value(row, "record_id");
        assert!(ids.insert(id), "{id} is there twice");
        let tail = id.split('-').nth(1).unwrap();
        tails.entry(tail).or_default().insert(about.person);
    }
    let shared = rows.len() - tails.len();
    assert!(
        shared < rows.len() / 10,
        "{shared} ids have the tail of another system's"
    );
}

#[test]
fn every_number_lies_in_an_area_that_is_never_issued() {
    for (row, _) in drawn(ORDINARY) {
        let ssn = value(&row, "ssn");
        assert!(
            ssn.is_empty() || ssn.starts_with('9') || ssn.starts_with("xxxxx"),
            "{ssn}"
        );
    }
}

#[test]
fn world_without_errors_has_one_name_and_one_birth_date_for_each_person() {
    let rows = drawn(Parameters {
        difficulty: 0.0,
        ..ORDINARY
    });
    let mut seen: HashMap<u64, (String, String)> = HashMap::new();
    for (row, about) in &rows {
        let plain = value(row, "last_name").replace('-', " ");
        let found = (
            format!("{} {plain}", value(row, "first_name")),
            value(row, "dob").to_owned(),
        );
        let known = seen.entry(about.person).or_insert_with(|| found.clone());
        assert_eq!(*known, found);
    }
}

#[test]
fn children_of_one_family_have_names_of_their_own() {
    let rows = drawn(Parameters {
        difficulty: 0.0,
        ..ORDINARY
    });
    let mut people: HashMap<u64, HashMap<String, u64>> = HashMap::new();
    for (row, about) in rows
        .iter()
        .filter(|(row, _)| value(row, "relationship") == "child")
    {
        let names = people.entry(about.household).or_default();
        let person = names
            .entry(value(row, "first_name").to_owned())
            .or_insert(about.person);
        assert_eq!(*person, about.person, "household {}", about.household);
    }
}

#[test]
fn tables_and_truth_hold_every_record_once() {
    let folder = tempfile::tempdir().unwrap();
    let written = write_tables(ORDINARY, folder.path()).unwrap();
    let lines = |name: &str| {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        text.lines().count() as u64 - 1
    };
    let records: u64 = ["tanf.csv", "cws.csv", "fhir.csv", "hmis.csv"]
        .map(lines)
        .iter()
        .sum();
    assert_eq!(records, written.records);
    assert_eq!(lines("truth.csv"), written.records);
    assert!(written.people < written.records && written.true_pairs > written.people / 4);
}
