//! How long a gateway takes to start whose store holds many records:
//! `cargo run --release -p tandem-tests --example start -- 1000000`.
//!
//! The records are written to a store of the demo county first, which takes minutes for a million; then a gateway starts
//! on that store, and the time is taken until its match index answers.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "its figures are its output")]

#[expect(dead_code, reason = "the people's questions are for another example")]
mod county;

use std::path::Path;
use std::time::Instant;

use tandem::clock::Clock;
use tandem::config::Loaded;
use tandem::serve::Gateway;
use tandem::state::record::RecordDoc;

use county::{Invented, SYSTEM, allow_own_matches, deploy};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Records that are written in one transaction.
const COMMIT: usize = 5_000;

#[tokio::main]
async fn main() {
    let records = std::env::args().nth(1);
    let records: usize = records.map_or(100_000, |text| text.parse().unwrap());
    let _provider = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    deploy(folder.path());
    allow_own_matches(folder.path());
    let gateway = start(folder.path()).await;
    let (began, now) = (Instant::now(), Clock::System.now());
    for first in (0..records).step_by(COMMIT) {
        let mut tx = gateway.core.store.begin().await.unwrap();
        for number in first..records.min(first + COMMIT) {
            tx.put(&document(number), now).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    println!("{records} records written in {:.1?}", began.elapsed());
    gateway.stop().await;
    let began = Instant::now();
    let gateway = start(folder.path()).await;
    let known = gateway.core.matcher.lock().await.len();
    println!("started with {known} records in {:.1?}", began.elapsed());
    assert_eq!(known, records);
    gateway.stop().await;
}

async fn start(folder: &Path) -> Gateway {
    let loaded = Loaded::from_file(&folder.join("gateway.toml")).unwrap();
    Box::pin(Gateway::start(loaded, Clock::System))
        .await
        .unwrap()
}

fn document(number: usize) -> RecordDoc {
    let id = format!("01900000-0000-7000-8000-{number:012x}");
    let at = "2026-02-02T17:00:00Z";
    let document = serde_json::json!({
        "key": { "system": SYSTEM, "person": number.to_string() },
        "record_kind": "caseload",
        "person": Invented(number).person(),
        "person_id": id,
        "standing": "active",
        "may_match": true,
        "intake_decision": id,
        "memberships": [],
        "first_received_at": at,
        "received_at": at,
    });
    serde_json::from_value(document).unwrap()
}
