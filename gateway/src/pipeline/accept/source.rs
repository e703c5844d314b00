//! Where the bytes of an input lie: in memory, or in a file that is never in memory whole.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::blob::{BlobFolder, BlobReader};
use crate::pipeline::original::is_zip;
use crate::store::BlobRow;

/// What can be read from any place on.
pub(super) trait Bytes: Read + Seek + Send {}

impl<R: Read + Seek + Send> Bytes for R {}

/// The bytes of an input.
#[derive(Debug, Clone)]
pub enum Source {
    /// In memory.
    Bytes(Arc<Vec<u8>>),
    /// In a file.
    File(PathBuf),
    /// In a blob of a folder.
    Blob(BlobFolder, BlobRow),
}

impl From<Arc<Vec<u8>>> for Source {
    fn from(bytes: Arc<Vec<u8>>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl Source {
    /// How many they are.
    pub(super) fn length(&self) -> io::Result<u64> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::File(path) => Ok(std::fs::metadata(path)?.len()),
            Self::Blob(_, row) => Ok(row.bytes),
        }
    }

    /// Whether they are in memory, and no more than so many.
    pub(super) fn is_small(&self, most: usize) -> bool {
        matches!(self, Self::Bytes(bytes) if bytes.len() <= most)
    }

    /// Whether they are in memory, and no zip.
    pub(super) fn is_plain(&self) -> bool {
        match self {
            Self::Bytes(bytes) => {
                is_zip(&mut Cursor::new(bytes.as_slice())).is_ok_and(|is_one| !is_one)
            }
            Self::File(_) | Self::Blob(..) => false,
        }
    }

    /// How many they become when they are unpacked, as far as a zip says so itself; none when they are no zip, or none
    /// that can be read.
    pub(super) fn unpacked(&self) -> io::Result<u64> {
        let mut bytes = self.open()?;
        if !is_zip(&mut bytes)? {
            return Ok(0);
        }
        let Ok(archive) = zip::ZipArchive::new(bytes) else {
            return Ok(0);
        };
        // Also of entries that were written as a stream: of those `decompressed_size` knows nothing.
        let size = |at| Some(archive.by_index_data(at).ok()?.size());
        let sizes = (0..archive.len()).filter_map(size);
        Ok(sizes.fold(0, u64::saturating_add))
    }

    /// Opens them at their beginning.
    pub(super) fn open(&self) -> io::Result<Box<dyn Bytes>> {
        match self {
            Self::Bytes(bytes) => Ok(Box::new(Cursor::new(Shared(Arc::clone(bytes))))),
            Self::File(path) => Ok(Box::new(BufReader::new(File::open(path)?))),
            Self::Blob(folder, row) => Ok(Box::new(opened(folder, row)?)),
        }
    }

    /// All of them.
    pub(super) fn whole(&self) -> io::Result<Arc<Vec<u8>>> {
        match self {
            Self::Bytes(bytes) => Ok(Arc::clone(bytes)),
            Self::File(path) => std::fs::read(path).map(Arc::new),
            Self::Blob(folder, row) => {
                let mut bytes = Vec::new();
                opened(folder, row)?.read_to_end(&mut bytes)?;
                Ok(Arc::new(bytes))
            }
        }
    }

    /// Their hash.
    pub(super) fn hash(&self) -> io::Result<[u8; 32]> {
        let mut bytes = Hashed::of(self.open()?);
        io::copy(&mut bytes, &mut io::sink())?;
        Ok(bytes.hash.finalize().into())
    }
}

fn opened(folder: &BlobFolder, row: &BlobRow) -> io::Result<BlobReader<File>> {
    let opened = folder.read(row.id, &row.key);
    opened.map_err(|error| io::Error::other(error.to_string()))
}

struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Hashes what is read on its way.
pub(super) struct Hashed<R> {
    pub(super) inner: R,
    pub(super) hash: Sha256,
}

impl<R> Hashed<R> {
    pub(super) fn of(inner: R) -> Self {
        let hash = Sha256::new();
        Self { inner, hash }
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
