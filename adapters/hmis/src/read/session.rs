//! The second pass: every record of every file past the gate, the checks and the keys, into events.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::package::Package;
use tandem_adapter_port::read::{Sink, Stopped};

use super::check::Checker;
use super::finding::Finding;
use super::header::Header;
use super::keys::Keys;
use super::marks;
use super::prepass::Prepass;
use super::record::Record;
use super::referrals::Awaited;
use super::row::Row;
use super::source::{Halt, OpenFile};
use crate::config::ReadConfig;
use crate::describe;
use crate::gates::{Gates, Refusal, Verdict};
use crate::tables::FileLayout;

/// One reading of one package.
pub(crate) struct Session<'a> {
    pub(crate) context: &'a ReadContext,
    pub(crate) config: &'a ReadConfig,
    pub(crate) sink: &'a mut dyn Sink,
    pub(crate) checker: Checker<'a>,
    pub(crate) prepass: Prepass,
    pub(crate) export_ids: HashSet<String>,
    pub(crate) is_full_refresh: bool,
    /// First and last day that the export tells of.
    pub(crate) period: Option<(Date, Date)>,
    /// Whether it tells of that period only.
    pub(crate) is_reporting_period: bool,
    pub(crate) keys: Keys,
    /// Accepted referrals of ours that wait for an enrollment in the receiving project.
    pub(crate) awaited: HashMap<u64, Awaited>,
    /// Whether a Client or Enrollment row was dropped, so that absence proves nothing.
    pub(crate) has_dropped: bool,
}

