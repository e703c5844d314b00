//! Large files, and what kills and a full disk do to them.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tandem::config::Loaded;
use tandem::seal::Sealer;
use tandem::state::large::LargeDoc;
use tandem::state::record::RecordDoc;
use tandem::store::{EventState, Store};
use tandem_simulators::postgres::Cluster;

use crate::processes::in_postgres;
use crate::processes::{Process, deploy_with, provider, spawn};

const PATIENCE: Duration = Duration::from_secs(180);
const NAME: &str = "gateway.toml";

/// Patients in the form of a bulk export.
pub(crate) fn bulk(count: usize, family: &str) -> String {
    let mut text = String::new();
    for number in 0..count {
        writeln!(
            text,
            r#"{{"resourceType":"Patient","id":"p-{number}","name":[{{"family":"{family}","given":["Probe{number}"]}}],"birthDate":"19{:02}-0{}-1{}"}}"#,
            number % 90 + 10,
            number % 9 + 1,
            number % 7
        )
        .unwrap();
    }
    text
}

/// A deployment in which the fourth system sends files, and files above a size are large.
pub(crate) fn deploy_large(folder: &Path, large_over: &str, store: &str) -> String {
    let settings = format!("files = {{ large_over = \"{large_over}\" }}\n{store}");
    let url = deploy_with(folder, NAME, &settings);
    let file = folder.join(NAME);
    let text = std::fs::read_to_string(&file).unwrap();
    let folder = r#"folder = { path = "exchange/bh-demo", poll_ms = 20, inputs = [{ prefix = "bulk", format = "fhir/bundle" }] }"#;
    std::fs::write(&file, format!("{text}{folder}\n")).unwrap();
    url
}

pub(crate) fn serve(folder: &Path, url: &str) -> Process {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tandem"));
    program.args(["serve", "--config", NAME]);
    spawn(folder, program, url.to_owned())
}

/// The inputs as an operator sees them; none while the gateway does not answer.
pub(crate) async fn inputs(url: &str) -> Vec<Value> {
    let asked = reqwest::Client::new()
        .get(format!("{url}/v1/inputs"))
        .bearer_auth("operator")
        .send();
    let Ok(answer) = asked.await else {
        return Vec::new();
    };
    let text = answer.text().await.unwrap_or_default();
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    answer["inputs"].as_array().cloned().unwrap_or_default()
}

fn drop_file(folder: &Path, name: &str, text: &str) {
    let exchange = folder.join("exchange/bh-demo");
    std::fs::write(exchange.join(format!("in/{name}.part")), text).unwrap();
    let (from, to) = (format!("in/{name}.part"), format!("in/{name}"));
    std::fs::rename(exchange.join(from), exchange.join(to)).unwrap();
}

