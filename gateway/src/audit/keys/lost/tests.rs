use super::*;
use crate::audit::AuditLog;
use crate::config::example::GATEWAY_TOML;
use crate::store::tests::{now, on_postgres, on_sqlite};

const FILES: [&str; 5] = [
    "audit.key",
    "audit.pub",
    "audit-witness.key",
    "audit-witness.pub",
    "audit-witness.last",
];

fn county() -> Jurisdiction {
    "demo-county".parse().unwrap()
}

/// The keys of a store, once its log has a leaf and a checkpoint that the witness remembers.
async fn signed(data: &Path, store: &Store) {
    let keys = AuditKeys::for_store(data, &county(), store).await.unwrap();
    let log = AuditLog::load(store, keys, now()).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.audit(now(), "operator", "test.note", "", "")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    log.sign(store, now()).await.unwrap().unwrap();
}

#[tokio::test]
async fn keys_are_made_for_a_new_store_and_never_for_one_that_has_a_log() {
    for place in [on_sqlite().await, on_postgres().await] {
        let (data, store) = (place.folder.path(), &place.store);
        signed(data, store).await;
        AuditKeys::for_store(data, &county(), store).await.unwrap();
        for gone in ["audit-witness.key", "audit.key"] {
            std::fs::remove_file(data.join(gone)).unwrap();
            let error = AuditKeys::for_store(data, &county(), store).await;
            let told = error.unwrap_err().to_string();
            assert!(told.contains(&format!("{gone} is not there")), "{told}");
            assert!(!data.join(gone).exists(), "another {gone} was made");
        }
        // The store alone is left of it.
        for name in FILES {
            let _gone_before = std::fs::remove_file(data.join(name));
        }
        let error = AuditKeys::for_store(data, &county(), store).await;
        let told = error.unwrap_err().to_string();
        assert!(told.contains("the audit log in the store"), "{told}");
        assert!(FILES.iter().all(|name| !data.join(name).exists()));
    }
}

#[tokio::test]
async fn a_store_without_the_log_that_its_witness_remembers_is_not_served_until_that_is_moved_away()
{
    let place = on_sqlite().await;
    let data = place.folder.path();
    signed(data, &place.store).await;
    assert!(AuditKeys::leaves_remembered(data).unwrap() > 0);
    for emptied in [on_sqlite().await, on_postgres().await] {
        let error = AuditKeys::for_store(data, &county(), &emptied.store).await;
        let told = error.unwrap_err().to_string();
        assert!(
            told.contains("tandem restore") && told.contains("move that file away"),
            "{told}"
        );
    }
    std::fs::remove_file(data.join("audit-witness.last")).unwrap();
    let emptied = on_sqlite().await;
    AuditKeys::for_store(data, &county(), &emptied.store)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_emptied_file_is_refused_before_it_is_opened() {
    let place = on_sqlite().await;
    let data = place.folder.path();
    let mut config: Config = toml::from_str(GATEWAY_TOML).unwrap();
    config.data = data.to_owned();
    let file = Store::file(&config);
    AuditKeys::expect_store(&config).unwrap();
    signed(data, &place.store).await;
    AuditKeys::expect_store(&config).unwrap();
    place.store.close().await;
    std::fs::write(&file, "").unwrap();
    let told = AuditKeys::expect_store(&config).unwrap_err().to_string();
    assert!(told.contains("tandem.sqlite has no audit log"), "{told}");
    std::fs::remove_file(&file).unwrap();
    assert!(AuditKeys::expect_store(&config).is_err());
    config.store.postgres = Some("postgres:///tandem".parse().unwrap());
    AuditKeys::expect_store(&config).unwrap();
}

#[test]
fn a_key_that_another_file_of_the_folder_tells_of_is_not_made_anew() {
    for (missing, beside) in [
        ("audit.key", "audit-witness.key"),
        ("audit.key", "audit.pub"),
        ("audit.key", "audit-witness.last"),
        ("audit-witness.key", "audit-witness.pub"),
        ("audit-witness.key", "audit-witness.last"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        if missing != "audit.key" {
            std::fs::write(folder.path().join("audit.key"), "is there").unwrap();
        }
        std::fs::write(folder.path().join(beside), "is there").unwrap();
        let error = AuditKeys::open_or_create(folder.path(), &county()).unwrap_err();
        let told = error.to_string();
        assert!(told.contains(missing) && told.contains(beside), "{told}");
        assert!(!folder.path().join(missing).exists(), "{missing}");
    }
}

#[test]
fn a_first_start_that_was_cut_off_between_the_two_keys_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    AuditKeys::open_or_create(folder.path(), &county()).unwrap();
    let key = std::fs::read(folder.path().join("audit.key")).unwrap();
    for name in ["audit.pub", "audit-witness.key", "audit-witness.pub"] {
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    AuditKeys::open_or_create(folder.path(), &county()).unwrap();
    let again = std::fs::read(folder.path().join("audit.key")).unwrap();
    assert_eq!(again, key);
}
