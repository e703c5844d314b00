//! The tables of codes that a county may override: its rows are searched before the shipped ones.
//!
//! Only what the guides leave to the parties is open: codes of the services, the category of a
//! domain, and what a partner's reasons and business statuses mean. The states of a Task and who may
//! move them are the standard's.

use std::sync::LazyLock;

use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::referral::{ReasonCode, SubStatus};
use tandem_mappings::tables::{ExampleFailure, MatchKind, Row, Table, TableError};

use crate::codes::{self, first};
use crate::terms;

/// Columns of the table of service codes.
pub const SERVICE_CODES_HEADER: &[&str] = &["domain", "system", "code", "display"];
/// Columns of the table of categories.
pub const CATEGORIES_HEADER: &[&str] = &["domain", "category", "label", "match", "written", "read"];
/// Columns of the table of reasons.
pub const REASONS_HEADER: &[&str] = &["system", "code", "reason"];
/// Columns of the table of sub-statuses.
pub const SUB_STATUSES_HEADER: &[&str] = &["system", "code", "sub_status"];

/// Code systems of US Core procedure codes, to which ServiceRequest.code is bound (US Core 7.0.0):
/// SNOMED CT, CPT, HCPCS, ICD-10-PCS, CDT, LOINC. A code of another system is read and never written.
const PROCEDURE_SYSTEMS: &[&str] = &[
    "http://snomed.info/sct",
    "http://www.ama-assn.org/go/cpt",
    "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "urn:oid:2.16.840.1.113883.6.285",
    "http://www.cms.gov/Medicare/Coding/ICD10",
    "http://www.ada.org/cdt",
    "http://loinc.org",
];

/// A table that a county may override.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `service_codes.csv`
    ServiceCodes,
    /// `sdoh_categories.csv`
    Categories,
    /// `reasons.csv`
    Reasons,
    /// `sub_statuses.csv`
    SubStatuses,
}

impl Kind {
    fn header(self) -> &'static [&'static str] {
        match self {
            Self::ServiceCodes => SERVICE_CODES_HEADER,
            Self::Categories => CATEGORIES_HEADER,
            Self::Reasons => REASONS_HEADER,
            Self::SubStatuses => SUB_STATUSES_HEADER,
        }
    }

    /// The columns by which a county's row takes the place of a shipped one.
    fn key(self) -> &'static [&'static str] {
        match self {
            Self::ServiceCodes => &["domain", "system", "code"],
            Self::Categories => &["domain", "category"],
            Self::Reasons | Self::SubStatuses => &["system", "code"],
        }
    }

    fn shipped(self) -> &'static [Row] {
        let table: &'static LazyLock<Result<Table, TableError>> = match self {
            Self::ServiceCodes => &codes::SERVICE_CODES,
            Self::Categories => &codes::CATEGORIES,
            Self::Reasons => &codes::REASONS,
            Self::SubStatuses => &codes::SUB_STATUSES,
        };
        table.as_ref().map_or(&[], Table::rows)
    }
}

/// Why a county's table is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OverrideError {
    /// It is not sound; names file, line and column.
    #[error(transparent)]
    Table(#[from] TableError),
    /// One of its example pairs does not come true.
    #[error(transparent)]
    Example(#[from] ExampleFailure),
}

/// A code with its display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term<'a> {
    /// Code system.
    pub system: &'a str,
    /// Code.
    pub code: &'a str,
    /// Display.
    pub display: &'a str,
}

/// The county's tables; what they do not say the shipped ones do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeTables {
    service_codes: Option<Table>,
    categories: Option<Table>,
    reasons: Option<Table>,
    sub_statuses: Option<Table>,
}

impl CodeTables {
    /// Lays a county's table over the shipped one of its kind; `name` is its file, for errors.
    ///
    /// # Errors
    /// [`OverrideError`] naming file, line and column of the first thing that is wrong.
    pub fn lay_over(&mut self, kind: Kind, name: &str, bytes: &[u8]) -> Result<(), OverrideError> {
        let table = Table::parse_bytes(name, bytes, kind.header())?.unique_by(kind.key())?;
        table.rows().iter().try_for_each(|row| check(kind, row))?;
        let laid = self.slot(kind).insert(table).clone();
        let failed = laid.failed_examples(|input| self.example(kind, input));
        failed
            .into_iter()
            .next()
            .map_or(Ok(()), |failure| Err(failure.into()))
    }

