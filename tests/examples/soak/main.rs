//! One hour at a steady rate: `cargo run --release -p tandem-tests --example soak -- sqlite 60 60` (engine, minutes, messages a second).
//!
//! A gateway in a process of its own accepts, matches, decides, maps and delivers messages about so many families that each comes up
//! again as seldom as in a county. Each minute shows how long acceptances took, counted from when each message was due to be sent, how far
//! the deliveries were behind, and what the gateway used. At the end every message must have arrived, once.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that cannot go on fails"
)]
#![expect(clippy::print_stdout, reason = "its figures are its output")]

#[expect(dead_code, reason = "the people's questions are for another example")]
#[path = "../county/mod.rs"]
mod county;
mod gateway;
#[expect(dead_code, reason = "the run of all kinds is for another example")]
#[path = "../pipeline/messages.rs"]
mod messages;
mod minute;
#[expect(dead_code, reason = "a dead office is for another example")]
#[path = "../dead_lane/partner.rs"]
mod partner;
mod steady;
#[path = "../pipeline/told.rs"]
mod told;
#[expect(dead_code, reason = "what this process uses is for another example")]
#[path = "../pipeline/usage.rs"]
mod usage;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use minute::Minutes;
use partner::Partner;
use tandem_simulators::postgres::Cluster;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Families that both programmes serve.
const FAMILIES: usize = 4_000;
/// How long the last messages may take to arrive.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let _provider = rustls::crypto::ring::default_provider().install_default();
    if let [what, folder] = arguments.as_slice()
        && what == gateway::SERVE
    {
        return gateway::serve(Path::new(folder)).await;
    }
    let engine = arguments.first().map_or("sqlite", String::as_str);
    let number = |at: usize, default: u64| {
        arguments
            .get(at)
            .map_or(default, |text| text.parse().unwrap())
    };
    let (minutes, rate) = (number(1, 60), number(2, 60));
    let cluster = match engine {
        "sqlite" => None,
        "postgres" => Some(Cluster::start(true).unwrap()),
        other => panic!("the engine is sqlite or postgres, not {other}"),
    };
    let database = cluster.as_ref().map(|cluster| cluster.database().unwrap());
    let families = messages::families(FAMILIES);
    let (partner, inbox) = Partner::start().await;
    let folder = tempfile::tempdir().unwrap();
    gateway::introduce(folder.path(), &inbox, database, &families).await;
    partner.forget();
    let served = gateway::Served::start(folder.path());
    println!(
        "engine {engine}, {} families, {rate} messages a second for {minutes} minutes",
        families.len()
    );
    let count = usize::try_from(minutes * 60 * rate).unwrap();
    let watch = Minutes::start(&served, partner.clone(), folder.path());
    let bodies = Arc::new(messages::messages(count, &families));
    let token = std::fs::read_to_string(folder.path().join("calworks.token")).unwrap();
    steady::send(served.address, &token, rate, bodies, watch.noting()).await;
    let all = async {
        while partner.count() < count {
            partner.more.notified().await;
        }
    };
    let _late = tokio::time::timeout(PATIENCE, all).await;
    watch.end().await;
    served.stop();
    let back = partner.back();
    println!("arrived {} of {count}, {} twice", back.count, back.twice);
    assert_eq!((back.count, back.twice), (count, 0));
}
