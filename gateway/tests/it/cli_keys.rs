//! `tandem keys`: rotation beside a gateway that serves and in a store at rest, and what comes of backups from before.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tandem::clock::Clock;
use tandem::config::Loaded;
use tandem::seal::{Sealer, key_of};
use tandem::store::{OutboxState, Store};
use tandem_simulators::postgres::Cluster;

use crate::api_office::{Office, marisol};
use crate::api_referrals::referred;
use crate::cli_backup::beside;
use crate::cli_program::Ended;
use crate::processes::{
    Process, Two, in_postgres, kept_and_matched, opened_with, people, provider, start_with,
};
use crate::shared_database::{copy_keys, tell_all};

const PATIENCE: Duration = Duration::from_secs(60);
/// A nonce, what proves that nothing was altered, and a byte that names the form: no sealed value is shorter.
const SHORTEST: usize = 1 + 24 + 16;

/// Runs a command as the administrator of a gateway.
async fn ordered(folder: &Path, url: &str, arguments: &[&str]) -> Ended {
    std::fs::write(folder.join("administrator.token"), "administrator").unwrap();
    let mut all = arguments.to_vec();
    all.extend([
        "--url",
        url,
        "--token-file",
        "administrator.token",
        "--json",
    ]);
    beside(folder, &all).await
}

async fn in_office(office: &Office, arguments: &[&str]) -> Ended {
    let url = format!("http://{}/", office.address());
    ordered(office.folder(), &url, arguments).await
}

/// A gateway that told of a person, decided, and delivered.
async fn busy() -> Office {
    let office = Office::open().await;
    referred(&office).await;
    office.message("cws-demo", OutboxState::Delivered).await;
    office
}

fn key(report: &Value, number: u64) -> Value {
    let keys = report["keys"].as_array().unwrap();
    let found = keys.iter().find(|key| key["number"] == number);
    found
        .cloned()
        .unwrap_or_else(|| panic!("no key {number} in {report}"))
}

