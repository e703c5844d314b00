//! `tandem backup`, beside a gateway that serves, and what comes of a file that was damaged.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::BTreeSet;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tandem_simulators::postgres::Cluster;

use crate::cli_program::{Ended, tandem_in};
use crate::processes::{
    deploy_with, in_postgres, kept_and_matched, opened_with, people, provider, start_with,
};
use crate::shared_database::{copy_keys, tell_all};

/// Runs a command beside what the test does.
pub(crate) async fn beside(folder: &Path, arguments: &[&str]) -> Ended {
    let folder = folder.to_owned();
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    let run = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        tandem_in(&folder, &arguments)
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// What a gateway held when the backup began is in it, and the index over it answers as over the whole.
async fn a_backup_beside_a_serving_gateway_is_one_state_of_it(store: &str, other_store: &str) {
    provider();
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut serving = start_with(one.path(), "serving.toml", store);
    assert!(serving.serves().await);
    let people = people(60);
    let (before, during) = people.split_at(48);
    let held = tell_all(&[&serving], before).await;
    assert_eq!(held.len(), before.len());
    let arguments = [
        "backup",
        "county.backup",
        "--config",
        "serving.toml",
        "--json",
    ];
    let gateways = [&serving];
    let (written, told) = tokio::join!(beside(one.path(), &arguments), tell_all(&gateways, during));
    assert_eq!(written.code, 0, "{written:?}");
    assert_eq!(told.len(), during.len(), "the gateway went on");
    let again = beside(one.path(), &arguments).await;
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.told.contains("is there already"), "{again:?}");
    let verify = ["backup", "verify", "county.backup", "--json"];
    let verified = beside(one.path(), &verify).await;
    assert_eq!(verified.code, 0, "{verified:?}");
    assert_eq!(verified.json()["manifest"], written.json());
    let inputs = written.json()["tables"]["event"]["rows"].as_u64().unwrap();
    assert!(inputs >= before.len() as u64, "{inputs}");
    serving.child.kill().unwrap();
    drop(serving);

    copy_keys(one.path(), two.path());
    deploy_with(two.path(), "restored.toml", other_store);
    let file = one.path().join("county.backup");
    let restore = [
        "restore",
        file.to_str().unwrap(),
        "--config",
        "restored.toml",
    ];
    let restored = beside(two.path(), &restore).await;
    assert_eq!(restored.code, 0, "{restored:?}");
    let verify = ["audit", "verify", "--config", "restored.toml"];
    let audit = beside(two.path(), &verify).await;
    assert_eq!(audit.code, 0, "{audit:?}");
    let gateway = opened_with(two.path(), "restored.toml", other_store).await;
    let kept = kept_and_matched(&gateway).await;
    let missing: BTreeSet<_> = held.difference(&kept).collect();
    assert!(missing.is_empty(), "{missing:?}");
    gateway.stop().await;
    let audit = beside(
        two.path(),
        &["audit", "verify", "--config", "restored.toml"],
    )
    .await;
    assert_eq!(audit.code, 0, "{audit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_backed_up_while_it_is_written_to_and_comes_back_in_a_database() {
    let cluster = Cluster::start(false).unwrap();
    a_backup_beside_a_serving_gateway_is_one_state_of_it("", &in_postgres(&cluster)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_backed_up_while_it_is_written_to_and_comes_back_in_a_file() {
    let cluster = Cluster::start(false).unwrap();
    a_backup_beside_a_serving_gateway_is_one_state_of_it(&in_postgres(&cluster), "").await;
}

/// A folder with a store that somebody was told of, stopped, and its backup.
pub(crate) async fn with_backup() -> tempfile::TempDir {
    provider();
    let place = tempfile::tempdir().unwrap();
    let mut serving = start_with(place.path(), "gateway.toml", "");
    assert!(serving.serves().await);
    tell_all(&[&serving], &people(6)).await;
    drop(serving);
    let written = beside(place.path(), &["backup", "county.backup"]).await;
    assert_eq!(written.code, 0, "{written:?}");
    place
}

async fn change(file: &Path, statement: &'static str) {
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(file));
    let pool = pool.await.unwrap();
    let done = sqlx::query(statement).execute(&pool).await.unwrap();
    assert!(done.rows_affected() > 0, "{statement}");
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_refused_by_the_name_of_its_table() {
    let place = with_backup().await;
    let whole = std::fs::read(place.path().join("county.backup")).unwrap();
    let before = std::fs::read(place.path().join("data/tandem.sqlite")).unwrap();
    for (table, statement) in [
        (
            "event",
            "UPDATE event SET occurred_at = occurred_at + 1 WHERE position = 1",
        ),
        (
            "document",
            "DELETE FROM document WHERE key = (SELECT MIN(key) FROM document)",
        ),
        (
            "audit_leaf",
            "UPDATE audit_leaf SET blind = x'00' WHERE position = 0",
        ),
        (
            "lane",
            "INSERT INTO lane (jurisdiction, lane, is_paused, sequence) VALUES ('demo-county', 'x', 0, 0)",
        ),
    ] {
        let file = place.path().join("damaged.backup");
        std::fs::write(&file, &whole).unwrap();
        change(&file, statement).await;
        let verified = beside(place.path(), &["backup", "verify", "damaged.backup"]).await;
        assert_eq!(verified.code, 1, "{verified:?}");
        let lines: Vec<&str> = verified
            .out
            .lines()
            .filter(|line| line.starts_with("DAMAGED"))
            .collect();
        assert_eq!(lines.len(), 1, "{verified:?}");
        assert!(
            lines[0].starts_with(&format!("DAMAGED {table}: ")),
            "{lines:?}"
        );
        let restored = beside(place.path(), &["restore", "damaged.backup", "--replace"]).await;
        assert_eq!(restored.code, 1, "{restored:?}");
        assert!(
            restored.told.contains(&format!("damaged: {table}: ")),
            "{restored:?}"
        );
    }
    let after = std::fs::read(place.path().join("data/tandem.sqlite")).unwrap();
    assert!(before == after, "the store was touched");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_or_scribbled_file_is_never_taken_for_a_whole_one() {
    let place = with_backup().await;
    let file = place.path().join("county.backup");
    let whole = std::fs::read(&file).unwrap();
    let scribbled = |places: &[usize]| {
        let mut bytes = whole.clone();
        for at in places {
            for byte in &mut bytes[*at..at + 64] {
                *byte ^= 0x5a;
            }
        }
        bytes
    };
    // Where the bytes of a sealed event stand, and where they stood while pages of the file were filled.
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&file));
    let pool = pool.await.unwrap();
    let sealed: Vec<u8> = sqlx::query_scalar("SELECT sealed FROM event WHERE position = 3")
        .fetch_one(&pool)
        .await
        .unwrap();
    pool.close().await;
    let windows = whole.windows(80).enumerate();
    let places = windows.filter(|(_, part)| *part == &sealed[..80]);
    let places: Vec<usize> = places.map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    for (bytes, said) in [
        (whole[..whole.len() / 2].to_vec(), ""),
        (whole[..0].to_vec(), "holds no manifest"),
        (
            b"not a database at all, but long enough to be read as one".repeat(100),
            "holds no manifest",
        ),
        (scribbled(&places), "DAMAGED event: "),
        (scribbled(&[0]), "holds no manifest"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let verified = beside(place.path(), &["backup", "verify", "county.backup"]).await;
        assert_eq!(verified.code, 1, "{said}: {verified:?}");
        let all = format!("{}{}", verified.out, verified.told);
        assert!(all.contains(said), "{said}: {all}");
    }
    let store = beside(place.path(), &["backup", "verify", "data/tandem.sqlite"]).await;
    assert!(
        store.told.contains("holds no manifest of a backup"),
        "{store:?}"
    );
    let nothing = beside(place.path(), &["backup", "verify", "nothing.backup"]).await;
    assert_eq!(nothing.code, 3, "{nothing:?}");
}
