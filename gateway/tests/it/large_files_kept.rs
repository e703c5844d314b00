//! What is kept of large files: for how long, in backups, and what the doctor says when it is not there.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::io::Read as _;
use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tandem::blob::BlobFolder;
use tandem::store::BlobPart;

use crate::api_holds::hold;
use crate::api_office::Office;
use crate::api_retention::{counts, run};
use crate::cli_backup::beside;
use crate::large_files::{bulk, deploy_large, is_through, serve, store_of, until};
use crate::processes::provider;
use crate::shared_database::copy_keys;

const INBOX: &str = "/v1/inbox/bh-demo/fhir/bundle";

fn blobs(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("data/blobs"))
        .unwrap()
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_goes_with_its_original_and_a_hold_keeps_it() {
    let office = Office::changed(|_, text| {
        text.replacen(
            "limits =",
            "files = { large_over = \"1 KiB\" }\nlimits =",
            1,
        )
    })
    .await;
    let body = bulk(40, "Demofield");
    let kind = [("content-type", "application/fhir+json")];
    let accepted = office
        .send("bh", Method::POST, INBOX, &kind, Some(body))
        .await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{}", accepted.text);
    let core = office.core();
    let mut changed = core.changed.subscribe();
    while blobs(office.folder()) != 1 {
        changed.changed().await.unwrap();
    }
    office.settle().await;
    core.clock.set("2030-02-03T09:00:00-08:00".parse().unwrap());
    let id = hold(&office, &json!({ "organization": "org-bh" })).await;
    let done = run(&office, "confirm").await;
    assert_eq!(counts(&done, "held")["originals"], 1);
    assert_eq!(blobs(office.folder()), 1);
    let path = format!("/v1/holds/{id}/release");
    let released = office
        .post("privacy", &path, &json!({ "reason": "ended" }))
        .await;
    assert!(released.status.is_success(), "{}", released.text);
    let done = run(&office, "confirm").await;
    assert_eq!(counts(&done, "disposed")["originals"], 1);
    assert_eq!(blobs(office.folder()), 0);
    let mut tx = core.store.snapshot().await.unwrap();
    assert!(tx.blob_heads().await.unwrap().is_empty());
}

/// A folder with a stopped gateway that took a large file, and its backup.
async fn backed_up() -> tempfile::TempDir {
    provider();
    let place = tempfile::tempdir().unwrap();
    let url = deploy_large(place.path(), "1 KiB", "");
    let mut serving = serve(place.path(), &url);
    assert!(serving.serves().await);
    let sent = reqwest::Client::new()
        .post(format!("{url}{INBOX}"))
        .bearer_auth("bh")
        .header("content-type", "application/fhir+json")
        .body(bulk(40, "Demofield"))
        .send();
    assert_eq!(sent.await.unwrap().status(), StatusCode::ACCEPTED);
    until(&url, |inputs| {
        inputs.iter().all(is_through) && !inputs.is_empty()
    })
    .await;
    // Beside the gateway that serves.
    let written = beside(place.path(), &["backup", "county.backup"]).await;
    assert_eq!(written.code, 0, "{written:?}");
    drop(serving);
    place
}

/// The only blob beside the backup.
fn blob_beside(place: &Path) -> std::path::PathBuf {
    let files = std::fs::read_dir(place.join("county.backup.blobs")).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    files[0].clone()
}

/// A deployment with the keys of the one whose backup it may restore: the backup's file.
fn ready_to_restore(from: &Path, to: &Path) -> String {
    copy_keys(from, to);
    deploy_large(to, "1 KiB", "");
    from.join("county.backup").to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_carries_large_files_and_they_come_back() {
    let (one, two) = (backed_up().await, tempfile::tempdir().unwrap());
    blob_beside(one.path());
    let verified = beside(one.path(), &["backup", "verify", "county.backup"]).await;
    assert_eq!(verified.code, 0, "{verified:?}");
    let file = ready_to_restore(one.path(), two.path());
    let restore = ["restore", &file, "--config", "gateway.toml"];
    let restored = beside(two.path(), &restore).await;
    assert_eq!(restored.code, 0, "{restored:?}");
    let store = store_of(two.path()).await;
    let mut tx = store.snapshot().await.unwrap();
    let input = tx.inputs(10).await.unwrap()[0].id;
    let row = tx.blob(input, BlobPart::Original).await.unwrap().unwrap();
    let folder = BlobFolder::at(&two.path().join("data/blobs"));
    let mut text = String::new();
    let mut reader = folder.read(row.id, &row.key).unwrap();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, bulk(40, "Demofield"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_without_its_large_files_is_not_taken_for_whole() {
    let (one, two) = (backed_up().await, tempfile::tempdir().unwrap());
    let blob = blob_beside(one.path());
    let id = blob.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut bytes = std::fs::read(&blob).unwrap();
    bytes[30] ^= 1;
    std::fs::write(&blob, &bytes).unwrap();
    let verify = ["backup", "verify", "county.backup"];
    let altered = beside(one.path(), &verify).await;
    assert_eq!(altered.code, 1, "{altered:?}");
    assert!(
        altered.out.contains(&id) && altered.out.contains("altered"),
        "{altered:?}"
    );
    std::fs::remove_file(&blob).unwrap();
    let missing = beside(one.path(), &verify).await;
    assert_eq!(missing.code, 1, "{missing:?}");
    assert!(missing.out.contains(&id), "{missing:?}");

    let file = ready_to_restore(one.path(), two.path());
    let restore = ["restore", &file, "--config", "gateway.toml"];
    let refused = beside(two.path(), &restore).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.told.contains(&id), "{refused:?}");
    let knowing = [&restore[..], &["--without-blobs"]].concat();
    let restored = beside(two.path(), &knowing).await;
    assert_eq!(restored.code, 0, "{restored:?}");
    assert!(
        restored.out.contains("NOT RESTORED") && restored.out.contains(&id),
        "{restored:?}"
    );
    let doctor = ["doctor", "--offline", "--config", "gateway.toml"];
    let doctor = beside(two.path(), &doctor).await;
    assert_eq!(doctor.code, 1, "{doctor:?}");
    assert!(doctor.out.contains(&id), "{doctor:?}");
}
