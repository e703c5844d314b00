//! What stands beside a key file that is not there. A gateway makes its root keys first of all: where any of the rest is, keys were
//! there and are lost, and new ones would open nothing.

use std::path::{Path, PathBuf};

use super::SealError;

/// What a gateway makes in its data folder after its root keys.
const LATER: [&str; 3] = ["audit.key", "audit-witness.key", "audit-witness.last"];

/// What shows that a key file was there before; `None` for a folder in which no gateway ever served.
fn later(file: &Path) -> Option<PathBuf> {
    let folder = file.parent()?;
    let mut later = LATER.iter().map(|name| folder.join(name));
    later.find(|path| path.exists())
}

/// Refuses to make new keys in the place of lost ones.
pub(super) fn refuse_lost(file: &Path) -> Result<(), SealError> {
    match later(file) {
        Some(beside) => Err(SealError::Lost {
            file: file.to_owned(),
            beside,
        }),
        None => Ok(()),
    }
}
