//! Real processes on one data folder: one of them matches, and a killed one loses nothing.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tandem::clock::Clock;
use tandem::config::Loaded;
use tandem::pipeline::matcher::engine_record;
use tandem::serve::Gateway;
use tandem::state::link::{LinkDoc, LinkStanding};
use tandem::state::record::RecordDoc;
use tandem_matching::{Engine, LinkResult, RecordKey};
use tandem_simulators::postgres::Cluster;
use tempfile::TempDir;

use crate::api_office::{config, person, record_received, registry, tokens};
use crate::shared_database::copy_keys;

const PATIENCE: Duration = Duration::from_secs(60);
const LIMITS: &str =
    "linking = { learn = false }\nlimits = { requests_per_second = 1000, burst = 1000 }";

/// The settings of a store in a database of its own.
pub(crate) fn in_postgres(cluster: &Cluster) -> String {
    let address = cluster.database().unwrap();
    format!("store = {{ postgres = \"{address}\" }}")
}

/// Two gateways on one database, with the same keys.
pub(crate) struct Two {
    pub(crate) first: Process,
    pub(crate) second: Process,
    /// Where each is deployed.
    pub(crate) folders: [TempDir; 2],
    /// The settings of the store.
    pub(crate) store: String,
    pub(crate) cluster: Cluster,
}

impl Two {
    pub(crate) async fn start() -> Self {
        provider();
        let cluster = Cluster::start(false).unwrap();
        let store = in_postgres(&cluster);
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [one, two] = &folders;
        let mut first = start_with(one.path(), "first.toml", &store);
        assert!(first.serves().await);
        copy_keys(one.path(), two.path());
        let mut second = start_with(two.path(), "second.toml", &store);
        assert!(second.serves().await);
        Self {
            first,
            second,
            folders,
            store,
            cluster,
        }
    }
}

/// A gateway in a process of its own.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) url: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A data folder with a configuration under this name, with more settings than the others have, for a port that is free now.
pub(crate) fn deploy_with(folder: &Path, name: &str, settings: &str) -> String {
    std::fs::write(folder.join("tokens.toml"), tokens()).unwrap();
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let limits = format!("{LIMITS}\n{settings}");
    let text = config(&limits, &registry()).replace("127.0.0.1:0", &address.to_string());
    std::fs::write(folder.join(name), text).unwrap();
    format!("http://{address}")
}

fn start(folder: &Path, name: &str) -> Process {
    start_with(folder, name, "")
}

/// Starts a gateway with more settings than the others have.
pub(crate) fn start_with(folder: &Path, name: &str, settings: &str) -> Process {
    let url = deploy_with(folder, name, settings);
    let mut program = Command::new(env!("CARGO_BIN_EXE_tandem"));
    program.args(["serve", "--config", name]);
    spawn(folder, program, url)
}

/// Starts a program that serves a folder.
pub(crate) fn spawn(folder: &Path, mut program: Command, url: String) -> Process {
    let child = program
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Process { child, url }
}

