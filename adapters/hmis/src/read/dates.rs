//! Days that can't be, or stand in an order that can't be: used, and told.

use jiff::ToSpan;
use jiff::civil::Date;

use super::finding::Finding;
use super::row::Row;
use super::session::Session;
use crate::tables::ColumnType;

/// Years in which a day of an export can lie.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2100;
/// Nobody is older.
const OLDEST_YEARS: i32 = 120;
/// Days of a row that can't lie before another of its days.
const ORDERED: [(&str, &str, &str); 4] = [
    ("Enrollment", "EntryDate", "MoveInDate"),
    ("Event", "EventDate", "ResultDate"),
    ("Services", "DateProvided", "FAEndDate"),
    ("Project", "OperatingStartDate", "OperatingEndDate"),
];

impl Session<'_> {
    /// Tells of days outside what can be, of an exit before its entry, and of stays outside a reporting period.
    pub(crate) fn check_dates(&mut self, entry: &str, row: &Row<'_>) {
        let mut findings = Vec::new();
        for column in &row.layout.columns {
            let is_day = matches!(column.kind, ColumnType::Date | ColumnType::Instant);
            let year = Some(&column.name).filter(|_| is_day);
            let year = year.and_then(|name| Some(row.date(name)?.year()));
            if year.is_some_and(|year| !YEARS.contains(&year)) {
                let expected = "a day from 1900 to 2100";
                findings.push(out_of_range(row, &column.name, expected));
            }
        }
        for (file, first, then) in ORDERED {
            if row.layout.name == file {
                order(row, (first, row.date(first)), then, &mut findings);
            }
        }
        match row.layout.name.as_str() {
            "Client" => self.birth_day(row, &mut findings),
            "Enrollment" if !row.is_deleted() => self.entry_day(row, &mut findings),
            "Exit" if !row.is_deleted() => self.exit_day(row, &mut findings),
            _ => {}
        }
        for finding in findings {
            self.tell(entry, finding);
        }
    }

    fn birth_day(&self, row: &Row<'_>, findings: &mut Vec<Finding>) {
        let (Some(born), Some((_, end))) = (row.date("DOB"), self.period) else {
            return;
        };
        let is_too_old = born
            .checked_add(OLDEST_YEARS.years())
            .is_ok_and(|last| last < end);
        if YEARS.contains(&born.year()) && (born > end || is_too_old) {
            let expected = "a birth date before ExportEndDate, of somebody who can be alive";
            findings.push(out_of_range(row, "DOB", expected));
        }
    }

    fn entry_day(&self, row: &Row<'_>, findings: &mut Vec<Finding>) {
        let period = self.period.filter(|_| self.is_reporting_period);
        let (Some(day), Some((_, end))) = (row.date("EntryDate"), period) else {
            return;
        };
        if YEARS.contains(&day.year()) && day > end {
            let expected = "a day up to ExportEndDate: stays that overlap the period";
            findings.push(out_of_range(row, "EntryDate", expected));
        }
    }

    fn exit_day(&self, row: &Row<'_>, findings: &mut Vec<Finding>) {
        let entry = self.prepass.gates.entry_of(row.get("EnrollmentID"));
        if order(row, ("EntryDate", entry), "ExitDate", findings) {
            return;
        }
        let period = self.period.filter(|_| self.is_reporting_period);
        let (Some(day), Some((start, _))) = (row.date("ExitDate"), period) else {
            return;
        };
        if YEARS.contains(&day.year()) && day < start {
            let expected = "a day from ExportStartDate: stays that overlap the period";
            findings.push(out_of_range(row, "ExitDate", expected));
        }
    }
}

/// Tells of a day before another one; whether it is.
fn order(
    row: &Row<'_>,
    (first, earliest): (&str, Option<Date>),
    then: &str,
    findings: &mut Vec<Finding>,
) -> bool {
    let is_before = earliest
        .zip(row.date(then))
        .is_some_and(|(earliest, day)| day < earliest);
    if is_before {
        let finding = Finding::warning("date-order", row.line).at(then);
        findings.push(finding.expected(format!("no day before {first}")));
    }
    is_before
}

fn out_of_range(row: &Row<'_>, column: &str, expected: &str) -> Finding {
    Finding::warning("date-out-of-range", row.line)
        .at(column)
        .expected(expected)
}
