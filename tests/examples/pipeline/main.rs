//! What a message costs from its acceptance to its delivery:
//! `cargo run --release -p tandem-tests --example pipeline -- sqlite 100000 6000` (engine, people who are known, messages).
//!
//! Four figures of one run, each with the same load from the same connections: a bare server that makes each message durable
//! (floor of accepting), the same with a delivery of each by HTTP (floor of the whole), and Tandem's own of both: accept,
//! match, decide, map, deliver, acknowledge. Both write to the same engine with the same durability, and share commits.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot go on fails"
)]
#![expect(clippy::print_stdout, reason = "its figures are its output")]

#[expect(dead_code, reason = "the people's questions are for another example")]
#[path = "../county/mod.rs"]
mod county;
mod floor;
mod gateway;
mod load;
mod messages;
mod told;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use load::Accepted;
use tandem_simulators::postgres::Cluster;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Families that both programmes serve.
const FAMILIES: usize = 200;

/// What a run measured.
pub(crate) struct Run {
    accepted: Accepted,
    /// From the first message to the last delivery.
    whole: Duration,
    /// Processor time of the process, the load's included.
    processor: Duration,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let engine = arguments.first().map_or("sqlite", String::as_str);
    let number = |at: usize, default: usize| {
        arguments
            .get(at)
            .map_or(default, |text| text.parse().unwrap())
    };
    let (people, messages) = (number(1, 100_000), number(2, 6_000));
    let _provider = rustls::crypto::ring::default_provider().install_default();
    let cluster = match engine {
        "sqlite" => None,
        "postgres" => Some(Cluster::start(true).unwrap()),
        other => panic!("the engine is sqlite or postgres, not {other}"),
    };
    let database = || cluster.as_ref().map(|cluster| cluster.database().unwrap());
    println!(
        "engine {engine}, {people} people, {messages} messages, {} connections",
        load::CONNECTIONS
    );
    let families = messages::families(FAMILIES);
    let bodies = Arc::new(messages::messages(messages, &families));
    let floor = floor::run(database(), Arc::clone(&bodies)).await;
    report("floor", &floor, messages);
    let tandem = gateway::run(database(), people, &families, bodies).await;
    report("tandem", &tandem, messages);
    println!(
        "accepts: {:.0} % of the floor; whole: {:.0} % of the floor",
        100.0 * tandem.accepted.rate() / floor.accepted.rate(),
        100.0 * floor.whole.as_secs_f64() / tandem.whole.as_secs_f64()
    );
}

fn report(what: &str, run: &Run, messages: usize) {
    let each = |time: Duration| time.as_secs_f64() * 1e6 / messages as f64;
    println!(
        "{what}: accepts {:.0}/s, p50 {:.1?}, p99 {:.1?}; whole {:.0}/s; processor {:.0} us a message; resident {} MiB",
        run.accepted.rate(),
        run.accepted.at(50),
        run.accepted.at(99),
        1e6 / each(run.whole),
        each(run.processor),
        usage::resident_mebibytes(),
    );
}
