//! The gateway, with its people known and its families co-managed before the clock runs.

use std::sync::Arc;
use std::time::Instant;

use tandem::clock::Clock;
use tandem::config::Loaded;
use tandem::demo::office::Office;
use tandem::pipeline::core::Core;
use tandem::serve::Gateway;
use tandem::store::OutboxState;

use crate::county::deploy;
use crate::floor::{IN_FLIGHT, Partner};
use crate::messages;
use crate::told::{applied, consents, tell, until};
use crate::{Run, load, usage};

/// People told in one input.
const TOGETHER: usize = 500;

/// Measures messages about families with so many people known.
pub(crate) async fn run(
    database: Option<String>,
    people: usize,
    families: &[usize],
    bodies: Arc<Vec<String>>,
) -> Run {
    let count = bodies.len();
    println!(
        "before the gateway is started: resident {} MiB",
        usage::resident_mebibytes()
    );
    let (folder, partner) = (tempfile::tempdir().unwrap(), Partner::default());
    let inbox = format!("http://{}/inbox", partner.start().await);
    deploy(folder.path());
    let file = folder.path().join("gateway.toml");
    let mut text = std::fs::read_to_string(&file)
        .unwrap()
        .replace("http://127.0.0.1:9/\"", &format!("{inbox}\""))
        .replace(
            "[systems.cws-demo]\n",
            &format!("[systems.cws-demo]\nlane = {{ in_flight = {IN_FLIGHT} }}\n"),
        );
    if let Some(database) = database {
        text = format!("store = {{ postgres = \"{database}\" }}\n{text}");
    }
    std::fs::write(&file, text).unwrap();
    let loaded = Loaded::from_file(&file).unwrap();
    let gateway = Box::pin(Gateway::start(loaded, Clock::System))
        .await
        .unwrap();
    let office = Office::new(format!("http://{}", gateway.address), folder.path()).unwrap();
    let core = Arc::clone(&gateway.core);
    introduce(&core, &office, people, families).await;
    let before = partner.taken();
    println!(
        "the people are known: resident {} MiB; {before} messages of the beginning were delivered",
        usage::resident_mebibytes()
    );
    let token = std::fs::read_to_string(folder.path().join("calworks.token")).unwrap();
    let (start, used) = (Instant::now(), usage::processor());
    let accepted = load::post(gateway.address, "/v1/events", &token, bodies).await;
    delivered(&core, before, count).await;
    let run = Run {
        accepted,
        whole: start.elapsed(),
        processor: usage::processor() - used,
    };
    gateway.stop().await;
    run
}

/// Makes the people known and the families co-managed.
async fn introduce(core: &Core, office: &Office, people: usize, families: &[usize]) {
    let start = Instant::now();
    for first in (0..people).step_by(TOGETHER) {
        let last = (first + TOGETHER).min(people);
        tell(office, "calworks", &messages::people(first..last)).await;
    }
    applied(core).await;
    println!(
        "{people} people told and matched in {:.1?}",
        start.elapsed()
    );
    tell(office, "calworks", &messages::of_calworks(families)).await;
    tell(office, "cws", &messages::of_office(families)).await;
    applied(core).await;
    for family in families {
        consents(office, *family).await;
    }
    applied(core).await;
    tell(office, "calworks", &messages::starts(families)).await;
    applied(core).await;
    until(core, async || under_way(core).await == 0).await;
}

/// Messages to child welfare that are not there yet.
async fn under_way(core: &Core) -> i64 {
    let mut tx = core.store.snapshot().await.unwrap();
    let counts = tx.lane_counts().await.unwrap();
    let waits = |state| matches!(state, OutboxState::Queued | OutboxState::Failed);
    let of_lane = counts.iter().filter(|count| count.lane == "cws-demo");
    of_lane
        .filter(|count| waits(count.state))
        .map(|count| count.count)
        .sum()
}

/// Waits until every message of the run has been delivered, and none was lost on the way.
async fn delivered(core: &Core, before: usize, count: usize) {
    applied(core).await;
    until(core, async || under_way(core).await == 0).await;
    let mut tx = core.store.snapshot().await.unwrap();
    let counts = tx.lane_counts().await.unwrap();
    let arrived: i64 = counts
        .iter()
        .filter(|one| {
            one.lane == "cws-demo"
                && matches!(
                    one.state,
                    OutboxState::Delivered | OutboxState::Acknowledged
                )
        })
        .map(|one| one.count)
        .sum();
    assert!(
        arrived >= i64::try_from(before + count).unwrap(),
        "only {arrived} of {count} arrived: {counts:?}"
    );
}
