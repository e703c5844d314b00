//! The folder of blobs: each has its file from the moment it is whole and on the disk.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::chunk::{DataKey, new_key};
use super::reader::BlobReader;
use super::writer::BlobWriter;

/// End of the name of a whole blob.
const WHOLE: &str = "blob";
/// End of the name of one that is being written.
const UNFINISHED: &str = "part";

/// Why a blob can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the blob {file} cannot be read or written: {error}")]
pub struct BlobError {
    /// Its file.
    pub file: PathBuf,
    /// Why.
    pub error: io::Error,
}

/// A folder of blobs.
#[derive(Debug, Clone)]
pub struct BlobFolder {
    path: PathBuf,
}

impl BlobFolder {
    /// Opens the folder; makes it, readable by its owner only, when it is missing.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn open(path: &Path) -> Result<Self, BlobError> {
        let made = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path);
        made.map_err(failed(path))?;
        Ok(Self::at(path))
    }

    /// The folder as it is, to be looked at.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of a blob.
    #[must_use]
    pub fn file(&self, id: Uuid) -> PathBuf {
        self.path.join(format!("{id}.{WHOLE}"))
    }

    /// Begins a blob.
    ///
    /// # Errors
    /// When its file can't be made.
    pub fn begin(&self) -> Result<NewBlob, BlobError> {
        let id = Uuid::now_v7();
        let unfinished = self.path.join(format!("{id}.{UNFINISHED}"));
        let fail = |error| failed(&unfinished)(error);
        let key = new_key().map_err(|error| fail(io::Error::other(error)))?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)
            .map_err(fail)?;
        // From here on the file goes when the blob is given up.
        let whole = self.file(id);
        let written = Written {
            id,
            key: key.clone(),
            bytes: 0,
            length: 0,
            sha256: [0; 32],
            file: Some(unfinished.clone()),
        };
        let writer = BlobWriter::new(BufWriter::new(file), id, &key).map_err(fail)?;
        Ok(NewBlob {
            writer,
            written,
            unfinished,
            whole,
        })
    }

    /// Opens a blob to be read.
    ///
    /// # Errors
    /// When it is not there, was cut, or does not open with this key.
    pub fn read(&self, id: Uuid, key: &DataKey) -> Result<BlobReader<File>, BlobError> {
        let path = self.file(id);
        let opened = File::open(&path).and_then(|file| BlobReader::new(file, id, key));
        opened.map_err(failed(&path))
    }

    /// Removes a blob; one that is gone already is no error.
    ///
    /// # Errors
    /// When it can't be removed.
    pub fn remove(&self, id: Uuid) -> Result<(), BlobError> {
        let path = self.file(id);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&path)(error)),
            _ => Ok(()),
        }
    }

    /// The files in it, each with the id of its blob. Other files are nobody's business.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn files(&self) -> Result<Vec<(Uuid, PathBuf)>, BlobError> {
        let fail = failed(&self.path);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(&fail)? {
            let path = entry.map_err(&fail)?.path();
            let is_ours = path
                .extension()
                .is_some_and(|end| end == WHOLE || end == UNFINISHED);
            let id = path
                .file_stem()
                .and_then(|stem| stem.to_str()?.parse().ok());
            if let Some(id) = id.filter(|_| is_ours) {
                files.push((id, path));
            }
        }
        files.sort();
        Ok(files)
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> BlobError {
    move |error| BlobError {
        file: path.to_owned(),
        error,
    }
}

/// A blob that is being written. Given up, it leaves nothing.
pub struct NewBlob {
    writer: BlobWriter<BufWriter<File>>,
    written: Written,
    unfinished: PathBuf,
    whole: PathBuf,
}

impl std::fmt::Debug for NewBlob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewBlob({})", self.written.id)
    }
}

impl NewBlob {
    /// Ends it: when this returns, it is on the disk under its name.
    ///
    /// # Errors
    /// When it can't be written; then nothing is left of it.
    pub fn finish(self) -> Result<Written, BlobError> {
        let Self {
            writer,
            mut written,
            unfinished,
            whole,
        } = self;
        let bytes = written.bytes;
        let end = || -> io::Result<()> {
            let (file, sum) = writer.finish()?;
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            std::fs::rename(&unfinished, &whole)?;
            written.file = Some(whole.clone());
            (written.length, written.sha256, written.bytes) = (sum.length, sum.sha256, bytes);
            let folder = whole.parent().unwrap_or_else(|| Path::new("."));
            File::open(folder)?.sync_all()
        };
        end().map_err(failed(&unfinished))?;
        Ok(written)
    }

    /// Why it can't be written, with the name of its file.
    #[must_use]
    pub fn failed(&self, error: io::Error) -> BlobError {
        failed(&self.unfinished)(error)
    }

    /// Bytes of text in it so far.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.written.bytes
    }
}

impl Write for NewBlob {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.writer.write(bytes)?;
        self.written.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// A whole blob on the disk. Its file goes with this value, unless it is kept.
pub struct Written {
    /// Its id.
    pub id: Uuid,
    /// Its data key.
    pub key: DataKey,
    /// Bytes of text in it.
    pub bytes: u64,
    /// Bytes of its file.
    pub length: u64,
    /// Hash of its file.
    pub sha256: [u8; 32],
    file: Option<PathBuf>,
}

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Written({}, {} bytes)", self.id, self.bytes)
    }
}

impl Written {
    /// Keeps the file: from now on a row of the store answers for it.
    pub fn keep(&mut self) {
        self.file = None;
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if let Some(file) = self.file.take()
            && let Err(error) = std::fs::remove_file(&file)
        {
            tracing::warn!(%error, file = %file.display(), "a blob that nobody needs stays until the next start");
        }
    }
}
