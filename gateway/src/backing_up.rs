//! Backs a store up whole: its rows in one file, and beside it a folder of the large files that they name.
//!
//! Protocol: blobs are copied until no new ones come, then the rows as they are in one instant, then what these name and was
//! not copied before. A blob that came just before that instant may have gone since, with its row: then all of it is begun
//! anew, with later rows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use uuid::Uuid;

use crate::blob::{BlobError, BlobFolder, copies};
use crate::config::Config;
use crate::store::{Backup, BlobHead, CopyError, Damage, Manifest, Store, Watch};

/// End of the name of a backup whose blobs are not yet beside it.
const ROWS: &str = "rows-unfinished";
/// How often it is tried to get hold of rows together with all that they name.
const ROUNDS: usize = 3;
/// How often the folder of blobs is listed, at most, until nothing new is in it: files may keep coming.
const LISTINGS: usize = 10;

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

/// Writes the rows of one instant and all that they name, in as many rounds as it takes.
async fn write(
    config: &Config,
    store: &Store,
    (rows, blobs): (&Path, &Path),
    now: Timestamp,
    watch: Watch<'_>,
) -> Result<Manifest, CopyError> {
    for _round in 0..ROUNDS {
        let written = round(config, store, (rows, blobs), now, &mut *watch).await?;
        if let Some(manifest) = written {
            return Ok(manifest);
        }
        tracing::warn!("large files came and went while their rows were copied");
    }
    Err(CopyError::NoBackup {
        file: rows.to_owned(),
        problem: format!(
            "large files came and went while their rows were copied, {ROUNDS} times: try again when fewer come"
        ),
    })
}

/// Tries once, with nothing left of a round before; `None` when something has gone that the rows name.
async fn round(
    config: &Config,
    store: &Store,
    (rows, blobs): (&Path, &Path),
    now: Timestamp,
    watch: Watch<'_>,
) -> Result<Option<Manifest>, CopyError> {
    let _left_by_another = std::fs::remove_file(rows);
    let _left_by_another = std::fs::remove_dir_all(blobs);
    let from = BlobFolder::at(&config.files.folder(&config.data));
    let to = BlobFolder::open(blobs).map_err(of_blob)?;
    if from.path().exists() {
        copy_what_comes(&from, &to).map_err(of_blob)?;
    }
    let manifest = store.back_up(rows, now, watch).await?;
    let backup = Backup::open(rows).await?;
    let heads = backup.blob_heads().await;
    backup.close().await;
    let heads = heads?;
    copies::complete(&from, &to, &heads).map_err(of_blob)?;
    if have_gone(store, &to, &heads).await? {
        return Ok(None);
    }
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
    Ok(Some(manifest))
}

/// Copies the blobs that are there, and those that come meanwhile.
fn copy_what_comes(from: &BlobFolder, to: &BlobFolder) -> Result<(), BlobError> {
    for _listing in 0..LISTINGS {
        let before = to.files()?.len();
        copies::copy_all(from, to)?;
        if to.files()?.len() == before {
            break;
        }
    }
    Ok(())
}

