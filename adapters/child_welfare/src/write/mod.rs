//! Writers.

pub(crate) mod xml;
