//! Gathers the rows of a case, checks what its identifiers say of each other, and tells the case.

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::read::{Sink, Stopped};

use super::events;
use super::row::PersonRow;
use super::value::Value;
use crate::identifiers::CountyId;
use crate::read::compact::{CompactSet, Fingerprints};
use crate::tables::{AidCodes, CountyCodes};

/// The most people of one case that are told together. A larger "case" is a fault of the county's extract.
const MOST_PEOPLE: usize = 100;

/// The cases of a batch, one at a time.
pub(super) struct Cases<'a> {
    name: &'a str,
    context: &'a ReadContext,
    counties: &'a CountyCodes,
    aid_codes: &'a AidCodes,
    current: Vec<PersonRow>,
    seen: CompactSet,
    fingerprints: Fingerprints,
}

impl<'a> Cases<'a> {
    /// No case yet.
    pub(super) fn new(
        name: &'a str,
        context: &'a ReadContext,
        counties: &'a CountyCodes,
        aid_codes: &'a AidCodes,
    ) -> Self {
        let (seen, fingerprints) = (CompactSet::default(), Fingerprints::default());
        Self {
            name,
            context,
            counties,
            aid_codes,
            current: Vec::new(),
            seen,
            fingerprints,
        }
    }

    /// Adds a row; the case before it is told when the row begins another one.
    pub(super) fn add(&mut self, row: PersonRow, sink: &mut dyn Sink) -> Result<(), Stopped> {
        self.check(&row, sink);
        let is_other = self
            .current
            .first()
            .is_some_and(|first| first.text("case_number") != row.text("case_number"));
        if is_other || self.current.len() >= MOST_PEOPLE {
            self.close(sink)?;
        }
        self.current.push(row);
        Ok(())
    }

    /// Tells the current case.
    pub(super) fn close(&mut self, sink: &mut dyn Sink) -> Result<(), Stopped> {
        let rows = std::mem::take(&mut self.current);
        let Some(first) = rows.first() else {
            return Ok(());
        };
        let key = self.fingerprints.of(&[first.text("case_number")]);
        let is_first = self.seen.insert(key);
        if !is_first {
            let place = Place::line(self.name, first.line).field("case_number");
            sink.deviation(Deviation::warning(
                "case-split",
                place,
                "the rows of a case together",
            ));
        }
        events::tell(&rows, is_first, self.context, sink)
    }

    fn check(&self, row: &PersonRow, sink: &mut dyn Sink) {
        let at = |field: &str| Place::line(self.name, row.line).field(field);
        let aid_code = row.text("aid_code");
        if !aid_code.is_empty() && !self.aid_codes.contains(aid_code) {
            let expected = "an aid code of CalWORKs cash aid";
            sink.deviation(Deviation::warning(
                "unknown-aid-code",
                at("aid_code"),
                expected,
            ));
        }
        if let Some(Value::CountyId(id)) = row.value("county_id") {
            self.check_county_id(id, row, sink);
        }
        if row
            .date("birth_date")
            .is_some_and(|birth| birth > self.today())
        {
            let expected = "a birth date not in the future";
            sink.deviation(Deviation::warning(
                "birth-in-future",
                at("birth_date"),
                expected,
            ));
        }
    }

    fn check_county_id(&self, id: &CountyId, row: &PersonRow, sink: &mut dyn Sink) {
        let mut doubt = |code: &str, field: &str, expected: &str| {
            let place = Place::line(self.name, row.line).field(field);
            sink.deviation(Deviation::warning(code, place, expected));
        };
        if !self.counties.contains(id.county()) {
            doubt("unknown-county", "county_id", "a county code from 01 to 58");
        }
        if id.serial() != row.text("case_number").to_ascii_uppercase() {
            doubt(
                "case-number-differs",
                "case_number",
                "the case serial of the County ID",
            );
        }
        let aid_code = row.text("aid_code");
        if !aid_code.is_empty() && id.aid_code() != aid_code {
            doubt(
                "aid-code-differs",
                "aid_code",
                "the aid code of the County ID",
            );
        }
    }

    fn today(&self) -> jiff::civil::Date {
        self.context
            .received_at
            .to_zoned(self.context.zone.clone())
            .date()
    }
}
