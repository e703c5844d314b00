//! A log in a real SQLite file, and whoever alters it behind the gateway's back.

mod disposal;
mod more_leaves;
mod rotation;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use tandem_audit::{KeyKind, Report, Signer, Trust, Verifier, Witness, WitnessState};
use tandem_mappings::model::id::{DecisionId, Jurisdiction, PersonId};
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::*;
use crate::seal::Sealer;
use crate::store::{NewDecision, Store, Tx};

const TABLES: [&str; 5] = [
    "audit",
    "decision",
    "audit_leaf",
    "audit_checkpoint",
    "audit_cosignature",
];

struct Place {
    folder: TempDir,
    store: Store,
    log: AuditLog,
}

fn jurisdiction() -> Jurisdiction {
    "demo-county".parse().unwrap()
}

fn now() -> Timestamp {
    "2026-02-02T09:00:00-08:00".parse().unwrap()
}

async fn opened(folder: &std::path::Path) -> (Store, AuditLog) {
    let sealer = Sealer::open_or_create(&folder.join("root.key"), jurisdiction()).unwrap();
    let store = Store::open(&folder.join("tandem.sqlite"), sealer)
        .await
        .unwrap();
    let keys = AuditKeys::open_or_create(folder, &jurisdiction()).unwrap();
    let log = AuditLog::load(&store, keys, now()).await.unwrap();
    (store, log)
}

fn decision(id: u128) -> NewDecision {
    NewDecision {
        id: DecisionId(uuid::Uuid::from_u128(id)),
        decided_at: now(),
        action: "disclose".to_owned(),
        stage: "outbox".to_owned(),
        outcome: "deny".to_owned(),
        recipient: "org-calworks".to_owned(),
        person: Some(PersonId(uuid::Uuid::from_u128(9))),
        bundle: "sha256:none".to_owned(),
        link_version: 3,
        record: r#"{"decision":"invented"}"#.to_owned(),
        evidence: Vec::new(),
    }
}

async fn events(tx: &mut Tx, from: u128) {
    for number in from..from + 3 {
        tx.add_decision(decision(number)).await.unwrap();
        tx.audit(now(), "privacy", "consent.revoke", "d-1", "oral")
            .await
            .unwrap();
    }
}

fn second_witness() -> Signer {
    Signer::new("second.example", KeyKind::Witness, &Zeroizing::new([4; 32])).unwrap()
}

impl Place {
    /// Two checkpoints, the second cosigned by a second party, and events after it.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, log) = opened(folder.path()).await;
        let place = Self { folder, store, log };
        for from in [1, 10] {
            place.write(from).await;
            place.log.sign(&place.store, now()).await.unwrap().unwrap();
        }
        place.cosign().await;
        place.write(20).await;
        place
    }

    async fn write(&self, from: u128) {
        let mut tx = self.store.begin().await.unwrap();
        events(&mut tx, from).await;
        tx.commit().await.unwrap();
    }

    async fn cosign(&self) {
        let mut tx = self.store.begin().await.unwrap();
        let size = tx.last_checkpoint().await.unwrap().unwrap().size;
        let note = self.log.newest(&mut tx).await.unwrap();
        let origin_key = self.log.public().origin.to_string();
        let mut witness = Witness::new(
            second_witness(),
            &WitnessState {
                origin_key,
                last: None,
            },
        )
        .unwrap();
        let line = witness.cosign(&note.to_string(), 1_770_051_600).unwrap();
        let key = witness.public().clone();
        assert!(self.log.cosign(&mut tx, size, &key, &line).await.unwrap());
        assert!(!self.log.cosign(&mut tx, size, &key, &line).await.unwrap());
        tx.audit(
            now(),
            "privacy",
            COSIGN,
            &size.to_string(),
            &key.to_string(),
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    async fn check(&self, trust: Trust) -> Report {
        let folder = self.folder.path();
        let sealer = Sealer::from_file(&folder.join("root.key"), jurisdiction()).unwrap();
        let store = Store::open_to_read(&folder.join("tandem.sqlite"), sealer)
            .await
            .unwrap();
        Check { trust }.opened(store, folder).await.unwrap()
    }

    async fn verify(&self) -> Report {
        self.check(Trust::default()).await
    }

    /// Another program on the same file.
    async fn alter(&self, sql: &str) -> u64 {
        let mut other = SqliteConnectOptions::new()
            .filename(self.folder.path().join("tandem.sqlite"))
            .connect()
            .await
            .unwrap();
        let changed = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
            .execute(&mut other)
            .await
            .unwrap()
            .rows_affected();
        other.close().await.unwrap();
        changed
    }

    /// Columns of a table with their declared types.
    async fn columns(&self, table: &str) -> Vec<(String, String)> {
        let mut other = SqliteConnectOptions::new()
            .filename(self.folder.path().join("tandem.sqlite"))
            .connect()
            .await
            .unwrap();
        let sql = format!("SELECT name, type FROM pragma_table_info('{table}')");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&mut other)
            .await
            .unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }
}

fn told(report: &Report) -> String {
    report.to_string()
}

