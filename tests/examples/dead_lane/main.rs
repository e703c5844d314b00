//! One destination of four is dead: `cargo run --release -p tandem-tests --example dead_lane -- sqlite 100000`
//! (engine, messages that queue up for it).
//!
//! Four offices of child welfare, each with a lane of its own. Measured in one run: what the three others carry while nothing waits;
//! the same again while so many messages wait for the dead one, and how much memory that takes; then it comes back, and whether what
//! waited arrives whole, once, in order within each case, and no faster than its lane's limit lets it; last what the three carry when
//! nothing waits any more, from a store that has grown by as many messages.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that cannot go on fails"
)]
#![expect(clippy::print_stdout, reason = "its figures are its output")]

#[expect(dead_code, reason = "the people's questions are for another example")]
#[path = "../county/mod.rs"]
mod county;
#[expect(dead_code, reason = "the times of answers are for another example")]
#[path = "../pipeline/load.rs"]
mod load;
#[expect(dead_code, reason = "the run of all kinds is for another example")]
#[path = "../pipeline/messages.rs"]
mod messages;
mod offices;
mod partner;
#[path = "../pipeline/told.rs"]
mod told;
#[expect(dead_code, reason = "processor time is for another example")]
#[path = "../pipeline/usage.rs"]
mod usage;

use std::sync::Arc;
use std::time::{Duration, Instant};

use offices::{Offices, RATE};
use tandem_simulators::postgres::Cluster;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Messages to the three that live, each time they are measured.
const MEASURED: usize = 9_000;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let engine = arguments.first().map_or("sqlite", String::as_str);
    let number = arguments.get(1).map(|text| text.parse().unwrap());
    let waiting: usize = number.unwrap_or(100_000);
    let _provider = rustls::crypto::ring::default_provider().install_default();
    let cluster = match engine {
        "sqlite" => None,
        "postgres" => Some(Cluster::start(true).unwrap()),
        other => panic!("the engine is sqlite or postgres, not {other}"),
    };
    let database = cluster.as_ref().map(|cluster| cluster.database().unwrap());
    let offices = Box::pin(Offices::start(database)).await;
    let mebibytes = usage::resident_mebibytes;
    // The first run fills what is kept in memory.
    offices.carry(MEASURED).await;
    let free = offices.carry(MEASURED).await;
    println!(
        "engine {engine}: the three carry {free:.0}/s while nothing waits; resident {} MiB",
        mebibytes()
    );
    offices.dead().set_alive(false);
    let start = Instant::now();
    offices.fill(waiting, mebibytes).await;
    println!(
        "{} wait for the dead one after {:.0?}; resident {} MiB",
        offices.waiting().await,
        start.elapsed(),
        mebibytes()
    );
    let held = offices.carry(MEASURED).await;
    println!(
        "the three carry {held:.0}/s beside them: {:.0} %; resident {} MiB",
        100.0 * held / free,
        mebibytes()
    );
    offices.dead().set_alive(true);
    let start = Instant::now();
    let back = offices.drained(waiting, mebibytes).await;
    println!(
        "drained {:.0?} after it came back, {:.0?} after its first message: {:.0}/s, its limit is {RATE}/s; resident {} MiB",
        start.elapsed(),
        back.took,
        back.count as f64 / back.took.as_secs_f64(),
        mebibytes()
    );
    println!(
        "arrived {} of {waiting}, {} twice, {} out of order within their case; most within a second: {}",
        back.count, back.twice, back.out_of_order, back.busiest_second
    );
    let control = offices.carry(MEASURED).await;
    println!(
        "the three carry {control:.0}/s when nothing waits any more, from a store that is as large: beside what waited {:.0} % of that",
        100.0 * held / control
    );
    assert_eq!((back.count, back.twice, back.out_of_order), (waiting, 0, 0));
    Arc::into_inner(offices).unwrap().stop().await;
}

/// How often a long phase says how far it is.
pub(crate) const SAYS: Duration = Duration::from_secs(30);
