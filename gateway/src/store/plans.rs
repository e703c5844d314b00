//! No question of the store goes through the rows of others: each statement of this folder is put to the planners.

use std::collections::BTreeSet;
use std::path::Path;

use super::sql::{Row, Session, composed};
use super::tests::{on_postgres, on_sqlite};

/// Beginnings of the statements that ask for all of something, or for the first or last by the order of an index.
const ALL: [&str; 43] = [
    // The highest position so far: the last entry of an index.
    "INSERT INTO audit ",
    "INSERT INTO event ",
    "INSERT INTO outbox ",
    "INSERT INTO document_change ",
    "SELECT COALESCE(MAX(sequence)",
    "SELECT bundle FROM policy_start",
    "SELECT COALESCE(MAX(position)",
    "UPDATE event SET state = 'applied', applied = (SELECT",
    "UPDATE event SET state = $3",
    "SELECT MIN(due_at) FROM document_due",
    // Pages of all, by the order of an index.
    "SELECT position, at, actor, action, object, detail FROM audit WHERE jurisdiction = $1 ORDER",
    "SELECT at FROM audit WHERE jurisdiction = $1 ORDER BY position DESC LIMIT 1",
    "SELECT recorded_at FROM event WHERE jurisdiction = $1 ORDER BY position DESC LIMIT 1",
    "SELECT size, note FROM audit_checkpoint WHERE jurisdiction = $1 ORDER BY size DESC LIMIT 1",
    "SELECT * FROM decision WHERE jurisdiction = $1 ORDER BY decided_at DESC",
    "SELECT id, system, format, received_at, state, outcome, report FROM input WHERE jurisdiction = $1 ORDER",
    // All of a kind is what is asked for.
    "SELECT id, input, length, sha256 FROM blob",
    "SELECT size, witness_key, line FROM audit_cosignature",
    "SELECT key, sealed FROM document WHERE jurisdiction = $1 AND kind = $2 ORDER BY key",
    "INSERT INTO document_due (jurisdiction, kind, key, due_at) SELECT",
    "SELECT counted.lane",
    "SELECT known.effective_at",
    "SELECT lane FROM lane WHERE",
    "SELECT * FROM lane_hold h WHERE",
    // All in a state is what is asked for.
    "SELECT * FROM outbox WHERE jurisdiction = $1 AND state = $2",
    "SELECT COUNT(*) FROM event WHERE jurisdiction = $1 AND state",
    "SELECT position, id, sealed, trace FROM event WHERE jurisdiction = $1 AND state = 'parked'",
    "UPDATE event SET state = 'waiting', note = NULL",
    // Once for an input, and little but its events is staged.
    "DELETE FROM event WHERE jurisdiction = $1 AND input = $2 AND state = 'staged'",
    "UPDATE event SET state = 'waiting' WHERE jurisdiction = $1 AND input = $2 AND state = 'staged'",
    // How many rows of a kind there are: once a day.
    "SELECT COUNT(*) AS standing",
    "SELECT CAST(SUM(standing)",
    // A table of one row, or of a few for each jurisdiction: its keys, and the tables that are sealed anew.
    "SELECT number, made_at",
    "SELECT name, number, reached",
    "UPDATE root_key SET rows_left = NULL",
    "SELECT revision FROM consent_revision",
    "SELECT basis FROM consent_revision",
    // Once, when a store gets its log.
    "SELECT position AS number",
    "SELECT size AS number",
    "SELECT NULL AS number",
    "SELECT number, message AS id",
    "SELECT effective_at AS number",
    "SELECT position FROM audit_leaf WHERE jurisdiction = $1 AND kind = $2 LIMIT 1",
];

/// The statements in a source file: texts that begin with a verb, lines joined as the compiler joins them.
fn statements(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in source.split('"') {
        let mut text = String::new();
        for line in part.split("\\\n") {
            text.push_str(if text.is_empty() {
                line
            } else {
                line.trim_start()
            });
        }
        let verbs = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM "];
        if verbs.iter().any(|verb| text.starts_with(verb)) {
            found.push(text);
        }
    }
    found
}

/// What SQLite's planner says of a statement.
pub(super) async fn plan_of(session: &mut Session, statement: &str) -> Vec<String> {
    let mut plan = composed(format!("EXPLAIN QUERY PLAN {statement}"));
    // As many values as the longest statement has parameters: a plan does not look at them.
    for _parameter in 0..16 {
        plan = plan.bind(None::<i64>);
    }
    let steps = plan.fetch_all(session).await;
    let steps = steps.unwrap_or_else(|error| panic!("{statement}: {error}"));
    steps.iter().map(|row| row.get("detail")).collect()
}

/// All statements about rows of which there may be many.
fn all_statements() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut all = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The engines' own statements are about no rows, leases are few, and who copies a store reads all of it; tests
        // may ask what they want.
        let is_left_out = [
            "plans.rs",
            "tests.rs",
            "tests",
            "engine.rs",
            "leases.rs",
            "listen.rs",
            "schema.rs",
            "statistics.rs",
            "tables.rs",
            "rows.rs",
            "backup.rs",
            "restoring",
            // What it puts together is held to the primary key by its own test.
            "sealed.rs",
        ];
        if path.is_file() && !is_left_out.iter().any(|name| path.ends_with(name)) {
            all.extend(statements(&std::fs::read_to_string(path).unwrap()));
        }
    }
    assert!(all.len() > 80, "only {} statements were found", all.len());
    all
}

#[tokio::test]
async fn on_postgres_a_plan_goes_by_an_index_also_while_the_table_is_small() {
    let place = on_postgres().await;
    let mut tx = place.store.begin().await.unwrap();
    let mut wide = Vec::new();
    for statement in all_statements() {
        // The longest numbers first; a text that is a number can be a value of every type.
        let parameters = (1..=16).rev().map(|number| format!("${number}"));
        let text = parameters.fold(statement.clone(), |text, parameter| {
            text.replace(&parameter, "'1'")
        });
        let steps = composed(format!("EXPLAIN {text}"))
            .fetch_all(&mut tx.inner)
            .await;
        let steps = steps.unwrap_or_else(|error| panic!("{text}: {error}"));
        let reads_all = |row: &Row| {
            let step: String = row.get("QUERY PLAN");
            step.contains("Seq Scan")
        };
        if steps.iter().any(reads_all) && !ALL.iter().any(|start| statement.starts_with(start)) {
            wide.push(statement);
        }
    }
    assert!(wide.is_empty(), "{}", wide.join("\n"));
}

#[tokio::test]
async fn no_question_goes_through_the_rows_of_others() {
    let all = all_statements();
    let place = on_sqlite().await;
    let mut tx = place.store.begin().await.unwrap();
    let mut wide = Vec::new();
    for statement in all {
        let steps = plan_of(&mut tx.inner, &statement).await;
        let is_wide = steps.iter().any(|step| {
            (step.starts_with("SCAN") && step != "SCAN CONSTANT ROW")
                || step.ends_with("(jurisdiction=?)")
                || step.ends_with("(jurisdiction=? AND kind=?)")
                // All that are in a state, of which there may be very many.
                || (step.ends_with("(jurisdiction=? AND state=?)") && !statement.contains(" LIMIT "))
                // A page for which everything else is sorted as well.
                || (step.starts_with("USE TEMP B-TREE FOR") && statement.contains(" LIMIT "))
        });
        if is_wide && !ALL.iter().any(|start| statement.starts_with(start)) {
            wide.push(statement);
        }
    }
    assert!(wide.is_empty(), "{}", wide.join("\n"));
}
