//! A release: all counts published together, and what ties them to each other.

use std::collections::BTreeMap;

use tandem_mappings::model::id::Jurisdiction;

use super::{Cell, CellKey, CountRole, Stratum, Suppression};
use crate::indicators::{Indicators, Scoring};
use crate::period::Period;

/// The stratum by which a mix is broken down (RF-8): its rows are shares of one denominator.
const MIX: &str = "reason";

/// One measured row before masking.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredRow {
    /// The indicator, for example `RF-3`.
    pub indicator: String,
    /// The period.
    pub period: Period,
    /// The jurisdiction.
    pub jurisdiction: Jurisdiction,
    /// The stratum; the whole when empty.
    pub stratum: Stratum,
    /// The count itself or the numerator; none for a median.
    pub numerator: Option<u64>,
    /// The denominator, or the number of units behind a median.
    pub denominator: Option<u64>,
    /// The value: share, ratio, median or count. None when the denominator is 0.
    pub value: Option<f64>,
}

/// A count that is the sum of others, as indexes into [`Release::cells`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sum {
    /// The total.
    pub total: usize,
    /// Its parts; one part says that two counts are the same.
    pub parts: Vec<usize>,
}

/// Counts published together, with the sums that a reader can form.
#[derive(Debug, Clone)]
pub struct Release {
    pub(super) cells: Vec<Cell>,
    pub(super) sums: Vec<Sum>,
    /// (part, whole): the first count cannot be larger than the second.
    pub(super) at_most: Vec<(usize, usize)>,
    pub(super) rows: Vec<(MeasuredRow, Option<usize>, Option<usize>)>,
    by_key: BTreeMap<CellKey, usize>,
}

impl Release {
    /// Builds a release from measured rows. Sums are found by strata: the rows of one indicator that
    /// narrow a row by one more name are its parts when they add up. (Persons counted in two
    /// parts do not add up, and nothing can be subtracted then.) Counts that two indicators
    /// define in the same words are known to be equal.
    #[must_use]
    pub fn new(rows: Vec<MeasuredRow>, indicators: &Indicators) -> Self {
        let mut release = Self {
            cells: Vec::new(),
            sums: Vec::new(),
            at_most: Vec::new(),
            rows: Vec::with_capacity(rows.len()),
            by_key: BTreeMap::new(),
        };
        for row in rows {
            let numerator = release.cell_of(&row, CountRole::Numerator, row.numerator);
            let denominator = release.cell_of(&row, CountRole::Denominator, row.denominator);
            let is_share = indicators
                .get(&row.indicator)
                .is_some_and(|indicator| indicator.scoring == Scoring::Proportion);
            if let (true, Some(part), Some(whole)) = (is_share, numerator, denominator) {
                release.at_most.push((part, whole));
            }
            release.rows.push((row, numerator, denominator));
        }
        release.find_sums_by_strata();
        release.find_mix_totals();
        release.find_equal_definitions(indicators);
        release
    }

    /// The counts.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The sums.
    #[must_use]
    pub fn sums(&self) -> &[Sum] {
        &self.sums
    }

    /// The count with a key.
    #[must_use]
    pub fn cell(&self, key: &CellKey) -> Option<&Cell> {
        self.by_key
            .get(key)
            .and_then(|&index| self.cells.get(index))
    }

    /// Adds a sum that strata do not tell, such as a state over its counties or one indicator over
    /// others. Ignored unless every key is there and the counts add up.
    pub fn add_sum(&mut self, total: &CellKey, parts: &[CellKey]) {
        let total = self.by_key.get(total).copied();
        let parts: Option<Vec<usize>> = parts
            .iter()
            .map(|key| self.by_key.get(key).copied())
            .collect();
        if let (Some(total), Some(parts)) = (total, parts) {
            self.push_sum(total, parts);
        }
    }

