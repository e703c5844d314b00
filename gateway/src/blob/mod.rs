//! Blobs: large files in a folder beside the store, sealed in chunks, so that neither writing nor reading one needs
//! more memory than a chunk.
//!
//! | bytes | what they are |
//! |---|---|
//! | 8 | `TANDEMB1` |
//! | 65,536 + 16, any number of times | a whole chunk, sealed |
//! | fewer, at least 16 | the last chunk, sealed; its text is shorter than a whole one's, and may be empty |
//!
//! Each blob has a data key of its own, which stands sealed in the store, so that keys are rotated without touching the
//! file. A chunk is XChaCha20-Poly1305; its nonce holds its number and whether it is the last, its associated data the
//! blob's id. So a chunk that was changed, swapped, repeated or taken from another blob does not open, and neither does
//! the end of a file that was cut. A reader begins with the last chunk: what is cut off is found before anything is
//! used.

mod chunk;
pub mod copies;
mod folder;
mod reader;
mod writer;

pub use self::chunk::{CHUNK, DataKey};
pub use self::folder::{BlobError, BlobFolder, NewBlob, Written};
pub use self::reader::BlobReader;

#[cfg(test)]
mod tests;
