//! The indicators: what is measured, by whose definition, as data.

use std::collections::BTreeMap;

use tandem_mappings::tables::{ExampleFailure, Row, Table, TableError, TableHash};

const TEXT: &str = include_str!("../../mappings/tables/coordination/indicators.csv");

/// Columns of the table of indicators, for a network's override.
pub const INDICATORS_HEADER: &[&str] = &[
    "id",
    "name",
    "kind",
    "rba_class",
    "unit",
    "numerator",
    "denominator",
    "source_events",
    "stratifiers",
    "better_direction",
    "fhir_scoring",
    "seed",
];

/// Where the numbers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndicatorKind {
    /// From the gateway's events.
    Computed,
    /// From a data owner.
    Reported,
}

/// Class of results-based accountability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RbaClass {
    /// Condition of a population.
    Population,
    /// How much was done.
    HowMuch,
    /// How well it was done.
    HowWell,
    /// Whether anyone is better off.
    BetterOff,
}

/// FHIR measure scoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scoring {
    /// Numerator inside denominator.
    Proportion,
    /// Two separate counts.
    Ratio,
    /// A count.
    Cohort,
    /// A median or mean.
    ContinuousVariable,
}

impl Scoring {
    /// The FHIR code (measure-scoring).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Proportion => "proportion",
            Self::Ratio => "ratio",
            Self::Cohort => "cohort",
            Self::ContinuousVariable => "continuous-variable",
        }
    }
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BetterDirection {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// Neither.
    None,
}

/// One indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indicator {
    /// Id, for example `RF-3`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Where the numbers come from.
    pub kind: IndicatorKind,
    /// Class of results-based accountability.
    pub rba_class: RbaClass,
    /// What is counted.
    pub unit: String,
    /// Definition of the numerator.
    pub numerator: String,
    /// Definition of the denominator.
    pub denominator: String,
    /// Which way is better.
    pub better: BetterDirection,
    /// FHIR measure scoring.
    pub scoring: Scoring,
}

/// All indicators by id.
#[derive(Debug, Clone)]
pub struct Indicators {
    by_id: BTreeMap<String, Indicator>,
    table: Table,
}

impl Indicators {
    /// The indicators that ship with Tandem, with a network's rows over them where given.
    ///
    /// # Errors
    /// [`TableError`] with file and line when a row is malformed.
    pub fn shipped(network: Option<Table>) -> Result<Self, TableError> {
        let mut table = Table::parse("indicators.csv", TEXT, INDICATORS_HEADER)?;
        if let Some(network) = network {
            table = table.overridden_by(network, &["id"]);
        }
        let table = table.unique_by(&["id"])?;
        let by_id = table.rows().iter().map(|row| {
            let indicator = read_indicator(row)?;
            Ok((indicator.id.clone(), indicator))
        });
        let by_id = by_id.collect::<Result<_, TableError>>()?;
        Ok(Self { by_id, table })
    }

    /// An indicator by id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Indicator> {
        self.by_id.get(id)
    }

    /// All indicators in order of id.
    pub fn iter(&self) -> impl Iterator<Item = &Indicator> {
        self.by_id.values()
    }

    /// Runs the example pairs, written `# example: id -> FHIR scoring`.
    #[must_use]
    pub fn failed_examples(&self) -> Vec<ExampleFailure> {
        self.table
            .failed_examples(|id| self.get(id).map(|one| one.scoring.code().to_owned()))
    }

    /// Hash of the definitions, for the report.
    #[must_use]
    pub fn hash(&self) -> TableHash {
        self.table.hash()
    }
}

fn read_indicator(row: &Row) -> Result<Indicator, TableError> {
    let kind = match row.get("kind") {
        "computed" => IndicatorKind::Computed,
        "reported" => IndicatorKind::Reported,
        _ => return Err(row.refuse("kind", "computed or reported")),
    };
    let rba_class = match row.get("rba_class") {
        "population" => RbaClass::Population,
        "how_much" => RbaClass::HowMuch,
        "how_well" => RbaClass::HowWell,
        "better_off" => RbaClass::BetterOff,
        _ => {
            return Err(row.refuse("rba_class", "population, how_much, how_well or better_off"));
        }
    };
    let better = match row.get("better_direction") {
        "higher" => BetterDirection::Higher,
        "lower" => BetterDirection::Lower,
        "none" => BetterDirection::None,
        _ => return Err(row.refuse("better_direction", "higher, lower or none")),
    };
    let scoring = match row.get("fhir_scoring") {
        "proportion" => Scoring::Proportion,
        "ratio" => Scoring::Ratio,
        "cohort" => Scoring::Cohort,
        "continuous-variable" => Scoring::ContinuousVariable,
        _ => return Err(row.refuse("fhir_scoring", "a FHIR measure scoring")),
    };
    Ok(Indicator {
        id: row.required("id")?.to_owned(),
        name: row.required("name")?.to_owned(),
        kind,
        rba_class,
        unit: row.get("unit").to_owned(),
        numerator: row.get("numerator").to_owned(),
        denominator: row.get("denominator").to_owned(),
        better,
        scoring,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_indicators_load_and_rf_3_is_a_proportion() {
        let indicators = Indicators::shipped(None).unwrap();
        assert_eq!(indicators.get("RF-3").unwrap().scoring, Scoring::Proportion);
        assert_eq!(indicators.iter().count(), 60);
        assert_eq!(indicators.failed_examples(), []);
    }
}