impl Process {
    /// Whether it came to serve; else it has ended.
    pub(crate) async fn serves(&mut self) -> bool {
        let asked = async {
            loop {
                if let Ok(answer) = reqwest::get(format!("{}/readyz", self.url)).await
                    && answer.status().is_success()
                {
                    return true;
                }
                if self.child.try_wait().unwrap().is_some() {
                    return false;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.unwrap()
    }

    /// What it said before it ended.
    pub(crate) fn last_words(mut self) -> (i32, String) {
        let mut said = String::new();
        let mut pipe = self.child.stderr.take().unwrap();
        std::io::Read::read_to_string(&mut pipe, &mut said).unwrap();
        (self.child.wait().unwrap().code().unwrap_or(-1), said)
    }
}

/// Tells of a person; whether it was accepted.
pub(crate) async fn tell(url: &str, who: &str, id: &str, person: &Value) -> bool {
    let event = json!([record_received(id, person)]);
    let answer = reqwest::Client::new()
        .post(format!("{url}/v1/events"))
        .bearer_auth(who)
        .json(&event)
        .send()
        .await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

pub(crate) fn woman(given: &str, family: &str, birth: &str, ssn: &str) -> Value {
    let mut record = person(given, family, birth, "");
    record["identifiers"] = json!([]);
    record["ssn"] = json!({ "ssn": ssn, "quality": "full" });
    record
}

/// A gateway of this process on the folder, once every accepted event took effect.
async fn opened(folder: &Path, name: &str) -> Gateway {
    opened_with(folder, name, "").await
}

/// As [`opened`], with more settings.
pub(crate) async fn opened_with(folder: &Path, name: &str, settings: &str) -> Gateway {
    deploy_with(folder, name, settings);
    let loaded = Loaded::from_file(&folder.join(name)).unwrap();
    let gateway = Box::pin(Gateway::start(loaded, Clock::System))
        .await
        .unwrap();
    let mut changed = gateway.core.changed.subscribe();
    let applied = async {
        loop {
            let mut tx = gateway.core.store.snapshot().await.unwrap();
            let waiting = tx.count_events(tandem::store::EventState::Waiting).await;
            if waiting.unwrap() == 0 {
                return;
            }
            drop(tx);
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, applied).await.unwrap();
    gateway
}

pub(crate) fn provider() {
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_on_one_folder_one_matches_and_the_other_says_why_it_does_not() {
    provider();
    let folder: TempDir = tempfile::tempdir().unwrap();
    let mut both = [
        start(folder.path(), "one.toml"),
        start(folder.path(), "two.toml"),
    ];
    let [one, two] = &mut both;
    let serve = tokio::join!(one.serves(), two.serves());
    assert!(serve.0 != serve.1, "{serve:?}");

    // Twins and one person's two records, told to both at once.
    let people = [
        (
            "calworks",
            "twin-1",
            woman("Testa", "Demofield", "2015-04-11", "900111222"),
        ),
        (
            "cws",
            "twin-2",
            woman("Zorla", "Demofield", "2015-04-11", "900111223"),
        ),
        (
            "calworks",
            "one-1",
            woman("Quilla", "Mockberg", "1980-09-30", "900444555"),
        ),
        (
            "cws",
            "one-2",
            woman("Quilla", "Mockberg", "1980-09-30", "900444555"),
        ),
    ];
    let urls = both.each_ref().map(|process| process.url.clone());
    let told = urls.iter().flat_map(|url| {
        people
            .iter()
            .map(move |(who, id, person)| tell(url, who, id, person))
    });
    let mut accepted = 0;
    for is_accepted in futures_joined(told).await {
        accepted += usize::from(is_accepted);
    }
    assert_eq!(
        accepted,
        people.len(),
        "each is accepted by the one that serves"
    );

    let [one, two] = both;
    let (serving, refused) = if serve.0 { (one, two) } else { (two, one) };
    let serving_process = serving.child.id().to_string();
    let (code, said) = refused.last_words();
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("another gateway") && said.contains("data folder"),
        "{said}"
    );
    // Who came at the very moment of the start may be told before the other has said who it is.
    assert!(
        said.contains(&serving_process) || !said.contains("(process"),
        "{said}"
    );
    drop(serving);

    let gateway = opened(folder.path(), "three.toml").await;
    let mut tx = gateway.core.store.snapshot().await.unwrap();
    let links = tx.all::<LinkDoc>().await.unwrap();
    let linked: Vec<(&str, &str)> = links
        .iter()
        .filter(|link| link.standing == LinkStanding::Linked)
        .map(|link| (link.a.person.as_str(), link.b.person.as_str()))
        .collect();
    assert_eq!(linked, [("one-1", "one-2")]);
    drop(tx);
    gateway.stop().await;
}

/// Runs all at once and gives what they gave.
async fn futures_joined<F>(futures: impl Iterator<Item = F>) -> Vec<F::Output>
where
    F: Future,
{
    futures::future::join_all(futures).await
}

/// Pairs that the batch links or leaves to a steward, with their scores.
fn by_batch(result: &LinkResult) -> BTreeMap<(RecordKey, RecordKey), i64> {
    let pairs = result.links().iter().chain(result.reviews());
    pairs
        .map(|pair| {
            let (a, b) = (result.key(pair.a()).unwrap(), result.key(pair.b()).unwrap());
            (
                (a.clone().min(b.clone()), a.max(b)),
                thousandths(pair.score_bits()),
            )
        })
        .collect()
}

fn thousandths(bits: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "scores are small numbers")]
    let rounded = (bits * 1000.0).round() as i64;
    rounded
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_any_two_steps_the_index_answers_as_a_batch_of_what_is_stored() {
    provider();
    let folder = tempfile::tempdir().unwrap();
    let people = people(48);
    // Killed right after the last acceptance of each part: its events are being applied just then.
    let mut accepted = BTreeSet::new();
    for (round, part) in people.chunks(12).enumerate() {
        let mut process = start(folder.path(), &format!("{round}.toml"));
        assert!(process.serves().await);
        for (who, id, person) in part {
            assert!(tell(&process.url, who, id, person).await, "{id}");
            accepted.insert(id.clone());
        }
        process.child.kill().unwrap();
    }

    let gateway = opened(folder.path(), "last.toml").await;
    assert_eq!(
        kept_and_matched(&gateway).await,
        accepted,
        "what was accepted is there, once"
    );
    gateway.stop().await;
}

/// The records that a gateway holds; its index answers as a batch of them would.
pub(crate) async fn kept_and_matched(gateway: &Gateway) -> BTreeSet<String> {
    let stored = {
        let mut tx = gateway.core.store.snapshot().await.unwrap();
        tx.all::<RecordDoc>().await.unwrap()
    };
    let kept: BTreeSet<String> = stored
        .iter()
        .map(|record| record.key.person.to_string())
        .collect();
    let records: Vec<_> = stored.iter().map(engine_record).collect();
    let engine: &Engine = &gateway.core.engine;
    let expected = by_batch(&engine.link(&records).unwrap());
    assert!(expected.len() >= 24, "only {} pairs", expected.len());
    let mut found = BTreeMap::new();
    let mut matcher = gateway.core.matcher.lock().await;
    for record in &stored {
        for candidate in matcher.candidates(&engine_record(record)) {
            let (a, b) = ((&record.key).into(), candidate.key);
            let pair = if a <= b { (a, b) } else { (b, a) };
            found.insert(pair, thousandths(candidate.score_bits));
        }
    }
    drop(matcher);
    assert_eq!(found, expected);
    kept
}

/// So many records, two of each person, told by two systems.
pub(crate) fn people(count: usize) -> Vec<(&'static str, String, Value)> {
    let family = |number: usize| ["Demofield", "Mockberg", "Sampleton", "Protodale"][number % 4];
    let told = (0..count).map(|number| {
        let person = number / 2;
        let birth = format!(
            "19{:02}-0{}-1{}",
            40 + person * 3 % 50,
            1 + person % 9,
            number % 2
        );
        let given = ["Testa", "Zorla", "Quilla", "Xenia", "Vandra"][person % 5];
        let ssn = format!("9{:08}", 13_579_213 * (person + 1) % 100_000_000);
        let who = ["calworks", "cws"][number % 2];
        (
            who,
            format!("p-{number}"),
            woman(given, family(person), &birth, &ssn),
        )
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_has_the_configuration_read_anew_and_the_process_goes_on() {
    provider();
    let folder: TempDir = tempfile::tempdir().unwrap();
    let mut gateway = start(folder.path(), "one.toml");
    assert!(gateway.serves().await);
    let links = async || {
        let url = format!("{}/v1/links", gateway.url);
        let asked = reqwest::Client::new().get(url).bearer_auth("steward");
        asked.send().await.unwrap().status().as_u16()
    };
    assert_eq!(links().await, 200);
    let others = tokens().replace(
        "name = \"steward\"\nrole = \"steward\"",
        "name = \"steward\"\nrole = \"operator\"",
    );
    std::fs::write(folder.path().join("tokens.toml"), others).unwrap();
    let process = gateway.child.id().to_string();
    let hung_up = Command::new("kill").args(["-HUP", &process]).status();
    assert!(hung_up.unwrap().success());
    let counts = async {
        while links().await != 403 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, counts).await.unwrap();
    assert!(gateway.child.try_wait().unwrap().is_none());
}
