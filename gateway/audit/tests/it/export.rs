//! A sound log, and logs that contradict what was seen or signed before.

use tandem_audit::{Entry, Inclusion, KeyKind, Report, Trust, Verifier};

use super::log::{Log, signer};

pub(crate) fn verify(text: &str, trust: Trust) -> Report {
    Verifier::export(text.as_bytes(), trust)
}

fn told(report: &Report) -> String {
    report
        .problems
        .iter()
        .map(|problem| format!("{problem}\n"))
        .collect()
}

#[test]
fn a_sound_log_is_found_sound_and_says_how_far_it_is_covered() {
    let log = Log::of(&[3, 5, 2]);
    let trust = Trust {
        origin: Some(log.origin.public().clone()),
        witnesses: vec![log.witness.public().clone()],
        known: vec![log.head(2), log.head(12)],
        needs_openings: true,
        may_grow: false,
    };
    let report = verify(&log.text(), trust);
    assert!(report.is_sound(), "{report}");
    assert_eq!(
        (report.leaves, report.covered, report.checkpoints),
        (12, 12, 3)
    );
    assert_eq!(report.openings, 12);
    assert_eq!(report.witnesses.first().map(|seen| seen.size), Some(12));
}

#[test]
fn a_fork_is_found_by_who_kept_a_checkpoint() {
    let (seen, mut told_now) = (Log::of(&[3, 5]), Log::new());
    for _ in 0..9 {
        told_now.event("audit", "consent.capture");
    }
    told_now.checkpoint();
    let trust = Trust {
        known: vec![seen.head(7)],
        ..Trust::default()
    };
    let report = verify(&told_now.text(), trust);
    assert!(told(&report).contains("checkpoint 7: fork"), "{report}");
    // A log from which the end was cut off is sound by itself; a kept checkpoint shows the cut.
    let cut = Log::of(&[3]);
    assert!(verify(&cut.text(), Trust::default()).is_sound());
    let trust = Trust {
        known: vec![seen.head(7)],
        ..Trust::default()
    };
    assert!(told(&verify(&cut.text(), trust)).contains("does not reach it"));
}

#[test]
fn two_roots_for_one_size_are_a_fork_within_the_file() {
    let (mut log, mut other) = (Log::of(&[4]), Log::new());
    for _ in 0..4 {
        other.event("audit", "consent.capture");
    }
    other.checkpoint();
    log.entries.extend(other.entries.last().cloned());
    let report = verify(&log.text(), Trust::default());
    assert!(
        told(&report).contains("checkpoint 4: fork: two roots"),
        "{report}"
    );
}

#[test]
fn a_signature_of_another_key_is_none() {
    let mut log = Log::of(&[3]);
    log.origin = signer("demo.example/audit", KeyKind::Log, 9);
    log.event("checkpoint", "checkpoint.sign");
    log.checkpoint();
    let report = verify(&log.text(), Trust::default());
    assert!(
        told(&report).contains("checkpoint 4: no valid signature"),
        "{report}"
    );
    let trust = Trust {
        witnesses: vec![
            signer("second.example", KeyKind::Witness, 3)
                .public()
                .clone(),
        ],
        ..Trust::default()
    };
    let report = verify(&Log::of(&[3]).text(), trust);
    assert!(told(&report).contains("no checkpoint is signed by the witness `second.example`"));
    let trust = Trust {
        origin: Some(log.origin.public().clone()),
        ..Trust::default()
    };
    let report = verify(&Log::of(&[3]).text(), trust);
    assert!(told(&report).contains("expected the log's key"), "{report}");
}

#[test]
fn leaves_without_a_checkpoint_and_leaves_without_a_record_are_named() {
    let mut log = Log::of(&[3]);
    log.event("checkpoint", "checkpoint.sign");
    let report = verify(&log.text(), Trust::default());
    assert!(
        told(&report).contains("position 3: no checkpoint covers"),
        "{report}"
    );
    let trust = Trust {
        may_grow: true,
        ..Trust::default()
    };
    assert!(verify(&log.text(), trust.clone()).is_sound());
    // The third event's record is gone.
    log.entries
        .retain(|entry| !matches!(entry, Entry::Opening(open) if open.position == 2));
    let report = verify(
        &log.text(),
        Trust {
            needs_openings: true,
            ..trust
        },
    );
    assert!(told(&report).contains("position 2: the audit that the log records is not there"));
}

#[test]
fn a_leaf_that_is_proven_is_in_the_log_and_no_other_is() {
    let log = Log::of(&[3, 5]);
    let (line, opening) = super::log::event(2, "audit", "consent.revoke");
    let path = log.tree.inclusion(2, 9).unwrap();
    let key = log.origin.public();
    let proof = Inclusion::new(key, line, &path, &log.head(9), Some(opening));
    let (leaf, head) = proof.verify(key).unwrap();
    assert_eq!((leaf.position, head.size), (2, 9));
    let (other, _) = super::log::event(2, "audit", "consent.capture");
    let error = Inclusion {
        leaf: other,
        ..proof.clone()
    }
    .verify(key)
    .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("position 2: the leaf is not in the log"),
        "{error}"
    );
    let mut opened = proof.clone();
    if let Some(opening) = &mut opened.opening {
        opening.subject = Some("person-2".to_owned());
    }
    let error = opened.verify(key).unwrap_err().to_string();
    assert!(
        error.contains("not what the leaf commits to: subject"),
        "{error}"
    );
    let cut = Inclusion {
        hashes: Vec::new(),
        ..proof
    };
    assert!(cut.verify(key).is_err());
}
