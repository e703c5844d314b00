//! The NIEM messages.

mod limits;
mod scope;
pub(crate) mod tree;