/// Whether a blob is not there because its row went after the rows were copied: a row goes before its file does. One whose
/// row still stands is lost.
async fn have_gone(
    store: &Store,
    copied: &BlobFolder,
    heads: &[BlobHead],
) -> Result<bool, CopyError> {
    let missing = heads.iter().map(|head| head.id);
    let missing: BTreeSet<Uuid> = missing.filter(|id| !copied.file(*id).exists()).collect();
    if missing.is_empty() {
        return Ok(false);
    }
    let standing = store.snapshot().await?.blob_heads().await?;
    let standing: BTreeSet<Uuid> = standing.into_iter().map(|head| head.id).collect();
    Ok(!missing.is_subset(&standing))
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tandem_mappings::model::id::InputId;

    use super::*;
    use crate::config::example::GATEWAY_TOML;
    use crate::store::BlobPart;
    use crate::store::tests::{Place, now, on_sqlite};

    /// A gateway's store and folder of blobs, and the store once more as a backup reads it beside the gateway.
    struct Serving {
        place: Place,
        config: Config,
        folder: BlobFolder,
        copied: Store,
    }

    impl Serving {
        async fn start() -> Self {
            let place = on_sqlite().await;
            let mut config: Config = toml::from_str(GATEWAY_TOML).unwrap();
            config.data = place.folder.path().to_owned();
            let folder = BlobFolder::open(&config.files.folder(&config.data)).unwrap();
            let copied = Store::to_copy(&config).await.unwrap();
            Self {
                place,
                config,
                folder,
                copied,
            }
        }

        /// A large file is accepted.
        async fn accept(&self) -> Uuid {
            let mut blob = self.folder.begin().unwrap();
            blob.write_all(b"what was found in it").unwrap();
            let mut blob = blob.finish().unwrap();
            let (id, input) = (blob.id, InputId(Uuid::now_v7()));
            let mut tx = self.place.store.begin().await.unwrap();
            tx.add_blob(input, BlobPart::Findings, &blob, now())
                .await
                .unwrap();
            tx.commit().await.unwrap();
            blob.keep();
            id
        }

        /// Another is, after the folder was listed: no copy of its file is made before the rows are read.
        async fn accept_unlisted(&self) -> Uuid {
            let id = self.accept().await;
            self.folder.remove(id).unwrap();
            id
        }

        /// All of one stands in the store.
        async fn release(&self, id: Uuid) {
            let mut tx = self.place.store.begin().await.unwrap();
            tx.remove_blob(id).await.unwrap();
            tx.commit().await.unwrap();
            self.folder.remove(id).unwrap();
        }

        fn file(&self) -> PathBuf {
            self.place.folder.path().join("county.backup")
        }

        /// Backs up, and calls in each round when the rows of blobs are read. How many rounds there were.
        async fn back_up(&self, mut reading: impl FnMut()) -> (Result<Manifest, CopyError>, usize) {
            let mut rounds = 0;
            let mut watch = |table: &str, rows: u64| {
                if table == "blob" && rows == 1 {
                    rounds += 1;
                    reading();
                }
            };
            let (config, store) = (&self.config, &self.copied);
            let written = back_up(config, store, &self.file(), now(), &mut watch).await;
            (written, rounds)
        }

        /// Asserts that of a backup that failed nothing is left.
        fn assert_nothing_is_left(&self) {
            let entries = std::fs::read_dir(self.place.folder.path()).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let left: Vec<String> = names.filter(|name| name.contains("backup")).collect();
            assert!(left.is_empty(), "{left:?}");
        }
    }

    /// Does something of the gateway's while the backup stands still.
    fn meanwhile<T>(done: impl Future<Output = T>) -> T {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(done))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_large_file_that_comes_and_goes_while_rows_are_copied_fails_no_backup() {
        let serving = Serving::start().await;
        let stays = serving.accept().await;
        let goes = serving.accept_unlisted().await;
        let release = || meanwhile(serving.release(goes));
        let (written, rounds) = serving.back_up(release).await;
        written.unwrap();
        assert_eq!(rounds, 2, "rows of a later instant do not name it");
        let backup = Backup::open(&serving.file()).await.unwrap();
        let heads = backup.blob_heads().await.unwrap();
        let named: Vec<Uuid> = heads.iter().map(|head| head.id).collect();
        assert_eq!(named, [stays]);
        let mut unwatched = |_: &str, _: u64| {};
        let damages = verify(&backup, &serving.file(), &mut unwatched).await;
        assert_eq!(damages.unwrap(), (Vec::new(), Vec::new()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_backup_that_never_gets_hold_of_what_its_rows_name_fails_and_leaves_nothing() {
        let serving = Serving::start().await;
        let mut last = serving.accept_unlisted().await;
        let next = || {
            last = meanwhile(async {
                serving.release(last).await;
                serving.accept_unlisted().await
            });
        };
        let (written, rounds) = serving.back_up(next).await;
        let told = written.unwrap_err().to_string();
        assert!(told.contains("large files came and went"), "{told}");
        assert_eq!(rounds, ROUNDS);
        serving.assert_nothing_is_left();
    }

    #[tokio::test]
    async fn a_large_file_that_is_lost_is_named_at_once() {
        let serving = Serving::start().await;
        let lost = serving.accept_unlisted().await;
        let (written, rounds) = serving.back_up(|| {}).await;
        let told = written.unwrap_err().to_string();
        assert!(
            told.contains(&lost.to_string()) && told.contains("is not whole"),
            "{told}"
        );
        assert_eq!(rounds, 1);
        serving.assert_nothing_is_left();
    }
}
