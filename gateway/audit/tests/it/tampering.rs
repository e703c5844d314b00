//! Whatever is changed in an export is found.

use std::sync::LazyLock;

use proptest::prelude::*;
use tandem_audit::{Entry, Place, Trust};

use super::export::verify;
use super::log::Log;

/// Signing takes long: the log is written once and altered in copies.
static SOUND: LazyLock<Log> = LazyLock::new(|| Log::of(&[3, 5, 2]));

fn text(entries: &[Entry]) -> String {
    entries.iter().map(Entry::to_line).collect()
}

/// Changes one byte of an entry's line to another one that can stand in it.
fn changed(line: &str, place: prop::sample::Index, step: u8) -> String {
    let mut bytes = line.as_bytes().to_vec();
    let at = place.index(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte = byte.wrapping_add(step);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn with_line(at: usize, line: &str) -> String {
    let line_of = |(index, entry): (usize, &Entry)| {
        if index == at {
            line.to_owned()
        } else {
            entry.to_line()
        }
    };
    SOUND.entries.iter().enumerate().map(line_of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_changed_byte_of_any_entry_is_found(
        entry: prop::sample::Index, place: prop::sample::Index, step in 1_u8..=255,
    ) {
        let at = entry.index(SOUND.entries.len());
        let line = SOUND.entries[at].to_line();
        let text = with_line(at, &changed(&line, place, step));
        let report = verify(&text, Trust::default());
        prop_assert!(!report.is_sound(), "entry {at}");
    }

    #[test]
    fn a_changed_leaf_is_named_by_its_position(
        leaf: prop::sample::Index, place: prop::sample::Index, letter in prop::char::range('0', '9'),
    ) {
        let leaves = SOUND.leaves();
        let position = leaf.index(leaves.len());
        let mut entries = SOUND.entries.clone();
        let Entry::Leaf { line, hash } = &SOUND.entries[leaves[position]] else { unreachable!() };
        let mut altered: Vec<char> = line.chars().collect();
        let at = place.index(altered.len());
        prop_assume!(altered[at] != letter);
        altered[at] = letter;
        let line = altered.into_iter().collect();
        entries[leaves[position]] = Entry::Leaf { line, hash: hash.clone() };
        let report = verify(&text(&entries), Trust::default());
        let place = report.problems.first().map(|problem| problem.place.clone());
        prop_assert_eq!(place, Some(Place::Position(position as u64)), "{}", report);
    }

    #[test]
    fn a_dropped_doubled_or_swapped_entry_is_found(
        entry: prop::sample::Index, other: prop::sample::Index, kind in 0..3,
    ) {
        // Without openings: these may be left out.
        let is_kept = |entry: &&Entry| !matches!(entry, Entry::Opening(_));
        let mut entries: Vec<Entry> = SOUND.entries.iter().filter(is_kept).cloned().collect();
        let at = entry.index(entries.len());
        match kind {
            0 => {
                entries.remove(at);
            }
            1 => {
                let doubled = entries[at].clone();
                entries.insert(at, doubled);
            }
            _ => {
                let with = other.index(entries.len());
                prop_assume!(with != at);
                entries.swap(at, with);
            }
        }
        let report = verify(&text(&entries), Trust::default());
        prop_assert!(!report.is_sound(), "{}", text(&entries));
    }
}

#[test]
fn a_leaf_altered_together_with_its_hash_is_narrowed_to_its_checkpoint() {
    let mut log = Log::of(&[3, 5, 2]);
    let leaves = log.leaves();
    let (line, _) = super::log::event(6, "audit", "consent.capture");
    let hash = tandem_audit::leaf_hash(&line);
    log.entries[leaves[6]] = Entry::leaf(line, &hash);
    let report = verify(&log.text(), Trust::default());
    let texts: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert!(
        texts.iter().any(|text| text.contains(
            "checkpoint 9: the signed root is not that of the leaves: one of positions 3 to 8"
        )),
        "{texts:?}"
    );
}

#[test]
fn a_dropped_checkpoint_is_missed_by_the_leaf_that_records_it() {
    let mut log = Log::of(&[3, 5, 2]);
    let heads = log.checkpoints();
    log.entries.remove(heads[1]);
    let report = verify(&log.text(), Trust::default());
    assert_eq!(
        report.problems.first().map(|problem| problem.place.clone()),
        Some(Place::Checkpoint(9))
    );
}

#[test]
fn what_is_no_export_is_said_to_be_none() {
    for text in [
        "",
        "\n",
        "{}",
        "\u{0}\u{ff}",
        "{\"tandem-audit-export/v1\":",
    ] {
        let report = verify(text, Trust::default());
        assert!(!report.is_sound(), "{text:?}");
    }
}
