//! Killed in the middle, `tandem backup`, `tandem restore` and `tandem store copy` leave everything as it was.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::path::Path;

use sqlx::{Connection as _, PgConnection};
use tandem_simulators::postgres::Cluster;

use crate::cli_backup::{beside, with_backup};
use crate::processes::{Process, deploy_with, start_with};
use crate::shared_database::copy_keys;

/// Waits until a statement of another process waits for a table.
async fn until_somebody_waits(connection: &mut PgConnection) {
    let waits = async {
        loop {
            let waiting: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'",
            )
            .fetch_one(&mut *connection)
            .await
            .unwrap();
            if waiting > 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), waits)
        .await
        .unwrap();
}

/// Starts a command that is killed when it is dropped.
fn started(folder: &Path, arguments: &[&str]) -> Process {
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(arguments)
        .current_dir(folder)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    Process {
        child,
        url: String::new(),
    }
}

/// Starts a command, and kills it where it wants to go through a table that somebody else has locked.
pub(crate) async fn killed_in_the_middle(folder: &Path, address: &str, arguments: &[&str]) {
    let mut holder = PgConnection::connect(address).await.unwrap();
    let mut locking = holder.begin().await.unwrap();
    sqlx::query("LOCK TABLE event IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *locking)
        .await
        .unwrap();
    let process = started(folder, arguments);
    let mut looking = PgConnection::connect(address).await.unwrap();
    until_somebody_waits(&mut looking).await;
    drop(process);
    locking.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_a_backup_is_no_file_and_a_restoration_nothing_at_all() {
    let place = with_backup().await;
    let cluster = Cluster::start(false).unwrap();
    let address = cluster.database().unwrap();
    let settings = format!("store = {{ postgres = \"{address}\" }}");
    deploy_with(place.path(), "database.toml", &settings);
    let config = ["--config", "database.toml"];
    let made = beside(place.path(), &[&["migrate"][..], &config].concat()).await;
    assert_eq!(made.code, 0, "{made:?}");

    let restore = [&["restore", "county.backup"][..], &config].concat();
    killed_in_the_middle(place.path(), &address, &restore).await;
    // Without --replace: it is as empty as before.
    let restored = beside(place.path(), &restore).await;
    assert_eq!(restored.code, 0, "{restored:?}");

    let backup = [&["backup", "second.backup"][..], &config].concat();
    killed_in_the_middle(place.path(), &address, &backup).await;
    assert!(!place.path().join("second.backup").exists());
    let written = beside(place.path(), &backup).await;
    assert_eq!(written.code, 0, "{written:?}");

    let mut serving = start_with(place.path(), "database.toml", &settings);
    assert!(serving.serves().await);
    let served = beside(place.path(), &[&restore[..], &["--replace"]].concat()).await;
    assert_eq!(served.code, 3, "{served:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_a_restoration_of_a_file_is_nothing_at_all() {
    let (one, two) = (with_backup().await, tempfile::tempdir().unwrap());
    let options =
        sqlx::sqlite::SqliteConnectOptions::new().filename(one.path().join("data/tandem.sqlite"));
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query(
        "WITH RECURSIVE some (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM some WHERE number < 20000) \
         INSERT INTO document SELECT 'demo-county', 'bulk', randomblob(32), 1, 0, randomblob(900) FROM some",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    let written = beside(one.path(), &["backup", "large.backup"]).await;
    assert_eq!(written.code, 0, "{written:?}");

    copy_keys(one.path(), two.path());
    deploy_with(two.path(), "gateway.toml", "");
    let file = one.path().join("large.backup");
    let restore = ["restore", file.to_str().unwrap()];
    let process = started(two.path(), &restore);
    let log = two.path().join("data/tandem.sqlite-wal");
    // A part of it is written, and most is not.
    let begun = async {
        while std::fs::metadata(&log).map_or(0, |log| log.len()) < 1 << 20 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(120), begun)
        .await
        .unwrap();
    drop(process);
    // Without --replace: it is as empty as before.
    let restored = beside(two.path(), &restore).await;
    assert_eq!(restored.code, 0, "{restored:?}");
}