    fn slot(&mut self, kind: Kind) -> &mut Option<Table> {
        match kind {
            Kind::ServiceCodes => &mut self.service_codes,
            Kind::Categories => &mut self.categories,
            Kind::Reasons => &mut self.reasons,
            Kind::SubStatuses => &mut self.sub_statuses,
        }
    }

    /// What an example pair's `system|code` (`code` alone for a category) is read as.
    fn example(&self, kind: Kind, input: &str) -> Option<String> {
        let (system, code) = input.split_once('|').unwrap_or(("", input));
        let (system, code) = (system.trim(), code.trim());
        let found = match kind {
            Kind::ServiceCodes => self.read_service_code(system, code)?.code(),
            Kind::Categories => self.read_category(code)?.code(),
            Kind::Reasons => self.read_reason(system, code)?.code(),
            Kind::SubStatuses => self.read_sub_status(system, code)?.code(),
        };
        Some(found.to_owned())
    }

    /// The county's rows, then the shipped ones that no row of the county's replaces.
    fn rows(&self, kind: Kind) -> impl Iterator<Item = &Row> {
        let county = match kind {
            Kind::ServiceCodes => &self.service_codes,
            Kind::Categories => &self.categories,
            Kind::Reasons => &self.reasons,
            Kind::SubStatuses => &self.sub_statuses,
        };
        let county: &[Row] = county.as_ref().map_or(&[], Table::rows);
        let is_replaced = move |row: &&Row| {
            let is_same = |own: &Row| kind.key().iter().all(|key| own.get(key) == row.get(key));
            !county.iter().any(is_same)
        };
        county
            .iter()
            .chain(kind.shipped().iter().filter(is_replaced))
    }

    /// The Gravity category written for a domain; the unspecified one where none says the same.
    #[must_use]
    pub fn write_category(&self, domain: Domain) -> Term<'_> {
        let term = |domain: &str| {
            let by = [("domain", domain), ("written", "yes")];
            Some(Term {
                system: terms::SDOHCC_CODES,
                code: first(self.rows(Kind::Categories), &by, "category")?,
                display: first(self.rows(Kind::Categories), &by, "label")?,
            })
        };
        term(domain.code())
            .or_else(|| term(Domain::Other.code()))
            .unwrap_or(Term {
                system: terms::SDOHCC_CODES,
                code: "sdoh-category-unspecified",
                display: "SDOH Category Unspecified",
            })
    }

    /// The domain that a Gravity category is read as.
    #[must_use]
    pub fn read_category(&self, code: &str) -> Option<Domain> {
        let by = [("category", code), ("read", "yes")];
        Domain::from_code(first(self.rows(Kind::Categories), &by, "domain")?)
    }

    /// The procedure code written for a domain when the referral brings none of its own.
    #[must_use]
    pub fn write_service_code(&self, domain: Domain) -> Term<'_> {
        let term = |domain: &str| {
            let row = self.rows(Kind::ServiceCodes).find(|row| {
                row.get("domain") == domain && PROCEDURE_SYSTEMS.contains(&row.get("system"))
            })?;
            Some(Term {
                system: row.get("system"),
                code: row.get("code"),
                display: row.get("display"),
            })
        };
        term(domain.code()).or_else(|| term(ANY)).unwrap_or(Term {
            system: "http://snomed.info/sct",
            code: "410606002",
            display: "Social service procedure",
        })
    }

    /// The domain that a procedure code is read as.
    #[must_use]
    pub fn read_service_code(&self, system: &str, code: &str) -> Option<Domain> {
        let by = [("system", system), ("code", code)];
        Domain::from_code(first(self.rows(Kind::ServiceCodes), &by, "domain")?)
    }

    /// The referral reason that a partner's code is read as.
    #[must_use]
    pub fn read_reason(&self, system: &str, code: &str) -> Option<ReasonCode> {
        let by = [("system", system), ("code", code)];
        ReasonCode::from_code(first(self.rows(Kind::Reasons), &by, "reason")?)
    }

    /// The sub-status that a partner's business status is read as.
    #[must_use]
    pub fn read_sub_status(&self, system: &str, code: &str) -> Option<SubStatus> {
        let by = [("system", system), ("code", code)];
        SubStatus::from_code(first(self.rows(Kind::SubStatuses), &by, "sub_status")?)
    }
}

