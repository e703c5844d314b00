//! Writes a blob, chunk by chunk.

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::chunk::{CHUNK, Chunks, DataKey, MAGIC};

/// Seals what is written into it. Without [`BlobWriter::finish`] there is no last chunk, and nobody reads the blob.
pub(super) struct BlobWriter<W> {
    inner: W,
    chunks: Chunks,
    text: Zeroizing<Vec<u8>>,
    number: u64,
    /// Of what stands in the file.
    hash: Sha256,
    length: u64,
}

/// What stands in the file of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileSum {
    /// Bytes of the file.
    pub(super) length: u64,
    /// Their hash.
    pub(super) sha256: [u8; 32],
}

impl<W: Write> BlobWriter<W> {
    pub(super) fn new(inner: W, id: Uuid, key: &DataKey) -> io::Result<Self> {
        let mut writer = Self {
            inner,
            chunks: Chunks::new(id, key),
            text: Zeroizing::new(Vec::with_capacity(CHUNK)),
            number: 0,
            hash: Sha256::new(),
            length: 0,
        };
        writer.put(MAGIC)?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.inner.write_all(bytes)?;
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn put_chunk(&mut self, is_last: bool) -> io::Result<()> {
        let sealed = self.chunks.seal(self.number, is_last, &self.text);
        let sealed = sealed.map_err(io::Error::other)?;
        self.put(&sealed)?;
        self.text.clear();
        self.number += 1;
        Ok(())
    }

    /// Writes the last chunk.
    pub(super) fn finish(mut self) -> io::Result<(W, FileSum)> {
        self.put_chunk(true)?;
        self.inner.flush()?;
        let sum = FileSum {
            length: self.length,
            sha256: self.hash.finalize().into(),
        };
        Ok((self.inner, sum))
    }
}

impl<W: Write> Write for BlobWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = CHUNK.saturating_sub(self.text.len());
        let (taken, _) = bytes.split_at(room.min(bytes.len()));
        self.text.extend_from_slice(taken);
        if self.text.len() == CHUNK {
            self.put_chunk(false)?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