/// The keys that values of a file of SQLite name, whichever table they stand in; signs of keys are left out, which stay
/// theirs.
async fn named(folder: &Path) -> BTreeSet<Option<u32>> {
    let options = SqliteConnectOptions::new().filename(folder.join("data/tandem.sqlite"));
    let pool = SqlitePool::connect_with(options.read_only(true))
        .await
        .unwrap();
    let columns = sqlx::query(
        "SELECT t.name AS of_table, c.name AS name FROM sqlite_schema t, pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND c.type = 'BLOB' AND t.name NOT IN ('root_key', 'key_check', '_sqlx_migrations')",
    );
    let mut found = BTreeSet::new();
    let columns = columns.fetch_all(&pool).await.unwrap();
    assert!(columns.len() > 20, "only {} columns", columns.len());
    for column in columns {
        let (table, name): (String, String) = (column.get("of_table"), column.get("name"));
        let text =
            format!("SELECT {name} AS value FROM {table} WHERE length({name}) >= {SHORTEST}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(text));
        let rows = rows.fetch_all(&pool).await.unwrap();
        found.extend(
            rows.iter()
                .map(|row| key_of(&row.get::<Vec<u8>, _>("value"))),
        );
    }
    pool.close().await;
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_beside_a_gateway_seals_everything_anew_and_nothing_is_lost() {
    let office = busy().await;
    let decisions = office.get("privacy", "/v1/decisions").await.json();
    assert_eq!(named(office.folder()).await, BTreeSet::from([Some(1)]));
    let dry = in_office(&office, &["keys", "rotate", "--dry-run"]).await;
    assert_eq!((dry.code, &dry.json()["number"]), (0, &json!(2)), "{dry:?}");
    let before = office.get("operator", "/v1/keys").await.json();
    assert_eq!(key(&before, 1)["state"], "seals");
    assert_eq!(before["keys"].as_array().unwrap().len(), 1, "{before}");

    let rotated = in_office(&office, &["keys", "rotate"]).await;
    assert_eq!(rotated.code, 0, "{rotated:?}");
    let report = office.get("auditor", "/v1/keys").await.json();
    assert_eq!(report["resealing"]["is_done"], true, "{report}");
    assert!(report["resealing"]["resealed"].as_i64().unwrap() > 10);
    let (old, new) = (key(&report, 1), key(&report, 2));
    assert_eq!((&old["state"], &old["rows"]), (&json!("opens"), &json!(0)));
    assert_eq!(new["state"], "seals");
    assert_eq!(named(office.folder()).await, BTreeSet::from([Some(2)]));
    let figures = office.get("operator", "/metrics").await.text;
    assert!(
        figures.contains("tandem_keys_rows_left{key=\"1\"} 0"),
        "{figures}"
    );

    let unknown = in_office(&office, &["keys", "retire", "7"]).await;
    assert_eq!(unknown.code, 1, "{unknown:?}");
    let sealing = in_office(&office, &["keys", "retire", "2"]).await;
    assert!(
        sealing.code == 1 && sealing.told.contains("seals"),
        "{sealing:?}"
    );
    let retired = in_office(&office, &["keys", "retire", "1"]).await;
    assert_eq!(retired.code, 0, "{retired:?}");
    let text = std::fs::read_to_string(office.folder().join("data/root.key")).unwrap();
    assert!(!text.contains("key 1 ") && text.contains("key 2 "));
    for action in ["keys.rotate", "keys.retire"] {
        assert_eq!(office.audited(action).await, 1, "{action}");
    }
    // All of it is read with the new key alone, also by a gateway that starts.
    let office = office.restarted("").await;
    let again = office.get("privacy", "/v1/decisions").await.json();
    assert_eq!(again, decisions);
    office.record("bh", "mrn-1", &marisol()).await;
    let folder = office.stopped().await;
    let verify = ["audit", "verify", "--config", "gateway.toml"];
    let verified = beside(folder.path(), &verify).await;
    assert_eq!(verified.code, 0, "{verified:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_and_no_line_shows_a_key() {
    let office = busy().await;
    let rotated = in_office(&office, &["keys", "rotate"]).await;
    let listed = in_office(&office, &["keys", "list"]).await;
    let retired = in_office(&office, &["keys", "retire", "1"]).await;
    let config = ["keys", "list", "--config", "gateway.toml"];
    let counted = beside(office.folder(), &config).await;
    let mut told = String::new();
    for ended in [&rotated, &listed, &retired, &counted] {
        assert_eq!(ended.code, 0, "{ended:?}");
        told.push_str(&ended.out);
        told.push_str(&ended.told);
    }
    for file in ["root.key", "root.key.retired-1"] {
        let path = office.folder().join("data").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let secrets = text.split_whitespace().filter(|word| word.len() == 64);
        for secret in secrets {
            assert!(!told.contains(secret), "{file}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_at_rest_is_rotated_by_the_command_alone_and_one_that_is_served_is_not() {
    let office = busy().await;
    let rotate = ["keys", "rotate", "--config", "gateway.toml", "--json"];
    let served = beside(office.folder(), &rotate).await;
    assert_eq!(served.code, 3, "{served:?}");
    assert!(served.told.contains("serves the data folder"), "{served:?}");
    let folder = office.stopped().await;
    let dry = ["keys", "rotate", "--dry-run", "--config", "gateway.toml"];
    let dry = beside(folder.path(), &dry).await;
    assert!(dry.code == 0 && dry.told.contains("key 2 would"), "{dry:?}");
    let rotated = beside(folder.path(), &rotate).await;
    assert_eq!(rotated.code, 0, "{rotated:?}");
    assert_eq!(key(&rotated.json(), 1)["rows"], 0);
    assert!(key(&rotated.json(), 2)["rows"].as_i64().unwrap() > 10);
    let retire = ["keys", "retire", "1", "--config", "gateway.toml"];
    let retired = beside(folder.path(), &retire).await;
    assert_eq!(retired.code, 0, "{retired:?}");
    let list = ["keys", "list", "--config", "gateway.toml", "--json"];
    let listed = beside(folder.path(), &list).await.json();
    assert_eq!(key(&listed, 1)["state"], "retired");
    let office = Office::reopened(folder, "").await;
    let ready = office.get("", "/readyz").await;
    assert_eq!(ready.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_from_before_a_rotation_needs_the_old_key_and_says_so() {
    let folder = busy().await.stopped().await;
    let run = async |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--config", "gateway.toml"]);
        beside(folder.path(), &all).await
    };
    assert_eq!(run(&["backup", "before.backup"]).await.code, 0);
    assert_eq!(run(&["keys", "rotate"]).await.code, 0);
    assert_eq!(run(&["backup", "after.backup"]).await.code, 0);
    assert_eq!(run(&["keys", "retire", "1"]).await.code, 0);
    assert_eq!(run(&["backup", "later.backup"]).await.code, 0);
    let restored = run(&["restore", "later.backup", "--replace"]).await;
    assert_eq!(restored.code, 0, "{restored:?}");
    for backup in ["before.backup", "after.backup"] {
        let refused = run(&["restore", backup, "--replace"]).await;
        assert_eq!(refused.code, 3, "{refused:?}");
        let told = &refused.told;
        assert!(
            told.contains("does not hold key 1") && told.contains("root.key"),
            "{told}"
        );
    }
    // Its line comes back from where it was kept.
    let data = folder.path().join("data");
    let kept = std::fs::read_to_string(data.join("root.key.retired-1")).unwrap();
    let line = kept
        .lines()
        .find(|line| line.starts_with("key 1 "))
        .unwrap();
    let text = std::fs::read_to_string(data.join("root.key")).unwrap();
    std::fs::write(data.join("root.key"), format!("{text}{line}\n")).unwrap();
    let restored = run(&["restore", "before.backup", "--replace"]).await;
    assert_eq!(restored.code, 0, "{restored:?}");
    let listed = run(&["keys", "list", "--json"]).await.json();
    assert_eq!(key(&listed, 1)["state"], "seals");
    assert_eq!(key(&listed, 2)["state"], "waits");
    // The key that was made before is taken, and no third one made.
    let rotated = run(&["keys", "rotate", "--json"]).await;
    assert_eq!(rotated.code, 0, "{rotated:?}");
    assert_eq!(key(&rotated.json(), 2)["state"], "seals");
    assert_eq!(named(folder.path()).await, BTreeSet::from([Some(2)]));
    let verified = run(&["audit", "verify"]).await;
    assert_eq!(verified.code, 0, "{verified:?}");
}

/// What the doctor says of the keys.
async fn doctor(folder: &Path) -> Value {
    let arguments = ["doctor", "--offline", "--json", "--config", "gateway.toml"];
    let told = beside(folder, &arguments).await.json();
    let checks = told["checks"].as_array().unwrap();
    let keys = checks.iter().find(|check| check["check"] == "keys");
    keys.unwrap_or_else(|| panic!("{told}")).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_when_a_rotation_stands_unfinished() {
    let folder = busy().await.stopped().await;
    assert_eq!(doctor(folder.path()).await["standing"], "ok");
    let file = folder.path().join("data/root.key");
    let county = || "demo-county".parse().unwrap();
    let sealer = Sealer::from_file(&file, county()).unwrap();
    sealer.add(2, Clock::System.now()).unwrap();
    let waits = doctor(folder.path()).await;
    assert_eq!(waits["standing"], "warning", "{waits}");
    assert!(
        waits["found"].as_str().unwrap().contains("key 2"),
        "{waits}"
    );
    let loaded = Loaded::from_file(&folder.path().join("gateway.toml")).unwrap();
    let store = Store::of(&loaded.config, sealer).await.unwrap();
    assert_eq!(
        store
            .rotate("administrator", Clock::System.now())
            .await
            .unwrap(),
        2
    );
    store.close().await;
    let unfinished = doctor(folder.path()).await;
    assert_eq!(unfinished["standing"], "warning", "{unfinished}");
    assert!(
        unfinished["found"].as_str().unwrap().contains("unfinished"),
        "{unfinished}"
    );
    let reseal = ["keys", "reseal", "--config", "gateway.toml"];
    let done = beside(folder.path(), &reseal).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(doctor(folder.path()).await["standing"], "ok");
}

/// How the keys of a serving gateway stand.
async fn report(process: &Process) -> Value {
    let answer = reqwest::Client::new()
        .get(format!("{}/v1/keys", process.url))
        .bearer_auth("administrator")
        .send()
        .await;
    let answer = answer.unwrap().error_for_status().unwrap();
    answer.json().await.unwrap()
}

/// Waits until everything is sealed anew.
async fn sealed_anew(process: &Process) {
    let done = async {
        while report(process).await["resealing"]["is_done"] != true {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, done).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_while_it_seals_anew_goes_on_at_its_next_start() {
    provider();
    let place = tempfile::tempdir().unwrap();
    let mut first = start_with(place.path(), "first.toml", "");
    assert!(first.serves().await);
    let people = people(48);
    let accepted = tell_all(&[&first], &people).await;
    let rotate = ["keys", "rotate", "--no-wait"];
    let rotated = ordered(place.path(), &first.url, &rotate).await;
    assert_eq!(rotated.code, 0, "{rotated:?}");
    first.child.kill().unwrap();
    drop(first);
    let mut second = start_with(place.path(), "second.toml", "");
    assert!(second.serves().await);
    sealed_anew(&second).await;
    assert_eq!(key(&report(&second).await, 1)["rows"], 0);
    second.child.kill().unwrap();
    drop(second);
    assert_eq!(named(place.path()).await, BTreeSet::from([Some(2)]));
    let gateway = opened_with(place.path(), "last.toml", "").await;
    assert_eq!(kept_and_matched(&gateway).await, accepted);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_on_one_database_rotate_when_both_hold_the_key() {
    let Two {
        mut first,
        mut second,
        folders: [one, two],
        store,
        cluster: _serves,
    } = Two::start().await;
    let people = people(48);
    let (before, after) = people.split_at(24);
    let mut accepted = tell_all(&[&first, &second], before).await;
    // The second is known to the first, and lacks the key.
    let rotate = ["keys", "rotate", "--no-wait"];
    let refused = async {
        loop {
            let dry = ordered(one.path(), &first.url, &["keys", "rotate", "--dry-run"]).await;
            if dry.json()["gateways_without_it"] == 1 {
                return ordered(one.path(), &first.url, &rotate).await;
            }
        }
    };
    let refused = tokio::time::timeout(PATIENCE, refused).await.unwrap();
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.told.contains("Copy"), "{refused:?}");
    copy_keys(one.path(), two.path());
    // It reads the file by itself.
    let rotated = async {
        loop {
            let rotated = ordered(one.path(), &first.url, &rotate).await;
            if rotated.code == 0 {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, rotated).await.unwrap();
    accepted.extend(tell_all(&[&first, &second], after).await);
    assert_eq!(accepted.len(), people.len(), "both accept all the while");
    sealed_anew(&second).await;
    let retired = ordered(one.path(), &first.url, &["keys", "retire", "1"]).await;
    assert_eq!(retired.code, 0, "{retired:?}");
    first.child.kill().unwrap();
    second.child.kill().unwrap();
    drop((first, second));
    let gateway = opened_with(one.path(), "last.toml", &store).await;
    assert_eq!(kept_and_matched(&gateway).await, accepted);
    gateway.stop().await;
}

/// What a gateway on a folder says that does not come to serve.
async fn refused(folder: &Path, settings: &str) -> String {
    let mut process = start_with(folder, "refused.toml", settings);
    assert!(!process.serves().await);
    let (code, said) = process.last_words();
    assert_eq!(code, 3, "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_one_of_the_keys_makes_none_and_says_which_to_bring_back() {
    let folder = busy().await.stopped().await;
    let data = folder.path().join("data");
    let public = std::fs::read(data.join("audit.pub")).unwrap();
    for name in ["root.key", "audit.key", "audit-witness.key"] {
        let key = std::fs::read(data.join(name)).unwrap();
        std::fs::remove_file(data.join(name)).unwrap();
        let said = refused(folder.path(), "").await;
        assert!(said.contains(&format!("{name} is not there")), "{said}");
        assert!(!data.join(name).exists(), "another {name} was made");
        std::fs::write(data.join(name), key).unwrap();
    }
    assert_eq!(std::fs::read(data.join("audit.pub")).unwrap(), public);
    let mut process = start_with(folder.path(), "whole.toml", "");
    assert!(process.serves().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_emptied_is_not_served_until_what_the_witness_remembers_is_moved_away() {
    let folder = busy().await.stopped().await;
    let data = folder.path().join("data");
    let store = data.join("tandem.sqlite");
    std::fs::write(&store, "").unwrap();
    for name in ["tandem.sqlite-wal", "tandem.sqlite-shm"] {
        let _gone_before = std::fs::remove_file(data.join(name));
    }
    let said = refused(folder.path(), "").await;
    assert!(
        said.contains("tandem restore") && said.contains("audit-witness.last"),
        "{said}"
    );
    assert_eq!(store.metadata().unwrap().len(), 0, "it was touched");
    std::fs::rename(data.join("audit-witness.last"), data.join("aside")).unwrap();
    let mut process = start_with(folder.path(), "anew.toml", "");
    assert!(process.serves().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_the_keys_of_its_database_leaves_none_that_look_like_them() {
    provider();
    let cluster = Cluster::start(false).unwrap();
    let store = in_postgres(&cluster);
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut first = start_with(one.path(), "first.toml", &store);
    assert!(first.serves().await);
    let said = refused(two.path(), &store).await;
    assert!(
        said.contains("root.key is not the one of this store"),
        "{said}"
    );
    for name in ["root.key", "audit.key", "audit-witness.key"] {
        assert!(!two.path().join("data").join(name).exists(), "{name}");
    }
}
