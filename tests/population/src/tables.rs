//! The tables as CSV files.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::population::{Parameters, Population};
use crate::row::{COLUMNS, Row, TruthRow};
use crate::system::System;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Records in all tables together.
    pub records: u64,
    /// People about whom there is a record.
    pub people: u64,
    /// Pairs of records about one person.
    pub true_pairs: u64,
}

/// Writes `tanf.csv`, `cws.csv`, `fhir.csv` and `hmis.csv` into a folder, and `truth.csv` with the columns
/// `system,record_id,person,household,name_group,age`.
///
/// # Errors
/// When a file cannot be written.
pub fn write_tables(parameters: Parameters, folder: &Path) -> Result<Written> {
    std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let mut tables = Vec::new();
    for system in System::ALL {
        let mut table = writer(folder, &format!("{}.csv", system.label()))?;
        table.write_record(COLUMNS)?;
        tables.push((system, table));
    }
    let mut truth = writer(folder, "truth.csv")?;
    truth.write_record([
        "system",
        "record_id",
        "person",
        "household",
        "name_group",
        "age",
    ])?;
    let mut population = Population::new(parameters)?;
    let mut written = Written::default();
    while let Some(rows) = population.next_family() {
        written.count(&rows);
        for (row, about) in rows {
            if let Some((_, table)) = tables.iter_mut().find(|(system, _)| *system == row.system) {
                table.write_record(&row.values)?;
            }
            write_truth(&mut truth, &row, &about)?;
        }
    }
    for (_, table) in &mut tables {
        table.flush()?;
    }
    truth.flush()?;
    Ok(written)
}

impl Written {
    fn count(&mut self, rows: &[(Row, TruthRow)]) {
        let mut people: Vec<u64> = rows.iter().map(|(_, about)| about.person).collect();
        people.sort_unstable();
        self.records += rows.len() as u64;
        for records in people.chunk_by(|one, other| one == other) {
            let records = records.len() as u64;
            self.people += 1;
            self.true_pairs += records * (records - 1) / 2;
        }
    }
}

fn write_truth(
    truth: &mut csv::Writer<BufWriter<File>>,
    row: &Row,
    about: &TruthRow,
) -> Result<()> {
    let (person, household) = (about.person.to_string(), about.household.to_string());
    let age = about.age.to_string();
    let [record_id, ..] = &row.values;
    truth.write_record([
        row.system.label(),
        record_id,
        &person,
        &household,
        about.name_group,
        &age,
    ])?;
    Ok(())
}

fn writer(folder: &Path, name: &str) -> Result<csv::Writer<BufWriter<File>>> {
    let path = folder.join(name);
    let file = File::create(&path).with_context(|| format!("writing {}", path.display()))?;
    Ok(csv::Writer::from_writer(BufWriter::with_capacity(
        1 << 20,
        file,
    )))
}
