//! The tables as CSV files.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::linkages::{Linkages, Shape};
use crate::lookalikes::Lookalikes;
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
    write_with_lookalikes(parameters, 0, folder)
}

/// Writes a population as [`write_tables`] does, and so many families of look-alikes after it.
///
/// # Errors
/// When a file cannot be written.
pub fn write_with_lookalikes(
    parameters: Parameters,
    lookalikes: u64,
    folder: &Path,
) -> Result<Written> {
    let mut tables = Tables::create(folder, &System::ALL)?;
    let mut population = Population::new(parameters)?;
    while let Some(rows) = population.next_family() {
        tables.write(&rows)?;
    }
    let mut lookalikes = Lookalikes::new(lookalikes, parameters.seed, parameters.difficulty)?;
    while let Some(rows) = lookalikes.next_family() {
        tables.write(&rows)?;
    }
    tables.finish()
}

/// Writes the children of a shape: `tanf.csv`, `cws.csv` and `truth.csv` as [`write_tables`] does, `open_cws.csv`
/// with the `record_id` of each open case, and `people.csv`, who is one person in truth as `tandem link` would write
/// it: `system,record_id,cluster_id`.
///
/// # Errors
/// When a file cannot be written, or the shape's numbers contradict each other.
pub fn write_linkages(shape: Shape, seed: u64, difficulty: f64, folder: &Path) -> Result<Written> {
    let mut children = Linkages::new(shape, seed, difficulty)?;
    let mut tables = Tables::create(folder, &[System::Tanf, System::ChildWelfare])?;
    let mut open = writer(folder, "open_cws.csv")?;
    open.write_record(["record_id"])?;
    let mut people = writer(folder, "people.csv")?;
    people.write_record(["system", "record_id", "cluster_id"])?;
    while let Some(family) = children.next_family() {
        let mut rows = Vec::with_capacity(family.len());
        for known in family {
            let [record_id, ..] = &known.row.values;
            let person = known.about.person.to_string();
            people.write_record([known.row.system.label(), record_id, &person])?;
            if known.is_open {
                open.write_record([record_id])?;
            }
            rows.push((known.row, known.about));
        }
        tables.write(&rows)?;
    }
    open.flush()?;
    people.flush()?;
    tables.finish()
}

type Table = csv::Writer<BufWriter<File>>;

/// The tables of some systems, and the truth.
struct Tables {
    systems: Vec<(System, Table)>,
    truth: Table,
    written: Written,
}

impl Tables {
    fn create(folder: &Path, systems: &[System]) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let table = |system: &System| {
            let mut table = writer(folder, &format!("{}.csv", system.label()))?;
            table.write_record(COLUMNS)?;
            Ok((*system, table))
        };
        let mut truth = writer(folder, "truth.csv")?;
        truth.write_record([
            "system",
            "record_id",
            "person",
            "household",
            "name_group",
            "age",
        ])?;
        Ok(Self {
            systems: systems.iter().map(table).collect::<Result<_>>()?,
            truth,
            written: Written::default(),
        })
    }

    fn write(&mut self, rows: &[(Row, TruthRow)]) -> Result<()> {
        self.written.count(rows);
        for (row, about) in rows {
            let mut tables = self.systems.iter_mut();
            if let Some((_, table)) = tables.find(|(system, _)| *system == row.system) {
                table.write_record(&row.values)?;
            }
            write_truth(&mut self.truth, row, about)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Written> {
        for (_, table) in &mut self.systems {
            table.flush()?;
        }
        self.truth.flush()?;
        Ok(self.written)
    }
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

fn write_truth(truth: &mut Table, row: &Row, about: &TruthRow) -> Result<()> {
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

fn writer(folder: &Path, name: &str) -> Result<Table> {
    let path = folder.join(name);
    let file = File::create(&path).with_context(|| format!("writing {}", path.display()))?;
    Ok(csv::Writer::from_writer(BufWriter::with_capacity(
        1 << 20,
        file,
    )))
}
