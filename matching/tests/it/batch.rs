//! The batch: oversized blocks, common values, the order of input.

use tandem_matching::{Engine, Record, RecordKey, Settings};

use crate::generator::population;
use crate::people::{With, person};

#[test]
fn result_does_not_depend_on_the_order_of_records() {
    let engine = Engine::standard().unwrap();
    let (mut records, _) = population(400, 21);
    let clusters = |records: &[Record]| {
        let result = engine.link(records).unwrap();
        let mut found: Vec<_> = result
            .clusters()
            .iter()
            .enumerate()
            .map(|(number, cluster)| (result.key(number).unwrap(), *cluster))
            .collect();
        found.sort();
        found
    };
    let first = clusters(&records);
    records.reverse();
    assert_eq!(clusters(&records), first);
}

#[test]
fn a_crowd_of_one_name_and_birth_date_is_compared_in_linear_time() {
    let mut settings = Settings::standard().unwrap();
    (settings.blocking.largest_block, settings.blocking.window) = (10, 5);
    let engine = Engine::new(settings).unwrap();
    let crowd: Vec<Record> = (0..2000)
        .map(|number| person("a", &number.to_string(), "Ana", "Testa", "1990-05-17"))
        .collect();
    let result = engine.link(&crowd).unwrap();
    let statistics = result.statistics();
    assert!(statistics.blocking.windows > 0);
    assert!(statistics.blocking.pairs_outside_windows > 0);
    assert_eq!(
        statistics.pairs_compared,
        2000 * 5 - 15,
        "each with its five next neighbours"
    );
}

#[test]
fn oversized_block_is_split_on_the_next_field_and_keeps_the_match() {
    // Two hundred people of one name; two of them are one person with another house number.
    let mut crowd: Vec<Record> = (0..200)
        .map(|number| {
            let birth = format!("{}-{:02}-17", 1940 + number % 60, 1 + number / 60);
            person("a", &number.to_string(), "Ana", "Testa", &birth)
        })
        .collect();
    crowd.push(person("b", "x", "Ana", "Testa", "1950-02-17").phone("213-555-0142"));
    let result = Engine::standard().unwrap().link(&crowd).unwrap();
    let blocking = result.statistics().blocking;
    assert!(blocking.split > 0 && blocking.pairs_split_apart > 0);
    assert_eq!(blocking.pairs_outside_windows, 0);
    let twin = crowd
        .iter()
        .find(|one| one.birth_date == crowd[200].birth_date)
        .unwrap();
    assert!(result.pair(&twin.key, &RecordKey::new("b", "x")).is_some());
}

#[test]
fn number_that_a_crowd_holds_loses_its_weight() {
    let crowd: Vec<Record> = (0..300)
        .map(|number| {
            let birth = format!(
                "{}-{:02}-{:02}",
                1940 + number % 60,
                1 + number / 60,
                1 + number % 28
            );
            let last = format!("Testa{}", char::from(b'a' + (number % 26) as u8));
            person("a", &number.to_string(), "Ana", &last, &birth).ssn("900-12-3456")
        })
        .collect();
    let result = Engine::standard().unwrap().link(&crowd).unwrap();
    assert_eq!(result.links().len(), 0);
}

#[test]
fn rare_name_counts_for_more_than_a_common_one() {
    let mut records: Vec<Record> = (0..3000)
        .map(|number| {
            let birth = format!(
                "{}-{:02}-{:02}",
                1940 + number % 70,
                1 + number % 12,
                1 + number % 28
            );
            person("a", &number.to_string(), "Ana", "Common", &birth)
        })
        .collect();
    let pair = |last: &str, id: &str| {
        [
            person("b", id, "Eva", last, "1994-05-17").ssn("900123456"),
            person("c", id, "Eva", last, "1994-05-17").ssn("900123456"),
        ]
    };
    records.extend(pair("Common", "1"));
    records.extend(pair("Singular", "2"));
    let result = Engine::standard().unwrap().link(&records).unwrap();
    let weight = |id: &str| {
        let pair = result
            .pair(&RecordKey::new("b", id), &RecordKey::new("c", id))
            .unwrap();
        let fields = result.explain(pair).fields;
        fields
            .iter()
            .find(|field| field.field == "last_name")
            .unwrap()
            .weight_bits
    };
    assert!(weight("2") > weight("1") + 5.0);
}

#[test]
fn no_records_give_no_links() {
    let result = Engine::standard().unwrap().link(&[]).unwrap();
    assert!(result.links().is_empty() && result.clusters().is_empty());
}
