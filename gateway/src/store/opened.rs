//! Documents that were opened of late. A family is read in each of the transactions that carry a message about it; what stands
//! in the store as it stood before need not be opened and read again.
//!
//! A document is known by its place and by how its sealed value begins and ends: a nonce that no other sealing has, and what proves
//! that nothing was altered. So nothing here is older than the store, whoever wrote it, and what was moved to another place
//! does not open here either.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::seal::UNIQUE;

/// Bytes of the sealed values whose documents are kept, twice: those of late, and those before them. Opened, a document takes a few times
/// as much.
const MOST: usize = 2 << 20;
/// Bytes of the proof at the end of a sealed value.
const PROOF: usize = 16;

/// A kind, and the keyed hash of a key.
type Spot = (&'static str, [u8; 32]);
/// How a sealed value begins and ends.
type Mark = ([u8; UNIQUE], [u8; PROOF]);

/// The documents. Personal data: never shown.
#[derive(Default)]
pub(super) struct OpenedOfLate(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<Spot, Entry>,
    /// Bytes of the sealed values of those.
    bytes: usize,
    old: HashMap<Spot, Entry>,
}

struct Entry {
    mark: Mark,
    /// Bytes of the sealed value.
    bytes: usize,
    document: Arc<dyn Any + Send + Sync>,
}

impl std::fmt::Debug for OpenedOfLate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenedOfLate")
    }
}

impl OpenedOfLate {
    /// The document that a sealed value holds, if it was opened of late.
    pub(super) fn known<D: Send + Sync + 'static>(
        &self,
        kind: &'static str,
        key: &[u8],
        sealed: &[u8],
    ) -> Option<Arc<D>> {
        let (spot, mark) = (spot(kind, key)?, mark(sealed)?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = !kept.young.contains_key(&spot);
        if is_old {
            let found = kept.old.remove(&spot)?;
            kept.keep(spot, found);
        }
        let found = kept.young.get(&spot).filter(|found| found.mark == mark)?;
        Arc::clone(&found.document).downcast().ok()
    }

    /// Keeps a document beside the sealed value that holds it.
    pub(super) fn keep<D: Send + Sync + 'static>(
        &self,
        kind: &'static str,
        key: &[u8],
        sealed: &[u8],
        document: Arc<D>,
    ) {
        if let (Some(spot), Some(mark)) = (spot(kind, key), mark(sealed)) {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let bytes = sealed.len();
            kept.keep(
                spot,
                Entry {
                    mark,
                    bytes,
                    document,
                },
            );
        }
    }

    /// Forgets a document.
    pub(super) fn forget(&self, kind: &'static str, key: &[u8]) {
        if let Some(spot) = spot(kind, key) {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let gone = kept.young.remove(&spot);
            kept.bytes -= gone.map_or(0, |gone| gone.bytes);
            kept.old.remove(&spot);
        }
    }
}

impl Generations {
    fn keep(&mut self, spot: Spot, entry: Entry) {
        if self.bytes + entry.bytes > MOST {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += entry.bytes;
        let before = self.young.insert(spot, entry);
        self.bytes -= before.map_or(0, |before| before.bytes);
    }
}

fn spot(kind: &'static str, key: &[u8]) -> Option<Spot> {
    Some((kind, key.try_into().ok()?))
}

fn mark(sealed: &[u8]) -> Option<Mark> {
    Some((*sealed.first_chunk()?, *sealed.last_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn sealed(first: u8, last: u8) -> Vec<u8> {
        let mut sealed = vec![0; 64];
        (sealed[0], sealed[63]) = (first, last);
        sealed
    }

    #[test]
    fn a_document_is_known_by_its_place_and_by_what_stands_there_alone() {
        let kept = OpenedOfLate::default();
        kept.keep("note", &KEY, &sealed(1, 1), Arc::new("read"));
        let known = |kind, key: &[u8], sealed: &[u8]| kept.known::<&str>(kind, key, sealed);
        assert_eq!(known("note", &KEY, &sealed(1, 1)).as_deref(), Some(&"read"));
        assert!(known("note", &KEY, &sealed(2, 1)).is_none(), "written anew");
        assert!(known("note", &KEY, &sealed(1, 2)).is_none(), "altered");
        assert!(known("note", &[8; 32], &sealed(1, 1)).is_none(), "moved");
        assert!(known("bill", &KEY, &sealed(1, 1)).is_none(), "another kind");
        assert!(kept.known::<u8>("note", &KEY, &sealed(1, 1)).is_none());
        kept.forget("note", &KEY);
        assert!(known("note", &KEY, &sealed(1, 1)).is_none());
    }

    #[test]
    fn of_many_documents_those_of_late_stay() {
        let kept = OpenedOfLate::default();
        let key = |number: u32| {
            let mut key = KEY;
            key[..4].copy_from_slice(&number.to_be_bytes());
            key
        };
        let large = |last: u8| {
            let mut large = sealed(1, last);
            large.resize(MOST / 10, last);
            large
        };
        for number in 0..40 {
            // Each is written twice: what it was before takes no room.
            kept.keep("note", &key(number), &large(0), Arc::new(0));
            kept.keep("note", &key(number), &large(1), Arc::new(number));
            let first = kept.known::<u32>("note", &key(0), &large(1));
            assert!(first.is_some(), "it is asked for again and again");
        }
        assert!(kept.known::<u32>("note", &key(1), &large(1)).is_none());
        kept.forget("note", &key(39));
        let kept = kept.0.lock().unwrap();
        let young: usize = kept.young.values().map(|entry| entry.bytes).sum();
        let old: usize = kept.old.values().map(|entry| entry.bytes).sum();
        assert_eq!(kept.bytes, young);
        assert!(young <= MOST && old <= MOST && kept.old.len() > 3);
    }
}
