//! The report: rows and what is needed to compute them again.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use tandem_mappings::model::id::Jurisdiction;

use super::referrals::single_breakdowns;
use super::statistics::share;
use super::{Dimension, Facts, Snapshot, SystemPair, Unit};
use crate::assessment::Instruments;
use crate::calendar::Calendar;
use crate::indicators::Indicators;
use crate::masking::{MeasuredRow, Stratum};
use crate::period::Period;
use crate::referral::Rules;
use crate::timers::TimerSettings;

/// What a network sets for its measures.
#[derive(Debug, Clone, Serialize)]
pub struct Parameters {
    /// Pairs of systems whose mutual clients are counted.
    pub pairs: Vec<SystemPair>,
    /// What a match rate counts.
    pub unit: Unit,
    /// Sets of dimensions by which referrals are broken down; the whole is always there.
    pub breakdowns: Vec<BTreeSet<Dimension>>,
    /// Windows of decision and closure, and the timers behind "overdue".
    pub timers: TimerSettings,
    /// Calendar days within which a new referral counts as a second try.
    pub referred_again_within_days: u16,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            pairs: Vec::new(),
            unit: Unit::Person,
            breakdowns: single_breakdowns(),
            timers: TimerSettings::default(),
            referred_again_within_days: 30,
        }
    }
}

/// What a rerun needs to give the same numbers.
#[derive(Debug, Clone, Serialize)]
pub struct ReportHeader {
    /// The jurisdiction.
    pub jurisdiction: Jurisdiction,
    /// The period.
    pub period: Period,
    /// Snapshot of the links.
    pub snapshot_id: String,
    /// How many events were read.
    pub event_position: u64,
    /// Until when they were considered.
    pub as_of: Timestamp,
    /// The parameters.
    pub parameters: Parameters,
    /// Hash of the indicators' definitions.
    pub definitions: tandem_mappings::tables::TableHash,
    /// Version of the software that computed it.
    pub software_version: &'static str,
}

/// The measures of a jurisdiction in a period. Not for the public: mask it first.
#[derive(Debug, Clone)]
pub struct MeasureReport {
    /// What a rerun needs.
    pub header: ReportHeader,
    /// The rows.
    pub rows: Vec<MeasuredRow>,
}

/// Everything a measure may look at.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The jurisdiction.
    pub jurisdiction: &'a Jurisdiction,
    /// The period.
    pub period: Period,
    /// Facts after this instant are not considered.
    pub as_of: Timestamp,
    /// What the events say.
    pub facts: &'a Facts,
    /// Who is the same person.
    pub snapshot: &'a Snapshot,
    /// Zone and business days.
    pub calendar: &'a Calendar,
    /// Rules of referrals.
    pub rules: &'a Rules,
    /// Instruments of assessment.
    pub instruments: &'a Instruments,
    /// Definitions of the indicators.
    pub indicators: &'a Indicators,
    /// What the network sets.
    pub parameters: &'a Parameters,
}

/// Computes MC-1 to MC-6, UN-1 to UN-3, RF-1 to RF-10 and AS-2, AS-3, AS-4, AS-7.
#[must_use]
pub fn measure(scene: &Scene<'_>) -> MeasureReport {
    let mut rows = scene.link_rows();
    rows.extend(scene.served_rows());
    rows.extend(scene.referral_rows());
    rows.extend(scene.assessment_rows());
    let header = ReportHeader {
        jurisdiction: scene.jurisdiction.clone(),
        period: scene.period,
        snapshot_id: scene.snapshot.id().to_owned(),
        event_position: scene.facts.position(),
        as_of: scene.as_of,
        parameters: scene.parameters.clone(),
        definitions: scene.indicators.hash(),
        software_version: env!("CARGO_PKG_VERSION"),
    };
    MeasureReport { header, rows }
}

impl MeasureReport {
    /// The row of an indicator in a stratum.
    #[must_use]
    pub fn row(&self, indicator: &str, stratum: &Stratum) -> Option<&MeasuredRow> {
        self.rows
            .iter()
            .find(|row| row.indicator == indicator && row.stratum == *stratum)
    }
}

impl Scene<'_> {
    pub(super) fn share_row(
        &self,
        indicator: &str,
        stratum: Stratum,
        numerator: u64,
        denominator: u64,
    ) -> MeasuredRow {
        MeasuredRow {
            denominator: Some(denominator),
            value: share(numerator, denominator),
            ..self.count_row(indicator, stratum, numerator)
        }
    }

    pub(super) fn count_row(&self, indicator: &str, stratum: Stratum, count: u64) -> MeasuredRow {
        MeasuredRow {
            indicator: indicator.to_owned(),
            period: self.period,
            jurisdiction: self.jurisdiction.clone(),
            stratum,
            numerator: Some(count),
            denominator: None,
            value: Some(count as f64),
        }
    }

    pub(super) fn median_row(
        &self,
        indicator: &str,
        stratum: Stratum,
        units: u64,
        median: Option<f64>,
    ) -> MeasuredRow {
        MeasuredRow {
            numerator: None,
            denominator: Some(units),
            value: median,
            ..self.count_row(indicator, stratum, units)
        }
    }

    /// The last instant of the period, or `as_of` when that is earlier.
    pub(super) fn end_of_period(&self) -> Timestamp {
        let next = self.period.end().saturating_add(1.day());
        let end = self.calendar.start_of(next).map_or(self.as_of, |start| {
            start
                .saturating_sub(jiff::SignedDuration::from_nanos(1))
                .unwrap_or(start)
        });
        end.min(self.as_of)
    }
}
