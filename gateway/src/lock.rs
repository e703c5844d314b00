//! One gateway on one data folder. Records are matched against an index in memory, in the order of commits: two
//! processes on one store would each miss what the other commits, and link twins or leave one person apart.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Name of the lock file in the data folder.
const NAME: &str = "gateway.lock";

/// Why a data folder cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another gateway has it.
    #[error(
        "another gateway{holder} serves the data folder {folder}: one at a time may, stop that one first"
    )]
    Taken {
        /// The folder.
        folder: PathBuf,
        /// The other process, when it said who it is.
        holder: String,
    },
    /// The lock file cannot be used.
    #[error("{file}: {error}")]
    Unusable {
        /// The file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// The data folder is this process's until this is dropped; the system ends the lock of a process that is killed.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the data folder.
    ///
    /// # Errors
    /// When another gateway has it, or the file cannot be used.
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join(NAME);
        let unusable = |error| LockError::Unusable {
            file: path.clone(),
            error,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Taken {
                    folder: folder.to_owned(),
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        // Who has it is for the message to another alone.
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(20).read_to_string(&mut text);
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(process)) => format!(" (process {process})"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_folder_is_had_by_one_and_by_the_next_once_it_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataLock::take(folder.path()).unwrap();
        let error = DataLock::take(folder.path()).unwrap_err().to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        assert!(error.contains(folder.path().to_str().unwrap()), "{error}");
        drop(first);
        DataLock::take(folder.path()).unwrap();
    }

    #[test]
    fn what_a_killed_gateway_left_in_the_file_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NAME), "4194304 and more").unwrap();
        DataLock::take(folder.path()).unwrap();
        let missing = folder.path().join("missing");
        let error = DataLock::take(&missing).unwrap_err().to_string();
        assert!(error.contains("missing"), "{error}");
    }
}
