//! Verification of a log, entry by entry, in one pass.
//!
//! The tree is built from the leaves as they come. A leaf whose line was altered is named by its position, because its
//! stored hash is another; when that was altered as well, the next checkpoint names the leaves among which it is.

use std::io::BufRead;

use crate::checkpoint::Checkpoint;
use crate::export::{self, Entry, Header, read_entries};
use crate::key::{KeyKind, VerifierKey};
use crate::leaf::Leaf;
use crate::note::Note;
use crate::opening::Opening;
use crate::problem::{Disposed, Place, Report, Witnessed};
use crate::tree::Tree;

/// Kind of the leaves that record a checkpoint: the one over all leaves before.
const CHECKPOINT: &str = "checkpoint";

/// What who verifies knows and asks for.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The log's key; without it, the one in the file is taken, and nothing shows who wrote the file.
    pub origin: Option<VerifierKey>,
    /// Witnesses each of whom must have signed.
    pub witnesses: Vec<VerifierKey>,
    /// Checkpoints that were seen before, as notes: the log must contain them.
    pub known: Vec<Note>,
    /// Whether every leaf must be opened.
    pub needs_openings: bool,
    /// Whether leaves may follow the last checkpoint: in a log that is being written.
    pub may_grow: bool,
}

/// Verifies one log.
#[derive(Debug)]
pub struct Verifier {
    trust: Trust,
    origin: Option<VerifierKey>,
    /// Every key whose signature may stand under a checkpoint here.
    witnesses: Vec<VerifierKey>,
    known: Vec<Checkpoint>,
    tree: Tree,
    next: u64,
    /// A leaf is missing or out of place: roots can't be computed from here on.
    has_gap: bool,
    /// A root was not that of the leaves, and none has been since.
    is_astray: bool,
    last: Option<Checkpoint>,
    opened: Option<Leaf>,
    report: Report,
}

impl Verifier {
    /// Starts with the keys that stand in the file.
    #[must_use]
    pub fn new(trust: Trust, header: &Header) -> Self {
        let mut report = Report::default();
        let mut key = |text: &str, kind| match VerifierKey::parse(text) {
            Ok(key) if key.kind() == kind => Some(key),
            Ok(_) => {
                report.add(
                    Place::Log,
                    "header: a key is not of the kind that it should be",
                );
                None
            }
            Err(error) => {
                report.add(Place::Log, format!("header: {error}"));
                None
            }
        };
        let told = key(&header.origin_key, KeyKind::Log);
        let mut witnesses: Vec<VerifierKey> = header
            .witness_keys
            .iter()
            .filter_map(|text| key(text, KeyKind::Witness))
            .collect();
        witnesses.extend(trust.witnesses.iter().cloned());
        if let (Some(trusted), Some(told)) = (&trust.origin, &told)
            && trusted != told
        {
            report.add(
                Place::Log,
                format!("header: expected the log's key `{trusted}`"),
            );
        }
        report.is_origin_trusted = trust.origin.is_some();
        let origin = trust.origin.clone().or(told);
        let mut verifier = Self {
            origin,
            witnesses,
            known: Vec::new(),
            tree: Tree::default(),
            next: 0,
            has_gap: false,
            is_astray: false,
            last: None,
            opened: None,
            report,
            trust,
        };
        verifier.take_known();
        verifier
    }

    fn take_known(&mut self) {
        for note in &self.trust.known {
            let Some(origin) = &self.origin else { return };
            match Checkpoint::verify(note, origin) {
                Ok(known) => self.known.push(known),
                Err(error) => self
                    .report
                    .add(Place::Log, format!("a known checkpoint: {error}")),
            }
        }
        self.known.sort_by_key(|known| known.size);
    }

