//! Blobs beside a backup: a backup is a file of rows, and a folder of the blobs that its rows name, as they are, still
//! sealed.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{BlobError, BlobFolder};
use crate::store::{BlobHead, Damage};

/// The folder of blobs that belongs to the file of a backup.
#[must_use]
pub fn folder_of(backup: &Path) -> PathBuf {
    let mut name = backup.as_os_str().to_owned();
    name.push(".blobs");
    PathBuf::from(name)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> BlobError {
    move |error| BlobError {
        file: path.to_owned(),
        error,
    }
}

/// Copies one blob; one that is there already is left. Returns whether there was one to copy.
fn copy_one(from: &Path, to: &Path) -> Result<bool, BlobError> {
    if to.exists() {
        return Ok(true);
    }
    let unfinished = to.with_extension("part");
    let copied = match std::fs::copy(from, &unfinished) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => Err(error),
        Ok(_) => File::open(&unfinished)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&unfinished, to)),
    };
    if copied.is_err() {
        // What is left of it is of no use; the error that matters is the first.
        let _gone = std::fs::remove_file(&unfinished);
    }
    copied.map_err(failed(to)).map(|()| true)
}

/// Copies every whole blob of a folder that is there by now: those that go while the rows are copied must be kept
/// before.
///
/// # Errors
/// When a folder can't be read or written.
pub fn copy_all(from: &BlobFolder, to: &BlobFolder) -> Result<(), BlobError> {
    for (id, file) in from.files()? {
        if file == from.file(id) {
            copy_one(&file, &to.file(id))?;
        }
    }
    Ok(())
}

/// Leaves in a copy the blobs that rows name, and gets those that are missing from where they lie.
///
/// # Errors
/// When a folder can't be read or written; a blob that is in neither is found by [`damages`].
pub fn complete(from: &BlobFolder, to: &BlobFolder, heads: &[BlobHead]) -> Result<(), BlobError> {
    let named: BTreeSet<Uuid> = heads.iter().map(|head| head.id).collect();
    for (id, file) in to.files()? {
        if !named.contains(&id) {
            std::fs::remove_file(&file).map_err(failed(&file))?;
        }
    }
    bring_back(from, to, heads)
}

/// Brings the blobs that rows name to where a gateway looks for them; whatever else lies there is left.
///
/// # Errors
/// When one can't be read or written.
pub fn bring_back(from: &BlobFolder, to: &BlobFolder, heads: &[BlobHead]) -> Result<(), BlobError> {
    for head in heads {
        copy_one(&from.file(head.id), &to.file(head.id))?;
    }
    let synced = File::open(to.path()).and_then(|folder| folder.sync_all());
    synced.map_err(failed(to.path()))
}

/// What of the blobs that rows name is not in a folder as it was written. Needs no key.
#[must_use]
pub fn damages(folder: &BlobFolder, heads: &[BlobHead]) -> Vec<Damage> {
    let damage = |head: &BlobHead| {
        let file = folder.file(head.id);
        let problem = match sum_of(&file) {
            Err(error) => error.to_string(),
            Ok((length, _)) if length != head.length => {
                format!("{} bytes were written, {length} are there", head.length)
            }
            Ok((_, hash)) if hash != head.sha256 => "its bytes were altered".to_owned(),
            Ok(_) => return None,
        };
        Some(Damage {
            table: format!("blob {}", file.display()),
            problem,
        })
    };
    heads.iter().filter_map(damage).collect()
}

/// Length and hash of a file.
fn sum_of(file: &Path) -> io::Result<(u64, Vec<u8>)> {
    let mut file = File::open(file)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0_u8; 64 << 10];
    let mut length = 0;
    loop {
        let count = io::Read::read(&mut file, &mut buffer)?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
            return Ok((length, hash.finalize().to_vec()));
        };
        hash.update(part);
        length += count as u64;
    }
}
