//! Export.csv: the values that decide how the rest is read.

use std::collections::HashSet;

use jiff::civil::Date;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::package::Package;

use super::catalog::Catalog;
use super::check::Checker;
use super::header::Header;
use super::judge::Hashing;
use super::record::Record;
use super::source::{Halt, OpenFile};
use crate::tables::{Edition, FileLayout, Tables, edition};

/// What Export.csv says of the package.
#[derive(Debug)]
pub(crate) struct ExportFacts {
    /// Every ExportID of Export.csv: one, unless runs were merged.
    pub(crate) ids: HashSet<String>,
    /// How many rows Export.csv has.
    pub(crate) row_count: usize,
    /// The last row as the partner wrote it, in the edition's columns.
    pub(crate) row: Vec<String>,
    /// `ExportDirective` = 2: the export replaces earlier data.
    pub(crate) is_full_refresh: bool,
    /// `ExportStartDate` and `ExportEndDate`, when both can be read.
    pub(crate) period: Option<(Date, Date)>,
    /// `ExportPeriodType` = 3: the export tells of the stays that overlap the period, and of no others.
    pub(crate) is_reporting_period: bool,
    /// What `HashStatus` says of names and SSNs.
    pub(crate) hashing: Hashing,
    /// Year by which two-digit years are understood.
    pub(crate) reference_year: i16,
}

/// The rows of Export.csv before the edition is known.
struct Raw {
    entry: String,
    has_bom: bool,
    header: Record,
    rows: Vec<Record>,
}

/// Most rows of Export.csv that are looked at: a package merged from more runs is none.
const MOST_EXPORT_ROWS: usize = 1000;

/// Reads Export.csv, decides the edition and tells the deviations of the file.
pub(crate) fn read(
    package: &mut dyn Package,
    catalog: &Catalog,
    accept_merged: bool,
    told: &mut Vec<Deviation>,
) -> Result<(&'static Tables, ExportFacts), Halt> {
    let raw = read_raw(package, catalog)?;
    if raw.has_bom {
        told.push(Deviation::info(
            "byte-order-mark",
            Place::line(&raw.entry, 1),
            "no mark",
        ));
    }
    let year = decide_edition(package, catalog, &raw, told)?;
    let tables = edition(year).map_err(|error| {
        Halt::input("table-broken", Place::file("Export.csv"), error.to_string())
    })?;
    let layout = tables.file("Export").ok_or_else(|| missing("Export.csv"))?;
    let facts = facts(tables, layout, raw, told)?;
    if facts.row_count > 1 && !accept_merged {
        let place = Place::line("Export.csv", 3).field("ExportID");
        let expected = "one row; merged packages are read only where the settings allow it";
        return Err(Halt::input("export-merged", place, expected));
    }
    Ok((tables, facts))
}

fn missing(entry: &str) -> Halt {
    Halt::input(
        "export-missing",
        Place::file(entry),
        "Export.csv with one row",
    )
}

fn read_raw(package: &mut dyn Package, catalog: &Catalog) -> Result<Raw, Halt> {
    let entry = catalog
        .entry("Export")
        .ok_or_else(|| missing("Export.csv"))?
        .to_owned();
    let mut file = OpenFile::open(package, &entry)?;
    let header = file.next(None)?.ok_or_else(|| missing(&entry))?;
    let mut rows = Vec::new();
    while let Some(record) = file.next(Some(header.fields.len()))? {
        if rows.len() == MOST_EXPORT_ROWS {
            break;
        }
        rows.push(record);
    }
    let has_bom = file.had_bom();
    if rows.is_empty() {
        return Err(missing(&entry));
    }
    Ok(Raw {
        entry,
        has_bom,
        header,
        rows,
    })
}

