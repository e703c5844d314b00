//! Writes.
/// Writer.
#[derive(Debug)]
pub struct HmisWriter;