/// Waits until something of the inputs is as wanted.
pub(crate) async fn until(url: &str, is_wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let found = async {
        loop {
            let inputs = inputs(url).await;
            if is_wanted(&inputs) {
                return inputs;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap()
}

pub(crate) fn is_through(input: &Value) -> bool {
    input["state"] == "published" && input["progress"].is_null()
}

pub(crate) async fn store_of(folder: &Path) -> Store {
    let config = Loaded::from_file(&folder.join(NAME)).unwrap().config;
    let key = config.data.join("root.key");
    let sealer = Sealer::from_file(&key, config.jurisdiction.clone()).unwrap();
    Store::to_read(&config, sealer).await.unwrap()
}

/// How far the first file is on its way; `None` before and after.
async fn place_of(store: &Store) -> Option<String> {
    let docs: Vec<LargeDoc> = store.snapshot().await.unwrap().all().await.unwrap();
    let first = docs.into_iter().min_by_key(|doc| doc.input)?;
    Some(format!(
        "{:?} {} {}",
        first.stage, first.reached, first.position
    ))
}

/// A large file comes, and a later one that corrects it; the gateway is killed whenever the first has got a little
/// further.
async fn killed_on_the_way_it_goes_on_and_nothing_is_lost_or_twice(
    store: &str,
    count: usize,
    most: usize,
) {
    provider();
    let place = tempfile::tempdir().unwrap();
    let url = deploy_large(place.path(), "1 KiB", store);
    let mut serving = serve(place.path(), &url);
    assert!(serving.serves().await);
    let looking = store_of(place.path()).await;
    drop_file(place.path(), "bulk-1.ndjson", &bulk(count, "Demofield"));
    drop_file(place.path(), "bulk-2.ndjson", &bulk(3, "Testerly"));
    let mut seen = BTreeSet::new();
    let mut kills = 0;
    while kills < most {
        let further = async {
            loop {
                match place_of(&looking).await {
                    Some(at) if seen.insert(at.clone()) => return true,
                    None if kills > 0 => return false,
                    _ => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
        };
        if !tokio::time::timeout(PATIENCE, further).await.unwrap() {
            break;
        }
        // It need not even serve before it is killed again.
        drop(serving);
        kills += 1;
        serving = serve(place.path(), &url);
    }
    assert!(kills >= most.min(5), "only {kills} kills: {seen:?}");
    looking.close().await;
    assert!(serving.serves().await);
    until(&url, |inputs| {
        inputs.len() == 2 && inputs.iter().all(is_through)
    })
    .await;
    let applied = async {
        loop {
            let store = store_of(place.path()).await;
            let mut tx = store.snapshot().await.unwrap();
            let waiting = tx.count_events(EventState::Waiting).await.unwrap();
            drop(tx);
            store.close().await;
            if waiting == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, applied).await.unwrap();
    drop(serving);

    let store = store_of(place.path()).await;
    let mut tx = store.snapshot().await.unwrap();
    let records: Vec<RecordDoc> = tx.all().await.unwrap();
    let told = records
        .iter()
        .filter(|one| one.key.system.as_str() == "bh-demo");
    assert_eq!(told.count(), count);
    let corrected = records.iter().filter(|one| {
        serde_json::to_string(&one.person)
            .unwrap()
            .contains("Testerly")
    });
    assert_eq!(corrected.count(), 3, "the later file has the last word");
    let events = tx.events_after(0, 10_000).await.unwrap();
    let events = events
        .iter()
        .filter(|one| one.event.system.as_str() == "bh-demo");
    assert_eq!(events.count(), count + 3, "each is told once");
    assert_eq!(tx.count_events(EventState::Staged).await.unwrap(), 0);
    let exchange = place.path().join("exchange/bh-demo");
    for name in ["bulk-1.ndjson", "bulk-2.ndjson"] {
        assert!(exchange.join("done").join(name).exists(), "{name}");
        let ack = exchange.join(format!("ack/{name}.ack.json"));
        let ack: Value = serde_json::from_str(&std::fs::read_to_string(ack).unwrap()).unwrap();
        assert_eq!(ack["outcome"], "accepted", "{ack}");
    }
    let blobs = std::fs::read_dir(place.path().join("data/blobs")).unwrap();
    assert_eq!(blobs.count(), 1, "of the large one the original is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_survives_kills_on_sqlite() {
    killed_on_the_way_it_goes_on_and_nothing_is_lost_or_twice("", 1_300, 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_survives_kills_on_postgres() {
    let cluster = Cluster::start(false).unwrap();
    killed_on_the_way_it_goes_on_and_nothing_is_lost_or_twice(&in_postgres(&cluster), 600, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_no_more_is_told_and_loses_nothing() {
    provider();
    let place = tempfile::tempdir().unwrap();
    let url = deploy_large(place.path(), "1 KiB", "");
    // A file that grows above five mebibytes is refused by the system, as by a disk that is full.
    let script = format!(
        "trap '' XFSZ; ulimit -f 10240; exec '{}' serve --config {NAME} >log 2>&1",
        env!("CARGO_BIN_EXE_tandem")
    );
    let mut program = Command::new("sh");
    program.args(["-c", &script]);
    let mut full = spawn(place.path(), program, url.clone());
    assert!(full.serves().await);
    drop_file(place.path(), "bulk-1.ndjson", &bulk(20_000, "Demofield"));
    let told = async {
        loop {
            let log = std::fs::read_to_string(place.path().join("log")).unwrap();
            if let Some(line) = log.lines().find(|line| line.contains("cannot be taken")) {
                return line.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let line = tokio::time::timeout(PATIENCE, told).await.unwrap();
    assert!(
        line.contains("data/blobs/") && line.contains("File too large"),
        "{line}"
    );
    assert!(inputs(&url).await.is_empty());
    let waiting = place.path().join("exchange/bh-demo/work/bulk-1.ndjson");
    assert!(waiting.exists(), "it stays where it is");
    drop(full);

    let mut serving = serve(place.path(), &url);
    assert!(serving.serves().await);
    let inputs = until(&url, |inputs| !inputs.is_empty()).await;
    assert_eq!(inputs.len(), 1);
    assert_eq!(inputs[0]["report"]["persons"], 20_000);
    drop(serving);
    let store = store_of(place.path()).await;
    let heads = store.snapshot().await.unwrap().blob_heads().await.unwrap();
    assert_eq!(heads.len(), 2);
}
