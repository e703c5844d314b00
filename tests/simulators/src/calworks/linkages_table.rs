//! The published table of Linkages message fields, and the check of one value against it.

use std::collections::BTreeSet;

use anyhow::Context;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::table;

/// The six line types of the CSV form.
pub(crate) const LINE_TYPES: [&str; 6] =
    ["header", "person", "activity", "goal", "funding", "rating"];

/// Reasons why a referral moved (referral reason list of the coordination conventions).
const REASONS: &str = "service-received|service-started|partially-met|referred-onward|client-declined|\
need-met-elsewhere|client-unreachable|client-no-show|client-moved|client-deceased|ineligible|\
no-capacity|wrong-service|out-of-area|program-closed|waitlisted|missing-information|\
provider-unresponsive|duplicate|consent-revoked|consent-expired|legal-restriction|\
service-not-delivered";

/// Sub-statuses of a referral (`businessStatus` of the coordination conventions).
const SUB_STATUSES: &str = "awaiting-consent|sent|delivered|viewed|contact-attempted|\
client-contacted|needs-client-action|appointment-scheduled|eligible-not-started|waitlisted|\
enrolled|service-started";

/// One field of the table.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    lines: BTreeSet<String>,
    kind: String,
    required: bool,
    codes: Vec<String>,
}

/// The table in published order.
#[derive(Debug, Clone)]
pub(crate) struct LinkagesTable {
    pub(crate) fields: Vec<Field>,
}

impl LinkagesTable {
    /// Reads the embedded table.
    ///
    /// # Errors
    /// When the table itself is malformed.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let text = include_str!("../../tables/calworks/linkages_messages.csv");
        let domains: Vec<String> =
            table::rows(include_str!("../../tables/coordination/domains.csv"))?
                .iter()
                .map(|row| table::field(row, "domain").to_owned())
                .collect();
        let mut fields = Vec::new();
        for row in table::rows(text).context("reading the Linkages table")? {
            let name = table::field(&row, "field").to_owned();
            let codes = match name.as_str() {
                "domain" => domains.clone(),
                "reason_code" => split(REASONS),
                "sub_status" => split(SUB_STATUSES),
                _ => split(table::field(&row, "codes")),
            };
            fields.push(Field {
                lines: lines(table::field(&row, "lines")),
                kind: table::field(&row, "type").to_owned(),
                required: table::field(&row, "required") == "yes",
                codes,
                name,
            });
        }
        Ok(Self { fields })
    }

    /// The field of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Checks the filled fields of one line; gives (rule, detail) for each complaint.
    pub(crate) fn complaints<'line>(
        &self,
        line_type: &str,
        value_of: impl Fn(&str) -> &'line str,
    ) -> Vec<(&'static str, String)> {
        let mut complaints = Vec::new();
        for field in &self.fields {
            let value = value_of(&field.name);
            let belongs = field.lines.contains(line_type);
            if value.is_empty() {
                if field.required && belongs {
                    complaints.push(("required-field", format!("{} is blank", field.name)));
                }
            } else if belongs {
                if let Some(expected) = field.mismatch(value) {
                    complaints.push(("field-value", format!("{} is no {expected}", field.name)));
                }
            } else {
                let detail = format!("{} is filled on a {line_type} line", field.name);
                complaints.push(("field-line", detail));
            }
        }
        complaints
    }
}

impl Field {
    /// What was expected, when the value does not fit; values themselves stay out of complaints,
    /// except codes, which speak of nobody.
    fn mismatch(&self, value: &str) -> Option<String> {
        let fits = match self.kind.as_str() {
            "code" => self.codes.iter().any(|code| code == value),
            "date" => value.len() == 10 && value.parse::<Date>().is_ok(),
            "timestamp" => value.len() >= 20 && value.parse::<Timestamp>().is_ok(),
            "number" => value.parse::<f64>().is_ok_and(f64::is_finite),
            _ => value.trim() == value && !value.chars().any(char::is_control),
        };
        let shown = if self.kind == "code" {
            format!(" (was {value})")
        } else {
            String::new()
        };
        (!fits).then(|| format!("{}{shown}", self.kind))
    }
}

fn split(codes: &str) -> Vec<String> {
    codes
        .split('|')
        .filter(|code| !code.is_empty())
        .map(|code| code.trim().to_owned())
        .collect()
}

fn lines(cell: &str) -> BTreeSet<String> {
    if cell == "all" {
        return LINE_TYPES.iter().map(|line| (*line).to_owned()).collect();
    }
    cell.split('+').map(str::to_owned).collect()
}
