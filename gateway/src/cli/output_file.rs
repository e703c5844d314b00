//! Files that commands write: whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::NamedTempFile;

use super::exit::Failure;

/// A file that takes its name only when it is complete. It is readable by its owner only.
#[derive(Debug)]
pub(super) struct OutputFile {
    target: PathBuf,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// Written beside the target and renamed.
    Beside(BufWriter<NamedTempFile>),
    /// The target is a device or a pipe: there is nothing to rename.
    Direct(BufWriter<File>),
}

impl OutputFile {
    /// Opens a file for writing.
    pub(super) fn create(target: &Path) -> Result<Self, Failure> {
        let place = Self::open(target).with_context(|| format!("writing {}", target.display()))?;
        Ok(Self {
            target: target.to_owned(),
            place,
        })
    }

    fn open(target: &Path) -> io::Result<Place> {
        match target.metadata() {
            Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(metadata) if !metadata.is_file() => {
                let file = File::options().write(true).open(target)?;
                Ok(Place::Direct(BufWriter::new(file)))
            }
            _ => {
                let folder = target.parent().filter(|path| !path.as_os_str().is_empty());
                let file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
                Ok(Place::Beside(BufWriter::new(file)))
            }
        }
    }

    /// Completes the file under its name.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let target = self.target;
        let finished = match self.place {
            Place::Direct(mut writer) => writer.flush(),
            Place::Beside(writer) => (|| {
                let file = writer
                    .into_inner()
                    .map_err(io::IntoInnerError::into_error)?;
                file.as_file().sync_all()?;
                file.persist(&target).map_err(|error| error.error)?;
                Ok(())
            })(),
        };
        Ok(finished.with_context(|| format!("writing {}", target.display()))?)
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.place {
            Place::Beside(writer) => writer.write(bytes),
            Place::Direct(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.place {
            Place::Beside(writer) => writer.flush(),
            Place::Direct(writer) => writer.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_finished_leaves_the_old_one_as_it_was() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("links.csv");
        std::fs::write(&target, "old").unwrap();
        let mut file = OutputFile::create(&target).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "old");
        let mut file = OutputFile::create(&target).unwrap();
        file.write_all(b"whole").unwrap();
        file.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "whole");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    }
}
