//! A generated population as the engine's records, with known truth, and what a result is worth against it.

use std::collections::HashMap;

use tandem_matching::{
    Address, BirthDate, LinkResult, Name, Pair, Quality, Record, RecordKey, Relationship, Sex, Ssn,
};
use tandem_population::{COLUMNS, Parameters, Population, Row};

fn value<'a>(row: &'a Row, column: &str) -> &'a str {
    let place = COLUMNS.iter().position(|name| *name == column);
    place.map_or("", |place| row.values[place].as_str())
}

fn quality_of(row: &Row, column: &str) -> Quality {
    Quality::from_hmis_code(value(row, column)).unwrap_or_default()
}

/// A row as the engine's record.
pub(crate) fn record(row: &Row) -> Record {
    let key = RecordKey::new(row.system.label(), value(row, "record_id"));
    let mut record = Record::new(key);
    let part = |column: &str| value(row, column).to_owned();
    record.names = vec![Name::new(
        part("first_name"),
        part("middle_name"),
        part("last_name"),
    )];
    let others = value(row, "other_names")
        .split(';')
        .filter(|name| !name.is_empty());
    record.names.extend(others.map(Name::parse));
    record.name_quality = quality_of(row, "name_dq");
    record.suffix = Some(part("suffix")).filter(|suffix| !suffix.is_empty());
    record.birth_date = BirthDate::parse(value(row, "dob"), quality_of(row, "dob_dq"));
    record.sex = Sex::parse(value(row, "sex")).unwrap_or_default();
    record.ssn = Ssn::parse(value(row, "ssn"));
    record.ssn_quality = quality_of(row, "ssn_dq");
    record.phones = vec![part("phone")];
    record.addresses = vec![Address {
        street: part("street"),
        city: part("city"),
        state: part("state"),
        zip: part("zip"),
    }];
    let cin = Some(("cin".to_owned(), part("id_cin"))).filter(|(_, cin)| !cin.is_empty());
    record.identifiers = cin.into_iter().collect();
    record.household = Some(part("household_id"));
    record.relationship = Relationship::parse(value(row, "relationship"));
    record
}

/// Records of about this many people, and whom each is about.
pub(crate) fn population(people: usize, seed: u64) -> (Vec<Record>, Vec<usize>) {
    population_at(people, seed, 1.0)
}

/// The same at another difficulty.
pub(crate) fn population_at(
    people: usize,
    seed: u64,
    difficulty: f64,
) -> (Vec<Record>, Vec<usize>) {
    let parameters = Parameters {
        people: people as u64,
        seed,
        difficulty,
    };
    let mut population = Population::new(parameters).unwrap();
    let (mut records, mut truth) = (Vec::new(), Vec::new());
    while let Some(family) = population.next_family() {
        for (row, about) in family {
            records.push(record(&row));
            truth.push(about.person as usize);
        }
    }
    (records, truth)
}

/// Precision and recall of links, and recall of links and reviews together.
pub(crate) fn quality(result: &LinkResult, truth: &[usize]) -> (f64, f64, f64) {
    let mut sizes: HashMap<usize, u64> = HashMap::new();
    for person in truth {
        *sizes.entry(*person).or_default() += 1;
    }
    let matches: u64 = sizes.values().map(|size| size * (size - 1) / 2).sum();
    let right = |pairs: &[Pair]| {
        pairs
            .iter()
            .filter(|pair| truth[pair.a()] == truth[pair.b()])
            .count() as f64
    };
    let (linked, reviewed) = (right(result.links()), right(result.reviews()));
    (
        linked / result.links().len() as f64,
        linked / matches as f64,
        (linked + reviewed) / matches as f64,
    )
}