/// The edition by the text of `CSVVersion`, else by the columns of Client.csv.
fn decide_edition(
    package: &mut dyn Package,
    catalog: &Catalog,
    raw: &Raw,
    told: &mut Vec<Deviation>,
) -> Result<Edition, Halt> {
    let is_version = |name: &String| name.trim().eq_ignore_ascii_case("CSVVersion");
    let column = raw.header.fields.iter().position(is_version);
    let text = column
        .and_then(|index| raw.rows.first()?.fields.get(index))
        .map_or("", |text| text.trim());
    let place = Place::line(&raw.entry, 2).field("CSVVersion");
    if let Some(year) = year_in(text) {
        return match year {
            2026 => Ok(Edition::Fy2026),
            2024 => Ok(Edition::Fy2024),
            _ => Err(Halt::input("version-unsupported", place, "2026 or 2024")),
        };
    }
    told.push(Deviation::warning(
        "version-blank",
        place.clone(),
        "year and version, as 2026 v1.0",
    ));
    let Some(entry) = catalog.entry("Client").map(str::to_owned) else {
        return Ok(Edition::Fy2026);
    };
    let header = OpenFile::open(package, &entry)?
        .next(None)?
        .unwrap_or_default();
    let has = |name: &str| {
        header
            .fields
            .iter()
            .any(|f| f.trim().eq_ignore_ascii_case(name))
    };
    if has("Sex") {
        Ok(Edition::Fy2026)
    } else if has("Woman") || has("Man") {
        Ok(Edition::Fy2024)
    } else if has("Female") || has("Male") || has("Gender") {
        Err(Halt::input(
            "version-unsupported",
            place,
            "2026 or 2024; Client.csv is older",
        ))
    } else {
        Ok(Edition::Fy2026)
    }
}

/// The first run of four digits, as a year.
fn year_in(text: &str) -> Option<u16> {
    let digits: String = text
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    if digits.len() == 4 {
        digits.parse().ok()
    } else {
        None
    }
}

fn facts(
    tables: &'static Tables,
    layout: &'static FileLayout,
    raw: Raw,
    told: &mut Vec<Deviation>,
) -> Result<ExportFacts, Halt> {
    let mut findings = Vec::new();
    let fallback_year = if tables.edition == Edition::Fy2024 {
        2025
    } else {
        2026
    };
    let mut checker = Checker {
        tables,
        reference_year: fallback_year,
        hashing: Hashing::None,
    };
    let header = Header::read(layout, &raw.header.fields, &mut findings);
    let header = header.ok_or_else(|| missing(&raw.entry))?;
    if raw.rows.len() > 1 {
        let place = Place::line(&raw.entry, raw.rows.get(1).map_or(3, |record| record.line));
        told.push(Deviation::warning(
            "export-rows",
            place,
            "one row: one run of the export",
        ));
    }
    let mut facts: Option<ExportFacts> = None;
    let row_count = raw.rows.len();
    for record in raw.rows {
        let Some(row) = checker.row(layout, &header, record, &mut findings) else {
            continue;
        };
        let year = row
            .date("ExportDate")
            .or(row.date("ExportEndDate"))
            .map(Date::year);
        checker.reference_year = year.unwrap_or(checker.reference_year);
        let mut ids = facts.take().map(|facts| facts.ids).unwrap_or_default();
        ids.insert(row.key().to_owned());
        facts = Some(ExportFacts {
            ids,
            row_count,
            row: row.as_written(),
            is_full_refresh: row.get("ExportDirective") == "2",
            period: row.date("ExportStartDate").zip(row.date("ExportEndDate")),
            is_reporting_period: row.get("ExportPeriodType") == "3",
            hashing: Hashing::of_status(row.get("HashStatus")),
            reference_year: checker.reference_year,
        });
    }
    told.extend(
        findings
            .into_iter()
            .map(|finding| finding.in_file(&raw.entry)),
    );
    facts.ok_or_else(|| missing(&raw.entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_is_found_however_the_version_is_written() {
        for (text, year) in [
            ("2026 v1.0", Some(2026)),
            ("v2024", Some(2024)),
            ("FY 2026v10", Some(2026)),
            ("1.0", None),
            ("", None),
        ] {
            assert_eq!(year_in(text), year, "{text}");
        }
    }
}
