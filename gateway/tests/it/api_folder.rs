//! A watched folder in which a partner makes what it likes: each file is read once, whole, and none keeps back another.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails where it unwraps"
)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tandem_mappings::model::id::SystemId;

use crate::api_office::Office;
use crate::large_files::bulk;

const SYSTEM: &str = "bh-demo";

/// A gateway to which the last of its systems sends files.
async fn office(settings: &str) -> Office {
    Office::changed(|_, text| {
        let text = text.replacen("limits =", &format!("{settings}\nlimits ="), 1);
        let folder = "folder = { path = \"exchange/bh-demo\", poll_ms = 20, inputs = [{ prefix = \"bulk\", format = \"fhir/bundle\" }] }";
        format!("{text}{folder}\n")
    })
    .await
}

fn exchange(folder: &Path) -> PathBuf {
    folder.join("exchange").join(SYSTEM)
}

/// Waits until something is found.
async fn found<T>(find: impl Fn() -> Option<T>) -> T {
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    let found = async {
        loop {
            if let Some(one) = find() {
                return one;
            }
            ticks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), found)
        .await
        .expect("it comes to be there")
}

async fn there(file: &Path) {
    found(|| file.exists().then_some(())).await;
}

/// Waits until a look has taken what is acknowledged. Its inputs come after that, and before the next look.
async fn looked(exchange: &Path, name: &str) {
    let ack = exchange.join(format!("out/{name}.ack"));
    fs::write(&ack, "never whole").unwrap();
    let file = fs::File::options().write(true).open(&ack).unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    file.set_modified(written - Duration::from_secs(3_600))
        .unwrap();
    there(&exchange.join(format!("out/acked/{name}.ack"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_claimed_is_read_before_the_newer_file_of_its_name() {
    let folder = office("").await.stopped().await;
    let exchange = exchange(folder.path());
    let (older, newer) = (bulk(1, "Demofield"), bulk(1, "Testerly"));
    fs::write(exchange.join("work/bulk-1.ndjson"), &older).unwrap();
    fs::write(exchange.join("in/bulk-1.ndjson"), &newer).unwrap();
    let office = Office::again(folder).await;
    there(&exchange.join("done/bulk-1.ndjson.1")).await;
    let done = |name: &str| fs::read_to_string(exchange.join("done").join(name)).unwrap();
    assert_eq!(done("bulk-1.ndjson"), older);
    assert_eq!(done("bulk-1.ndjson.1"), newer);
    // By its name it is known: what comes once more is a repeat.
    office.drop_file(SYSTEM, "bulk-1.ndjson", older.as_bytes());
    there(&exchange.join("done/bulk-1.ndjson.2")).await;
    let ack = fs::read_to_string(exchange.join("ack/bulk-1.ndjson.ack.json")).unwrap();
    let ack: Value = serde_json::from_str(&ack).unwrap();
    assert_eq!(ack["duplicate"], true, "{ack}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_whose_name_is_no_text_keeps_nothing_back() {
    let office = office("").await;
    let exchange = exchange(office.folder());
    let name = OsStr::from_bytes(b"Pe\xf1a.csv.ack");
    fs::write(exchange.join("out").join(name), "{}").unwrap();
    there(&exchange.join("out/acked").join(name)).await;
    office.drop_file(SYSTEM, "bulk-1.ndjson", bulk(1, "Demofield").as_bytes());
    there(&exchange.join("done/bulk-1.ndjson")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_name_is_too_long_to_be_answered_is_put_aside_under_a_shorter_one() {
    let office = office("").await;
    let exchange = exchange(office.folder());
    let name = format!("bulk-{}.ndjson", "x".repeat(230));
    office.drop_file(SYSTEM, &name, bulk(1, "Demofield").as_bytes());
    let error = found(|| {
        let files = fs::read_dir(exchange.join("error")).unwrap();
        let mut files = files.map(|file| file.unwrap().path());
        files.find(|file| file.extension().is_some_and(|end| end == "json"))
    })
    .await;
    let text: Value = serde_json::from_str(&fs::read_to_string(&error).unwrap()).unwrap();
    assert_eq!(text["error"], "name-too-long");
    assert_eq!(text["file"], name);
    // It has the name of its error file without both ends.
    there(&error.with_extension("").with_extension("")).await;
    assert!(!exchange.join("in").join(&name).exists());
    assert!(!exchange.join("work").join(&name).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_among_the_inputs_is_not_followed() {
    let office = office("").await;
    let exchange = exchange(office.folder());
    let elsewhere = office.folder().join("elsewhere.ndjson");
    fs::write(&elsewhere, bulk(1, "Testerly")).unwrap();
    let link = exchange.join("in/bulk-1.ndjson");
    std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
    office.drop_file(SYSTEM, "bulk-2.ndjson", bulk(1, "Demofield").as_bytes());
    there(&exchange.join("done/bulk-2.ndjson")).await;
    assert!(link.is_symlink());
    let mut tx = office.core().store.snapshot().await.unwrap();
    assert_eq!(tx.inputs(10).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_behind_a_large_file_is_tried_once_and_again_when_that_is_through() {
    let office = office("files = { large_over = \"1 KiB\" }").await;
    let (core, exchange) = (office.core(), exchange(office.folder()));
    let system: SystemId = SYSTEM.parse().unwrap();
    let large = bulk(2_000, "Demofield");
    office.drop_file(SYSTEM, "bulk-1.ndjson", large.as_bytes());
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    while !core.files.has_in_work(&core.store, &system).await.unwrap() {
        ticks.tick().await;
    }
    // While the turn to write is taken, the large file stays on its way.
    let turn = core.store.begin().await.unwrap();
    assert!(core.files.has_in_work(&core.store, &system).await.unwrap());
    office.drop_file(SYSTEM, "bulk-2.ndjson", bulk(1, "Testerly").as_bytes());
    let waiting = exchange.join("work/bulk-2.ndjson");
    there(&waiting).await;
    looked(&exchange, "one").await;
    // The look that tried it has ended. What lies in its place is looked at by none after it, or it would be put aside.
    let kept = exchange.join("kept");
    fs::rename(&waiting, &kept).unwrap();
    fs::create_dir(&waiting).unwrap();
    office.drop_file(SYSTEM, "bulk-3.ndjson", bulk(1, "Probe").as_bytes());
    looked(&exchange, "two").await;
    looked(&exchange, "three").await;
    assert!(waiting.is_dir());
    assert!(exchange.join("in/bulk-3.ndjson").exists());
    fs::remove_dir(&waiting).unwrap();
    fs::rename(&kept, &waiting).unwrap();
    drop(turn);
    for name in ["bulk-1.ndjson", "bulk-2.ndjson", "bulk-3.ndjson"] {
        there(&exchange.join("done").join(name)).await;
    }
}
