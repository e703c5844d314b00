//! What the event types of list 4.20.2 mean in the canonical domains, and the other way round.

use std::sync::OnceLock;

use tandem_mappings::model::domain::Domain;

use super::TableError;
use super::load::for_each_row;

const DOMAINS: &str = include_str!("../../../../mappings/tables/hmis/event_domains.csv");
const TYPES: &str = include_str!("../../../../mappings/tables/hmis/event_types.csv");

/// The two crosswalks of event types.
#[derive(Debug)]
pub struct EventTypes {
    domains: Vec<(String, Domain)>,
    types: Vec<TypeRule>,
}

#[derive(Debug)]
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
        SHIPPED.get_or_init(load).as_ref().map_err(Clone::clone)
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
}

fn load() -> Result<EventTypes, TableError> {
    let mut domains = Vec::new();
    for_each_row("event_domains.csv", DOMAINS, |_, row| {
        let [event, kind, domain] = row else {
            return Err("expected three columns".to_owned());
        };
        let domain = known_domain(domain)?;
        match *kind {
            "referral" => domains.push(((*event).to_owned(), domain)),
            "access" => {}
            other => return Err(format!("kind is {other}, expected access or referral")),
        }
        Ok(())
    })?;
    let mut types = Vec::new();
    for_each_row("event_types.csv", TYPES, |_, row| {
        let [domain, project_type, event] = row else {
            return Err("expected three columns".to_owned());
        };
        types.push(TypeRule {
            domain: if *domain == "*" {
                None
            } else {
                Some(known_domain(domain)?)
            },
            project_type: (*project_type != "*").then(|| (*project_type).to_owned()),
            event: (*event).to_owned(),
        });
        Ok(())
    })?;
    Ok(EventTypes { domains, types })
}

fn known_domain(code: &str) -> Result<Domain, String> {
    Domain::from_code(code).ok_or_else(|| format!("unknown domain {code}"))
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
}
