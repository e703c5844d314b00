//! Backs a store up whole: its rows in one file, and beside it a folder of the large files that they name.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::blob::{BlobError, BlobFolder, copies};
use crate::config::Config;
use crate::store::{Backup, CopyError, Damage, Manifest, Store, Watch};

/// End of the name of a backup whose blobs are not yet beside it.
const ROWS: &str = "rows-unfinished";

/// Writes a backup of a store and its blobs, while gateways write into both. The file gets its name last: when it is
/// there, all of it is.
///
/// # Errors
/// When a file of that name is there, one can't be written, the store can't be read, or a blob that a row names is not
/// there whole.
pub async fn back_up(
    config: &Config,
    store: &Store,
    file: &Path,
    now: Timestamp,
    watch: Watch<'_>,
) -> Result<Manifest, CopyError> {
    let to = copies::folder_of(file);
    for taken in [file, to.as_path()] {
        if taken.exists() {
            return Err(CopyError::Exists(taken.to_owned()));
        }
    }
    let rows = with_ending(file, ROWS);
    let unfinished = with_ending(file, "blobs-unfinished");
    let written = write(config, store, (&rows, &unfinished), now, watch).await;
    let named = written.and_then(|manifest| {
        // Without large files there is nothing beside the rows.
        if unfinished.exists() {
            std::fs::rename(&unfinished, &to).map_err(CopyError::file(&to))?;
        }
        // A link, since a name that somebody else took meanwhile is not taken from them.
        std::fs::hard_link(&rows, file).map_err(CopyError::file(file))?;
        std::fs::remove_file(&rows).map_err(CopyError::file(&rows))?;
        let folder = file.parent().filter(|path| !path.as_os_str().is_empty());
        let folder = std::fs::File::open(folder.unwrap_or_else(|| Path::new(".")));
        let synced = folder.and_then(|folder| folder.sync_all());
        synced.map_err(CopyError::file(file))?;
        Ok(manifest)
    });
    if named.is_err() {
        // What is left is no backup; the error that matters is the first.
        let _gone = std::fs::remove_file(&rows);
        let _gone = std::fs::remove_dir_all(&unfinished);
    }
    named
}

async fn write(
    config: &Config,
    store: &Store,
    (rows, blobs): (&Path, &Path),
    now: Timestamp,
    watch: Watch<'_>,
) -> Result<Manifest, CopyError> {
    let _left_by_one_that_was_killed = std::fs::remove_file(rows);
    let _left_by_one_that_was_killed = std::fs::remove_dir_all(blobs);
    let from = BlobFolder::at(&config.files.folder(&config.data));
    let to = BlobFolder::open(blobs).map_err(of_blob)?;
    if from.path().exists() {
        copies::copy_all(&from, &to).map_err(of_blob)?;
    }
    let manifest = store.back_up(rows, now, watch).await?;
    let backup = Backup::open(rows).await?;
    let heads = backup.blob_heads().await;
    backup.close().await;
    let heads = heads?;
    copies::complete(&from, &to, &heads).map_err(of_blob)?;
    let missing = copies::damages(&to, &heads);
    if let Some(Damage { table, problem }) = missing.into_iter().next() {
        return Err(CopyError::NoBackup {
            file: rows.to_owned(),
            problem: format!("{table}, which a row names, is not whole: {problem}"),
        });
    }
    if heads.is_empty() {
        std::fs::remove_dir(blobs).map_err(CopyError::file(blobs))?;
    }
    Ok(manifest)
}

/// What is wrong with a backup: with its rows, and with the blobs beside it.
///
/// # Errors
/// When the schema can't be made out.
pub async fn verify(
    backup: &Backup,
    file: &Path,
    watch: Watch<'_>,
) -> Result<(Vec<Damage>, Vec<Damage>), CopyError> {
    let rows = backup.verify(watch).await?;
    // Damaged rows may name anything.
    let heads = match rows.as_slice() {
        [] => backup.blob_heads().await?,
        _ => Vec::new(),
    };
    let folder = BlobFolder::at(&copies::folder_of(file));
    Ok((rows, copies::damages(&folder, &heads)))
}

/// Brings the blobs of a backup back to where a configuration has its own.
///
/// # Errors
/// When they can't be read or written.
pub async fn bring_back(config: &Config, backup: &Backup, file: &Path) -> Result<(), CopyError> {
    let heads = backup.blob_heads().await?;
    let from = BlobFolder::at(&copies::folder_of(file));
    let to = BlobFolder::open(&config.files.folder(&config.data)).map_err(of_blob)?;
    copies::bring_back(&from, &to, &heads).map_err(of_blob)
}

fn of_blob(error: BlobError) -> CopyError {
    CopyError::File {
        file: error.file,
        error: error.error,
    }
}

fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
