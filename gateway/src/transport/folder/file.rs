//! Single files of an exchange folder.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

/// Suffixes of files that are still being written.
const UNFINISHED: [&str; 3] = [".part", ".tmp", ".filepart"];

/// Longest name of an input, in bytes. File systems take 255, and the names of its acknowledgement and its error file are longer.
pub const LONGEST_NAME: usize = 200;
/// How much of a longer name is kept, in characters of up to four bytes.
const KEPT_OF_NAME: usize = 40;

/// The file's name.
#[must_use]
pub fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Whether a file has a name so long that the gateway could not answer it.
#[must_use]
pub fn has_long_name(path: &Path) -> bool {
    // What is no text in a name takes no less room once it is replaced.
    name_of(path).len() > LONGEST_NAME
}

/// The size of a file; `None` when it is no regular one.
///
/// # Errors
/// When it can't be looked at.
pub fn size_of(path: &Path) -> io::Result<Option<u64>> {
    let metadata = path.symlink_metadata()?;
    Ok(metadata.is_file().then_some(metadata.len()))
}

/// The name under which a file is kept: its own, or the beginning of one that is too long with what tells it from all others.
pub(super) fn kept_name(path: &Path) -> OsString {
    let own = path.file_name().unwrap_or_default();
    if !has_long_name(path) {
        return own.to_owned();
    }
    let start: String = name_of(path).chars().take(KEPT_OF_NAME).collect();
    let hash = hex::encode(Sha256::digest(own.as_encoded_bytes()));
    OsString::from(format!("{start}-{hash}"))
}

/// Whether anything lies there, be it a link that leads nowhere.
pub(super) fn is_there(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Moves a file to where nothing lies; returns whether nothing did. Another gateway may do the same at the same time: only the system
/// can look and move in one step.
pub(super) fn move_to_free(from: &Path, to: &Path) -> io::Result<bool> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        // Not every file system can.
        Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP) => {
            if is_there(to)? {
                return Ok(false);
            }
            std::fs::rename(from, to).map(|()| true)
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) fn is_unfinished(path: &Path) -> bool {
    let name = name_of(path);
    name.starts_with('.') || UNFINISHED.iter().any(|suffix| name.ends_with(suffix))
}

/// Opens a file to be read. What is no regular file is refused: a link could lead anywhere, and a pipe need never end.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    // It is the opened file that is looked at: another may lie in its place by now.
    if !file.metadata()?.is_file() {
        let text = "expected a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok(file)
}

/// Writes a file beside its place and moves it there.
pub(super) fn write_beside(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut unfinished = target.as_os_str().to_owned();
    unfinished.push(".part");
    // A crash may have left one. A link goes itself; were it written through, any file of the gateway could be meant.
    if let Err(error) = std::fs::remove_file(&unfinished)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, target)
}

/// Makes durable where a file stands.
pub(super) fn sync_folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
