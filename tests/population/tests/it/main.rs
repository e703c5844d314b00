//! What the generated population promises to those who measure with it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{HashMap, HashSet};

use tandem_population::{
    COLUMNS, LOOKALIKES_FROM, Linkages, Lookalikes, Parameters, Population, Row, Shape, System,
    TruthRow, write_tables, write_with_lookalikes,
};

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

#[test]
fn a_shape_comes_out_in_exactly_its_numbers() {
    let shape = Shape {
        a: 1_700,
        b: 690,
        both: 250,
        open: 126,
        open_both: 60,
    };
    let mut children = Linkages::new(shape, 3, 1.0).unwrap();
    let mut known: HashMap<u64, Vec<(System, bool)>> = HashMap::new();
    while let Some(family) = children.next_family() {
        for one in family {
            assert!(one.about.age < 18);
            let systems = known.entry(one.about.person).or_default();
            assert!(systems.iter().all(|(system, _)| *system != one.row.system));
            systems.push((one.row.system, one.is_open));
        }
    }
    let count = |system: System, is_shared: bool, is_open: bool| {
        let people = known.values().filter(|systems| {
            let here = systems.iter().find(|(one, _)| *one == system);
            let is_here = here.is_some_and(|(_, open)| *open || !is_open);
            is_here && (systems.len() == 2 || !is_shared)
        });
        people.count() as u64
    };
    assert_eq!(count(System::Tanf, false, false), shape.a);
    assert_eq!(count(System::ChildWelfare, false, false), shape.b);
    assert_eq!(count(System::ChildWelfare, true, false), shape.both);
    assert_eq!(count(System::ChildWelfare, false, true), shape.open);
    assert_eq!(count(System::ChildWelfare, true, true), shape.open_both);
}

#[test]
fn shape_that_contradicts_itself_is_refused() {
    assert!("10,8,4,3,2".parse::<Shape>().is_ok());
    for text in ["10,8,9,3,2", "10,8,4,3,5", "10,8,4,9,2", "10,8,4,3", "ten"] {
        assert!(text.parse::<Shape>().is_err(), "{text}");
    }
}

#[test]
fn lookalikes_are_two_people_whom_only_little_tells_apart() {
    let mut families = Lookalikes::new(40, 5, 0.0).unwrap();
    let (mut drawn, mut compared) = (0, 0);
    while let Some(rows) = families.next_family() {
        drawn += 1;
        let mut people: HashMap<u64, [&str; 3]> = HashMap::new();
        for (row, about) in &rows {
            assert!(about.household >= LOOKALIKES_FROM && about.person >= LOOKALIKES_FROM);
            let told = ["first_name", "dob", "sex"].map(|column| value(row, column));
            people.entry(about.person).or_insert(told);
        }
        let people: Vec<[&str; 3]> = people.into_values().collect();
        // Now and then no system keeps a record of one of the two.
        let [one, other] = people[..] else {
            assert_eq!(people.len(), 1);
            continue;
        };
        compared += 1;
        let [first, born, _] = [0, 1, 2].map(|column| one[column] == other[column]);
        match rows[0].1.household % 4 {
            0 => assert!(born && !first),
            2 => assert!(!born && !first && one[2] == "F" && other[2] == "F"),
            _ => assert!(first && !born),
        }
    }
    assert!(drawn == 40 && compared > 30, "{compared} of {drawn}");
}

#[test]
fn lookalikes_come_on_top_of_an_unchanged_population() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let alone = write_tables(ORDINARY, folder.path()).unwrap();
    let before = read("truth.csv");
    let together = write_with_lookalikes(ORDINARY, 8, folder.path()).unwrap();
    assert!(read("truth.csv").starts_with(&before));
    assert!((1..=16).contains(&(together.people - alone.people)));
}