    /// The next leaf, as its line and its hash as base64.
    pub fn leaf(&mut self, line: &str, hash: &str) {
        self.close_leaf();
        let (told, computed) = export::hashes(line, hash);
        let leaf = match Leaf::parse(line) {
            Ok(leaf) => {
                self.place(&leaf);
                Some(leaf)
            }
            Err(error) => {
                self.report.add(
                    Place::Position(self.next),
                    format!("the leaf was altered: {error}"),
                );
                self.next += 1;
                None
            }
        };
        if told != Some(computed) {
            let position = leaf.as_ref().map_or(self.next - 1, |leaf| leaf.position);
            let text = "the leaf or its hash was altered: they do not belong together";
            self.report.add(Place::Position(position), text);
        }
        // Where the hash still stands, the others can be checked on it.
        self.tree.push(told.unwrap_or(computed));
        self.report.leaves += 1;
        self.check_known();
        self.opened = leaf;
    }

    fn place(&mut self, leaf: &Leaf) {
        if leaf.position != self.next {
            let text = format!(
                "expected the leaf of this position, found that of {}",
                leaf.position
            );
            self.report.add(Place::Position(self.next), text);
            self.has_gap = true;
            self.next = self.next.max(leaf.position);
        }
        let recorded = leaf.kind.as_str() == CHECKPOINT;
        let last = self.last.as_ref().map(|last| last.size);
        if recorded && last != Some(leaf.position) {
            let text = "the log records that this checkpoint was signed, and it is not here";
            self.report.add(Place::Checkpoint(leaf.position), text);
        }
        self.next += 1;
    }

    /// Ends a leaf whose opening did not come.
    fn close_leaf(&mut self) {
        if let Some(leaf) = self.opened.take()
            && self.trust.needs_openings
        {
            let text = format!(
                "the {} that the log records is not there",
                leaf.kind.as_str()
            );
            self.report.add(Place::Position(leaf.position), text);
        }
    }

    /// What the leaf before commits to.
    pub fn opening(&mut self, opening: &Opening) {
        let Some(leaf) = self.opened.take() else {
            let text = "expected a leaf before its opening";
            return self.report.add(Place::Position(opening.position), text);
        };
        let differences = opening.differences(&leaf);
        if differences.is_empty() {
            self.report.openings += 1;
        } else {
            let (kind, fields) = (leaf.kind.as_str(), differences.join(", "));
            let text = format!("the {kind} is not what the log records: {fields}");
            self.report.add(Place::Position(leaf.position), text);
        }
    }

    /// Says that the record of the leaf before is rightly not there.
    pub fn disposed(&mut self) {
        self.opened = None;
    }

    /// A checkpoint, over all leaves before it.
    pub fn checkpoint(&mut self, text: &str) {
        self.close_leaf();
        let Some(origin) = self.origin.clone() else {
            return;
        };
        let place = Place::Checkpoint(self.next);
        let note = match Note::parse(text) {
            Ok(note) => note,
            Err(error) => return self.report.add(place, error.to_string()),
        };
        let head = match Checkpoint::verify(&note, &origin) {
            Ok(head) => head,
            Err(error) => return self.report.add(place, error.to_string()),
        };
        let is_clean = self.signatures(&note, &origin, head.size);
        if self.compare(&head) && is_clean {
            self.report.checkpoints += 1;
        }
        self.last = Some(head);
    }

    /// Checks every line under a checkpoint; one of nobody known is an altered one.
    fn signatures(&mut self, note: &Note, origin: &VerifierKey, size: u64) -> bool {
        let before = self.report.problems.len();
        for line in &note.signatures {
            let keys = std::iter::once(origin).chain(&self.witnesses);
            let by: Vec<&VerifierKey> = keys.filter(|key| key.is_named_by(line)).collect();
            let held = by
                .iter()
                .find_map(|key| key.verify(&note.text, line).map(|time| (*key, time)));
            match held {
                Some((key, Some(at))) => {
                    let name = key.name().to_owned();
                    self.report.witnesses.retain(|known| known.name != name);
                    self.report.witnesses.push(Witnessed { name, size, at });
                }
                Some((_, None)) => {}
                None => {
                    let why = if by.is_empty() {
                        "is by no known key"
                    } else {
                        "does not hold"
                    };
                    let text = format!("the signature of `{}` {why}", line.name);
                    self.report.add(Place::Checkpoint(size), text);
                }
            }
        }
        self.report.problems.len() == before
    }

