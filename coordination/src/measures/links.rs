//! Mutual clients and the work of linking: MC-1 to MC-6.

use std::collections::BTreeSet;

use tandem_mappings::model::id::{RecordKey, SystemId};

use super::report::Scene;
use super::statistics::{median, share};
use super::{PersonKey, Snapshot};
use crate::masking::{MeasuredRow, Stratum};

/// Two systems whose mutual clients are counted, in both directions.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SystemPair {
    /// System A.
    pub a: SystemId,
    /// System B.
    pub b: SystemId,
}

/// What a match rate counts. Record counts differ between directions, since one record may link to
/// several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Distinct persons.
    Person,
    /// Source records.
    Record,
}

impl Unit {
    fn count(self, records: &BTreeSet<RecordKey>, snapshot: &Snapshot) -> u64 {
        match self {
            Self::Record => records.len() as u64,
            Self::Person => persons(records, snapshot).len() as u64,
        }
    }
}

fn persons(records: &BTreeSet<RecordKey>, snapshot: &Snapshot) -> BTreeSet<PersonKey> {
    records
        .iter()
        .map(|record| snapshot.person(record))
        .collect()
}

impl Scene<'_> {
    /// MC-1 to MC-6.
    pub(super) fn link_rows(&self) -> Vec<MeasuredRow> {
        let mut rows = Vec::new();
        for pair in &self.parameters.pairs {
            let (base_a, base_b) = (self.base(&pair.a), self.base(&pair.b));
            let open_b = self.open_cases(&pair.b);
            let stratum = Stratum::whole()
                .with("pair", &format!("{}>{}", pair.a, pair.b))
                .with(
                    "unit",
                    if self.parameters.unit == Unit::Person {
                        "person"
                    } else {
                        "record"
                    },
                );
            let rates = [
                ("MC-1", &base_a, &base_b),
                ("MC-2", &base_b, &base_a),
                ("MC-3", &open_b, &base_a),
            ];
            for (indicator, of, among) in rates {
                rows.push(self.match_rate(indicator, stratum.clone(), of, among));
            }
        }
        rows.push(self.records_to_persons());
        rows.extend(self.review_rows());
        rows
    }

    /// Records of a system involved at any time in the period.
    fn base(&self, system: &SystemId) -> BTreeSet<RecordKey> {
        self.involved_records(system, |_| true)
    }

    fn open_cases(&self, system: &SystemId) -> BTreeSet<RecordKey> {
        self.involved_records(system, |case| self.facts.cases.contains(case))
    }

    fn involved_records(
        &self,
        system: &SystemId,
        counts: impl Fn(&(SystemId, tandem_mappings::model::id::SourceCaseId)) -> bool,
    ) -> BTreeSet<RecordKey> {
        let cases = self
            .facts
            .involved
            .iter()
            .filter(|(case, _)| case.0 == *system && counts(case));
        cases
            .flat_map(|(_, people)| people)
            .filter(|(_, span)| span.touches(self.period))
            .map(|(person, _)| RecordKey {
                system: system.clone(),
                person: person.clone(),
            })
            .collect()
    }

    fn match_rate(
        &self,
        indicator: &str,
        stratum: Stratum,
        of: &BTreeSet<RecordKey>,
        among: &BTreeSet<RecordKey>,
    ) -> MeasuredRow {
        let others = persons(among, self.snapshot);
        let is_linked = |record: &&RecordKey| others.contains(&self.snapshot.person(record));
        let linked = of.iter().filter(is_linked).cloned().collect();
        let unit = self.parameters.unit;
        let numerator = unit.count(&linked, self.snapshot);
        let denominator = unit.count(of, self.snapshot);
        self.share_row(indicator, stratum, numerator, denominator)
    }

    /// MC-4.
    fn records_to_persons(&self) -> MeasuredRow {
        let received: BTreeSet<RecordKey> = self
            .facts
            .received
            .iter()
            .filter(|(_, at)| self.period.holds(self.calendar.day(**at)))
            .map(|(record, _)| record.clone())
            .collect();
        let persons = persons(&received, self.snapshot).len() as u64;
        self.share_row("MC-4", Stratum::whole(), received.len() as u64, persons)
    }

    /// MC-5 and MC-6.
    fn review_rows(&self) -> Vec<MeasuredRow> {
        let day = |at| self.calendar.day(at);
        let candidates = || {
            self.facts
                .candidates
                .values()
                .filter_map(|one| one.created.map(|at| (at, one.decided)))
        };
        let created = candidates()
            .filter(|(at, _)| self.period.holds(day(*at)))
            .count() as u64;
        let waiting = candidates()
            .filter(|(at, decided)| {
                let is_decided = decided.is_some_and(|at| day(at) <= self.period.end());
                day(*at) <= self.period.end() && !is_decided
            })
            .count() as u64;
        let days: Vec<i64> = candidates()
            .filter_map(|(at, decided)| Some((at, decided?)))
            .filter(|(_, decided)| self.period.holds(day(*decided)))
            .map(|(at, decided)| self.calendar.days_between(at, decided))
            .collect();
        let backlog = MeasuredRow {
            value: share(waiting, created),
            ..self.share_row("MC-5", Stratum::whole(), waiting, created)
        };
        let decided = days.len() as u64;
        vec![
            backlog,
            self.median_row("MC-6", Stratum::whole(), decided, median(days)),
        ]
    }
}
