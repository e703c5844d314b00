//! The audit log as a tree that anybody can check.
//!
//! Every event of the log is a [`Leaf`]: one line of text that says when and what, and binds everything else by keyed
//! [`Commitment`]s, so that a record can be erased while the line, and with it the tree, stands. The lines are the
//! leaves of a Merkle tree (RFC 6962, section 2.1). Its head is signed as a [`Checkpoint`] (C2SP tlog-checkpoint, in the
//! C2SP signed-note form), and a [`Witness`] that has seen that the log only grew signs it as well (C2SP
//! tlog-cosignature, `cosignature/v1`). [`Verifier`] checks an export of the log and names the place of what is wrong;
//! [`Inclusion`] and [`Consistency`] are checked with nothing but themselves and public keys.
//!
//! Nothing here reads a clock, a database or the network; the binary `tandem-audit-verify` reads one file.

mod checkpoint;
mod codec;
mod commitment;
mod export;
mod key;
mod leaf;
mod note;
mod opening;
mod problem;
mod proof;
mod tree;
mod verify;
mod witness;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use codec::CodecError;
pub use commitment::{Blind, Commitment, Field};
pub use export::{Entry, ExportError, Header, MAX_LINE_BYTES, read_entries};
pub use key::{KeyError, KeyKind, Signer, VerifierKey};
pub use leaf::{Code, Leaf, LeafError, leaf_hash};
pub use note::{Note, NoteError, Signature};
pub use opening::{Columns, Opening, Value};
pub use problem::{Disposed, Place, Problem, Report};
pub use proof::{Consistency, Document, Inclusion, ProofError, check_document};
pub use tree::{Hash, Tree};
pub use verify::{Trust, Verifier};
pub use witness::{Witness, WitnessError, WitnessState};
