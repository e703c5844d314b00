//! The small program, with nothing but files.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::process::{Command, Output};

use tandem_audit::{Consistency, Inclusion};

use super::log::{Log, event};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tandem-audit-verify"))
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[test]
fn an_export_is_sound_or_not_and_the_place_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let log = Log::of(&[3, 5]);
    std::fs::write(path("log"), log.text()).unwrap();
    std::fs::write(path("w.pub"), format!("{}\n", log.witness.public())).unwrap();
    std::fs::write(path("kept"), log.head(6).to_string()).unwrap();
    let key = log.origin.public().to_string();
    let output = run(&[
        &path("log"),
        "--origin-key",
        &key,
        "--witness-key",
        &path("w.pub"),
        "--checkpoint",
        &path("kept"),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).ends_with("sound\n"));
    std::fs::write(
        path("bad"),
        log.text().replacen("consent.revoke", "consent.verify", 1),
    )
    .unwrap();
    let output = run(&[&path("bad"), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["problems"][0]["place"]["position"], 0);
    assert_eq!(run(&[&path("none")]).status.code(), Some(3));
    assert_eq!(
        run(&[&path("log"), "--origin-key", "nonsense"])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn proofs_are_checked_with_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let log = Log::of(&[3, 5]);
    let (line, opening) = event(2, "audit", "consent.revoke");
    let hashes = log.tree.inclusion(2, 9).unwrap();
    let proof = Inclusion::new(
        log.origin.public(),
        line,
        &hashes,
        &log.head(9),
        Some(opening),
    );
    std::fs::write(path("in"), proof.to_text()).unwrap();
    let output = run(&[&path("in")]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("position 2 (audit consent.revoke) is in the log"));
    std::fs::write(
        path("bad"),
        proof.to_text().replace("directive-2", "directive-3"),
    )
    .unwrap();
    let output = run(&[&path("bad")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("object"), "{}", said(&output));
    let nodes = log.tree.consistency(3, 9).unwrap();
    let growth = Consistency::new(&log.head(3), &log.head(9), &nodes);
    std::fs::write(path("grown"), growth.to_text()).unwrap();
    let key = log.origin.public().to_string();
    assert_eq!(
        run(&[&path("grown"), "--origin-key", &key]).status.code(),
        Some(0)
    );
    assert_eq!(run(&[&path("grown")]).status.code(), Some(1));
}
