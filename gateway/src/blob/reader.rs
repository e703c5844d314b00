//! Reads a blob from any place on; one chunk is in memory.

use std::io::{self, Read, Seek, SeekFrom};

use uuid::Uuid;
use zeroize::Zeroizing;

use super::chunk::{CHUNK, Chunks, DataKey, Extent, MAGIC, SEALED_CHUNK, place};

/// Reads the text of a blob.
pub struct BlobReader<R> {
    inner: R,
    chunks: Chunks,
    extent: Extent,
    at: u64,
    open: Option<(u64, Zeroizing<Vec<u8>>)>,
}

impl<R> std::fmt::Debug for BlobReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlobReader({} of {})", self.at, self.extent.text())
    }
}

impl<R: Read + Seek> BlobReader<R> {
    /// A reader at the beginning of a blob. Its end is looked at first.
    ///
    /// # Errors
    /// When it can't be read, is no blob, was cut, or does not open with this key.
    pub fn new(mut inner: R, id: Uuid, key: &DataKey) -> io::Result<Self> {
        let length = inner.seek(SeekFrom::End(0))?;
        let extent = Extent::of(length).ok_or_else(|| damaged("the file was cut".to_owned()))?;
        let mut magic = [0_u8; MAGIC.len()];
        inner.seek(SeekFrom::Start(0))?;
        inner.read_exact(&mut magic)?;
        if magic != *MAGIC {
            return Err(damaged("the file is no blob".to_owned()));
        }
        let chunks = Chunks::new(id, key);
        let mut reader = Self {
            inner,
            chunks,
            extent,
            at: 0,
            open: None,
        };
        reader.open_chunk(extent.last)?;
        Ok(reader)
    }

    /// Bytes of text in it.
    pub fn length(&self) -> u64 {
        self.extent.text()
    }

    fn open_chunk(&mut self, number: u64) -> io::Result<()> {
        if self.open.as_ref().is_some_and(|(open, _)| *open == number) {
            return Ok(());
        }
        let is_last = number == self.extent.last;
        let size = if is_last {
            self.extent.last_sealed
        } else {
            SEALED_CHUNK
        };
        let mut sealed = vec![0_u8; size];
        self.inner.seek(SeekFrom::Start(place(number)))?;
        self.inner.read_exact(&mut sealed)?;
        let text = self.chunks.open(number, is_last, &sealed).map_err(|_| {
            damaged(format!(
                "chunk {number} does not open: it was altered, moved or cut"
            ))
        })?;
        self.open = Some((number, Zeroizing::new(text)));
        Ok(())
    }
}

fn damaged(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

impl<R: Read + Seek> Read for BlobReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.length() {
            return Ok(0);
        }
        let (number, inside) = (self.at / CHUNK as u64, self.at % CHUNK as u64);
        self.open_chunk(number)?;
        let text = self.open.as_ref().map(|(_, text)| text.as_slice());
        let inside = usize::try_from(inside).map_err(io::Error::other)?;
        let rest = text.and_then(|text| text.get(inside..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl<R: Read + Seek> Seek for BlobReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.length().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let before = || io::Error::new(io::ErrorKind::InvalidInput, "a place before the beginning");
        self.at = place.ok_or_else(before)?;
        Ok(self.at)
    }
}