    fn compare(&mut self, head: &Checkpoint) -> bool {
        let place = Place::Checkpoint(head.size);
        if let Some(last) = self.last.as_ref().filter(|last| last.size >= head.size) {
            let text = if last.size > head.size {
                format!("a checkpoint of {} leaves stands before it", last.size)
            } else if last.root == head.root {
                "the checkpoint stands here twice".to_owned()
            } else {
                "fork: two roots are signed for the same number of leaves".to_owned()
            };
            self.report.add(place, text);
            return false;
        }
        if head.size != self.next {
            let text = format!(
                "expected a checkpoint of the {} leaves before it",
                self.next
            );
            self.report.add(place, text);
            return false;
        }
        if self.has_gap {
            return false;
        }
        let is_same = self.tree.root(head.size) == Some(head.root);
        if is_same {
            self.report.covered = head.size;
        } else if !self.is_astray {
            let from = self.report.covered;
            let text = format!(
                "the signed root is not that of the leaves: one of positions {from} to {} was altered, or the checkpoint is of a fork",
                head.size.saturating_sub(1)
            );
            self.report.add(place, text);
        }
        self.is_astray = !is_same;
        is_same
    }

    fn check_known(&mut self) {
        let size = self.tree.size();
        let (tree, report, has_gap) = (&self.tree, &mut self.report, self.has_gap);
        self.known.retain(|known| {
            if known.size != size || has_gap {
                return true;
            }
            if tree.root(size) != Some(known.root) {
                report.add(
                    Place::Checkpoint(size),
                    "fork: another root was signed and seen for these leaves",
                );
            }
            false
        });
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> Report {
        self.close_leaf();
        self.report.origin = self
            .origin
            .as_ref()
            .map_or_else(String::new, |key| key.name().to_owned());
        for known in self.known.iter().filter(|known| known.size > 0) {
            let text =
                "a checkpoint of so many leaves was signed and seen, and the log does not reach it";
            self.report.add(Place::Checkpoint(known.size), text);
        }
        if self.last.is_none() && !(self.trust.may_grow && self.next == 0) {
            self.report.add(Place::Log, "no checkpoint covers it");
        }
        let covered = self.last.as_ref().map_or(0, |last| last.size);
        if covered < self.next && !self.trust.may_grow {
            let text = "no checkpoint covers the leaves from here on";
            self.report.add(Place::Position(covered), text);
        }
        for key in &self.trust.witnesses {
            if !self
                .report
                .witnesses
                .iter()
                .any(|seen| seen.name == key.name())
            {
                let text = format!("no checkpoint is signed by the witness `{}`", key.name());
                self.report.add(Place::Log, text);
            }
        }
        self.report
    }

    /// Notes records that were disposed of.
    pub fn note_disposed(&mut self, disposed: Disposed) {
        self.report.disposed.push(disposed);
    }

    /// Notes what is wrong beside the log itself.
    pub fn note(&mut self, place: Place, text: impl Into<String>) {
        self.report.add(place, text);
    }

    /// Takes one entry of an export.
    pub fn entry(&mut self, entry: &Entry) {
        match entry {
            Entry::Header(_) => self.report.add(Place::Log, "a second header"),
            Entry::Leaf { line, hash } => self.leaf(line, hash),
            Entry::Opening(opening) => self.opening(opening),
            Entry::Checkpoint(note) => self.checkpoint(note),
        }
    }

    /// Verifies an export.
    #[must_use]
    pub fn export(input: impl BufRead, trust: Trust) -> Report {
        let mut entries = read_entries(input);
        let mut verifier = match entries.next() {
            Some((_, Ok(Entry::Header(header)))) => Self::new(trust, &header),
            other => {
                let mut report = Report::default();
                let why = match other {
                    Some((_, Err(error))) => format!(": {error}"),
                    _ => String::new(),
                };
                report.add(
                    Place::Line(1),
                    format!("expected the header of an export{why}"),
                );
                return report;
            }
        };
        for (number, entry) in entries {
            match entry {
                Ok(entry) => verifier.entry(&entry),
                Err(error) => verifier.note(Place::Line(number), error.to_string()),
            }
        }
        verifier.finish()
    }
}
