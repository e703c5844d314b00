//! What an index learns from its own records.

use tandem_matching::{Decision, Engine, EstimateError, Index, Record, Rulings, Settings};

use crate::generator::population;

fn settings(rate: f64) -> Settings {
    let mut settings = Settings::standard().unwrap();
    settings.thresholds.false_match_rate = rate;
    settings
}

fn index(records: &[Record]) -> Index {
    let mut index = Index::new(&Engine::standard().unwrap());
    for record in records {
        assert!(index.insert(record));
    }
    index
}

#[test]
fn index_learns_what_a_batch_of_its_records_learns() {
    let (records, _) = population(4_000, 31);
    let base = settings(0.001);
    let engine = Engine::new(base.clone()).unwrap();
    let mut batch = engine.batch();
    for record in &records {
        batch.push(record).unwrap();
    }
    batch.estimate().unwrap();
    let result = batch
        .run(&Rulings::new(), |_, _| {
            Ok::<(), std::convert::Infallible>(())
        })
        .unwrap();
    let learnt = index(&records).learn(&base).unwrap();
    assert_eq!(learnt.records, records.len());
    assert_eq!(&learnt.settings, result.settings());
    assert_eq!(
        Some(learnt.false_match_rate),
        result.statistics().false_match_rate
    );
    assert!(learnt.false_match_rate.expected <= 0.001);
}

#[test]
fn stricter_rate_asks_for_a_higher_score() {
    let (records, _) = population(4_000, 32);
    let mut index = index(&records);
    let [loose, strict] = [0.01, 0.001].map(|rate| index.learn(&settings(rate)).unwrap());
    let bits = |learnt: &tandem_matching::Learnt| learnt.settings.thresholds.link_bits;
    assert!(bits(&strict) > bits(&loose));
    assert_eq!(index.len(), records.len(), "learning took records away");
}

#[test]
fn index_links_by_what_it_adopted() {
    let (records, truth) = population(4_000, 33);
    let mut index = index(&records);
    let learnt = index.learn(&settings(0.001)).unwrap();
    let threshold = learnt.settings.thresholds.link_bits;
    index.adopt(learnt.settings).unwrap();
    let number = |key: &tandem_matching::RecordKey| {
        records
            .iter()
            .position(|record| record.key == *key)
            .unwrap()
    };
    let (mut right, mut wrong) = (0, 0);
    for (place, record) in records.iter().enumerate().step_by(7) {
        for candidate in index.candidates_of(&record.key) {
            if candidate.decision == Decision::Link {
                assert!(candidate.score_bits >= threshold);
                let is_right = truth[place] == truth[number(&candidate.key)];
                *(if is_right { &mut right } else { &mut wrong }) += 1;
            }
        }
    }
    assert!(right > 500, "only {right} right links");
    assert!(wrong * 250 <= right, "{wrong} wrong links beside {right}");
}

#[test]
fn a_handful_of_records_teaches_nothing_and_stays() {
    let (records, _) = population(20, 34);
    let mut index = index(&records);
    let before: Vec<_> = records
        .iter()
        .map(|record| index.candidates_of(&record.key))
        .collect();
    let error = index.learn(&settings(0.001)).unwrap_err();
    assert!(matches!(error, EstimateError::TooFew { .. }), "{error}");
    for (record, before) in records.iter().zip(before) {
        assert_eq!(index.candidates_of(&record.key), before);
    }
}
