//! The example pairs of the tables that ship with Tandem. A county's own layouts run theirs when they are loaded.

use std::path::Path;

use tandem_calworks::tables::Layouts;
use tandem_child_welfare::Tables as ChildWelfareTables;
use tandem_coordination::assessment::Instruments;
use tandem_coordination::indicators::Indicators;
use tandem_hmis::tables::EventTypes;
use tandem_mappings::labels::LabelTables;
use tandem_mappings::tables::{ExampleFailure, ReasonTable, TableError, domain_crosswalk};

use super::problem::{Findings, Level};

type Ran = Result<Vec<ExampleFailure>, TableError>;

/// Runs the pairs of every shipped table.
pub(super) fn check(findings: &mut Findings) {
    let sets: [Ran; 9] = [
        domain_crosswalk(None).map(|table| table.failed_examples()),
        ReasonTable::shipped().map(|table| table.failed_examples()),
        Indicators::shipped(None).map(|table| table.failed_examples()),
        Instruments::shipped().map(|tables| tables.failed_examples().to_vec()),
        Layouts::failed_examples(),
        ChildWelfareTables::embedded().map(|tables| tables.failed_examples()),
        tandem_fhir::codes::check_tables().map(|()| Vec::new()),
        hmis(),
        LabelTables::shipped().map(|tables| tables.failed_examples()),
    ];
    findings.count("table sets", sets.len());
    for ran in sets {
        match ran {
            Ok(failures) => failures
                .into_iter()
                .for_each(|failure| add(findings, &failure)),
            Err(error) => findings.add(Level::Error, Path::new("built-in tables"), "", error),
        }
    }
}

fn hmis() -> Ran {
    let mut failed = tandem_hmis::tables::failed_examples()?;
    failed.extend(EventTypes::shipped()?.failed_examples()?);
    Ok(failed)
}

fn add(findings: &mut Findings, failure: &ExampleFailure) {
    let place = failure.example.file.clone();
    findings.add(Level::Error, Path::new(&place), "", failure);
}
