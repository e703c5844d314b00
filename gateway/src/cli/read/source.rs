//! What is read: a file, a folder or a zip.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::path::Path;

use anyhow::Context as _;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::package::{PackageError, PackageLimits, ZipPackage};
use tandem_adapter_port::read::{FormatReader, Input, Sink, Stopped};

use super::super::exit::Failure;
use super::progress::Progress;
use crate::transport::folder::name_of;
use crate::transport::package::FolderPackage;

/// First bytes of a zip: of its first entry, or of the directory of an empty one (APPNOTE.TXT 6.3.10, 4.3.7, 4.3.16).
const ZIP_STARTS: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
const BUFFER_BYTES: usize = 1 << 18;

/// An opened input.
#[derive(Debug)]
pub(super) struct Source {
    name: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Stream(Box<BufReader<Progress<File>>>),
    Folder(FolderPackage),
    Zip(Box<ZipPackage<BufReader<Progress<File>>>>),
    /// A package that can't be read at all: the report says why.
    Unreadable(PackageError),
}

impl Source {
    /// Opens an input.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let opening = || format!("opening {}", path.display());
        let metadata = path.metadata().with_context(opening)?;
        let real = path.canonicalize().with_context(opening)?;
        let kind = if metadata.is_dir() {
            package(
                FolderPackage::open(path, PackageLimits::default()),
                Kind::Folder,
            )
            .with_context(opening)?
        } else if metadata.is_file() {
            file(path, metadata.len()).with_context(opening)?
        } else {
            let reason = format!("{} is neither a file nor a folder", path.display());
            return Err(anyhow::anyhow!(reason).into());
        };
        Ok(Self {
            name: name_of(&real),
            kind,
        })
    }

    /// The name of the file or folder, without the way to it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Reads the input to its end.
    ///
    /// # Errors
    /// When the sink stopped the reader.
    pub(super) fn read_with(
        &mut self,
        reader: &dyn FormatReader,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        let name = self.name.as_str();
        let input = match &mut self.kind {
            Kind::Stream(stream) => Input::Stream {
                name,
                reader: stream,
            },
            Kind::Zip(package) => Input::Package {
                name,
                package: &mut **package,
            },
            Kind::Folder(package) => {
                for skipped in package.skipped() {
                    let expected = "a file that lies in the folder itself";
                    sink.deviation(Deviation::info(
                        "entry-not-read",
                        Place::file(skipped),
                        expected,
                    ));
                }
                Input::Package { name, package }
            }
            Kind::Unreadable(error) => {
                sink.deviation(unreadable(name, error));
                return Ok(());
            }
        };
        reader.read(input, context, sink)
    }
}

fn unreadable(name: &str, error: &PackageError) -> Deviation {
    let (code, expected) = match error {
        PackageError::TooLarge(_) => ("package-too-large", error.to_string()),
        _ => ("package-unreadable", format!("a complete zip; {error}")),
    };
    Deviation::input_error(code, Place::file(name), expected)
}

/// Only what the operating system refuses is a failure; whatever is wrong with a package itself is reported.
fn package<P>(opened: Result<P, PackageError>, kind: impl FnOnce(P) -> Kind) -> io::Result<Kind> {
    match opened {
        Ok(package) => Ok(kind(package)),
        Err(PackageError::Io(error)) => Err(error),
        Err(error) => Ok(Kind::Unreadable(error)),
    }
}

fn file(path: &Path, bytes: u64) -> io::Result<Kind> {
    let mut file = File::open(path)?;
    let mut start = Vec::with_capacity(4);
    Read::by_ref(&mut file).take(4).read_to_end(&mut start)?;
    file.rewind()?;
    let buffered = BufReader::with_capacity(BUFFER_BYTES, Progress::new(file, bytes));
    let has_name = path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("zip"));
    if has_name || ZIP_STARTS.contains(&start.as_slice()) {
        let opened = ZipPackage::new(buffered, PackageLimits::default());
        return package(opened, |zip| Kind::Zip(Box::new(zip)));
    }
    Ok(Kind::Stream(Box::new(buffered)))
}
