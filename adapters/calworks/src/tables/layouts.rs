//! The layouts of the federal files, one set for each program.

use tandem_mappings::tables::{ExampleFailure, Table, TableError};

use super::accepted::Accepted;
use super::layout::{Layout, Program, Section, failed_examples};

macro_rules! table {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../../../mappings/tables/calworks/", $name)),
        )
    };
}

const HEADER: (&str, &str) = table!("header.csv");
const TRAILER: (&str, &str) = table!("trailer.csv");
const LENGTHS: (&str, &str) = table!("record_lengths.csv");
const TRIBAL: (&str, &str) = table!("tribal_differences.csv");
const TANF: [(&str, &str); 7] = [
    table!("t1.csv"),
    table!("t2.csv"),
    table!("t3.csv"),
    table!("t4.csv"),
    table!("t5.csv"),
    table!("t6.csv"),
    table!("t7.csv"),
];
const SSP: [(&str, &str); 7] = [
    table!("m1.csv"),
    table!("m2.csv"),
    table!("m3.csv"),
    table!("m4.csv"),
    table!("m5.csv"),
    table!("m6.csv"),
    table!("m7.csv"),
];
const LENGTH_COLUMNS: [&str; 6] = [
    "record",
    "section",
    "program",
    "full_length",
    "minimum_length",
    "second_group_minimum",
];

/// Every layout of one program.
#[derive(Debug, Clone)]
pub struct Layouts {
    program: Program,
    records: Vec<(Layout, Section)>,
}

impl Layouts {
    /// Loads the layouts of a program; a tribal file has the TANF layouts with its own requirements.
    ///
    /// # Errors
    /// When a table is not sound.
    pub fn load(program: Program) -> Result<Self, TableError> {
        let tables = if program == Program::Ssp { &SSP } else { &TANF };
        let lengths = Table::parse(LENGTHS.0, LENGTHS.1, &LENGTH_COLUMNS)?;
        let mut records = Vec::new();
        for (name, text) in tables {
            let mut layout = Layout::parse(name, text)?;
            let section = apply_lengths(&mut layout, &lengths, program)?;
            records.push((layout, section));
        }
        let mut layouts = Self { program, records };
        if program == Program::Tribal {
            layouts.apply_tribal_differences()?;
        }
        Ok(layouts)
    }

    /// The layout of the header line.
    ///
    /// # Errors
    /// When the table is not sound.
    pub fn header() -> Result<Layout, TableError> {
        Layout::parse(HEADER.0, HEADER.1)
    }

    /// The layout of the trailer line.
    ///
    /// # Errors
    /// When the table is not sound.
    pub fn trailer() -> Result<Layout, TableError> {
        Layout::parse(TRAILER.0, TRAILER.1)
    }

    /// Runs the example pairs of every layout table and returns those that do not come true.
    ///
    /// # Errors
    /// When a table is not sound.
    pub fn failed_examples() -> Result<Vec<ExampleFailure>, TableError> {
        let mut failed = Vec::new();
        for (name, text) in [HEADER, TRAILER].iter().chain(&TANF).chain(&SSP) {
            failed.extend(failed_examples(name, text)?);
        }
        Ok(failed)
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> Program {
        self.program
    }

    /// The layout of a record type and the section it belongs to.
    #[must_use]
    pub fn get(&self, record: &str) -> Option<(&Layout, Section)> {
        self.records
            .iter()
            .find(|(layout, _)| layout.record == record)
            .map(|(layout, section)| (layout, *section))
    }

    fn apply_tribal_differences(&mut self) -> Result<(), TableError> {
        let columns = [
            "record",
            "field",
            "start",
            "end",
            "required",
            "accepted_values",
        ];
        let table = Table::parse(TRIBAL.0, TRIBAL.1, &columns)?;
        for row in table.rows() {
            let start: usize = row.parsed("start", "a position")?;
            let place = self
                .records
                .iter_mut()
                .filter(|(layout, _)| layout.record == row.get("record"))
                .flat_map(|(layout, _)| &mut layout.fields)
                .find(|field| field.name == row.get("field") && field.span.start + 1 == start);
            let field = place.ok_or_else(|| row.refuse("field", "a field of the layout"))?;
            field.is_required = row.get("required") == "yes";
            field.accepted = Accepted::parse(row.get("accepted_values"))
                .map_err(|error| row.refuse("accepted_values", error.to_string()))?;
        }
        Ok(())
    }
}

fn apply_lengths(
    layout: &mut Layout,
    lengths: &Table,
    program: Program,
) -> Result<Section, TableError> {
    let mut found = None;
    for row in lengths
        .rows()
        .iter()
        .filter(|row| row.get("record") == layout.record)
    {
        if row.get("program") == "TRIBAL" && program != Program::Tribal {
            continue;
        }
        let section = Section::from_letter(row.get("section"));
        found = Some(section.ok_or_else(|| row.refuse("section", "A, C, G or S"))?);
        layout.minimum = row.parsed("minimum_length", "a length")?;
        layout.length = row.parsed("full_length", "a length")?;
        layout.second_group_minimum = match row.get("second_group_minimum") {
            "" => None,
            _ => Some(row.parsed("second_group_minimum", "a length")?),
        };
    }
    found.ok_or_else(|| TableError::Value {
        file: lengths.name().to_owned(),
        line: 0,
        column: "record".to_owned(),
        expected: format!("a row for {}", layout.record),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_layout_loads() {
        for program in [Program::Tanf, Program::Ssp, Program::Tribal] {
            Layouts::load(program).unwrap();
        }
        assert_eq!(Layouts::header().unwrap().length, 23);
        assert_eq!(Layouts::trailer().unwrap().length, 23);
    }

    #[test]
    fn every_example_pair_comes_true() {
        assert_eq!(Layouts::failed_examples().unwrap(), vec![]);
    }

    #[test]
    fn a_gap_of_positions_is_refused_with_its_line() {
        let broken = TANF[0].1.replace(",3,8,yyyymm", ",4,8,yyyymm");
        let error = Layout::parse("t1.csv", &broken).unwrap_err();
        assert!(matches!(error, TableError::Gap { line: 6, .. }), "{error}");
    }

    #[test]
    fn an_overlap_of_positions_is_refused() {
        let broken = TANF[0].1.replace(",9,19,alnum", ",8,19,alnum");
        let error = Layout::parse("t1.csv", &broken).unwrap_err();
        assert!(matches!(error, TableError::Overlap { .. }), "{error}");
    }

    #[test]
    fn a_tribal_file_has_its_own_requirements() {
        let state = Layouts::load(Program::Tanf).unwrap();
        let tribal = Layouts::load(Program::Tribal).unwrap();
        let is_required = |layouts: &Layouts| {
            let (layout, _) = layouts.get("T1").unwrap();
            layout
                .fields
                .iter()
                .find(|field| field.name == "county_fips_code")
                .unwrap()
                .is_required
        };
        assert!(is_required(&state) && !is_required(&tribal));
        assert_eq!(tribal.get("T2").unwrap().0.minimum, 122);
    }
}