#[tokio::test]
async fn a_log_that_nobody_altered_is_sound_while_it_is_written() {
    let place = Place::new().await;
    let report = place.verify().await;
    assert!(report.is_sound(), "{report}");
    // 6 records, a checkpoint, 6 records, a checkpoint, its cosigning, 6 records.
    assert_eq!(
        (report.leaves, report.covered, report.checkpoints),
        (21, 13, 2)
    );
    assert_eq!(report.openings, 21);
    assert_eq!(report.witnesses.len(), 2);
    let trust = Trust {
        witnesses: vec![second_witness().public().clone()],
        ..Trust::default()
    };
    let report = place.check(trust).await;
    assert!(report.is_sound(), "{report}");
}

/// The first row that is under a checkpoint, and what another value of a column is.
fn alteration(table: &str, column: &str, kind: &str) -> String {
    let value = match (kind, column) {
        ("TEXT", _) => format!("COALESCE({column}, '') || 'x'"),
        ("BLOB", "person" | "id") => "x'000000000000000000000000000000AA'".to_owned(),
        ("BLOB", "hash" | "blind") => format!("x'{}'", "ab".repeat(32)),
        ("BLOB", _) => format!("{column} || x'00'"),
        _ => format!("COALESCE({column}, 0) + 1000"),
    };
    format!("UPDATE {table} SET {column} = {value} WHERE rowid = (SELECT MIN(rowid) FROM {table})")
}

#[tokio::test]
async fn every_altered_column_of_every_row_is_found_and_named() {
    let place = Place::new().await;
    for table in TABLES {
        for (column, kind) in place.columns(table).await {
            let folder = tempfile::tempdir().unwrap();
            let copy = place.copy(folder).await;
            assert_eq!(copy.alter(&alteration(table, &column, &kind)).await, 1);
            let report = copy.verify().await;
            assert!(!report.is_sound(), "{table}.{column}: {report}");
            let names = match (table, column.as_str()) {
                // The first decision is at position 0, the first audit row at 1; both by key when they are not found.
                ("decision", _) => [
                    "position 0",
                    "decision 00000000-0000-0000-0000-000000000001",
                ],
                ("audit", _) => ["position 1", "audit 1"],
                ("audit_leaf", _) => ["position 0", "position 0"],
                // The size of the first checkpoint, recorded at this position.
                _ => ["6", "13"],
            };
            let text = told(&report);
            assert!(
                names.iter().any(|name| text.contains(name)),
                "{table}.{column}: {text}"
            );
        }
    }
}

#[tokio::test]
async fn every_deleted_doubled_or_inserted_row_is_found() {
    let place = Place::new().await;
    for table in TABLES {
        for row in ["MIN", "MAX"] {
            let copy = place.copy(tempfile::tempdir().unwrap()).await;
            let sql =
                format!("DELETE FROM {table} WHERE rowid = (SELECT {row}(rowid) FROM {table})");
            assert_eq!(copy.alter(&sql).await, 1);
            let report = copy.verify().await;
            assert!(!report.is_sound(), "{row} of {table}: {report}");
        }
    }
    let inserted = [
        (
            "INSERT INTO audit SELECT jurisdiction, 900, at, actor, action, object, detail FROM audit WHERE position = 1",
            "audit 900: the record is not in the log",
        ),
        (
            "INSERT INTO decision SELECT jurisdiction, x'000000000000000000000000000000AA', decided_at, action, stage, \
             'permit', recipient, person, bundle, link_version, sealed FROM decision LIMIT 1",
            "decision 00000000-0000-0000-0000-0000000000aa: the record is not in the log",
        ),
    ];
    for (sql, expected) in inserted {
        let copy = place.copy(tempfile::tempdir().unwrap()).await;
        assert_eq!(copy.alter(sql).await, 1);
        let text = told(&copy.verify().await);
        assert!(text.contains(expected), "{text}");
    }
}

impl Place {
    /// The same files in another folder, with nobody at work on them.
    async fn copy(&self, folder: TempDir) -> Self {
        self.alter("PRAGMA wal_checkpoint(TRUNCATE)").await;
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        let (store, log) = opened(folder.path()).await;
        Self { folder, store, log }
    }
}

#[tokio::test]
async fn a_store_that_was_set_back_is_noticed_and_no_checkpoint_is_signed_over_it() {
    let place = Place::new().await;
    let older = place.copy(tempfile::tempdir().unwrap()).await;
    place.write(30).await;
    place.log.sign(&place.store, now()).await.unwrap();
    // The older store with the newer memory of the gateway's own witness.
    let name = "audit-witness.last";
    std::fs::copy(
        place.folder.path().join(name),
        older.folder.path().join(name),
    )
    .unwrap();
    let report = older.verify().await;
    assert!(
        told(&report).contains("the log does not reach it"),
        "{report}"
    );
    older.store.close().await;
    let (store, log) = opened(older.folder.path()).await;
    let error = log.sign(&store, now()).await.unwrap_err();
    assert!(matches!(error, LogError::Contradiction(_)), "{error}");
    let size = store.snapshot().await.unwrap().last_checkpoint().await;
    assert_eq!(size.unwrap().unwrap().size, 13);
}

