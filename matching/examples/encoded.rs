//! Encodes and links a generated population and prints what the links are worth and how fast they were made:
//! `cargo run --release -p tandem-matching --example encoded -- PEOPLE SEED DIFFICULTY RATE [EPSILON]`.

#![expect(clippy::unwrap_used, reason = "the generator is the tests' own")]

#[path = "../tests/it/encoded_run.rs"]
mod encoded_run;

use std::error::Error;
use std::time::Instant;

use tandem_matching::{Noise, Settings};
use tandem_population::Parameters;

use encoded_run::{KEY, all_encoded, false_within_families, link, options, people, quality};

fn main() -> Result<(), Box<dyn Error>> {
    let argument = |place: usize| std::env::args().nth(place);
    let number = |place: usize, default: f64| -> Result<f64, Box<dyn Error>> {
        Ok(argument(place).map_or(Ok(default), |text| text.parse())?)
    };
    let (tables, truth) = people(Parameters {
        people: number(1, 70_000.0)? as u64,
        seed: number(2, 1.0)? as u64,
        difficulty: number(3, 1.0)?,
    });
    let mut settings = Settings::standard()?;
    settings.thresholds.false_match_rate = number(4, 0.01)?;
    let mut options = options(KEY);
    options.noise = Noise::of(number(5, 0.0)?).unwrap_or(Noise::NONE);

    let start = Instant::now();
    let encoded = all_encoded(&tables, &options);
    let records = truth.len() as f64;
    println!(
        "{records} records, encoded {:.0} a second",
        records / start.elapsed().as_secs_f64()
    );
    let start = Instant::now();
    let ran = link(&encoded, &Vec::new(), &settings)?;
    println!(
        "linked {:.0} records a second, {:.1} pairs a record",
        records / start.elapsed().as_secs_f64(),
        ran.report.statistics.pairs_compared as f64 / records
    );
    let (precision, recall, reached) = quality(&ran, &truth);
    println!("precision {precision:.4}, recall {recall:.4}, with reviews {reached:.4}");
    let (within, wrong) = false_within_families(&ran, &truth);
    println!("{wrong} links join two people, {within} of them two of one family");
    let statistics = &ran.report.statistics;
    println!(
        "{} links, {} reviews, {} people of {} records, expected {:?}",
        statistics.links,
        statistics.reviews,
        ran.report.clusters,
        ran.clusters.len(),
        statistics.false_match_rate
    );
    Ok(())
}
