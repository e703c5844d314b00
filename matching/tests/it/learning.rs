//! What records show by themselves, and an index that works by it.

use tandem_matching::{Decision, Engine, EstimateError, Index, Learnt, Record, Rulings, Settings};

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

fn learn(records: &[Record], base: &Settings) -> Result<Learnt, EstimateError> {
    let mut batch = Engine::new(base.clone()).unwrap().batch();
    for record in records {
        batch.push(record).unwrap();
    }
    batch.learn(&Rulings::new())
}

#[test]
fn what_is_learnt_is_what_a_run_would_link_by() {
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
    let learnt = learn(&records, &base).unwrap();
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
    let [loose, strict] = [0.01, 0.001].map(|rate| learn(&records, &settings(rate)).unwrap());
    let bits = |learnt: &tandem_matching::Learnt| learnt.settings.thresholds.link_bits;
    assert!(bits(&strict) > bits(&loose));
}

#[test]
fn index_links_by_what_it_adopted() {
    let (records, truth) = population(4_000, 33);
    let mut index = index(&records);
    let learnt = learn(&records, &settings(0.001)).unwrap();
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
fn a_handful_of_records_teaches_nothing() {
    let (records, _) = population(20, 34);
    let error = learn(&records, &settings(0.001)).unwrap_err();
    assert!(matches!(error, EstimateError::TooFew { .. }), "{error}");
}