/// The domain of the service code that is written where a domain has none of its own.
const ANY: &str = "*";

/// Checks one row of a county's table.
fn check(kind: Kind, row: &Row) -> Result<(), TableError> {
    let known = |column: &str, is_known: bool, expected: &str| match is_known {
        true => Ok(()),
        false => Err(row.refuse(column, expected)),
    };
    let domain = row.get("domain");
    match kind {
        Kind::ServiceCodes => {
            let is_known = domain == ANY || Domain::from_code(domain).is_some();
            known("domain", is_known, "a canonical domain or `*`")?;
            coding(row)?;
            row.required("display").map(drop)
        }
        Kind::Categories => {
            let is_known = Domain::from_code(domain).is_some();
            known("domain", is_known, "a canonical domain")?;
            code(row, "category")?;
            row.required("label")?;
            category_use(row)
        }
        Kind::Reasons => {
            coding(row)?;
            let is_known = ReasonCode::from_code(row.get("reason")).is_some();
            known("reason", is_known, "a reason of the coordination model")
        }
        Kind::SubStatuses => {
            coding(row)?;
            let is_known = SubStatus::from_code(row.get("sub_status")).is_some();
            known(
                "sub_status",
                is_known,
                "a sub-status of the coordination model",
            )
        }
    }
}

/// How a category is used: a narrow or related one would say more about the person than the referral
/// does, and is never written.
fn category_use(row: &Row) -> Result<(), TableError> {
    let kind: MatchKind = row.parsed("match", "exact, close, broad, narrow or related")?;
    for column in ["written", "read"] {
        if !matches!(row.get(column), "yes" | "no") {
            return Err(row.refuse(column, "yes or no"));
        }
    }
    let tells_more = matches!(kind, MatchKind::Narrow | MatchKind::Related);
    if tells_more && row.get("written") == "yes" {
        return Err(row.refuse("written", "no for a narrow or related match"));
    }
    Ok(())
}

fn coding(row: &Row) -> Result<(), TableError> {
    let system = row.get("system");
    if !system.contains(':') || system.contains(char::is_whitespace) {
        return Err(row.refuse("system", "the URI of a code system"));
    }
    code(row, "code")
}

