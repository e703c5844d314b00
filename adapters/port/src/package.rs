//! A package of named streams: a zip, a folder, or memory. One place caps what decompression may yield.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

/// How much a package may hold. Defaults fit the largest published statewide exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackageLimits {
    /// Most entries.
    pub entries: usize,
    /// Most bytes of one entry, unpacked.
    pub entry_bytes: u64,
    /// Most bytes of all entries together, unpacked.
    pub total_bytes: u64,
    /// Most unpacked bytes for one packed byte, once 1 MiB has been unpacked.
    pub ratio: u64,
}

impl Default for PackageLimits {
    fn default() -> Self {
        Self {
            entries: 2_000,
            entry_bytes: 8 << 30,
            total_bytes: 16 << 30,
            ratio: 200,
        }
    }
}

/// Why a package can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// The bytes are no zip, or it is damaged.
    #[error("not a readable zip: {0}")]
    NotAZip(String),
    /// More than the limits allow.
    #[error("package exceeds its limits: {0}")]
    TooLarge(String),
    /// No entry of that name.
    #[error("no entry called {0}")]
    NoSuchEntry(String),
    /// Reading failed.
    #[error("reading failed: {0}")]
    Io(#[from] io::Error),
}

/// Named streams that belong together.
pub trait Package {
    /// The names of all entries, as stored, in stored order.
    fn names(&self) -> Vec<String>;

    /// Opens an entry from its beginning; may be called again for the same entry.
    ///
    /// # Errors
    /// When there is no such entry, or it can't be read.
    fn open(&mut self, name: &str) -> Result<Box<dyn Read + '_>, PackageError>;
}

/// A zip. Reads of an entry end with an error as soon as a limit is passed, so a bomb costs no more than its limit.
#[derive(Debug)]
pub struct ZipPackage<R: Read + Seek> {
    archive: zip::ZipArchive<R>,
    names: Vec<String>,
    limits: PackageLimits,
}

impl<R: Read + Seek> ZipPackage<R> {
    /// Opens a zip.
    ///
    /// # Errors
    /// When the bytes are no zip, it declares more entries or bytes than allowed, or it lists a name twice.
    pub fn new(reader: R, limits: PackageLimits) -> Result<Self, PackageError> {
        let open = |reader| {
            zip::ZipArchive::new(reader).map_err(|error| PackageError::NotAZip(error.to_string()))
        };
        let archive = open(reader)?;
        if archive.has_duplicate_names() {
            // Only one of the two would be read, and the other may hold the mark that seals somebody.
            return Err(PackageError::NotAZip(
                "an entry name stands twice".to_owned(),
            ));
        }
        if archive.len() > limits.entries {
            return Err(PackageError::TooLarge(format!(
                "more than {} entries",
                limits.entries
            )));
        }
        let (start, count) = (archive.central_directory_start(), archive.len());
        let mut reader = archive.into_inner();
        if lists_more_than(&mut reader, start, count)? {
            let text = "an entry is listed twice, so that nobody can say which one counts";
            return Err(PackageError::NotAZip(text.to_owned()));
        }
        let archive = open(reader)?;
        if archive
            .decompressed_size()
            .is_some_and(|size| size > u128::from(limits.total_bytes))
        {
            return Err(PackageError::TooLarge(format!(
                "more than {} bytes unpacked",
                limits.total_bytes
            )));
        }
        let names = archive
            .file_names()
            .map(|name| name.map(std::borrow::Cow::into_owned))
            .collect::<Result<_, _>>()
            .map_err(|error| PackageError::NotAZip(error.to_string()))?;
        Ok(Self {
            archive,
            names,
            limits,
        })
    }
}

/// Whether the directory at `start` has more headers than there are names: of entries with one name an archive shows the
/// last, and the others would be kept unread.
fn lists_more_than<R: Read + Seek>(reader: &mut R, start: u64, names: usize) -> io::Result<bool> {
    const FIXED: usize = 46;
    let length_at = |header: &[u8; FIXED], at: usize| match header.get(at..at + 2) {
        Some([low, high]) => i64::from(u16::from_le_bytes([*low, *high])),
        _ => 0,
    };
    reader.seek(SeekFrom::Start(start))?;
    for seen in 0_usize.. {
        let mut header = [0; FIXED];
        let is_header = reader.read_exact(&mut header).is_ok() && header.starts_with(b"PK\x01\x02");
        if !is_header {
            break;
        }
        if seen == names {
            return Ok(true);
        }
        // Lengths of the name, the extra fields and the comment.
        let rest = length_at(&header, 28) + length_at(&header, 30) + length_at(&header, 32);
        reader.seek(SeekFrom::Current(rest))?;
    }
    Ok(false)
}

impl<R: Read + Seek> Package for ZipPackage<R> {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn open(&mut self, name: &str) -> Result<Box<dyn Read + '_>, PackageError> {
        if !self.names.iter().any(|known| known == name) {
            return Err(PackageError::NoSuchEntry(name.chars().take(80).collect()));
        }
        let limits = self.limits;
        let entry = self
            .archive
            .by_name(name)
            .map_err(|error| PackageError::NotAZip(error.to_string()))?;
        let packed = entry.compressed_size().max(1);
        let by_ratio = packed.saturating_mul(limits.ratio).max(1 << 20);
        Ok(Box::new(Capped {
            inner: entry,
            left: limits.entry_bytes.min(by_ratio),
        }))
    }
}

/// A reader that fails, instead of ending, when more comes than allowed.
struct Capped<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let mut probe = [0_u8; 1];
            return match self.inner.read(&mut probe)? {
                0 => Ok(0),
                _ => Err(io::Error::other("the entry unpacks to more than its limit")),
            };
        }
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(part) = buffer.get_mut(..most) else {
            return Ok(0);
        };
        let count = self.inner.read(part)?;
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

/// Entries in memory, for posted messages and tests.
#[derive(Debug, Clone, Default)]
pub struct MemoryPackage {
    entries: BTreeMap<String, Vec<u8>>,
}

impl MemoryPackage {
    /// A package of the entries.
    pub fn new<N: Into<String>, B: Into<Vec<u8>>>(
        entries: impl IntoIterator<Item = (N, B)>,
    ) -> Self {
        let entries = entries
            .into_iter()
            .map(|(name, bytes)| (name.into(), bytes.into()))
            .collect();
        Self { entries }
    }
}

impl Package for MemoryPackage {
    fn names(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    fn open(&mut self, name: &str) -> Result<Box<dyn Read + '_>, PackageError> {
        let bytes = self
            .entries
            .get(name)
            .ok_or_else(|| PackageError::NoSuchEntry(name.chars().take(80).collect()))?;
        Ok(Box::new(Cursor::new(bytes.as_slice())))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn zip_of(names: [&str; 2]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(name, options).unwrap();
            writer.write_all(b"x").unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_zip_in_which_a_name_stands_twice_is_not_read() {
        let mut bytes = zip_of(["CLIENT_A.csv", "CLIENT_B.csv"]);
        assert!(ZipPackage::new(Cursor::new(bytes.clone()), PackageLimits::default()).is_ok());
        // No writer makes such a zip; a careless tool or an attacker does.
        for place in 0..bytes.len() {
            if bytes[place..].starts_with(b"CLIENT_B") {
                bytes[place + 7] = b'A';
            }
        }
        let refused = ZipPackage::new(Cursor::new(bytes), PackageLimits::default());
        assert!(refused.unwrap_err().to_string().contains("stands twice"));
    }
}
