//! What a search for consents asks for (HL7 FHIR R4 4.0.1, Consent; FAST Consent Management 1.0.0-ballot).

use serde_json::Value;

use super::MOST;
use super::filed::FiledDoc;
use crate::api::problem::ApiError;

/// The parameters with their descriptions.
pub(super) const PARAMETERS: &[(&str, &str)] = &[
    ("_id", "Only this consent"),
    (
        "patient",
        "Only those of this patient, by the filer's own id; better in the body of `_search`",
    ),
    ("status", "Only those that stand so"),
    (
        "date",
        "Only those of this day; with `ge` or `le` before it, from or until it",
    ),
    ("scope", "Only those of this scope"),
    (
        "controller",
        "Only those in which this organisation holds the data (FAST)",
    ),
    (
        "manager",
        "Only those that this organisation looks after (FAST)",
    ),
    ("_count", "Most entries on a page, up to 50"),
    (
        "_after",
        "From the consent after this one on; the `next` link gives it",
    ),
];

#[derive(Debug, Default)]
pub(super) struct Criteria {
    pub(super) id: Option<String>,
    patient: Option<String>,
    status: Option<String>,
    dates: Vec<String>,
    scope: Option<String>,
    controller: Option<String>,
    manager: Option<String>,
    pub(super) count: usize,
    pub(super) after: Option<String>,
}

impl Criteria {
    /// Reads the parameters. One that is not known is refused: ignoring it would find more than was asked for.
    pub(super) fn of(pairs: Vec<(String, String)>) -> Result<Self, ApiError> {
        let mut wanted = Self {
            count: MOST,
            ..Self::default()
        };
        for (name, value) in pairs {
            // A reference and its bare id mean the same.
            let id = || value.rsplit('/').next().map(str::to_owned);
            match name.as_str() {
                "_id" => wanted.id = Some(value),
                "patient" | "patient.identifier" => wanted.patient = id(),
                "status" => wanted.status = Some(value),
                "date" => wanted.dates.push(value),
                "scope" => wanted.scope = value.rsplit('|').next().map(str::to_owned),
                "controller" => wanted.controller = id(),
                "manager" => wanted.manager = id(),
                "_count" => {
                    let count = value.parse::<usize>();
                    let count = count.map_err(|_| malformed("_count is no number"))?;
                    wanted.count = count.clamp(1, MOST);
                }
                "_after" => wanted.after = Some(value),
                "_format" => {}
                _ => return Err(malformed("a search parameter is not known here")),
            }
        }
        Ok(wanted)
    }

    /// Whether a consent as it is shown is one of those that are asked for.
    pub(super) fn fits(&self, filed: &FiledDoc, shown: &Value) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let given = shown["dateTime"].as_str();
        is(&self.id, Some(&filed.id))
            && is(&self.patient, Some(filed.record.person.as_str()))
            && is(&self.status, shown["status"].as_str())
            && is(
                &self.scope,
                shown
                    .pointer("/scope/coding/0/code")
                    .and_then(Value::as_str),
            )
            && self.dates.iter().all(|date| on_day(date, given))
            && names(&self.controller, shown, "controller")
            && names(&self.manager, shown, "manager")
    }
}

fn malformed(text: &str) -> ApiError {
    ApiError::Malformed(format!("the query: {text}"))
}

/// Whether a day or instant lies on, from or until a day.
fn on_day(wanted: &str, given: Option<&str>) -> bool {
    let Some(given) = given.and_then(|given| given.get(..10)) else {
        return false;
    };
    match wanted.get(..2) {
        Some("ge") => wanted.get(2..).is_some_and(|day| given >= day),
        Some("le") => wanted.get(2..).is_some_and(|day| given <= day),
        Some("eq") => wanted.get(2..) == Some(given),
        _ => wanted == given,
    }
}

/// Whether an organisation stands in the element; base R4 says who holds the data as `organization`.
fn names(wanted: &Option<String>, shown: &Value, element: &str) -> bool {
    let Some(wanted) = wanted else { return true };
    let suffix = format!("extension-Consent.{element}");
    let extensions = shown["extension"].as_array().into_iter().flatten();
    let carried = extensions
        .filter(|one| {
            one["url"]
                .as_str()
                .is_some_and(|url| url.ends_with(&suffix))
        })
        .map(|one| &one["valueReference"]);
    let organizations = shown["organization"].as_array().into_iter().flatten();
    let mut all = carried.chain(organizations.filter(|_| element == "controller"));
    all.any(|one| {
        let by_address = one["reference"]
            .as_str()
            .is_some_and(|address| address.rsplit('/').next() == Some(wanted));
        by_address || one["identifier"]["value"].as_str() == Some(wanted)
    })
}
