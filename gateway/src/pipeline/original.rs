//! The kept original: sealed, with what must never enter cut out of it.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write as _};

use tandem_adapter_port::deviation::Place;
use tandem_adapter_port::package::{Package as _, PackageLimits, ZipPackage};

/// Lines that are cut out, by file.
#[derive(Debug, Clone, Default)]
pub struct Cuts(BTreeMap<String, Vec<(u64, u64)>>);

impl Cuts {
    /// Marks lines to be cut out. A place without a line cuts the whole file.
    pub fn add(&mut self, place: &Place, last_line: u64) {
        let lines = place
            .line
            .map_or((1, u64::MAX), |first| (first, last_line.max(first)));
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

/// Copies a text without the lines to be cut.
fn copy_lines(
    reader: &mut dyn Read,
    cuts: &[(u64, u64)],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut buffer = vec![0_u8; 64 * 1024];
    let mut line = 1_u64;
    let mut next = cuts.iter().copied().peekable();
    loop {
        let count = reader.read(&mut buffer)?;
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
                out.write_all(part)?;
            }
            if end.is_some() {
                line += 1;
            }
            rest = after;
        }
    }
}

/// The original of an input without what was refused.
///
/// # Errors
/// When the bytes can't be read again.
pub fn without_refused(name: &str, bytes: &[u8], cuts: &Cuts) -> io::Result<Vec<u8>> {
    if cuts.is_empty() {
        return Ok(bytes.to_vec());
    }
    if !bytes.starts_with(b"PK") {
        let mut kept = Vec::with_capacity(bytes.len());
        copy_lines(&mut Cursor::new(bytes), &cuts.sorted(name), &mut kept)?;
        return Ok(kept);
    }
    let mut package = ZipPackage::new(Cursor::new(bytes), PackageLimits::default())
        .map_err(|error| io::Error::other(error.to_string()))?;
    let mut kept = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for entry in package.names() {
        kept.start_file(entry.as_str(), options)
            .map_err(io::Error::other)?;
        let mut reader = package
            .open(&entry)
            .map_err(|error| io::Error::other(error.to_string()))?;
        copy_lines(&mut *reader, &cuts.sorted(&entry), &mut kept)?;
    }
    kept.flush()?;
    Ok(kept.finish().map_err(io::Error::other)?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_lines_are_cut_out_of_the_kept_text() {
        let mut cuts = Cuts::default();
        cuts.add(&Place::line("a.csv", 2), 3);
        let kept = without_refused("a.csv", b"one\ntwo\nthree\nfour\n", &cuts).unwrap();
        assert_eq!(kept, b"one\nfour\n");
    }

    #[test]
    fn refused_lines_are_cut_out_of_the_kept_zip() {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("Client.csv", zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(b"PersonalID\n1\n2\n").unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        let mut cuts = Cuts::default();
        cuts.add(&Place::line("Client.csv", 2), 2);
        let kept = without_refused("export.zip", &bytes, &cuts).unwrap();
        let mut package = ZipPackage::new(Cursor::new(kept), PackageLimits::default()).unwrap();
        let mut text = String::new();
        package
            .open("Client.csv")
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "PersonalID\n2\n");
    }
}
