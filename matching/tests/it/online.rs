//! The index: inserting, removing, asking.

use proptest::prelude::*;
use tandem_matching::{
    Candidate, Decision, Engine, Index, LinkResult, Record, RecordKey, Ruling, Settings,
};

use crate::generator::population;
use crate::people::{With, person};

fn index(engine: &Engine, records: &[Record]) -> Index {
    let mut index = Index::new(engine);
    for record in records {
        assert!(index.insert(record));
    }
    index
}

/// What a batch says about one record: partner and score, best first.
fn from_batch(result: &LinkResult, number: usize) -> Vec<(RecordKey, f64)> {
    let pairs = result.links().iter().chain(result.reviews());
    let mut found: Vec<(RecordKey, f64)> = pairs
        .filter(|pair| pair.a() == number || pair.b() == number)
        .map(|pair| {
            let other = if pair.a() == number {
                pair.b()
            } else {
                pair.a()
            };
            (result.key(other).unwrap(), pair.score_bits())
        })
        .collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    found
}

fn from_index(candidates: Vec<Candidate>) -> Vec<(RecordKey, f64)> {
    candidates
        .into_iter()
        .map(|candidate| (candidate.key, candidate.score_bits))
        .collect()
}

fn engine_with(largest_block: usize, window: usize) -> Engine {
    let mut settings = Settings::standard().unwrap();
    settings.blocking.largest_block = largest_block;
    settings.blocking.window = window;
    Engine::new(settings).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Small blocks and windows, so that splitting and its last resort are reached too.
    #[test]
    fn online_answer_equals_batch_answer(
        seed in 0_u64..1000,
        people in 5_usize..120,
        largest_block in 2_usize..12,
        window in 1_usize..4,
    ) {
        let engine = engine_with(largest_block, window);
        let (mut records, _) = population(people, seed);
        let result = engine.link(&records).unwrap();
        let answers: Vec<_> =
            (0..records.len()).map(|number| from_batch(&result, number)).collect();
        let keys: Vec<_> = records.iter().map(|record| record.key.clone()).collect();
        records.reverse();
        let mut index = index(&engine, &records);
        for (key, answer) in keys.iter().zip(&answers) {
            prop_assert_eq!(&from_index(index.candidates_of(key)), answer);
        }
    }

    #[test]
    fn asking_and_changing_leave_no_trace(seed in 0_u64..1000, people in 5_usize..60) {
        let engine = Engine::standard().unwrap();
        let (records, _) = population(people, seed);
        let (others, _) = population(people, seed + 7777);
        let mut untouched = index(&engine, &records);
        let mut touched = index(&engine, &records);
        for (record, other) in records.iter().zip(&others) {
            let mut changed = other.clone();
            changed.key = record.key.clone();
            touched.candidates(&changed);
            touched.update(&changed);
            touched.update(record);
            let mut stranger = other.clone();
            stranger.key = RecordKey::new("elsewhere", "x");
            touched.candidates(&stranger);
        }
        prop_assert_eq!(touched.len(), untouched.len());
        for record in &records {
            let expected = untouched.candidates_of(&record.key);
            prop_assert_eq!(touched.candidates_of(&record.key), expected);
        }
    }
}

#[test]
fn asking_about_a_record_is_asking_as_though_it_were_there() {
    let engine = Engine::standard().unwrap();
    let (mut records, _) = population(200, 11);
    let asked = records.pop().unwrap();
    let mut without = index(&engine, &records);
    let answer = without.candidates(&asked);
    assert!(!without.contains(&asked.key));
    records.push(asked.clone());
    assert_eq!(index(&engine, &records).candidates_of(&asked.key), answer);
}

#[test]
fn removed_record_is_found_no_more() {
    let engine = Engine::standard().unwrap();
    let one = person("a", "1", "Ana", "Demofield", "2018-03-02").cin("91234568B");
    let two = person("b", "2", "Ana", "Demofield", "2018-03-02").cin("91234568B");
    let mut index = index(&engine, &[one.clone(), two.clone()]);
    assert_eq!(index.candidates(&one).len(), 1);
    assert!(index.remove(&two.key));
    assert!(!index.remove(&two.key));
    assert!(index.candidates(&one).is_empty());
    assert_eq!(index.len(), 1);
}

#[test]
fn record_is_inserted_once() {
    let engine = Engine::standard().unwrap();
    let one = person("a", "1", "Ana", "Demofield", "2018-03-02");
    let mut index = index(&engine, std::slice::from_ref(&one));
    assert!(!index.insert(&one));
    assert!(index.update(&one));
    assert_eq!(index.len(), 1);
}

#[test]
fn stewards_decision_holds_online_until_it_is_withdrawn() {
    let engine = Engine::standard().unwrap();
    let one = person("a", "1", "Ana", "Demofield", "2018-03-02").cin("91234568B");
    let two = person("b", "2", "Ana", "Demofield", "2018-03-02").cin("91234568B");
    let mut index = index(&engine, &[one.clone(), two.clone()]);
    index
        .rulings_mut()
        .set(&one.key, &two.key, Ruling::Rejected);
    assert!(index.candidates(&one).is_empty());
    assert!(!index.may_join((&one.key, &two.key), (&[], &[])));
    index.rulings_mut().withdraw(&two.key, &one.key);
    assert_eq!(index.candidates(&one)[0].decision, Decision::Link);
    assert!(index.may_join((&one.key, &two.key), (&[], &[])));
}

#[test]
fn twin_may_not_join_the_other_twins_cluster() {
    let engine = Engine::standard().unwrap();
    let twin = |system, id, first| {
        person(system, id, first, "Demofield", "2015-04-11").home("7 Example Avenue", "90002")
    };
    let records = [
        twin("a", "1", "Testa"),
        twin("b", "1", "Testa"),
        twin("b", "2", "Xenia"),
    ];
    let index = index(&engine, &records);
    let keys: Vec<RecordKey> = records.iter().map(|record| record.key.clone()).collect();
    assert!(index.may_join((&keys[0], &keys[1]), (&[], &[])));
    // Somebody has made the second twin one person with the record to which the first belongs.
    assert!(!index.may_join((&keys[0], &keys[1]), (&[], &keys[2..])));
    assert!(!index.may_join((&keys[0], &keys[1]), (&keys[2..], &[])));
    assert!(index.explain(&keys[0], &keys[2]).is_some());
}