impl Session<'_> {
    /// Reads one file of the package to its end.
    pub(crate) fn file(
        &mut self,
        package: &mut dyn Package,
        entry: &str,
        layout: &FileLayout,
    ) -> Result<(), Halt>
    where
        Self: Sized,
    {
        let mut file = OpenFile::open(package, entry)?;
        if file.had_bom() {
            self.tell(
                entry,
                Finding::info("byte-order-mark", 1).expected("no mark"),
            );
        }
        let Some(first) = file.next(None)? else {
            let finding = Finding::dropped("header-missing", 0).expected("a header row");
            self.tell(entry, finding);
            return Ok(());
        };
        let mut findings = Vec::new();
        if first.is_cut {
            findings.push(Finding::dropped("line-too-long", 1).expected("a header row"));
        }
        let header = Header::read(layout, &first.fields, &mut findings);
        self.tell_all(entry, &mut findings);
        let file_keys = self.keys.begin_file();
        let mut place = FilePlace {
            entry,
            layout,
            file_keys,
        };
        match header {
            Some(header) => {
                while let Some(record) = file.next(Some(header.width))? {
                    self.record(&mut place, &header, record)?;
                }
            }
            None => {
                // Without columns nobody can tell whose rows these are.
                self.has_dropped |= is_core(layout);
                self.refuse_unreadable(&place, first.line, first.last_line);
                while let Some(record) = file.next(None)? {
                    self.refuse_unreadable(&place, record.line, record.last_line);
                }
            }
        }
        Ok(())
    }

    fn record(
        &mut self,
        place: &mut FilePlace<'_>,
        header: &Header,
        record: Record,
    ) -> Result<(), Stopped> {
        let layout = place.layout;
        let (line, last_line) = (record.line, record.last_line);
        self.sink.record(&layout.name);
        let is_readable = record.fits(header.width);
        if is_readable && let Some(refusal) = self.refusal(layout, header, &record) {
            self.refuse(place, (line, last_line), refusal);
            if refusal == Refusal::UnknownProject {
                return match marks::FILES.contains(&layout.name.as_str()) {
                    true => self.raise_refused(header, layout, &record),
                    false => self.deletion(header, layout, &record),
                };
            }
            return Ok(());
        }
        let mut findings = Vec::new();
        let checker = self.checker;
        let row = checker.row(layout, header, record, &mut findings);
        self.tell_all(place.entry, &mut findings);
        let Some(row) = row else {
            self.has_dropped |= is_core(layout);
            self.refuse_unreadable(place, line, last_line);
            return Ok(());
        };
        let is_usable = self.check_keys(place, &row, &mut findings);
        self.tell_all(place.entry, &mut findings);
        if !is_usable {
            self.has_dropped |= is_core(layout);
            return Ok(());
        }
        if layout.name == "Exit" && !self.decides_stay(place.entry, &row) {
            return Ok(());
        }
        self.check_dates(place.entry, &row);
        self.keep(&row)?;
        match layout.name.as_str() {
            "Client" => self.client(place.entry, &row),
            "Enrollment" => self.enrollment(place.entry, &row),
            "Exit" => self.exit(place.entry, &row),
            "Event" => self.event_row(place.entry, &row),
            "Disabilities" | "HealthAndDV" => self.raise_stay(&row),
            _ => Ok(()),
        }
    }

    /// Whether the gate refuses the record, by its raw ids.
    fn refusal(&self, layout: &FileLayout, header: &Header, record: &Record) -> Option<Refusal> {
        let field = |column: &str| {
            let index = header.field_index(layout, column)?;
            record.fields.get(index).map(|text| text.trim())
        };
        layout.position("PersonalID")?;
        let gates = &self.prepass.gates;
        let id = field("PersonalID").unwrap_or_default();
        let person = gates.person(id);
        let verdict = if layout.name == "Client" {
            person
        } else {
            verdict(gates, id, field("EnrollmentID").unwrap_or_default())
        };
        let is_ours = || {
            layout.name == "Event"
                && field("EventID").and_then(describe::referral_of).is_some()
                && !matches!(person, Verdict::Refused(_))
        };
        match verdict {
            Verdict::Refused(refusal) => Some(refusal),
            Verdict::Unknown if gates.has_closed_projects() && !is_ours() => {
                Some(Refusal::UnknownProject)
            }
            Verdict::Unknown | Verdict::Clear => None,
        }
    }

    fn refuse(&mut self, place: &FilePlace<'_>, lines: (u64, u64), refusal: Refusal) {
        self.sink
            .refused(Place::line(place.entry, lines.0), lines.1);
        let expected = match refusal {
            Refusal::VictimServiceProvider => "no client-level rows of a victim service provider",
            Refusal::ComparableDatabase => "no client-level rows of a comparable database",
            Refusal::UnknownProject => {
                "a project described in the package, so that it is known who runs it"
            }
        };
        self.tell(
            place.entry,
            Finding::dropped(refusal.code(), lines.0).expected(expected),
        );
    }

    /// A row that can't be read may be anybody's: where the package has closed projects it is cut out.
    fn refuse_unreadable(&mut self, place: &FilePlace<'_>, line: u64, last_line: u64) {
        let is_client_level = place.layout.position("PersonalID").is_some();
        if is_client_level && self.prepass.gates.has_closed_projects() {
            self.sink.refused(Place::line(place.entry, line), last_line);
        }
    }

    pub(crate) fn tell(&mut self, entry: &str, finding: Finding) {
        self.sink.deviation(finding.in_file(entry));
    }

    fn tell_all(&mut self, entry: &str, findings: &mut Vec<Finding>) {
        for finding in findings.drain(..) {
            self.sink.deviation(finding.in_file(entry));
        }
    }

    /// A local date and time of the row as an instant, in the jurisdiction's zone.
    pub(crate) fn moment(&self, row: &Row<'_>, column: &str) -> Option<Timestamp> {
        let text = row.get(column);
        let local: DateTime = text.replacen(' ', "T", 1).parse().ok()?;
        local
            .to_zoned(self.context.zone.clone())
            .ok()
            .map(|zoned| zoned.timestamp())
    }

    /// When the row was last changed, else when the package arrived.
    pub(crate) fn changed_at(&self, row: &Row<'_>) -> Timestamp {
        self.moment(row, "DateUpdated")
            .unwrap_or(self.context.received_at)
    }

    /// When something dated by day happened: at the time of the last change when that is the same day, else at
    /// the day's beginning.
    pub(crate) fn day_moment(&self, row: &Row<'_>, column: &str) -> Timestamp {
        let Some(day) = row.date(column) else {
            return self.changed_at(row);
        };
        for stamp in ["DateUpdated", "DateCreated"] {
            if row.date(stamp) == Some(day)
                && let Some(moment) = self.moment(row, stamp)
            {
                return moment;
            }
        }
        day.to_zoned(self.context.zone.clone())
            .map_or_else(|_| self.context.received_at, |zoned| zoned.timestamp())
    }

    /// An id that the model refuses makes the record useless; the report tells.
    pub(crate) fn bad_id(&mut self, entry: &str, row: &Row<'_>, column: &str) {
        self.has_dropped |= is_core(row.layout);
        let place = Place::line(entry, row.line).field(column);
        let expected = "an id of at most 32 characters without control characters";
        self.sink
            .deviation(Deviation::record_error("bad-id", place, expected));
    }
}

/// What the gate says of a row that hangs on a stay: what it says of the stay, unless the person must not be read.
pub(crate) fn verdict(gates: &Gates, person: &str, enrollment: &str) -> Verdict {
    let person = gates.person(person);
    match gates.enrollment(enrollment) {
        Verdict::Clear if matches!(person, Verdict::Refused(_)) => person,
        verdict => verdict,
    }
}

/// Whether dropped rows of the file make a full refresh unsafe.
fn is_core(layout: &FileLayout) -> bool {
    matches!(layout.name.as_str(), "Client" | "Enrollment")
}

/// The file that is being read.
pub(crate) struct FilePlace<'a> {
    pub(crate) entry: &'a str,
    pub(crate) layout: &'a FileLayout,
    pub(crate) file_keys: crate::idset::IdSet,
}
