//! What a transaction has read: asked again, it answers itself. A transaction sees one state of the store and what it wrote
//! itself, so that nothing is older here than there.

use std::any::Any;
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

/// A document as it stands: its place, and what it says.
pub(super) type Opened<D> = (Vec<u8>, Arc<D>);

/// The documents that a transaction has read. Personal data: never shown.
#[derive(Default)]
pub(super) struct Reads(HashMap<(&'static str, Asked), Arc<dyn Any + Send + Sync>>);

impl Reads {
    /// What was found before.
    pub(super) fn known<D: Send + Sync + 'static>(
        &self,
        kind: &'static str,
        asked: &Asked,
    ) -> Option<Arc<Vec<Opened<D>>>> {
        let found = self.0.get(&(kind, asked.clone()))?;
        Arc::clone(found).downcast().ok()
    }

    /// Keeps what was found.
    pub(super) fn keep<D: Send + Sync + 'static>(
        &mut self,
        kind: &'static str,
        asked: Asked,
        found: Vec<Opened<D>>,
    ) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert((kind, asked), Arc::new(found));
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
