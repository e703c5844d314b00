//! The kept original: sealed, with what must never enter cut out of it.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use tandem_adapter_port::deviation::{Place, Severity};
use tandem_adapter_port::package::{Package as _, PackageLimits, ZipPackage};
use tandem_adapter_port::report::{DeviationCount, Outcome, Report};
use zip::result::ZipError;

/// The lines of a file that is cut whole.
const WHOLE: (u64, u64) = (1, u64::MAX);

/// Lines that are cut out, by file.
#[derive(Debug, Clone, Default)]
pub struct Cuts(BTreeMap<String, Vec<(u64, u64)>>);

impl Cuts {
    /// Marks lines to be cut out. A place without a line cuts the whole file.
    pub fn add(&mut self, place: &Place, last_line: u64) {
        let lines = place
            .line
            .map_or(WHOLE, |first| (first, last_line.max(first)));
        self.0.entry(place.file.clone()).or_default().push(lines);
    }

    /// Whether nothing is cut.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn sorted(&self, file: &str) -> Vec<(u64, u64)> {
        let mut lines = self.0.get(file).cloned().unwrap_or_default();
        lines.sort_unstable();
        lines
    }
}

/// An entry of a zip that can't be copied, so that nothing can be cut out of it.
#[derive(Debug, thiserror::Error)]
#[error("{entry} cannot be copied: {problem}")]
pub struct Damage {
    /// Its name, or that of the zip.
    pub entry: String,
    /// Why.
    pub problem: String,
}

impl Damage {
    /// What a report calls it.
    pub const CODE: &'static str = "original-not-copyable";

    /// Longest name that is told, in characters.
    const LONGEST_NAME: usize = 80;

    fn of(entry: &str, problem: &dyn std::fmt::Display) -> Self {
        Self {
            entry: entry.chars().take(Self::LONGEST_NAME).collect(),
            problem: problem.to_string(),
        }
    }

    /// Rejects the input as a whole: as it came it must not be kept, and what can't be kept must take no effect.
    pub fn reject(&self, report: &mut Report) {
        let problem = DeviationCount {
            severity: Severity::Error,
            code: Self::CODE.to_owned(),
            count: 1,
            first: Place::file(self.entry.as_str()),
            expected: format!(
                "an entry that can be read to its end ({}): something in the zip must not be kept, and so nothing of it \
                 was; have it sent again",
                self.problem
            ),
        };
        report.deviations.insert(0, problem);
        report.outcome = Outcome::Rejected;
    }
}

/// Why an input was not copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// It is damaged: the same would come of another try.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// It can't be read from where it lies, or the copy not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Which side of a copy failed.
enum Side {
    Reading(io::Error),
    Writing(io::Error),
}

impl Side {
    fn error(self) -> io::Error {
        match self {
            Self::Reading(error) | Self::Writing(error) => error,
        }
    }
}

/// Copies a text without the lines to be cut.
fn copy_lines(
    reader: &mut dyn Read,
    cuts: &[(u64, u64)],
    out: &mut dyn io::Write,
) -> Result<(), Side> {
    let mut buffer = vec![0_u8; 64 * 1024];
    let mut line = 1_u64;
    let mut next = cuts.iter().copied().peekable();
    loop {
        let count = reader.read(&mut buffer).map_err(Side::Reading)?;
        let Some(mut rest) = buffer.get(..count).filter(|part| !part.is_empty()) else {
            return Ok(());
        };
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
            while next.peek().is_some_and(|(_, last)| *last < line) {
                next.next();
            }
            if next.peek().is_none_or(|(first, _)| *first > line) {
                out.write_all(part).map_err(Side::Writing)?;
            }
            if end.is_some() {
                line += 1;
            }
            rest = after;
        }
    }
}

/// Whether bytes are a zip by their beginning; stands at their beginning afterwards.
///
/// # Errors
/// When they can't be read.
pub fn is_zip(bytes: &mut (impl Read + Seek)) -> io::Result<bool> {
    let mut beginning = Vec::with_capacity(4);
    bytes.seek(SeekFrom::Start(0))?;
    bytes.by_ref().take(4).read_to_end(&mut beginning)?;
    bytes.seek(SeekFrom::Start(0))?;
    Ok(beginning == b"PK\x03\x04" || beginning == b"PK\x05\x06")
}

/// The original of an input without what was refused.
///
/// # Errors
/// When it can't be copied.
pub fn without_refused(name: &str, bytes: &[u8], cuts: &Cuts) -> Result<Vec<u8>, CopyError> {
    let mut kept = Vec::with_capacity(bytes.len());
    copy_without_refused(name, Cursor::new(bytes), cuts, &mut kept)?;
    Ok(kept)
}

/// Copies an input without what was refused, in little memory.
///
/// # Errors
/// When it can't be read again, or the copy can't be written.
pub fn copy_without_refused(
    name: &str,
    mut bytes: impl Read + Seek,
    cuts: &Cuts,
    out: &mut dyn io::Write,
) -> Result<(), CopyError> {
    if cuts.is_empty() {
        bytes.seek(SeekFrom::Start(0))?;
        io::copy(&mut bytes, out)?;
        return Ok(());
    }
    if !is_zip(&mut bytes)? {
        let copied = copy_lines(&mut bytes, &cuts.sorted(name), out);
        return copied.map_err(|side| side.error().into());
    }
    let limits = PackageLimits::default();
    let package = ZipPackage::new(bytes, limits).map_err(|error| Damage::of(name, &error))?;
    zip_without_refused(package, cuts, limits, out)
}