#[tokio::test]
async fn a_log_that_was_rewritten_whole_is_noticed_by_the_witness() {
    let place = Place::new().await;
    place
        .alter(
            "UPDATE audit_leaf SET hash = CASE substr(hash, 1, 1) WHEN x'00' THEN x'01' ELSE x'00' END \
             || substr(hash, 2) WHERE position = 2",
        )
        .await;
    let (store, log) = opened(place.folder.path()).await;
    let error = log.sign(&store, now()).await.unwrap_err();
    assert!(error.to_string().contains("another root"), "{error}");
}

#[tokio::test]
async fn records_of_the_time_before_the_log_enter_it_once() {
    let place = Place::new().await;
    for table in ["audit_leaf", "audit_checkpoint", "audit_cosignature"] {
        place.alter(&format!("DELETE FROM {table}")).await;
    }
    place
        .alter("DELETE FROM audit WHERE action = 'audit.cosign'")
        .await;
    // With what the witness remembers, an empty log is no new one.
    let (store, log) = opened(place.folder.path()).await;
    assert!(log.sign(&store, now()).await.is_err());
    std::fs::remove_file(place.folder.path().join("audit-witness.last")).unwrap();
    let (store, log) = opened(place.folder.path()).await;
    log.sign(&store, now()).await.unwrap().unwrap();
    let report = place.verify().await;
    assert!(report.is_sound(), "{report}");
    assert_eq!((report.openings, report.covered), (19, 18));
}

#[tokio::test]
async fn a_checkpoint_is_signed_when_the_log_grew_and_not_again() {
    let place = Place::new().await;
    let first = place.log.sign(&place.store, now()).await.unwrap().unwrap();
    let again = place.log.sign(&place.store, now()).await.unwrap().unwrap();
    assert_eq!(first.text, again.text);
    place.write(30).await;
    let next = place.log.sign(&place.store, now()).await.unwrap().unwrap();
    assert_ne!(first.text, next.text);
    // A transaction that stays undone adds nothing.
    let mut tx = place.store.begin().await.unwrap();
    events(&mut tx, 40).await;
    drop(tx);
    let same = place.log.sign(&place.store, now()).await.unwrap().unwrap();
    assert_eq!(same.text, next.text);
    assert!(place.verify().await.is_sound());
}

#[tokio::test]
async fn an_export_is_sound_elsewhere_and_shows_only_what_was_asked_for() {
    let place = Place::new().await;
    let public = place.log.public();
    for (shown, opened, clear) in [
        (Shown::Nothing, 0, false),
        (Shown::Columns, 13, false),
        (Shown::Records, 13, true),
    ] {
        let tx = place.store.snapshot().await.unwrap();
        let mut exporter = Exporter::start(tx, public, shown, false).await.unwrap();
        let mut text = String::new();
        while let Some(lines) = exporter.lines().await.unwrap() {
            text.push_str(&lines);
        }
        let report = Verifier::export(text.as_bytes(), Trust::default());
        assert!(report.is_sound(), "{report}");
        assert_eq!((report.leaves, report.openings), (13, opened));
        assert_eq!(text.contains("invented"), clear);
        assert_eq!(text.contains("org-calworks"), opened > 0);
    }
}

#[tokio::test]
async fn proofs_hold_by_themselves() {
    let place = Place::new().await;
    let mut tx = place.store.snapshot().await.unwrap();
    let key = &place.log.public().origin;
    let proof = place.log.prove(&mut tx, 2, true).await.unwrap();
    let (leaf, head) = proof.verify(key).unwrap();
    assert_eq!((leaf.position, head.size), (2, 13));
    assert!(proof.to_text().contains("invented"));
    let growth = place.log.prove_growth(&mut tx, 6, 13).await.unwrap();
    let (old, new) = growth.verify(key).unwrap();
    assert_eq!((old.size, new.size), (6, 13));
    // Not yet under a checkpoint, and never signed.
    assert!(matches!(
        place.log.prove(&mut tx, 15, true).await,
        Err(LogError::Unknown)
    ));
    assert!(matches!(
        place.log.prove_growth(&mut tx, 6, 12).await,
        Err(LogError::Unknown)
    ));
    assert!(matches!(
        place.log.prove_growth(&mut tx, 13, 6).await,
        Err(LogError::Unknown)
    ));
}

#[test]
fn keys_are_made_once_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let first = AuditKeys::open_or_create(folder.path(), &jurisdiction()).unwrap();
    let again = AuditKeys::open_or_create(folder.path(), &jurisdiction()).unwrap();
    assert_eq!(first.origin.public(), again.origin.public());
    assert_eq!(
        PublicKeys::read(folder.path()).unwrap().witness,
        *again.witness.public()
    );
    for name in ["audit.key", "audit-witness.key"] {
        let mode = std::fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    std::fs::write(folder.path().join("audit.key"), "no key").unwrap();
    let error = AuditKeys::open_or_create(folder.path(), &jurisdiction()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("audit.key: expected a private key"),
        "{error}"
    );
}
