//! The report about an input: counts, persons, deviations by kind, outcome. It carries no personal data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tandem_mappings::model::event::{Body, NewEvent};

use crate::deviation::{Deviation, Loss, Place, Severity};
use crate::distinct::Distinct;
use crate::format::Format;
use crate::memory::PartnerRow;
use crate::read::{Coverage, Sink, Stopped};

/// How an input came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All kept.
    Accepted,
    /// All records kept, some values not.
    AcceptedWithErrors,
    /// Some records dropped.
    PartiallyAccepted,
    /// Nothing usable, or the input as a whole is wrong.
    Rejected,
}

impl Outcome {
    /// The outcome as text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::AcceptedWithErrors => "accepted-with-errors",
            Self::PartiallyAccepted => "partially-accepted",
            Self::Rejected => "rejected",
        }
    }
}

/// All deviations of one kind: how many and where the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviationCount {
    /// How bad.
    pub severity: Severity,
    /// The code.
    pub code: String,
    /// How many.
    pub count: u64,
    /// Where the first stands.
    pub first: Place,
    /// What was expected there.
    pub expected: String,
}

/// The report, in the JSON form of `tandem read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Format name.
    pub format: String,
    /// Version as found in the input.
    pub version: Option<String>,
    /// Records by type, as the publisher counts them.
    pub records: BTreeMap<String, u64>,
    /// Distinct people.
    pub persons: u64,
    /// Events by type.
    pub events: BTreeMap<String, u64>,
    /// Records refused at the gate.
    pub refused: u64,
    /// Deviations by kind, worst first.
    pub deviations: Vec<DeviationCount>,
    /// Outcome.
    pub outcome: Outcome,
}

/// A sink that counts, and passes on to another sink.
pub struct Counting<'a> {
    inner: &'a mut dyn Sink,
    format: Format,
    version: Option<String>,
    records: BTreeMap<String, u64>,
    events: BTreeMap<&'static str, u64>,
    persons: Distinct,
    refused: u64,
    deviations: BTreeMap<(std::cmp::Reverse<Severity>, String), DeviationCount>,
    worst: Loss,
    lost_records: u64,
}

impl std::fmt::Debug for Counting<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counting")
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

impl<'a> Counting<'a> {
    /// Counts what goes into `inner`.
    pub fn new(format: Format, inner: &'a mut dyn Sink) -> Self {
        Self {
            inner,
            format,
            version: None,
            records: BTreeMap::new(),
            events: BTreeMap::new(),
            persons: Distinct::new(),
            refused: 0,
            deviations: BTreeMap::new(),
            worst: Loss::Nothing,
            lost_records: 0,
        }
    }

    /// The report, once reading has ended.
    #[must_use]
    pub fn report(self) -> Report {
        let has_errors = self
            .deviations
            .values()
            .any(|kind| kind.severity == Severity::Error);
        let outcome = match self.worst {
            Loss::Input => Outcome::Rejected,
            Loss::Record => Outcome::PartiallyAccepted,
            Loss::Value => Outcome::AcceptedWithErrors,
            Loss::Nothing if has_errors => Outcome::AcceptedWithErrors,
            Loss::Nothing => Outcome::Accepted,
        };
        // Some records tell no event and are kept all the same; a Linkages message of many lines is lost at once. For
        // ACF-199 the federal outcomes stand (specs tanf 1.6).
        let all_lost = match self.format {
            Format::Acf199 => false,
            Format::Linkages => true,
            _ => self.lost_records >= self.records.values().sum(),
        };
        let nothing_usable = outcome == Outcome::PartiallyAccepted
            && self.events.is_empty()
            && self.refused == 0
            && all_lost;
        Report {
            format: self.format.name().to_owned(),
            version: self.version,
            records: self.records,
            persons: self.persons.count(),
            events: self
                .events
                .into_iter()
                .map(|(name, count)| (name.to_owned(), count))
                .collect(),
            refused: self.refused,
            deviations: self.deviations.into_values().collect(),
            outcome: if nothing_usable {
                Outcome::Rejected
            } else {
                outcome
            },
        }
    }
}

impl Sink for Counting<'_> {
    fn record(&mut self, record_type: &str) {
        match self.records.get_mut(record_type) {
            Some(count) => *count += 1,
            None => {
                self.records.insert(record_type.to_owned(), 1);
            }
        }
        self.inner.record(record_type);
    }

    fn event(&mut self, event: NewEvent) -> Result<(), Stopped> {
        *self.events.entry(event.body.event_type()).or_default() += 1;
        if let (Body::RecordReceived(_), Some(person)) = (&event.body, &event.source_person_id) {
            self.persons.add(person.as_str());
        }
        self.inner.event(event)
    }

    fn deviation(&mut self, deviation: Deviation) {
        self.worst = self.worst.max(deviation.loss);
        self.lost_records += u64::from(deviation.loss == Loss::Record);
        self.deviations
            .entry((
                std::cmp::Reverse(deviation.severity),
                deviation.code.clone(),
            ))
            .and_modify(|kind| kind.count += 1)
            .or_insert_with(|| DeviationCount {
                severity: deviation.severity,
                code: deviation.code.clone(),
                count: 1,
                first: deviation.place.clone(),
                expected: deviation.expected.clone(),
            });
        self.inner.deviation(deviation);
    }

    fn refused(&mut self, place: Place, last_line: u64) {
        self.refused += 1;
        self.inner.refused(place, last_line);
    }

    fn version(&mut self, version: &str) {
        self.version = Some(version.to_owned());
        self.inner.version(version);
    }

    fn coverage(&mut self, coverage: Coverage) {
        self.inner.coverage(coverage);
    }

    fn partner_row(&mut self, row: PartnerRow) -> Result<(), Stopped> {
        self.inner.partner_row(row)
    }
}

/// A sink that keeps everything, for small inputs and tests.
#[derive(Debug, Default)]
pub struct Collected {
    /// Events in order.
    pub events: Vec<NewEvent>,
    /// Deviations in order.
    pub deviations: Vec<Deviation>,
    /// Refused places with their last lines.
    pub refused: Vec<(Place, u64)>,
    /// Partner rows in order.
    pub partner_rows: Vec<PartnerRow>,
    /// What the input says about what it leaves out.
    pub coverage: Coverage,
    /// Version as found.
    pub version: Option<String>,
}

impl Sink for Collected {
    fn record(&mut self, _record_type: &str) {}

    fn event(&mut self, event: NewEvent) -> Result<(), Stopped> {
        self.events.push(event);
        Ok(())
    }

    fn deviation(&mut self, deviation: Deviation) {
        self.deviations.push(deviation);
    }

    fn refused(&mut self, place: Place, last_line: u64) {
        self.refused.push((place, last_line));
    }

    fn version(&mut self, version: &str) {
        self.version = Some(version.to_owned());
    }

    fn coverage(&mut self, coverage: Coverage) {
        self.coverage = coverage;
    }

    fn partner_row(&mut self, row: PartnerRow) -> Result<(), Stopped> {
        self.partner_rows.push(row);
        Ok(())
    }
}
