//! `tandem store copy`: a pilot on a file of SQLite goes on in a database of PostgreSQL.

use tandem_simulators::postgres::Cluster;

use crate::cli_backup::beside;
use crate::cli_restore_killed::killed_in_the_middle;
use crate::processes::{deploy_with, kept_and_matched, opened_with, people, provider, start_with};
use crate::shared_database::{copy_keys, tell_all};

#[tokio::test(flavor = "multi_thread")]
async fn a_pilot_goes_on_in_a_database_with_everything_it_had() {
    provider();
    let cluster = Cluster::start(false).unwrap();
    let address = cluster.database().unwrap();
    let place = tempfile::tempdir().unwrap();
    let mut pilot = start_with(place.path(), "pilot.toml", "");
    assert!(pilot.serves().await);
    let told = tell_all(&[&pilot], &people(48)).await;
    let copy = [
        "store",
        "copy",
        "--to",
        &address,
        "--config",
        "pilot.toml",
        "--json",
    ];
    let served = beside(place.path(), &copy).await;
    assert_eq!(served.code, 3, "{served:?}");
    assert!(served.told.contains("another gateway"), "{served:?}");
    drop(pilot);

    let settings = format!("store = {{ postgres = \"{address}\" }}");
    deploy_with(place.path(), "grown.toml", &settings);
    let made = beside(place.path(), &["migrate", "--config", "grown.toml"]).await;
    assert_eq!(made.code, 0, "{made:?}");
    killed_in_the_middle(place.path(), &address, &copy).await;
    let copied = beside(place.path(), &copy).await;
    assert_eq!(copied.code, 0, "{copied:?}");
    assert!(copied.json()["tables"]["event"]["rows"].as_u64().unwrap() >= told.len() as u64);
    let again = beside(place.path(), &copy).await;
    assert_eq!(again.code, 1, "{again:?}");
    assert!(
        again.told.contains("the store is not empty: table"),
        "{again:?}"
    );

    let audit = ["audit", "verify", "--config", "grown.toml"];
    let sound = beside(place.path(), &audit).await;
    assert_eq!(sound.code, 0, "{sound:?}");
    let gateway = opened_with(place.path(), "grown.toml", &settings).await;
    assert_eq!(kept_and_matched(&gateway).await, told);
    let mut tx = gateway.core.store.snapshot().await.unwrap();
    assert!(tx.holds().await.unwrap().is_empty(), "nothing is in doubt");
    drop(tx);
    gateway.stop().await;
    let sound = beside(place.path(), &audit).await;
    assert_eq!(sound.code, 0, "{sound:?}");

    // A gateway that serves the database is told from one that left it.
    let other = tempfile::tempdir().unwrap();
    copy_keys(place.path(), other.path());
    let mut grown = start_with(other.path(), "grown.toml", &settings);
    assert!(grown.serves().await);
    let served = beside(place.path(), &copy).await;
    assert_eq!(served.code, 3, "{served:?}");
    assert!(served.told.contains("serve the store"), "{served:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_copied_to_an_address_that_a_configuration_may_name() {
    provider();
    let place = tempfile::tempdir().unwrap();
    deploy_with(place.path(), "pilot.toml", "");
    for (to, code, said) in [
        (
            "postgres://tandem@db.county.example/tandem",
            2,
            "verify-full",
        ),
        (
            "postgres://tandem:secret@localhost/tandem",
            2,
            "password_file",
        ),
        ("postgres:///tandem?host=/nowhere", 3, "is not there"),
    ] {
        let arguments = ["store", "copy", "--to", to, "--config", "pilot.toml"];
        let refused = beside(place.path(), &arguments).await;
        assert_eq!(refused.code, code, "{refused:?}");
        assert!(refused.told.contains(said), "{refused:?}");
        assert!(!refused.told.contains("secret"), "{refused:?}");
    }
}
