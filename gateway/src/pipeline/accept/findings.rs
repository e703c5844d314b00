//! What was found in a large input, in the order in which it was found: a blob of JSON values, each behind its length.

use std::io::{self, Read, Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};
use tandem_adapter_port::memory::PartnerRow;
use tandem_mappings::model::event::NewEvent;

/// One thing that a reader found.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Found {
    Event(Box<NewEvent>),
    Row(PartnerRow),
}

/// Writes one.
pub(super) fn write(out: &mut dyn Write, found: &Found) -> io::Result<()> {
    let text = serde_json::to_vec(found).map_err(io::Error::other)?;
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(&text)
}

/// Bytes of one.
pub(super) fn size(found: &Found) -> usize {
    serde_json::to_vec(found).map_or(0, |text| text.len())
}

/// Findings from a place on, as many as one step takes.
pub(super) struct Batch {
    pub(super) found: Vec<Found>,
    /// The place behind the last of them.
    pub(super) reached: u64,
}

/// Reads at most so many findings, and no more bytes than `bytes` and one finding, from a place in a blob that ends at
/// `end`.
pub(super) fn read(
    blob: &mut (impl Read + Seek),
    from: u64,
    end: u64,
    most: usize,
    bytes: u64,
) -> io::Result<Batch> {
    let mut batch = Batch {
        found: Vec::new(),
        reached: from,
    };
    blob.seek(SeekFrom::Start(from))?;
    while batch.reached < end && batch.found.len() < most && batch.reached - from < bytes {
        let mut length = [0_u8; 4];
        blob.read_exact(&mut length)?;
        let length = u64::from(u32::from_be_bytes(length));
        if length > end.saturating_sub(batch.reached) {
            let problem = format!("a finding at {} is longer than the rest", batch.reached);
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let mut text = vec![0_u8; usize::try_from(length).map_err(io::Error::other)?];
        blob.read_exact(&mut text)?;
        let found = serde_json::from_slice(&text);
        // What serde says of a value may quote it.
        let unread = |_| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "a finding is not of a known form",
            )
        };
        batch.found.push(found.map_err(unread)?);
        batch.reached += 4 + length;
    }
    Ok(batch)
}
