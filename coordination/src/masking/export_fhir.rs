//! FHIR R4 `MeasureReport` export of public rows.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::PublicRow;
use crate::indicators::{Indicators, Scoring};

const MEASURE_POPULATION: &str = "http://terminology.hl7.org/CodeSystem/measure-population";
const DATA_ABSENT_REASON: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// One summary report per indicator, period and jurisdiction, the strata as stratifiers. `base` is the
/// canonical URL under which the measures stand, without a slash at the end; a masked number is
/// omitted and carries the data-absent-reason `masked`.
#[must_use]
pub fn measure_reports(
    rows: &[PublicRow],
    indicators: &Indicators,
    base: &str,
    reporter: &str,
) -> Vec<Value> {
    let mut reports: BTreeMap<_, Vec<&PublicRow>> = BTreeMap::new();
    for row in rows {
        let key = (row.indicator.as_str(), row.period, &row.jurisdiction);
        reports.entry(key).or_default().push(row);
    }
    let reports = reports.into_iter().map(|((indicator, period, _), rows)| {
        let scoring = indicators
            .get(indicator)
            .map_or(Scoring::Cohort, |indicator| indicator.scoring);
        json!({
            "resourceType": "MeasureReport",
            "status": "complete",
            "type": "summary",
            "measure": format!("{base}/Measure/{indicator}"),
            "period": {"start": period.start().to_string(), "end": period.end().to_string()},
            "reporter": {"display": reporter},
            "group": [group(&rows, scoring)],
        })
    });
    reports.collect()
}

fn group(rows: &[&PublicRow], scoring: Scoring) -> Value {
    let mut group = Map::new();
    if let Some(whole) = rows.iter().find(|row| row.stratum.is_empty()) {
        group = numbers(whole, scoring);
    }
    let mut stratifiers: BTreeMap<Vec<&str>, Vec<Value>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.stratum.is_empty()) {
        let names = row.stratum.iter().map(|(name, _)| name).collect();
        stratifiers
            .entry(names)
            .or_default()
            .push(stratum(row, scoring));
    }
    if !stratifiers.is_empty() {
        let list = stratifiers.into_iter().map(|(names, strata)| {
            let code: Vec<Value> = names.iter().map(|name| json!({"text": name})).collect();
            json!({"code": code, "stratum": strata})
        });
        group.insert("stratifier".to_owned(), Value::Array(list.collect()));
    }
    Value::Object(group)
}

fn stratum(row: &PublicRow, scoring: Scoring) -> Value {
    let mut stratum = numbers(row, scoring);
    let mut pairs = row.stratum.iter();
    match (pairs.next(), row.stratum.len()) {
        (Some((_, value)), 1) => {
            stratum.insert("value".to_owned(), json!({"text": value}));
        }
        _ => {
            let component = row
                .stratum
                .iter()
                .map(|(name, value)| json!({"code": {"text": name}, "value": {"text": value}}));
            stratum.insert("component".to_owned(), component.collect());
        }
    }
    Value::Object(stratum)
}

fn numbers(row: &PublicRow, scoring: Scoring) -> Map<String, Value> {
    let numerator = (row.numerator, row.numerator_is_masked);
    let denominator = (row.denominator, row.denominator_is_masked);
    let populations = match scoring {
        Scoring::Cohort => vec![("initial-population", numerator)],
        Scoring::ContinuousVariable => vec![("initial-population", denominator)],
        Scoring::Proportion | Scoring::Ratio => vec![
            ("initial-population", denominator),
            ("denominator", denominator),
            ("numerator", numerator),
        ],
    };
    let populations = populations
        .into_iter()
        .filter_map(|(code, (count, is_masked))| {
            let code = json!({"coding": [{"system": MEASURE_POPULATION, "code": code}]});
            match (count, is_masked) {
                (Some(count), false) => Some(json!({"code": code, "count": count})),
                (_, true) => Some(json!({"code": code, "_count": masked()})),
                (None, false) => None,
            }
        });
    let mut numbers = Map::new();
    numbers.insert("population".to_owned(), populations.collect());
    match row.value {
        Some(value) if scoring != Scoring::Cohort => {
            numbers.insert("measureScore".to_owned(), json!({"value": value}));
        }
        None if row.numerator_is_masked || row.denominator_is_masked => {
            numbers.insert("measureScore".to_owned(), masked());
        }
        _ => {}
    }
    numbers
}

fn masked() -> Value {
    json!({"extension": [{"url": DATA_ABSENT_REASON, "valueCode": "masked"}]})
}
