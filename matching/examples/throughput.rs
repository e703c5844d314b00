//! Links a generated population and prints how fast: `cargo run --release --example throughput -- 100000`; with
//! `--estimate` after an estimation, with `--learn` also how long a query takes while a model is learnt.

#![expect(clippy::unwrap_used, reason = "the generator is the tests' own")]

#[path = "../tests/it/generator.rs"]
mod generator;

use std::time::{Duration, Instant};

use tandem_matching::{Engine, Index, Record, Rulings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let people = std::env::args()
        .nth(1)
        .map_or(Ok(100_000), |text| text.parse())?;
    let (records, truth) = generator::population(people, 1);
    let engine = Engine::standard()?;

    let start = Instant::now();
    let mut batch = engine.batch();
    for record in &records {
        batch.push(record)?;
    }
    println!(
        "{} records normalised in {:.2?}",
        records.len(),
        start.elapsed()
    );

    if std::env::args().any(|argument| argument == "--estimate") {
        let start = Instant::now();
        println!("{:?} in {:.2?}", batch.estimate(), start.elapsed());
    }

    let start = Instant::now();
    let result = batch.run(&Rulings::new(), |_, _| {
        Ok::<(), std::convert::Infallible>(())
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let pairs = result.statistics().pairs_compared;
    println!(
        "{pairs} pairs in {seconds:.2} s: {:.0} pairs/s",
        pairs as f64 / seconds
    );
    println!("{:?}", result.statistics());
    let (precision, recall, reached) = generator::quality(&result, &truth);
    println!("precision {precision:.4}, recall {recall:.4}, with reviews {reached:.4}");
    drop(result);

    let start = Instant::now();
    let mut index = Index::new(&engine);
    for record in &records {
        index.insert(record);
    }
    println!(
        "index of {} records in {:.2?}",
        index.len(),
        start.elapsed()
    );

    let thousand = records.iter().step_by(records.len() / 1000 + 1);
    report("one query", &ask(&mut index, thousand, || true));
    if std::env::args().any(|argument| argument == "--learn") {
        learn_beside(&engine, &records, &mut index)?;
    }
    Ok(())
}

/// Asks one question after another while a model is learnt from the same records by another thread.
fn learn_beside(
    engine: &Engine,
    records: &[Record],
    index: &mut Index,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut batch = engine.batch();
    for record in records {
        batch.push(record)?;
    }
    let start = Instant::now();
    let learner = std::thread::spawn(move || batch.learn(&Rulings::new()).is_ok());
    let times = ask(index, records.iter().cycle(), || !learner.is_finished());
    let is_learnt = learner.join().is_ok_and(|is_learnt| is_learnt);
    println!("learnt: {is_learnt}, in {:.2?}", start.elapsed());
    report("one query meanwhile", &times);
    Ok(())
}

fn ask<'a>(
    index: &mut Index,
    records: impl Iterator<Item = &'a Record>,
    goes_on: impl Fn() -> bool,
) -> Vec<Duration> {
    let mut times = Vec::new();
    for record in records {
        if !goes_on() {
            break;
        }
        let start = Instant::now();
        index.candidates(record);
        times.push(start.elapsed());
    }
    times.sort();
    times
}

fn report(what: &str, times: &[Duration]) {
    let at = |percent: usize| {
        times
            .get(times.len() * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    let longest = times.last().copied().unwrap_or_default();
    println!(
        "{what}: p50 {:.2?}, p99 {:.2?}, longest {longest:.2?}",
        at(50),
        at(99)
    );
}
