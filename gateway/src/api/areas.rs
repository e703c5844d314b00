//! Numbers of other areas beside the county's own, and the total over all of them.

use std::collections::BTreeMap;

use tandem_coordination::masking::{MeasuredRow, Stratum};
use tandem_coordination::period::Period;
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::Jurisdiction;
use tandem_mappings::model::message::IndicatorReported;

/// The stratum that names an area.
const COUNTY: &str = "county";

/// What data owners reported for exactly one period. A later report of the same takes the earlier one's place.
#[derive(Debug)]
pub(super) struct Reported {
    own: Jurisdiction,
    period: Period,
    rows: BTreeMap<(String, Stratum), MeasuredRow>,
}

impl Reported {
    /// Nothing reported yet.
    pub(super) fn new(own: &Jurisdiction, period: Period) -> Self {
        Self {
            own: own.clone(),
            period,
            rows: BTreeMap::new(),
        }
    }

    /// Reads the next event.
    pub(super) fn read(&mut self, event: &Event) {
        if let Body::IndicatorReported(told) = &event.told.body
            && let Some(row) = row_of(told, &self.own)
            && row.period == self.period
        {
            self.rows
                .insert((row.indicator.clone(), row.stratum.clone()), row);
        }
    }

    /// The rows.
    pub(super) fn into_rows(self) -> Vec<MeasuredRow> {
        self.rows.into_values().collect()
    }
}

fn row_of(told: &IndicatorReported, own: &Jurisdiction) -> Option<MeasuredRow> {
    let pairs = told.strata.iter().filter_map(|text| text.split_once('='));
    let stratum = pairs.fold(Stratum::whole(), |stratum, (name, value)| {
        stratum.with(name, value)
    });
    let period = Period::new(told.from, told.to).ok()?;
    Some(MeasuredRow {
        indicator: told.indicator.clone(),
        period,
        jurisdiction: own.clone(),
        stratum,
        numerator: Some(told.numerator),
        denominator: told.denominator,
        value: value(told.numerator, told.denominator),
    })
}

fn value(numerator: u64, denominator: Option<u64>) -> Option<f64> {
    match denominator {
        Some(0) => None,
        Some(denominator) => Some(numerator as f64 / denominator as f64),
        None => Some(numerator as f64),
    }
}

/// Puts reported rows beside computed ones. Where other counties reported an indicator, the county's own rows become one
/// county's among them, and the whole becomes the total: a total that is shown lets nobody compute a masked county, since
/// the masking knows the sum.
pub(super) fn join(rows: &mut Vec<MeasuredRow>, reported: Vec<MeasuredRow>, own: &Jurisdiction) {
    let is_county = |row: &MeasuredRow| row.stratum.iter().any(|(name, _)| name == COUNTY);
    let mut indicators: Vec<String> = reported
        .iter()
        .filter(|row| is_county(row))
        .map(|row| row.indicator.clone())
        .collect();
    indicators.sort();
    indicators.dedup();
    for row in rows
        .iter_mut()
        .filter(|row| indicators.contains(&row.indicator) && !is_county(row))
    {
        row.stratum = row.stratum.clone().with(COUNTY, own.as_str());
    }
    rows.retain(|row| {
        !reported
            .iter()
            .any(|other| other.indicator == row.indicator && other.stratum == row.stratum)
    });
    rows.extend(reported);
    for indicator in indicators {
        if let Some(total) = total(rows, &indicator) {
            rows.push(total);
        }
    }
}

/// The total over the counties of an indicator; none when somebody reported the whole.
fn total(rows: &[MeasuredRow], indicator: &str) -> Option<MeasuredRow> {
    let of = || rows.iter().filter(|row| row.indicator == indicator);
    if of().any(|row| row.stratum.is_empty()) {
        return None;
    }
    let counties: Vec<&MeasuredRow> = of()
        .filter(|row| row.stratum.len() == 1 && row.stratum.without(COUNTY).is_some())
        .collect();
    let numerator = counties
        .iter()
        .map(|row| row.numerator)
        .sum::<Option<u64>>()?;
    let denominator = counties
        .iter()
        .map(|row| row.denominator)
        .sum::<Option<u64>>();
    let first = (*counties.first()?).clone();
    Some(MeasuredRow {
        stratum: Stratum::whole(),
        numerator: Some(numerator),
        denominator,
        value: value(numerator, denominator),
        ..first
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(stratum: Stratum, numerator: u64) -> MeasuredRow {
        MeasuredRow {
            indicator: "UN-2".into(),
            period: Period::new(
                jiff::civil::date(2026, 1, 1),
                jiff::civil::date(2026, 3, 31),
            )
            .unwrap(),
            jurisdiction: Jurisdiction::new("demo-county").unwrap(),
            stratum,
            numerator: Some(numerator),
            denominator: None,
            value: Some(numerator as f64),
        }
    }

    #[test]
    fn the_county_stands_among_the_others_and_the_whole_is_their_total() {
        let own = Jurisdiction::new("demo-county").unwrap();
        let mut rows = vec![row(Stratum::whole(), 1)];
        let others = vec![
            row(Stratum::whole().with("county", "north"), 41),
            row(Stratum::whole().with("county", "south"), 18),
        ];
        join(&mut rows, others, &own);
        let of = |stratum: Stratum| {
            rows.iter()
                .find(|row| row.stratum == stratum)
                .unwrap()
                .numerator
        };
        assert_eq!(of(Stratum::whole().with("county", "demo-county")), Some(1));
        assert_eq!(of(Stratum::whole()), Some(60));
    }

    #[test]
    fn a_county_without_other_areas_keeps_its_whole() {
        let own = Jurisdiction::new("demo-county").unwrap();
        let mut rows = vec![row(Stratum::whole(), 1)];
        join(&mut rows, Vec::new(), &own);
        assert_eq!(rows, [row(Stratum::whole(), 1)]);
    }
}
