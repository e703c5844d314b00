//! What the event types of list 4.20.2 mean in the canonical domains, and the other way round.

use std::sync::OnceLock;

use tandem_mappings::model::domain::Domain;
use tandem_mappings::tables::{ExampleFailure, Row, Table, TableError};

const DOMAINS: &str = include_str!("../../../../mappings/tables/hmis/event_domains.csv");
const TYPES: &str = include_str!("../../../../mappings/tables/hmis/event_types.csv");

/// Columns of `event_types.csv`, for a county's own.
pub const EVENT_TYPES_HEADER: [&str; 3] = ["domain", "project_type", "event"];
const DOMAINS_HEADER: [&str; 3] = ["event", "kind", "domain"];

/// The two crosswalks of event types.
#[derive(Debug, Clone)]
pub struct EventTypes {
    domains: Vec<(String, Domain)>,
    types: Vec<TypeRule>,
}

#[derive(Debug, Clone)]
struct TypeRule {
    domain: Option<Domain>,
    project_type: Option<String>,
    event: String,
}

impl EventTypes {
    /// The shipped crosswalks.
    ///
    /// # Errors
    /// When an embedded table names an unknown domain; a test shows that it does not.
    pub fn shipped() -> Result<&'static Self, TableError> {
        static SHIPPED: OnceLock<Result<EventTypes, TableError>> = OnceLock::new();
        SHIPPED
            .get_or_init(|| EventTypes::new(None))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The shipped crosswalks, with a county's rows of `event_types.csv` over them.
    ///
    /// # Errors
    /// When a row names an unknown domain, or an event that is none.
    pub fn new(county: Option<Table>) -> Result<Self, TableError> {
        let domains = Table::parse("event_domains.csv", DOMAINS, &DOMAINS_HEADER)?;
        let domains = domains.unique_by(&["event"])?;
        let mut types = shipped_types()?;
        if let Some(county) = county {
            types = types.overridden_by(county, &["domain", "project_type"]);
        }
        Ok(Self {
            domains: domains
                .rows()
                .iter()
                .filter_map(|row| referral_domain(row).transpose())
                .collect::<Result<_, _>>()?,
            types: types
                .rows()
                .iter()
                .map(type_rule)
                .collect::<Result<_, _>>()?,
        })
    }

    /// The domain of a referral event; `None` for access events and unknown codes.
    #[must_use]
    pub fn domain(&self, event: &str) -> Option<Domain> {
        self.domains
            .iter()
            .find(|(code, _)| code == event)
            .map(|(_, domain)| *domain)
    }

    /// The event type of a referral for a domain to a project of a type; `None` when the list has none that fits.
    #[must_use]
    pub fn event(&self, domain: Domain, project_type: &str) -> Option<&str> {
        self.types
            .iter()
            .find(|rule| {
                rule.domain.is_none_or(|known| known == domain)
                    && rule
                        .project_type
                        .as_deref()
                        .is_none_or(|known| known == project_type)
            })
            .map(|rule| rule.event.as_str())
    }

    /// Runs the example pairs of the shipped crosswalks.
    ///
    /// # Errors
    /// When an embedded table is malformed.
    pub fn failed_examples(&self) -> Result<Vec<ExampleFailure>, TableError> {
        let mut failed = shipped_types()?.failed_examples(|input| {
            let (domain, project_type) = input.split_once('|')?;
            self.event(Domain::from_code(domain)?, project_type)
                .map(str::to_owned)
        });
        let domains = Table::parse("event_domains.csv", DOMAINS, &DOMAINS_HEADER)?;
        failed.extend(
            domains.failed_examples(|input| self.domain(input).map(|domain| domain.to_string())),
        );
        Ok(failed)
    }
}

fn shipped_types() -> Result<Table, TableError> {
    Table::parse("event_types.csv", TYPES, &EVENT_TYPES_HEADER)?
        .unique_by(&["domain", "project_type"])
}

fn referral_domain(row: &Row) -> Result<Option<(String, Domain)>, TableError> {
    let domain = known_domain(row)?;
    match row.get("kind") {
        "referral" => Ok(Some((row.required("event")?.to_owned(), domain))),
        "access" => Ok(None),
        _ => Err(row.refuse("kind", "access or referral")),
    }
}

fn type_rule(row: &Row) -> Result<TypeRule, TableError> {
    let project_type = row.required("project_type")?;
    let event: u8 = row.parsed("event", "a code of list 4.20.2")?;
    if !(1..=18).contains(&event) || event == 17 {
        return Err(row.refuse("event", "a code of list 4.20.2 other than 17"));
    }
    Ok(TypeRule {
        domain: if row.get("domain") == "*" {
            None
        } else {
            Some(known_domain(row)?)
        },
        project_type: (project_type != "*").then(|| project_type.to_owned()),
        event: event.to_string(),
    })
}

fn known_domain(row: &Row) -> Result<Domain, TableError> {
    Domain::from_code(row.get("domain")).ok_or_else(|| row.refuse("domain", "a canonical domain"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{Edition, edition};

    #[test]
    fn the_project_type_decides_before_the_domain() {
        let types = EventTypes::shipped().unwrap();
        assert_eq!(types.event(Domain::Housing, "0"), Some("10"));
        assert_eq!(types.event(Domain::Shelter, "14"), Some("10"));
        assert_eq!(types.event(Domain::Housing, ""), Some("15"));
        assert_eq!(types.event(Domain::MentalHealth, ""), None);
        assert_eq!(types.failed_examples().unwrap(), []);
    }

    #[test]
    fn every_event_of_the_list_has_a_row_and_17_is_never_written() {
        let types = EventTypes::shipped().unwrap();
        let lists = &edition(Edition::Fy2026).unwrap().lists;
        for event in 5..=18 {
            assert!(lists.contains("4.20.2", &event.to_string()));
            assert!(types.domain(&event.to_string()).is_some(), "{event}");
        }
        assert!(types.types.iter().all(|rule| rule.event != "17"));
        assert!(
            types
                .types
                .iter()
                .all(|rule| lists.contains("4.20.2", &rule.event))
        );
    }

    #[test]
    fn a_county_may_choose_another_event_type() {
        let text =
            "# source: county\n# version: 1\ndomain,project_type,event\nlegal,*,8\nshelter,*,11\n";
        let county = Table::parse("county.csv", text, &EVENT_TYPES_HEADER).unwrap();
        let types = EventTypes::new(Some(county)).unwrap();
        assert_eq!(types.event(Domain::Legal, ""), Some("8"));
        assert_eq!(types.event(Domain::Shelter, ""), Some("11"));
        let bad = text.replace("legal,*,8", "legal,*,17");
        let county = Table::parse("county.csv", &bad, &EVENT_TYPES_HEADER).unwrap();
        assert!(EventTypes::new(Some(county)).is_err());
    }
}
