//! `tandem migrate`: which steps of the schema a store has, and how it gets the others, on either engine.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use serde_json::Value;
use tandem_simulators::postgres::Cluster;
use tempfile::TempDir;

use crate::cli_program::{Ended, tandem_in};

/// A deployment whose store is changed by the command alone.
fn deployment(store: &str) -> TempDir {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(tandem_in(place.path(), &["init", "county"]).code, 0);
    let file = place.path().join("county/gateway.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replacen(
        "registry = ",
        &format!("store = {{ schema = \"by-command\"{store} }}\nregistry = "),
        1,
    );
    let text = text.replace("127.0.0.1:8480", "127.0.0.1:0");
    std::fs::write(file, text).unwrap();
    place
}

fn migrate(place: &TempDir, more: &[&str]) -> Ended {
    let usual = ["migrate", "--json", "--config", "county/gateway.toml"];
    let arguments: Vec<&str> = usual.iter().chain(more).copied().collect();
    tandem_in(place.path(), &arguments)
}

fn count(answer: &Value, list: &str) -> usize {
    answer[list].as_array().unwrap().len()
}

/// The life of a schema; `future` adds a step that no program of today knows.
async fn a_schema_is_changed_by_the_command_alone(place: &TempDir, future: impl AsyncFnOnce()) {
    let asked = migrate(place, &["--dry-run"]);
    assert_eq!(asked.code, 1, "{asked:?}");
    let all = count(&asked.json(), "pending");
    assert!(all > 10 && all == count(&asked.json(), "steps"));
    assert_eq!(count(&asked.json(), "made"), 0);

    let serve = tandem_in(place.path(), &["serve", "--config", "county/gateway.toml"]);
    assert_eq!(serve.code, 3, "{serve:?}");
    assert!(serve.told.contains("tandem migrate"), "{serve:?}");
    assert_eq!(
        migrate(place, &["--dry-run"]).code,
        1,
        "the start made none"
    );

    let made = migrate(place, &[]);
    assert_eq!(made.code, 0, "{made:?}");
    assert_eq!(count(&made.json(), "made"), all);
    assert!(made.json()["steps"][0]["applied_at"].is_string());
    let again = migrate(place, &[]);
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(count(&again.json(), "made"), 0);
    assert_eq!(made.json()["steps"], again.json()["steps"]);
    assert_eq!(migrate(place, &["--dry-run"]).code, 0);

    future().await;
    for more in [&["--dry-run"][..], &[]] {
        let refused = migrate(place, more);
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(
            refused.told.contains("99990101000000") && refused.told.contains("newer program"),
            "{refused:?}"
        );
    }
}

/// A step of a program that is yet to be written, in the words of both engines.
const FUTURE: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
     VALUES (99990101000000, 'of the future', TRUE, '', 0)";

#[tokio::test]
async fn a_file_gets_its_schema_by_the_command_and_a_newer_one_is_refused() {
    let place = deployment("");
    let file = place.path().join("county/data/tandem.sqlite");
    a_schema_is_changed_by_the_command_alone(&place, async || {
        let address = format!("sqlite://{}", file.display());
        let pool = sqlx::SqlitePool::connect(&address).await.unwrap();
        sqlx::query(FUTURE).execute(&pool).await.unwrap();
        pool.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_database_gets_its_schema_by_the_command_and_a_newer_one_is_refused() {
    let cluster = Cluster::start(false).unwrap();
    let address = cluster.database().unwrap();
    let place = deployment(&format!(", postgres = \"{address}\""));
    a_schema_is_changed_by_the_command_alone(&place, async || {
        let pool = sqlx::PgPool::connect(&address).await.unwrap();
        sqlx::query(FUTURE).execute(&pool).await.unwrap();
        pool.close().await;
    })
    .await;
}

#[test]
fn people_read_which_step_is_there_since_when() {
    let place = deployment("");
    let usual = ["migrate", "--config", "county/gateway.toml"];
    let lacking = tandem_in(place.path(), &[&usual[..], &["--dry-run"]].concat());
    let line = |ended: &Ended| {
        let line = ended
            .out
            .lines()
            .find(|line| line.contains("order of effects"));
        line.unwrap().to_owned()
    };
    assert!(line(&lacking).ends_with(" no"), "{lacking:?}");
    assert!(!place.path().join("county/data/tandem.sqlite").exists());
    let made = tandem_in(place.path(), &usual);
    assert!(line(&made).ends_with(" now"), "{made:?}");
    let later = tandem_in(place.path(), &usual);
    assert!(line(&later).ends_with('Z'), "{later:?}");
}
