//! Opens the files of a package and walks their records; a stream that fails ends the reading.

use std::io::Read;

use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::package::{Package, PackageError};
use tandem_adapter_port::read::Stopped;

use super::header::Header;
use super::record::{Record, RecordReader};
use crate::tables::FileLayout;

/// Why reading ends early.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The sink takes no more.
    Stopped(Stopped),
    /// The input as a whole can't be used.
    Input(Box<Deviation>),
}

impl From<Stopped> for Halt {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

impl Halt {
    pub(crate) fn input(code: &str, place: Place, expected: impl Into<String>) -> Self {
        Self::Input(Box::new(Deviation::input_error(code, place, expected)))
    }
}

/// A file of the package, open.
pub(crate) struct OpenFile<'p> {
    entry: String,
    reader: RecordReader<Box<dyn Read + 'p>>,
    last_line: u64,
}

impl<'p> OpenFile<'p> {
    pub(crate) fn open(package: &'p mut dyn Package, entry: &str) -> Result<Self, Halt> {
        let stream = package
            .open(entry)
            .map_err(|error| unreadable(entry, &error))?;
        let reader = RecordReader::new(stream).map_err(|_| broken(entry, 0))?;
        Ok(Self {
            entry: entry.to_owned(),
            reader,
            last_line: 0,
        })
    }

    pub(crate) fn had_bom(&self) -> bool {
        self.reader.had_bom()
    }

    /// The next record; `width` is the number of columns of the header, once it is known.
    pub(crate) fn next(&mut self, width: Option<usize>) -> Result<Option<Record>, Halt> {
        let record = self
            .reader
            .next(width)
            .map_err(|_| broken(&self.entry, self.last_line))?;
        self.last_line = record
            .as_ref()
            .map_or(self.last_line, |record| record.last_line);
        Ok(record)
    }
}

fn unreadable(entry: &str, error: &PackageError) -> Halt {
    let expected = match error {
        PackageError::TooLarge(_) => "a file within the limits of size",
        _ => "a file that can be opened",
    };
    Halt::input("file-unreadable", Place::file(entry), expected)
}

fn broken(entry: &str, last_line: u64) -> Halt {
    let place = Place::line(entry, last_line + 1);
    Halt::input(
        "file-truncated",
        place,
        "a whole file, no larger unpacked than its limit",
    )
}

/// Walks a file for a first pass, which reports nothing: records by the values of some columns.
pub(crate) fn scan<const N: usize>(
    package: &mut dyn Package,
    (entry, layout): (&str, &FileLayout),
    columns: [&str; N],
    mut use_values: impl FnMut([&str; N]),
) -> Result<(), Halt> {
    let mut file = OpenFile::open(package, entry)?;
    let Some(first) = file.next(None)? else {
        return Ok(());
    };
    let Some(header) = Header::read(layout, &first.fields, &mut Vec::new()) else {
        return Ok(());
    };
    let places = columns.map(|column| header.field_index(layout, column));
    while let Some(record) = file.next(Some(header.width))? {
        if !record.fits(header.width) {
            continue;
        }
        use_values(places.map(|place| {
            place
                .and_then(|index| record.fields.get(index))
                .map_or("", |text| text.trim())
        }));
    }
    Ok(())
}
