//! Readers.

pub(crate) mod cws_cms;
pub(crate) mod niem;