/// A zip without what was refused. Nothing is unpacked of an entry that is cut whole, whatever it holds: its name stays,
/// empty. The others together may unpack to no more than one reading of the package may.
fn zip_without_refused(
    mut package: ZipPackage<impl Read + Seek>,
    cuts: &Cuts,
    limits: PackageLimits,
    out: &mut dyn io::Write,
) -> Result<(), CopyError> {
    let mut kept = zip::ZipWriter::new_stream(out);
    // An entry may have more than four gibibytes.
    let options = zip::write::SimpleFileOptions::default().large_file(true);
    let mut left = limits.total_bytes;
    for entry in package.names() {
        kept.start_file(entry.as_str(), options)
            .map_err(|error| of_writer(error, &entry))?;
        let lines = cuts.sorted(&entry);
        if lines.contains(&WHOLE) {
            continue;
        }
        let opened = package.open(&entry);
        let mut reader = Within {
            inner: opened.map_err(|error| Damage::of(&entry, &error))?,
            left: &mut left,
        };
        copy_lines(&mut reader, &lines, &mut kept).map_err(|side| match side {
            Side::Reading(error) => CopyError::Damaged(Damage::of(&entry, &error)),
            Side::Writing(error) => CopyError::Io(error),
        })?;
    }
    kept.finish().map_err(io::Error::other)?;
    Ok(())
}

/// Why the copy of an entry can't be begun: the disk, or a name that no zip may have.
fn of_writer(error: ZipError, entry: &str) -> CopyError {
    match error {
        ZipError::Io(error) => CopyError::Io(error),
        error => CopyError::Damaged(Damage::of(entry, &error)),
    }
}

/// A reader of one entry that fails once the entries together give more than is left.
struct Within<'a, R> {
    inner: R,
    left: &'a mut u64,
}

impl<R: Read> Read for Within<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        *self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::other("the entries together unpack to more than their limit")
        })?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn refused_lines_are_cut_out_of_the_kept_text() {
        let mut cuts = Cuts::default();
        cuts.add(&Place::line("a.csv", 2), 3);
        let kept = without_refused("a.csv", b"one\ntwo\nthree\nfour\n", &cuts).unwrap();
        assert_eq!(kept, b"one\nfour\n");
    }

    fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            zip.start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn text_of(zip: &[u8], entry: &str) -> String {
        let mut package = ZipPackage::new(Cursor::new(zip), PackageLimits::default()).unwrap();
        let mut text = String::new();
        package
            .open(entry)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    #[test]
    fn refused_lines_are_cut_out_of_the_kept_zip() {
        let bytes = zip_of(&[("Client.csv", b"PersonalID\n1\n2\n")]);
        let mut cuts = Cuts::default();
        cuts.add(&Place::line("Client.csv", 2), 2);
        let kept = without_refused("export.zip", &bytes, &cuts).unwrap();
        assert_eq!(text_of(&kept, "Client.csv"), "PersonalID\n2\n");
    }

    #[test]
    fn an_entry_that_is_cut_whole_is_not_unpacked_even_when_it_is_a_bomb() {
        let bomb = vec![b'0'; 4 << 20];
        let bytes = zip_of(&[("Bomb.csv", &bomb), ("Client.csv", b"PersonalID\n1\n2\n")]);
        let mut cuts = Cuts::default();
        cuts.add(&Place::line("Client.csv", 2), 2);
        assert!(without_refused("export.zip", &bytes, &cuts).is_err());
        cuts.add(&Place::file("Bomb.csv"), 0);
        let kept = without_refused("export.zip", &bytes, &cuts).unwrap();
        assert_eq!(text_of(&kept, "Bomb.csv"), "");
        assert_eq!(text_of(&kept, "Client.csv"), "PersonalID\n2\n");
    }

    /// The zip as if it had been written as a stream: then nobody adds up the declared sizes when it is opened.
    fn streamed(mut bytes: Vec<u8>) -> Vec<u8> {
        for place in 0..bytes.len() {
            if bytes[place..].starts_with(b"PK\x01\x02") {
                bytes[place + 8] |= 0x08;
            }
        }
        bytes
    }

    #[test]
    fn the_entries_together_unpack_to_no_more_than_the_limit() {
        let lines = b"12345678\n".as_slice();
        let bytes = streamed(zip_of(&[("A.csv", lines), ("B.csv", lines)]));
        let mut cuts = Cuts::default();
        cuts.add(&Place::line("A.csv", 1), 1);
        let within = |total_bytes| {
            let limits = PackageLimits {
                total_bytes,
                ..PackageLimits::default()
            };
            let package = ZipPackage::new(Cursor::new(&bytes), limits).unwrap();
            zip_without_refused(package, &cuts, limits, &mut Vec::new()).is_ok()
        };
        assert!(within(18));
        assert!(!within(17));
    }

    #[test]
    fn an_entry_that_cannot_be_read_to_its_end_is_named() {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in [("Client.csv", "PersonalID\n1\n"), ("Other.csv", "whole")] {
            zip.start_file(name, options).unwrap();
            zip.write_all(content.as_bytes()).unwrap();
        }
        let mut bytes = zip.finish().unwrap().into_inner();
        let place = bytes.windows(5).position(|part| part == b"whole").unwrap();
        bytes[place] ^= 1;
        let mut cuts = Cuts::default();
        cuts.add(&Place::line("Client.csv", 2), 2);
        match without_refused("export.zip", &bytes, &cuts) {
            Err(CopyError::Damaged(damage)) => assert_eq!(damage.entry, "Other.csv"),
            other => panic!("{other:?}"),
        }
    }
}