    fn cell_of(&mut self, row: &MeasuredRow, role: CountRole, count: Option<u64>) -> Option<usize> {
        let count = count?;
        let key = CellKey {
            indicator: row.indicator.clone(),
            period: row.period,
            jurisdiction: row.jurisdiction.clone(),
            stratum: row.stratum.clone(),
            role,
        };
        let index = *self.by_key.entry(key.clone()).or_insert(self.cells.len());
        if index == self.cells.len() {
            self.cells.push(Cell {
                key,
                count,
                suppression: Suppression::None,
            });
        }
        Some(index)
    }

    fn push_sum(&mut self, total: usize, mut parts: Vec<usize>) {
        parts.sort_unstable();
        parts.dedup();
        let count = |index: &usize| self.cells.get(*index).map_or(0, |cell| cell.count);
        let adds_up = parts.iter().map(count).sum::<u64>() == count(&total);
        if adds_up && !parts.is_empty() && !parts.contains(&total) {
            let sum = Sum { total, parts };
            if !self.sums.contains(&sum) {
                self.sums.push(sum);
            }
        }
    }

    fn find_sums_by_strata(&mut self) {
        let mut tables: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, cell) in self.cells.iter().enumerate() {
            let key = &cell.key;
            let table = (&key.indicator, key.role, key.period, &key.jurisdiction);
            tables.entry(table).or_default().push(index);
        }
        let mut groups: BTreeMap<(usize, String), Vec<usize>> = BTreeMap::new();
        for table in tables.values() {
            for &total in table {
                for &part in table {
                    let stratum =
                        |index: usize| self.cells.get(index).map(|cell| &cell.key.stratum);
                    let (Some(whole), Some(narrower)) = (stratum(total), stratum(part)) else {
                        continue;
                    };
                    if let Some(name) = whole.narrowed_in(narrower) {
                        groups
                            .entry((total, name.to_owned()))
                            .or_default()
                            .push(part);
                    }
                }
            }
        }
        for ((total, _), parts) in groups {
            self.push_sum(total, parts);
        }
    }

    /// A mix by reason has one denominator for all its reasons, which is also the sum of their
    /// numerators.
    fn find_mix_totals(&mut self) {
        let mut equal = Vec::new();
        for (index, cell) in self.cells.iter().enumerate() {
            let Some(whole) = cell.key.stratum.without(MIX) else {
                continue;
            };
            if cell.key.role == CountRole::Denominator {
                for role in [CountRole::Numerator, CountRole::Denominator] {
                    let key = CellKey {
                        stratum: whole.clone(),
                        role,
                        ..cell.key.clone()
                    };
                    equal.extend(self.by_key.get(&key).map(|&total| (total, index)));
                }
            }
        }
        for (total, part) in equal {
            self.push_sum(total, vec![part]);
        }
    }

    fn find_equal_definitions(&mut self, indicators: &Indicators) {
        let definition = |key: &CellKey| -> Option<(String, Period, Jurisdiction, Stratum)> {
            let indicator = indicators.get(&key.indicator)?;
            let text = match key.role {
                CountRole::Numerator => &indicator.numerator,
                CountRole::Denominator => &indicator.denominator,
            };
            // "n/a" and "as reported" define nothing that two counts could share.
            if text.starts_with("n/a") || text.starts_with("as reported") {
                return None;
            }
            let (period, jurisdiction) = (key.period, key.jurisdiction.clone());
            Some((text.clone(), period, jurisdiction, key.stratum.clone()))
        };
        let mut first = BTreeMap::new();
        let mut equal = Vec::new();
        for (index, cell) in self.cells.iter().enumerate() {
            if let Some(same) = definition(&cell.key) {
                match first.get(&same) {
                    Some(&earlier) => equal.push((earlier, index)),
                    None => {
                        first.insert(same, index);
                    }
                }
            }
        }
        for (one, other) in equal {
            self.push_sum(one, vec![other]);
        }
    }
}
