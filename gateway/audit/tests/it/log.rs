//! A log of invented events, written as the gateway writes one.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::BTreeMap;

use tandem_audit::{
    Blind, Checkpoint, Code, Columns, Entry, Field, Header, KeyKind, Leaf, Note, Opening, Signer,
    Tree, Value, leaf_hash,
};
use zeroize::Zeroizing;

/// When the first event happened, in microseconds since 1970.
const START: u64 = 1_772_443_500_000_000;

pub(crate) struct Log {
    pub(crate) origin: Signer,
    pub(crate) witness: Signer,
    pub(crate) tree: Tree,
    pub(crate) entries: Vec<Entry>,
}

pub(crate) fn signer(name: &str, kind: KeyKind, seed: u8) -> Signer {
    Signer::new(name, kind, &Zeroizing::new([seed; 32])).unwrap()
}

impl Log {
    pub(crate) fn new() -> Self {
        let origin = signer("demo.example/audit", KeyKind::Log, 1);
        let witness = signer("witness.example", KeyKind::Witness, 2);
        let header = Header {
            origin_key: origin.public().to_string(),
            witness_keys: vec![witness.public().to_string()],
        };
        Self {
            origin,
            witness,
            tree: Tree::default(),
            entries: vec![Entry::Header(header)],
        }
    }

    /// A log of `sizes` events, each of them followed by a checkpoint that the next leaf records.
    pub(crate) fn of(sizes: &[usize]) -> Self {
        let mut log = Self::new();
        for (round, size) in sizes.iter().enumerate() {
            if round > 0 {
                log.event("checkpoint", "checkpoint.sign");
            }
            for _ in 0..*size {
                log.event("audit", "consent.revoke");
            }
            log.checkpoint();
        }
        log
    }

    pub(crate) fn event(&mut self, kind: &str, action: &str) {
        let position = self.tree.size();
        let (line, opening) = event(position, kind, action);
        let hash = leaf_hash(&line);
        self.tree.push(hash);
        self.entries.push(Entry::leaf(line, &hash));
        self.entries.push(Entry::Opening(Box::new(opening)));
    }

    pub(crate) fn head(&self, size: u64) -> Note {
        let root = self.tree.root(size).unwrap();
        Checkpoint {
            origin: "demo.example/audit".into(),
            size,
            root,
        }
        .sign(&self.origin)
    }

    pub(crate) fn checkpoint(&mut self) {
        let mut note = self.head(self.tree.size());
        note.signatures
            .push(self.witness.sign(&note.text, 1_772_443_560));
        self.entries.push(Entry::Checkpoint(note.to_string()));
    }

    pub(crate) fn text(&self) -> String {
        self.entries.iter().map(Entry::to_line).collect()
    }

    /// Where the leaves stand among the entries.
    pub(crate) fn leaves(&self) -> Vec<usize> {
        let is_leaf =
            |(at, entry): (usize, &Entry)| matches!(entry, Entry::Leaf { .. }).then_some(at);
        self.entries
            .iter()
            .enumerate()
            .filter_map(is_leaf)
            .collect()
    }

    /// Where the checkpoints stand among the entries.
    pub(crate) fn checkpoints(&self) -> Vec<usize> {
        let is_head =
            |(at, entry): (usize, &Entry)| matches!(entry, Entry::Checkpoint(_)).then_some(at);
        self.entries
            .iter()
            .enumerate()
            .filter_map(is_head)
            .collect()
    }
}

/// An event's line and what it commits to.
pub(crate) fn event(position: u64, kind: &str, action: &str) -> (String, Opening) {
    let blind = Blind::new([u8::try_from(position % 251).unwrap(); 32]);
    let columns = Columns(BTreeMap::from([
        (
            "actor".to_owned(),
            Value::Text("privacy-officer-1".to_owned()),
        ),
        (
            "position".to_owned(),
            Value::Integer(i64::try_from(position).unwrap()),
        ),
        ("sealed".to_owned(), Value::Bytes(vec![1, 2, 3])),
    ]));
    let object = format!("directive-{position}");
    let leaf = Leaf {
        position,
        at: START + position * 1_000_000,
        kind: Code::new(kind).unwrap(),
        action: Code::new(action).unwrap(),
        object: blind.commit(Field::Object, object.as_bytes()),
        subject: Some(blind.commit(Field::Subject, b"person-1")),
        content: blind.commit(Field::Content, &columns.canonical()),
        record: None,
    };
    let opening = Opening {
        position,
        blind,
        object,
        subject: Some("person-1".to_owned()),
        columns,
        record: None,
    };
    (leaf.to_string(), opening)
}
