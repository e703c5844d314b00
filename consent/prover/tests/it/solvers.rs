//! A solver that does not answer proves nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use tandem_consent::Bundle;
use tandem_prover::{Cvc5, Outcome, Wanted, properties, prove};
use tempfile::TempDir;

fn program(folder: &TempDir, script: &str) -> PathBuf {
    let path = folder.path().join("cvc5");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// What comes of a proof by a solver that is this script.
fn outcomes(script: &str) -> Vec<Outcome> {
    let folder = tempfile::tempdir().unwrap();
    let solver = Cvc5::find(Some(&program(&folder, script)), Duration::from_secs(1)).unwrap();
    let wanted = Wanted {
        properties: properties().iter().filter(|one| one.id == "S4").collect(),
        regime: Some("gateway".to_owned()),
        against: None,
    };
    let proof = prove(&Bundle::default_for("").unwrap(), &wanted, &solver);
    assert!(!proof.holds());
    proof.findings.into_iter().map(|one| one.outcome).collect()
}

#[track_caller]
fn not_decided(script: &str, why: &str) {
    let outcomes = outcomes(script);
    assert!(!outcomes.is_empty());
    for outcome in outcomes {
        match outcome {
            Outcome::NotDecided(reason) => assert!(reason.contains(why), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_solver_that_does_not_know_proves_nothing() {
    not_decided("cat > /dev/null; echo unknown", "answers unknown");
}

#[test]
fn a_solver_that_hangs_is_ended_and_proves_nothing() {
    not_decided("exec tail -f /dev/null", "no answer within 1 s");
}

#[test]
fn a_solver_that_crashes_proves_nothing() {
    not_decided("cat > /dev/null; kill -SEGV $$", "the solver failed");
}

#[test]
fn an_example_that_cedar_does_not_confirm_refutes_nothing() {
    // A model of nothing: every fact has its default, and such a request is not permitted.
    let outcomes = outcomes("cat > /dev/null; echo sat; echo '('; echo ')'");
    assert!(
        outcomes
            .iter()
            .all(|one| matches!(one, Outcome::NotDecided(_))),
        "{outcomes:?}"
    );
}
