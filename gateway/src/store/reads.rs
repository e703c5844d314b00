//! What a transaction has read: asked again, it answers itself. A transaction sees one state of the store and what it wrote
//! itself, so that nothing is older here than there.

use std::collections::HashMap;
use std::sync::Arc;

/// Answers that are kept: a transaction that goes through more asks the store again.
const MOST: usize = 128;

/// By what documents of a kind were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    /// The keyed hash of the key.
    Key(Vec<u8>),
    /// A field, and the keyed hash of its value.
    Index(&'static str, [u8; 32]),
}

/// Documents as they stand: place and opened content.
pub(super) type Opened = Arc<[(Vec<u8>, Vec<u8>)]>;

/// The documents that a transaction has read. Personal data: never shown.
#[derive(Default)]
pub(super) struct Reads(HashMap<(&'static str, Asked), Opened>);

impl Reads {
    /// What was found before.
    pub(super) fn known(&self, kind: &'static str, asked: &Asked) -> Option<Opened> {
        self.0.get(&(kind, asked.clone())).map(Arc::clone)
    }

    /// Keeps what was found.
    pub(super) fn keep(&mut self, kind: &'static str, asked: Asked, found: Opened) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert((kind, asked), found);
    }

    /// Documents of a kind are written.
    pub(super) fn forget(&mut self, kind: &'static str) {
        self.0.retain(|(known, _), _| *known != kind);
    }

    /// What was written is taken back.
    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }
}
