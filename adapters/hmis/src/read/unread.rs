//! Files of the package that are not read (custom files, second entries, what is no CSV): they are kept with the
//! original, and so must not hold what may not enter.

use std::path::Path;

use tandem_adapter_port::deviation::Place;
use tandem_adapter_port::package::Package;

use super::finding::Finding;
use super::record::Record;
use super::session::Session;
use super::source::{Halt, OpenFile};
use crate::gates::Verdict;

/// Where a file that is in no table has the ids that the gate knows.
struct IdColumns {
    person: Option<usize>,
    enrollment: Option<usize>,
    width: usize,
}

impl IdColumns {
    fn of(header: &Record) -> Option<Self> {
        let find = |name: &str| {
            let is_column = |text: &String| text.trim().eq_ignore_ascii_case(name);
            header.fields.iter().position(is_column)
        };
        let (person, enrollment) = (find("PersonalID"), find("EnrollmentID"));
        let has_ids = person.is_some() || enrollment.is_some();
        let width = header.fields.len();
        (has_ids && !header.is_cut).then_some(Self {
            person,
            enrollment,
            width,
        })
    }
}

impl Session<'_> {
    /// Cuts out of an unread file the rows that the gate refuses; a file whose rows can't be told apart is cut out whole
    /// where the package has anything to refuse.
    pub(crate) fn cut_unread(&mut self, package: &mut dyn Package, entry: &str) {
        if !self.prepass.gates.refuses_any() {
            return;
        }
        let is_csv = Path::new(entry)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if !is_csv || !self.cut_rows(package, entry).unwrap_or(false) {
            self.sink.refused(Place::file(entry), u64::MAX);
            let expected = "a file whose rows show whose they are, beside rows that are refused";
            let finding = Finding::warning("file-cut", 0).expected(expected);
            self.tell(entry, finding);
        }
    }

    /// Cuts out the refused rows; whether each row could be judged.
    fn cut_rows(&mut self, package: &mut dyn Package, entry: &str) -> Result<bool, Halt> {
        let mut file = OpenFile::open(package, entry)?;
        let header = file.next(None)?;
        let Some(columns) = header.as_ref().and_then(IdColumns::of) else {
            return Ok(false);
        };
        while let Some(record) = file.next(Some(columns.width))? {
            if self.may_be_kept(&columns, &record) {
                continue;
            }
            let place = Place::line(entry, record.line);
            self.sink.refused(place, record.last_line);
            let expected = "no client-level rows of a project that is closed to an HMIS";
            let finding = Finding::dropped("gate-unread-file", record.line).expected(expected);
            self.tell(entry, finding);
        }
        Ok(true)
    }

    /// Whether every id of the row is one of a clear stay or person; a row that shows none may be anybody's.
    fn may_be_kept(&self, columns: &IdColumns, record: &Record) -> bool {
        let gates = &self.prepass.gates;
        let id = |column: Option<usize>| {
            let text = record.fields.get(column?)?.trim();
            (!text.is_empty()).then_some(text)
        };
        let person = id(columns.person).map(|id| gates.person(id));
        let stay = id(columns.enrollment).map(|id| gates.enrollment(id));
        let verdicts = [person, stay];
        record.fits(columns.width)
            && verdicts.iter().any(Option::is_some)
            && verdicts
                .iter()
                .flatten()
                .all(|verdict| *verdict == Verdict::Clear)
    }
}