/// A code has no white space but single blanks inside (FHIR R4, section 2.24.0.1).
fn code(row: &Row, column: &str) -> Result<(), TableError> {
    let text = row.get(column);
    let mut words = text.split(' ');
    if words.any(|word| word.is_empty() || word.contains(char::is_whitespace)) {
        return Err(row.refuse(column, "a code"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(kind: Kind, rows: &str) -> Result<CodeTables, String> {
        let header = kind.header().join(",");
        let text = format!("# source: memo\n# version: 1\n{header}\n{rows}");
        let mut tables = CodeTables::default();
        tables
            .lay_over(kind, "county.csv", text.as_bytes())
            .map_err(|error| error.to_string())?;
        Ok(tables)
    }

    #[test]
    fn a_category_that_would_say_more_than_the_referral_is_never_written() {
        let tables = CodeTables::default();
        let unspecified = "sdoh-category-unspecified";
        assert_eq!(tables.write_category(Domain::Safety).code, unspecified);
        assert_eq!(tables.write_category(Domain::Shelter).code, "homelessness");
        assert_eq!(tables.read_category("stress"), Some(Domain::MentalHealth));
        let error = laid(
            Kind::Categories,
            "safety,elder-abuse,Elder Abuse,narrow,yes,yes\n",
        );
        assert_eq!(
            error.unwrap_err(),
            "county.csv:4: column `written`: expected no for a narrow or related match"
        );
    }

    #[test]
    fn a_countys_rows_come_first_and_the_shipped_ones_stay() {
        let sct = "http://snomed.info/sct";
        let rows = format!(
            "food,{sct},464031000124101,Referral to food pantry\nhousing,{sct},1,Housing\n"
        );
        let tables = laid(Kind::ServiceCodes, &rows).unwrap();
        let food = tables.write_service_code(Domain::Food);
        assert_eq!(
            (food.code, food.display),
            ("464031000124101", "Referral to food pantry")
        );
        assert_eq!(tables.write_service_code(Domain::Housing).code, "1");
        assert_eq!(tables.write_service_code(Domain::Shelter).code, "410606002");
        assert_eq!(
            tables.read_service_code(sct, "464031000124101"),
            Some(Domain::Food)
        );
        assert_eq!(
            tables.read_service_code(sct, "710925007"),
            Some(Domain::Food)
        );
        let tables = laid(
            Kind::Categories,
            "mental-health,stress,Stress,related,no,no\n",
        )
        .unwrap();
        assert_eq!(
            tables.read_category("stress"),
            None,
            "a row may also close one"
        );
    }

    #[test]
    fn a_code_outside_the_required_binding_is_read_and_never_written() {
        let tables = laid(Kind::ServiceCodes, "food,urn:county:codes,F-1,Food\n").unwrap();
        let read = tables.read_service_code("urn:county:codes", "F-1");
        assert_eq!(read, Some(Domain::Food));
        assert_eq!(tables.write_service_code(Domain::Food).code, "710925007");
    }

    #[test]
    fn partners_reasons_and_sub_statuses_get_the_countys_meaning() {
        let tables = laid(Kind::Reasons, "urn:clinic,full,no-capacity\n").unwrap();
        let reason = tables.read_reason("urn:clinic", "full");
        assert_eq!(reason.map(|reason| reason.code()), Some("no-capacity"));
        let tables = laid(
            Kind::SubStatuses,
            "urn:clinic,booked,appointment-scheduled\n",
        )
        .unwrap();
        let sub = tables.read_sub_status("urn:clinic", "booked");
        assert_eq!(sub.map(|sub| sub.code()), Some("appointment-scheduled"));
    }

    #[test]
    fn a_bad_row_is_named_with_file_line_and_column() {
        let cases = [
            (
                Kind::ServiceCodes,
                "fod,urn:a,1,Food\n",
                "4: column `domain`",
            ),
            (
                Kind::ServiceCodes,
                "food,snomed,1,Food\n",
                "4: column `system`",
            ),
            (Kind::ServiceCodes, "food,urn:a,,Food\n", "4: column `code`"),
            (Kind::ServiceCodes, "food,urn:a,1,\n", "4: column `display`"),
            (
                Kind::Categories,
                "food,f,Food,exact,yes,yes\nfood,f,Food,exact,no,no\n",
                "5: column `domain+category`",
            ),
            (
                Kind::Categories,
                "food,f,Food,same,yes,yes\n",
                "4: column `match`",
            ),
            (
                Kind::Categories,
                "food,f,Food,exact,yes,maybe\n",
                "4: column `read`",
            ),
            (Kind::Reasons, "urn:a,1,because\n", "4: column `reason`"),
            (
                Kind::SubStatuses,
                "urn:a,1,soon\n",
                "4: column `sub_status`",
            ),
            (Kind::SubStatuses, "urn:a,1\n", "4: malformed row"),
        ];
        for (kind, rows, place) in cases {
            let error = laid(kind, rows).unwrap_err();
            assert!(error.starts_with(&format!("county.csv:{place}")), "{error}");
        }
    }

    #[test]
    fn an_example_pair_that_does_not_come_true_refuses_the_table() {
        let text = "# source: memo\n# version: 1\n# example: urn:clinic|full -> waitlisted\n\
            system,code,reason\nurn:clinic,full,no-capacity\n";
        let error = CodeTables::default().lay_over(Kind::Reasons, "county.csv", text.as_bytes());
        let text = error.unwrap_err().to_string();
        assert!(text.starts_with("county.csv:3: example"), "{text}");
    }
}
