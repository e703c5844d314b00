//! A run over tables that stops before the first comparison.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::plan::BlockingPlan;
use crate::progress::{Audience, Phase, begin};
use crate::settings::Settings;

use super::error::LinkTablesError;
use super::link::{TableInput, read_tables};
use super::report::{LinkReport, TableWarning};

/// What a run over tables would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LinkPlan {
    /// Records by system.
    pub records: BTreeMap<String, u64>,
    /// What would be compared.
    #[serde(flatten)]
    pub plan: BlockingPlan,
    /// What would be passed over.
    pub warnings: Vec<TableWarning>,
}

/// Reads tables and sorts their records into blocks, but compares nothing.
///
/// # Errors
/// [`LinkTablesError`] when an input cannot be read or used.
pub fn plan_tables(
    tables: Vec<TableInput<'_>>,
    settings: &Settings,
    mut progress: Audience<'_>,
) -> Result<LinkPlan, LinkTablesError> {
    let mut report = LinkReport::default();
    let batch = read_tables(tables, settings, &mut report, &mut progress)?;
    begin(&mut progress, Phase::Blocking);
    Ok(LinkPlan {
        records: report.records,
        plan: batch.plan(),
        warnings: report.warnings,
    })
}
