//! The doctor: what it finds of a store, a clock and partners, beside a gateway and without one.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_server::tls_rustls::RustlsConfig;
use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tandem::clock::Clock;
use tandem_simulators::postgres::Cluster;

use crate::api_office::{Office, config, registry, tokens};
use crate::cli_backup::beside;
use crate::cli_program::{Ended, tandem};
use crate::processes::{in_postgres, provider};

/// A folder with a configuration that no gateway has served.
fn deployed(change: impl FnOnce(&Path, String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = change(folder.path(), config("", &registry()));
    std::fs::write(folder.path().join("tokens.toml"), tokens()).unwrap();
    std::fs::write(folder.path().join("gateway.toml"), text).unwrap();
    folder
}

async fn doctor(folder: &Path, more: &[&str]) -> Ended {
    let file = folder.join("gateway.toml").display().to_string();
    let more: Vec<String> = more.iter().map(ToString::to_string).collect();
    tokio::task::spawn_blocking(move || {
        let mut arguments = vec!["doctor", "--json", "--config", &file];
        arguments.extend(more.iter().map(String::as_str));
        tandem(&arguments)
    })
    .await
    .unwrap()
}

/// One check of an examination.
fn check(ended: &Ended, name: &str) -> Value {
    let told = ended.json();
    let checks = told["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["check"] == name);
    found
        .unwrap_or_else(|| panic!("{name} is not in {told}"))
        .clone()
}

fn stands(ended: &Ended, name: &str, standing: &str) {
    let check = check(ended, name);
    assert_eq!(check["standing"], standing, "{check}");
    let is_bad = ["warning", "failed"].contains(&standing);
    assert_eq!(
        check["help"].is_string() && check["expected"].is_string(),
        is_bad,
        "{check}"
    );
}

#[tokio::test]
async fn before_the_first_start_it_warns_and_nothing_is_made() {
    let folder = deployed(|_, text| text);
    let ended = doctor(folder.path(), &["--offline"]).await;
    assert_eq!(ended.code, 4, "{ended:?}");
    stands(&ended, "configuration", "ok");
    stands(&ended, "data", "warning");
    stands(&ended, "store", "warning");
    stands(&ended, "folder/cws-demo", "warning");
    stands(&ended, "connection/clinic-demo", "not-applicable");
    stands(&ended, "clock", "not-applicable");
    assert!(!folder.path().join("data").exists() && !folder.path().join("exchange").exists());
}

#[tokio::test]
async fn what_init_has_made_is_no_failure_before_the_first_start() {
    let folder = tempfile::tempdir().unwrap();
    let county = folder.path().join("county");
    let made = county.display().to_string();
    let made = tokio::task::spawn_blocking(move || tandem(&["init", &made]));
    assert_eq!(made.await.unwrap().code, 0);
    let ended = doctor(&county, &["--offline"]).await;
    stands(&ended, "store", "warning");
    assert_eq!(ended.code, 4, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_running_gateway_it_finds_a_sound_store() {
    let office = Office::open().await;
    let ended = doctor(office.folder(), &["--offline"]).await;
    for name in [
        "data",
        "store",
        "store-schema",
        "store-write",
        "folder/cws-demo",
    ] {
        stands(&ended, name, "ok");
    }
    assert!(ended.code == 0 || ended.code == 4, "{ended:?}");
    let file = office.folder().join("gateway.toml").display().to_string();
    let shown =
        tokio::task::spawn_blocking(move || tandem(&["doctor", "--offline", "--config", &file]));
    let shown = shown.await.unwrap();
    assert!(
        shown.out.contains("ok       store-schema: ") && shown.out.contains(" failed, "),
        "{}",
        shown.out
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_went_behind_what_was_recorded_fails() {
    let office = Office::open().await;
    let tomorrow = Clock::System.now() + SignedDuration::from_hours(24);
    let mut tx = office.core().store.begin().await.unwrap();
    tx.audit(tomorrow, "test", "test.note", "", "")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let ended = doctor(office.folder(), &["--offline"]).await;
    stands(&ended, "clock", "failed");
    assert_eq!(ended.code, 1, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_a_newer_program_or_another_key_fails() {
    let office = Office::open().await;
    let file = office.folder().join("data/tandem.sqlite");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let step = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                VALUES (29990101000001, 'of tomorrow', 1, x'00', 0)";
    sqlx::query(step).execute(&pool).await.unwrap();
    let ended = doctor(office.folder(), &["--offline"]).await;
    stands(&ended, "store-schema", "failed");
    assert!(
        check(&ended, "store-schema")["found"]
            .as_str()
            .unwrap()
            .contains("29990101000001")
    );
    assert_eq!(ended.code, 1, "{ended:?}");
    sqlx::query("DROP TABLE _sqlx_migrations")
        .execute(&pool)
        .await
        .unwrap();
    stands(
        &doctor(office.folder(), &["--offline"]).await,
        "store",
        "failed",
    );
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_can_read_warns_and_one_that_is_lost_fails() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Office::open().await.stopped().await;
    let data = folder.path().join("data");
    let names = ["root.key", "audit.key", "audit-witness.key"];
    let sound = doctor(folder.path(), &["--offline"]).await;
    for name in names {
        stands(&sound, &format!("key-file/{name}"), "ok");
    }
    for name in names {
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(data.join(name), open).unwrap();
    }
    let open = doctor(folder.path(), &["--offline"]).await;
    for name in names {
        stands(&open, &format!("key-file/{name}"), "warning");
        std::fs::remove_file(data.join(name)).unwrap();
    }
    let lost = doctor(folder.path(), &["--offline"]).await;
    for name in names {
        stands(&lost, &format!("key-file/{name}"), "failed");
    }
    stands(&lost, "store", "failed");
    assert_eq!(lost.code, 1, "{lost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_emptied_fails() {
    let folder = Office::open().await.stopped().await;
    let data = folder.path().join("data");
    std::fs::write(data.join("tandem.sqlite"), "").unwrap();
    for name in ["tandem.sqlite-wal", "tandem.sqlite-shm"] {
        let _gone_before = std::fs::remove_file(data.join(name));
    }
    let ended = doctor(folder.path(), &["--offline"]).await;
    stands(&ended, "store", "failed");
    let help = check(&ended, "store")["help"].to_string();
    assert!(help.contains("tandem restore"), "{help}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_no_writes_fails() {
    provider();
    let cluster = Cluster::start(false).unwrap();
    let store = in_postgres(&cluster);
    let address = store.split('"').nth(1).unwrap();
    let office = Office::changed(|_, text| format!("{store}\n{text}")).await;
    let folder = office.stopped().await;
    let sound = doctor(folder.path(), &["--offline"]).await;
    stands(&sound, "store-write", "ok");
    let mut connection = PgConnection::connect(address).await.unwrap();
    sqlx::query("ALTER ROLE CURRENT_USER SET default_transaction_read_only = on")
        .execute(&mut connection)
        .await
        .unwrap();
    let ended = doctor(folder.path(), &["--offline"]).await;
    stands(&ended, "store", "ok");
    stands(&ended, "store-write", "failed");
    assert_eq!(ended.code, 1, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_that_are_held_since_a_restoration_warn_until_they_go_on() {
    let folder = Office::open().await.stopped().await;
    let sound = doctor(folder.path(), &["--offline"]).await;
    stands(&sound, "lanes", "ok");
    for arguments in [
        vec!["backup", "county.backup", "--config", "gateway.toml"],
        vec![
            "restore",
            "county.backup",
            "--replace",
            "--config",
            "gateway.toml",
        ],
    ] {
        let done = beside(folder.path(), &arguments).await;
        assert_eq!(done.code, 0, "{done:?}");
    }
    let held = doctor(folder.path(), &["--offline"]).await;
    stands(&held, "lanes", "warning");
    let lanes = check(&held, "lanes");
    assert!(
        lanes["found"].as_str().unwrap().contains("cws-demo")
            && lanes["help"].as_str().unwrap().contains("--reconciled"),
        "{lanes}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_messages_are_posted_to_and_that_is_not_there_warns() {
    let app = Router::new().route("/inbox", post(async || StatusCode::OK));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    for (path, standing) in [("inbox", "ok"), ("nowhere", "warning")] {
        let folder = deployed(|_, text| {
            text.replace(
                "folder = { path = \"exchange/cws-demo\", poll_ms = 20 }",
                &format!("push = {{ url = \"http://{address}/{path}\" }}"),
            )
        });
        let ended = doctor(folder.path(), &[]).await;
        stands(&ended, "auth/cws-demo", standing);
    }
}

#[tokio::test]
async fn a_configuration_that_is_unsound_or_not_there_is_said_to_be() {
    let folder = deployed(|_, text| text.replace("zone = ", "zone_of_time = "));
    let ended = doctor(folder.path(), &["--offline"]).await;
    stands(&ended, "configuration", "failed");
    assert_eq!(ended.code, 1, "{ended:?}");
    let nowhere = tempfile::tempdir().unwrap();
    assert_eq!(doctor(nowhere.path(), &["--offline"]).await.code, 3);
}

/// A certificate that a private authority gave to localhost, to a day so far from today, as the authority, the
/// certificate and its key in PEM form.
fn given(days: i64) -> [String; 3] {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let mut leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    leaf.not_before = rcgen::date_time_ymd(2020, 1, 1);
    let ends: Timestamp = Clock::System.now() + SignedDuration::from_hours(24 * days);
    let day = ends.to_zoned(jiff::tz::TimeZone::UTC).date();
    leaf.not_after = rcgen::date_time_ymd(
        day.year().into(),
        day.month().try_into().unwrap(),
        day.day().try_into().unwrap(),
    );
    let key = KeyPair::generate().unwrap();
    let pem = leaf.signed_by(&key, &issuer).unwrap().pem();
    [root, pem, key.serialize_pem()]
}

/// A FHIR server on this machine with such a certificate, which describes itself so and takes one token. Its port.
async fn server(certificate: &[String; 3], statement: Value) -> u16 {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let [_, pem, key] = certificate;
    let tls = RustlsConfig::from_pem(pem.clone().into_bytes(), key.clone().into_bytes())
        .await
        .unwrap();
    let tasks = async |headers: HeaderMap| match headers.get("authorization") {
        Some(token) if token == "Bearer good" => StatusCode::OK,
        _ => StatusCode::UNAUTHORIZED,
    };
    let describe = async |State(statement): State<Arc<Value>>| Json((*statement).clone());
    let app = Router::new()
        .route("/fhir/metadata", get(describe))
        .route("/fhir/Task", get(tasks))
        .with_state(Arc::new(statement));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = axum_server::from_tcp_rustls(listener, tls).unwrap();
    tokio::spawn(serving.serve(app.into_make_service()));
    port
}

fn statement(version: &str) -> Value {
    json!({
        "resourceType": "CapabilityStatement",
        "fhirVersion": version,
        "rest": [{ "mode": "server", "resource": [{ "type": "Patient" }, { "type": "Task" }] }],
    })
}

/// What the doctor says of a clinic with this server, whom it shows this token.
async fn of_clinic(certificate: &[String; 3], port: u16, token: &str) -> Ended {
    let folder = deployed(|folder, text| {
        std::fs::write(folder.join("clinic.pem"), &certificate[0]).unwrap();
        std::fs::write(folder.join("clinic.token"), token).unwrap();
        text.replace(
            "base = \"http://127.0.0.1:9/fhir\"",
            &format!(
                "base = \"https://localhost:{port}/fhir\", authority = \"clinic.pem\", token_file = \"clinic.token\""
            ),
        )
    });
    doctor(folder.path(), &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_is_sound_with_a_trusted_chain_a_token_and_a_description() {
    let certificate = given(400);
    let port = server(&certificate, statement("4.0.1")).await;
    let ended = of_clinic(&certificate, port, "good").await;
    for what in ["dns", "connection", "tls", "auth", "metadata"] {
        stands(&ended, &format!("{what}/clinic-demo"), "ok");
    }
    let chain = check(&ended, "tls/clinic-demo")["found"].to_string();
    assert!(
        chain.contains(" days left") && chain.contains("39"),
        "{chain}"
    );

    let ended = of_clinic(&certificate, port, "bad").await;
    stands(&ended, "auth/clinic-demo", "failed");
    stands(&ended, "metadata/clinic-demo", "ok");
    assert_eq!(ended.code, 1, "{ended:?}");
    // Another authority than the one that gave the certificate.
    let ended = of_clinic(&given(400), port, "good").await;
    stands(&ended, "tls/clinic-demo", "failed");
    stands(&ended, "auth/clinic-demo", "not-applicable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ends_warns_and_one_that_has_ended_fails() {
    let soon = given(10);
    let port = server(&soon, statement("4.0.1")).await;
    stands(
        &of_clinic(&soon, port, "good").await,
        "tls/clinic-demo",
        "warning",
    );
    let ended = given(-10);
    let port = server(&ended, statement("4.0.1")).await;
    let told = of_clinic(&ended, port, "good").await;
    stands(&told, "tls/clinic-demo", "failed");
    let found = check(&told, "tls/clinic-demo")["found"].to_string();
    assert!(
        found.contains("1 certificates, the first ends at"),
        "{found}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_version_or_none_at_all_fails() {
    let certificate = given(400);
    let port = server(&certificate, statement("5.0.0")).await;
    stands(
        &of_clinic(&certificate, port, "good").await,
        "metadata/clinic-demo",
        "failed",
    );
    let port = server(&certificate, json!({ "resourceType": "Bundle" })).await;
    stands(
        &of_clinic(&certificate, port, "good").await,
        "metadata/clinic-demo",
        "failed",
    );
    let alone =
        json!({ "resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [] });
    let port = server(&certificate, alone).await;
    stands(
        &of_clinic(&certificate, port, "good").await,
        "metadata/clinic-demo",
        "warning",
    );
    // Nobody listens on the discard port.
    let told = of_clinic(&certificate, 9, "good").await;
    stands(&told, "connection/clinic-demo", "failed");
    stands(&told, "metadata/clinic-demo", "not-applicable");
}
