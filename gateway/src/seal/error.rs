//! Why something can't be sealed or opened.

use std::io;
use std::path::PathBuf;

/// Why something can't be sealed or opened. The texts hold nothing of a key or of a sealed value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The key file can't be read or written.
    #[error("{file}: {error}")]
    File {
        /// Which file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The key file does not hold root keys.
    #[error("{file}: {problem}")]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// Where, and what was expected.
        problem: MalformedKeys,
    },
    /// The key file is not there, and was before.
    #[error(
        "{file} is not there, though {beside} is: new keys open nothing of the store, so none are made. Bring the file back from \
         where copies of the keys are kept, or copy it from the data folder of another gateway of the store"
    )]
    Lost {
        /// The key file.
        file: PathBuf,
        /// What shows that it was there.
        beside: PathBuf,
    },
    /// A value is sealed by a key that the key file does not hold.
    #[error(
        "{file} does not hold key {number}, by which something in the store is sealed: copy it from the data folder of the \
         gateway that rotated the keys, or bring the line of a retired key back"
    )]
    NoKey {
        /// Which key.
        number: u32,
        /// Which file.
        file: String,
    },
    /// The key file holds other secrets than it did when it was read first.
    #[error(
        "{0} holds another key under a number, or another secret of look-ups, than when it was read before"
    )]
    OtherKeys(PathBuf),
    /// A key that seals can't be taken away, nor one that is not there.
    #[error("key {0} is not one that can be taken out of the key file")]
    InUse(u32),
    /// There are no more numbers.
    #[error("no key can have a number after {0}")]
    Numbers(u32),
    /// A sealed value was altered, moved, or sealed under another key.
    #[error("sealed value does not open: altered, moved or sealed under another key")]
    DoesNotOpen,
    /// Randomness or sealing failed.
    #[error("sealing failed")]
    Failed,
}

/// Why a text is no root keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}")]
pub struct MalformedKeys {
    /// Which line, from 1.
    pub line: usize,
    /// What was expected there.
    pub expected: &'static str,
}
