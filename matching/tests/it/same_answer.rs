//! The index answers as a batch of the same records does: links, reviews with their reasons, and who is whose person,
//! in whatever order the records came.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tandem_matching::{
    Decision, Engine, Index, LinkResult, Note, Pair, Record, RecordKey, Ruling, Rulings, Settings,
};
use tandem_population::Lookalikes;

use crate::generator::{population_at, record};

/// Records of families and of look-alikes at a difficulty, so that clusters refuse links and have bridges.
fn records(people: usize, lookalikes: u64, seed: u64) -> Vec<Record> {
    let (mut records, _) = population_at(people, seed, 2.5);
    let mut families = Lookalikes::new(lookalikes, seed, 2.5).unwrap();
    while let Some(family) = families.next_family() {
        records.extend(family.iter().map(|(row, _)| record(row)));
    }
    records
}

/// Links from a score on at which many are doubtful.
fn engine(link_bits: f64) -> Engine {
    let mut settings = Settings::standard().unwrap();
    settings.thresholds.link_bits = link_bits;
    settings.thresholds.review_bits = settings.thresholds.review_bits.min(link_bits);
    Engine::new(settings).unwrap()
}

type Two = (RecordKey, RecordKey);

/// What is decided about the pairs, and who is one person.
#[derive(Debug, Default, PartialEq)]
struct Answer {
    pairs: BTreeMap<Two, (u64, Decision, Vec<Note>)>,
    persons: BTreeSet<BTreeSet<RecordKey>>,
}

fn two(a: RecordKey, b: RecordKey) -> Two {
    if a < b { (a, b) } else { (b, a) }
}

fn of_batch(result: &LinkResult, records: usize) -> Answer {
    let mut answer = Answer::default();
    let key = |number| result.key(number).unwrap();
    let all: Vec<&Pair> = result.links().iter().chain(result.reviews()).collect();
    for pair in all {
        let notes = result.explain(pair).notes;
        let said = (pair.score_bits().to_bits(), pair.decision(), notes);
        answer.pairs.insert(two(key(pair.a()), key(pair.b())), said);
    }
    let mut persons: BTreeMap<_, BTreeSet<RecordKey>> = BTreeMap::new();
    for number in 0..records {
        let cluster = result.clusters()[number];
        persons.entry(cluster).or_default().insert(key(number));
    }
    answer.persons = persons.into_values().collect();
    answer
}

fn of_index(index: &mut Index, records: &[Record]) -> Answer {
    let mut answer = Answer::default();
    for record in records {
        let found = index.found(&record.key);
        assert_eq!(found.candidates, index.candidates_of(&record.key));
        let own = found
            .candidates
            .into_iter()
            .map(|one| (record.key.clone(), one));
        let mut person = BTreeSet::from([record.key.clone()]);
        let mut links = Vec::new();
        for (key, candidate) in own.chain(found.beside) {
            let pair = two(key, candidate.key);
            if candidate.decision == Decision::Link {
                links.push(pair.clone());
            }
            let notes = candidate.explanation.notes;
            let said = (candidate.score_bits.to_bits(), candidate.decision, notes);
            // Whoever is asked, the same is said.
            let before = answer.pairs.insert(pair, said.clone());
            assert_eq!(before.as_ref().unwrap_or(&said), &said);
        }
        while let Some((a, b)) = links
            .iter()
            .find(|(a, b)| person.contains(a) != person.contains(b))
        {
            person.extend([a.clone(), b.clone()]);
        }
        answer.persons.insert(person);
    }
    answer
}

/// Adds records one by one; each is asked about as a query before it comes, and again afterwards.
fn filled<'a>(
    engine: &Engine,
    records: impl Iterator<Item = &'a Record>,
    rulings: &[(Two, Ruling)],
) -> Index {
    let mut index = Index::new(engine);
    for record in records {
        let asked = index.candidates(record);
        index.insert(record);
        assert_eq!(index.candidates_of(&record.key), asked);
    }
    for ((a, b), ruling) in rulings {
        index.rulings_mut().set(a, b, *ruling);
    }
    index
}

fn assert_same(engine: &Engine, records: &[Record], rulings: &[(Two, Ruling)]) -> Answer {
    let mut all = Rulings::new();
    for ((a, b), ruling) in rulings {
        all.set(a, b, *ruling);
    }
    let batch = of_batch(&engine.link_with(records, &all).unwrap(), records.len());
    let (even, odd): (Vec<_>, Vec<_>) = records.iter().enumerate().partition(|(at, _)| at % 2 == 0);
    let mixed = odd
        .into_iter()
        .chain(even.into_iter().rev())
        .map(|(_, record)| record);
    let mut orders = [
        filled(engine, records.iter(), rulings),
        filled(engine, mixed, rulings),
    ];
    for index in &mut orders {
        let online = of_index(index, records);
        assert_eq!(online.pairs, batch.pairs);
        assert_eq!(online.persons, batch.persons);
    }
    batch
}

fn count(answer: &Answer, note: Note) -> usize {
    let said = answer.pairs.values();
    said.filter(|(_, _, notes)| notes.contains(&note)).count()
}

#[test]
fn bridges_and_conflicts_of_clusters_are_held_back_online_as_in_a_batch() {
    let engine = engine(6.0);
    let records = records(400, 60, 71);
    let batch = assert_same(&engine, &records, &[]);
    let held = [Note::Bridge, Note::ClusterConflict].map(|note| count(&batch, note));
    assert!(
        held.iter().all(|count| *count >= 3),
        "{held:?} of {}",
        batch.pairs.len()
    );
}

#[test]
fn stewards_words_change_clusters_online_as_in_a_batch() {
    let engine = engine(6.0);
    let records = records(200, 40, 72);
    let batch = assert_same(&engine, &records, &[]);
    let pairs = |which: Decision| {
        let found = batch.pairs.iter().filter(move |(_, said)| said.1 == which);
        found.map(|(pair, _)| pair.clone())
    };
    let confirmed = pairs(Decision::Review).step_by(3).take(10);
    let rejected = pairs(Decision::Link).step_by(7).take(10);
    let rulings: Vec<(Two, Ruling)> = confirmed
        .map(|pair| (pair, Ruling::Confirmed))
        .chain(rejected.map(|pair| (pair, Ruling::Rejected)))
        .collect();
    let ruled = assert_same(&engine, &records, &rulings);
    assert_ne!(ruled.persons, batch.persons);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_population_has_one_answer(seed in 0_u64..1000, people in 5_usize..80, link_bits in -2.0_f64..14.0) {
        assert_same(&engine(link_bits), &records(people, 8, seed), &[]);
    }
}
