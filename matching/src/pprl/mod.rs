//! Privacy-preserving linkage: people of an agency that may not share names, as keyed encodings.
//!
//! An agency turns each record into 1024 bits ([`encode_table`]) with a key that it shares with the other agencies and with
//! nobody else. Encodings of one key are linked with each other without the key, and with clear tables by an agency that
//! has it ([`link_encoded`]). What is compared, what the bits still tell, and what the law makes of them is in
//! `docs/PRIVACY-PRESERVING-LINKAGE.md`. Encodings are never anonymous, and those of a victim service provider are never made.

mod block;
mod compare;
mod encode;
mod encode_table;
mod field;
mod filter;
mod key;
mod link;
mod link_encoded;
mod noise;
mod odds;
mod pool;
mod read;
mod rival;
mod token;

pub use encode_table::{EncodeOptions, EncodeReport, encode_table};
pub use key::{KEY_BYTES, PprlKey, PprlKeyError};
pub use link_encoded::{EncodedTables, PprlReport, link_encoded};
pub use noise::Noise;
