//! A watched folder. The partner writes `in/NAME.part` and renames it to `in/NAME`; the gateway claims it by renaming it to
//! `work/NAME`, reads it there, and after its commit moves it to `done/` with an acknowledgement in `ack/`, or to `error/` with an
//! error file. What is put under the name meanwhile is another file and waits in `in/` for its turn; what a crash leaves in
//! `work/` is taken up again first.
//! What the gateway writes appears in `out/` by an atomic rename; the partner answers with `out/NAME.ack`.
//!
//! Whoever may write there may put a link in the place of any file: none is followed.

mod acknowledgement;
mod file;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

pub use self::acknowledgement::{
    FileVerdict, PartnerAck, RejectedMessage, read_acknowledgement, subject_of,
};
pub(crate) use self::file::open_plain;
pub use self::file::{LONGEST_NAME, has_long_name, name_of, size_of};
use self::file::{is_there, is_unfinished, kept_name, move_to_free, sync_folder, write_beside};

/// The folders below one path.
#[derive(Debug, Clone)]
pub struct ExchangeFolder {
    root: PathBuf,
}

/// What lies in a folder, by name.
#[derive(Debug, Default)]
pub struct Listing {
    /// Files that are whole.
    pub files: Vec<PathBuf>,
    /// What is no regular file: links, folders, pipes.
    pub others: Vec<PathBuf>,
}

/// A file was not handed to a partner.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct NotPut {
    /// Why.
    #[source]
    pub error: io::Error,
    /// Whether the partner may see it all the same.
    pub may_be_seen: bool,
}

impl ExchangeFolder {
    /// Opens the folder; makes what is missing below it.
    ///
    /// # Errors
    /// When a folder can't be made; it is named.
    pub fn open(root: &Path) -> io::Result<Self> {
        for part in ["in", "done", "ack", "error", "out", "out/acked"] {
            let folder = root.join(part);
            std::fs::create_dir_all(&folder).map_err(|error| not_made(&folder, &error))?;
        }
        let work = root.join("work");
        make_private(&work).map_err(|error| not_made(&work, &error))?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// What waits in `in/`.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn waiting(&self) -> io::Result<Listing> {
        self.listing("in")
    }

    /// What was claimed and is not done: it had to wait, or a crash left it.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn claimed(&self) -> io::Result<Vec<PathBuf>> {
        let Listing { mut files, others } = self.listing("work")?;
        files.extend(others);
        files.sort();
        Ok(files)
    }

    /// Takes a file that waits, so that nothing that comes under its name later is taken for it. Returns where it is then; `None` when
    /// its partner took it back, or an earlier one of its name is not done yet.
    ///
    /// # Errors
    /// When it can't be opened or moved; it stays where it is.
    pub fn claim(&self, waiting: &Path) -> io::Result<Option<PathBuf>> {
        let Some(name) = waiting.file_name() else {
            return Ok(None);
        };
        let claimed = self.root.join("work").join(name);
        if is_there(&claimed)? {
            return Ok(None);
        }
        // To move a file takes no right to read it. One that can't be read would keep its name taken, and its partner could send no
        // better one.
        if let Err(error) = open_plain(waiting) {
            return if is_there(waiting)? {
                Err(error)
            } else {
                Ok(None)
            };
        }
        match move_to_free(waiting, &claimed) {
            Ok(is_moved) => Ok(is_moved.then_some(claimed)),
            Err(_) if !is_there(waiting)? => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ends an accepted input: acknowledgement first, then the move, so that a crash between the two repeats both.
    ///
    /// # Errors
    /// When a file can't be written or moved.
    pub fn finish(&self, file: &Path, acknowledgement: &str) -> io::Result<()> {
        let name = kept_name(file);
        let text = name.to_string_lossy();
        self.write_atomic(&format!("ack/{text}.ack.json"), acknowledgement)?;
        self.keep(file, "done", &name)
    }

    /// Ends a rejected input; the file is kept for replay. One with a long name is kept under a shorter one.
    ///
    /// # Errors
    /// When a file can't be written or moved.
    pub fn fail(&self, file: &Path, error: &str) -> io::Result<()> {
        let name = kept_name(file);
        let text = name.to_string_lossy();
        self.write_atomic(&format!("error/{text}.error.json"), error)?;
        self.keep(file, "error", &name)
    }

    /// Hands a file to the partner.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<(), NotPut> {
        let target = self.root.join("out").join(name);
        let not_put = |may_be_seen| move |error| NotPut { error, may_be_seen };
        write_beside(&target, bytes).map_err(not_put(false))?;
        sync_folder(&target).map_err(not_put(true))
    }

    /// Acknowledgements that wait.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn acknowledgements(&self) -> io::Result<Vec<PathBuf>> {
        let mut found: Vec<PathBuf> = std::fs::read_dir(self.root.join("out"))?
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "ack"))
            .collect();
        found.sort();
        Ok(found)
    }

    /// Puts an acknowledgement aside once it is recorded.
    ///
    /// # Errors
    /// When it can't be moved.
    pub fn acknowledgement_taken(&self, file: &Path) -> io::Result<()> {
        self.keep(file, "out/acked", &kept_name(file))
    }

    fn listing(&self, part: &str) -> io::Result<Listing> {
        let mut listing = Listing::default();
        for entry in std::fs::read_dir(self.root.join(part))?.filter_map(Result::ok) {
            let path = entry.path();
            if is_unfinished(&path) {
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_file() => listing.files.push(path),
                Ok(_) => listing.others.push(path),
                // It has gone meanwhile.
                Err(_) => {}
            }
        }
        listing.files.sort();
        listing.others.sort();
        Ok(listing)
    }

    /// Moves a file to a place where none lies.
    fn keep(&self, file: &Path, part: &str, name: &OsStr) -> io::Result<()> {
        let folder = self.root.join(part);
        let mut place = folder.join(name);
        let mut number = 0_u32;
        while !move_to_free(file, &place)? {
            number += 1;
            let mut numbered = name.to_owned();
            numbered.push(format!(".{number}"));
            place = folder.join(numbered);
        }
        Ok(())
    }

    fn write_atomic(&self, relative: &str, text: &str) -> io::Result<()> {
        let target = self.root.join(relative);
        write_beside(&target, text.as_bytes())?;
        sync_folder(&target)
    }
}

/// Makes the folder of what is claimed: nobody else puts anything into the place of a file there.
fn make_private(folder: &Path) -> io::Result<()> {
    const MODE: u32 = 0o700;
    let mut private = std::fs::DirBuilder::new();
    private.recursive(true).mode(MODE);
    private.create(folder)?;
    let made = folder.symlink_metadata()?;
    let is_ours = made.is_dir() && made.uid() == rustix::process::geteuid().as_raw();
    if is_ours && made.mode() & 0o777 != MODE {
        let permissions = std::fs::Permissions::from_mode(MODE);
        // Some file systems have one mode for everything.
        if let Err(error) = std::fs::set_permissions(folder, permissions) {
            let folder = folder.display();
            tracing::warn!(%folder, %error, "others may reach what is claimed: the mode of the folder cannot be set");
        }
    }
    Ok(())
}

fn not_made(folder: &Path, error: &io::Error) -> io::Error {
    let folder = folder.display();
    io::Error::new(error.kind(), format!("cannot make {folder}: {error}"))
}
