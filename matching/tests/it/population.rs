//! What the engine finds in a generated population.

use std::collections::HashSet;
use std::convert::Infallible;

use tandem_matching::{Batch, Decision, Engine, Record, Rulings};

use crate::generator::{population, quality};

#[test]
fn links_of_a_generated_population_are_right_and_most_are_found() {
    let (records, truth) = population(4000, 1);
    let result = Engine::standard().unwrap().link(&records).unwrap();
    let (precision, recall, reached) = quality(&result, &truth);
    println!("precision {precision:.4} recall {recall:.4} with reviews {reached:.4}");
    assert!(precision > 0.995, "{precision}");
    assert!(recall > 0.85, "{recall}");
    assert!(reached > 0.95, "{reached}");
    assert!(
        result
            .links()
            .iter()
            .all(|pair| pair.decision() == Decision::Link)
    );
}

#[test]
fn estimated_probabilities_link_as_well() {
    let (records, truth) = population(4000, 2);
    let mut batch = batch(&records);
    let set = batch.settings().clone();
    let estimate = batch.estimate().unwrap();
    println!("{estimate:?}");
    assert_ne!(*batch.settings(), set);
    batch.settings().check().unwrap();
    let run = batch.run(&Rulings::new(), |_, _| Ok::<(), Infallible>(()));
    let (precision, recall, _) = quality(&run.unwrap(), &truth);
    println!("precision {precision:.4} recall {recall:.4}");
    assert!(precision > 0.995, "{precision}");
    assert!(recall > 0.85, "{recall}");
}

#[test]
fn nothing_is_estimated_from_strangers() {
    let (records, truth) = population(3000, 3);
    let mut seen = HashSet::new();
    let engine = Engine::standard().unwrap();
    let mut batch = engine.batch();
    for (record, _) in records
        .iter()
        .zip(&truth)
        .filter(|(_, person)| seen.insert(**person))
    {
        batch.push(record).unwrap();
    }
    let before = batch.settings().clone();
    assert!(batch.estimate().is_err());
    assert_eq!(*batch.settings(), before);
}

/// One batch of records.
fn batch(records: &[Record]) -> Batch {
    let mut batch = Engine::standard().unwrap().batch();
    for record in records {
        batch.push(record).unwrap();
    }
    batch
}
