//! A client row and what hangs on it as one person record.

use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::read::Sink;
use tandem_mappings::model::date::{BirthDate, DateQuality, PartialDate};
use tandem_mappings::model::name::{NameQuality, NameUse, PersonName};
use tandem_mappings::model::person::{Identifier, PersonFlag, PersonRecord, Sex, SsnValue};
use tandem_mappings::model::ssn::{Ssn, SsnQuality};

use super::place::bad_value;
use super::row::Row;
use super::side::Side;
use crate::tables::Tables;

/// Name types (`NAME_TPC`).
const NAME_DOE: u32 = 1312;
const NAME_LEGAL: u32 = 1313;
const NAME_MAIDEN: u32 = 1314;

/// Where the values of a row are reported.
pub(crate) struct Reporter<'a> {
    /// Entry of the table.
    pub(crate) file: &'a str,
    /// Line of the row.
    pub(crate) line: u64,
    /// Who is told.
    pub(crate) sink: &'a mut dyn Sink,
}

impl Reporter<'_> {
    fn bad(&mut self, column: &str, expected: &str) {
        bad_value(self.sink, self.file, self.line, column, expected);
    }

    fn warn(&mut self, code: &str, column: &str, expected: &str) {
        let place = Place::line(self.file, self.line).field(column);
        self.sink
            .deviation(Deviation::warning(code, place, expected));
    }

    /// A code column; a value that is no number is reported and unset.
    pub(crate) fn code(&mut self, row: &Row<'_>, column: &str) -> Option<u32> {
        row.code(column).unwrap_or_else(|_| {
            self.bad(column, "a system code: a whole number");
            None
        })
    }

    /// A date column; a value that is no date is reported and unset.
    pub(crate) fn date(&mut self, row: &Row<'_>, column: &str) -> Option<PartialDate> {
        row.date(column).unwrap_or_else(|_| {
            self.bad(column, "a date: YYYY-MM-DD");
            None
        })
    }
}

/// The person of a client row.
pub(crate) fn person(
    row: &Row<'_>,
    side: Side,
    is_sensitive: bool,
    tables: &Tables,
    report: &mut Reporter<'_>,
) -> PersonRecord {
    let mut names = vec![own_name(row, report)];
    if names.iter().all(PersonName::is_empty) {
        names.clear();
        report.warn("name-blank", "COM_LST_NM", "a first or last name");
    }
    let (addresses, phones) = side.contact();
    names.extend(side.names);
    let mut identifiers: Vec<Identifier> = cin(row, report).into_iter().collect();
    identifiers.extend(side.identifiers);
    let language = report.code(row, "P_LANG_TPC");
    let language = language.and_then(|code| tables.description("LANG_TPC", code));
    PersonRecord {
        names,
        birth: birth(row, report),
        death: report.date(row, "DEATH_DT"),
        sex: sex(row, report),
        ssn: ssn(row, report),
        identifiers,
        addresses,
        phones,
        emails: row
            .text("EMAIL_ADDR")
            .map(str::to_owned)
            .into_iter()
            .collect(),
        language: language.map(str::to_owned),
        flags: is_sensitive
            .then_some(PersonFlag::Sensitive)
            .into_iter()
            .collect(),
    }
}

fn own_name(row: &Row<'_>, report: &mut Reporter<'_>) -> PersonName {
    let kind = report.code(row, "NAME_TPC");
    PersonName {
        given: row.owned("COM_FST_NM"),
        middle: row.owned("COM_MID_NM"),
        family: row.owned("COM_LST_NM"),
        suffix: row.owned("SUFX_TLDSC"),
        name_use: NameUse::Official,
        quality: name_quality(kind),
    }
}

/// A row of `OCL_NM_T`; `None` when it holds no name.
pub(crate) fn other_name(row: &Row<'_>, report: &mut Reporter<'_>) -> Option<PersonName> {
    let kind = report.code(row, "NAME_TPC");
    let name = PersonName {
        given: row.owned("FIRST_NM"),
        middle: row.owned("MIDDLE_NM"),
        family: row.owned("LAST_NM"),
        suffix: row.owned("SUFX_TLDSC"),
        name_use: match kind {
            Some(NAME_LEGAL) => NameUse::Official,
            Some(NAME_MAIDEN) => NameUse::Maiden,
            _ => NameUse::Other,
        },
        quality: name_quality(kind),
    };
    (!name.is_empty()).then_some(name)
}

/// A "Doe" name stands for an unknown one.
fn name_quality(kind: Option<u32>) -> NameQuality {
    if kind == Some(NAME_DOE) {
        NameQuality::Placeholder
    } else {
        NameQuality::Full
    }
}

/// `BIRTH_DT` read with `EST_DOB_CD`: N entered, Y estimated, U not provided.
fn birth(row: &Row<'_>, report: &mut Reporter<'_>) -> Option<BirthDate> {
    let date = report.date(row, "BIRTH_DT")?;
    let quality = match row.text("EST_DOB_CD") {
        None | Some("N") => DateQuality::Exact,
        Some("Y") => DateQuality::Estimated,
        Some("U") => DateQuality::Placeholder,
        Some(_) => {
            report.bad("EST_DOB_CD", "N, Y or U");
            DateQuality::Estimated
        }
    };
    Some(BirthDate { date, quality })
}

fn sex(row: &Row<'_>, report: &mut Reporter<'_>) -> Option<Sex> {
    match row.text("GENDER_CD")? {
        "F" => Some(Sex::Female),
        "M" => Some(Sex::Male),
        "I" => Some(Sex::Other),
        "U" => Some(Sex::Unknown),
        _ => {
            report.bad("GENDER_CD", "M, F, U or I");
            None
        }
    }
}

/// `SS_NO`: nine digits or empty; zeros stand for an unknown number.
fn ssn(row: &Row<'_>, report: &mut Reporter<'_>) -> Option<SsnValue> {
    let text = row.text("SS_NO")?;
    if text.bytes().all(|byte| byte == b'0') {
        return None;
    }
    let ssn: Option<Ssn> = text.parse().ok().filter(Ssn::is_full);
    let Some(ssn) = ssn else {
        report.bad("SS_NO", "nine digits");
        return None;
    };
    let quality = if ssn.is_plausible() {
        SsnQuality::Full
    } else {
        report.warn(
            "ssn-implausible",
            "SS_NO",
            "a number that can stand for a person",
        );
        SsnQuality::Placeholder
    };
    Some(SsnValue { ssn, quality })
}

/// `CL_INDX_NO`, the statewide CIN: a digit, seven digits, a letter.
fn cin(row: &Row<'_>, report: &mut Reporter<'_>) -> Option<Identifier> {
    let value = row.text("CL_INDX_NO")?.to_ascii_uppercase();
    let is_cin = value.len() == 9
        && value.bytes().take(8).all(|byte| byte.is_ascii_digit())
        && value.bytes().skip(8).all(|byte| byte.is_ascii_uppercase());
    if !is_cin {
        report.bad("CL_INDX_NO", "a CIN: eight digits and a letter");
        return None;
    }
    Some(Identifier {
        kind: "cin".to_owned(),
        value,
    })
}
