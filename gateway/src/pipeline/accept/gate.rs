//! What must never enter, for what comes without an adapter: the readers of files have gates of their own, events that
//! a system pushes as JSON have this one (design 2.3; specs consent 1 rule 5).
//!
//! Closed when in doubt. A record that its source sealed stays sealed for pushed events: only an extract, which shows
//! the source's own marks, opens it again.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{RecordKey, SourcePersonId, SystemId};
use tandem_mappings::model::person::PersonFlag;

use super::super::core::Core;
use crate::state::record::{RecordDoc, Standing};
use crate::store::{StoreError, Tx};

/// Categories that never enter: what a victim service provider holds, who reported an abuse and the report itself,
/// immigration, and a therapist's or counselor's separate notes (specs consent 2, 13 S2 and S3; design 8).
const NEVER: &[Category] = &[
    Category::VspRecord,
    Category::CwReporter,
    Category::CwReferral,
    Category::Immigration,
    Category::PsychotherapyNotes,
    Category::SudCounselingNotes,
];

/// Categories that narrow what may be told: a sender may always claim one of them.
const STRICTER: &[Category] = &[
    Category::ContactLocation,
    Category::JuvCourt,
    Category::MentalHealth,
    Category::SudPart2,
    Category::SudNonpart2,
    Category::Hiv,
    Category::ReproHealth,
    Category::DvInfo,
    Category::RhyRecord,
    Category::Justice,
    Category::Tribal,
];

/// Fields of payloads that hold a sender's own ids of people.
const PERSON_FIELDS: [&str; 4] = ["person", "people", "subjects", "relative"];

/// Whether nothing of a system may enter: its organisation is a victim service provider, or nobody can say that it is
/// none.
#[must_use]
pub fn refuses_sender(core: &Core, system: &SystemId) -> bool {
    let organization = core.organization_of(system);
    let organization = organization.and_then(|id| core.loaded.registry.organization(&id));
    organization.is_none_or(|known| known.facts.victim_service_provider != Some(false))
}

/// The gate for the pushed events of one system.
#[derive(Debug, Default)]
pub struct Gate {
    victim_services: BTreeSet<String>,
    sealed: HashMap<SourcePersonId, bool>,
    flags: HashMap<SourcePersonId, Vec<PersonFlag>>,
    default_category: Option<Category>,
}

impl Gate {
    /// The gate for these events of a system: learns what the store says of the people whom they name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn learn<'e>(
        core: &Core,
        tx: &mut Tx,
        system: &SystemId,
        events: impl Iterator<Item = &'e NewEvent> + Clone,
    ) -> Result<Self, StoreError> {
        let organizations = core.loaded.registry.organizations();
        let closed = organizations.filter(|one| one.facts.victim_service_provider == Some(true));
        let mut gate = Self {
            victim_services: closed.map(|one| one.id.to_string()).collect(),
            default_category: Some(core.default_category(system)),
            ..Self::default()
        };
        for event in events.clone() {
            for person in people_of(event) {
                if !gate.sealed.contains_key(&person) {
                    gate.learn_person(tx, system, person).await?;
                }
            }
        }
        // What comes in the same breath counts like what is known.
        events.for_each(|event| gate.learn_event(event));
        Ok(gate)
    }

    fn learn_event(&mut self, event: &NewEvent) {
        let Some(person) = &event.source_person_id else {
            return;
        };
        match &event.body {
            Body::RecordSealed(_) => {
                self.sealed.insert(person.clone(), true);
            }
            Body::RecordReceived(record) => {
                let flags = self.flags.entry(person.clone()).or_default();
                flags.extend_from_slice(&record.person.flags);
            }
            _ => {}
        }
    }

    async fn learn_person(
        &mut self,
        tx: &mut Tx,
        system: &SystemId,
        person: SourcePersonId,
    ) -> Result<(), StoreError> {
        let key = RecordKey {
            system: system.clone(),
            person: person.clone(),
        };
        let known = tx.get::<RecordDoc>(&RecordDoc::key_of(&key)).await?;
        let is_sealed = known
            .as_ref()
            .is_some_and(|record| record.standing == Standing::Sealed);
        self.sealed.insert(person.clone(), is_sealed);
        if let Some(record) = known {
            self.flags.insert(person.clone(), record.person.flags);
        }
        // What was accepted and has not taken effect yet counts like what is known.
        for one in tx.waiting_of(system, &person).await? {
            self.learn_event(&one.event.told);
        }
        Ok(())
    }

    /// Whether an event must not enter.
    #[must_use]
    pub fn refuses(&self, event: &NewEvent) -> bool {
        if matches!(event.body, Body::RecordSealed(_)) {
            return false;
        }
        let is_never = event
            .category
            .is_some_and(|category| NEVER.contains(&category));
        let has_label = event.labels.iter().any(|label| is_refused_label(label));
        is_never || has_label || self.names_sealed(event) || self.is_of_victim_service(event)
    }

    /// Whether something that cannot be read as an event says of itself that it must not enter.
    #[must_use]
    pub fn refuses_unread(&self, value: &Value) -> bool {
        let is_closed = |text: &str| {
            NEVER.iter().any(|category| category.as_str() == text)
                || is_refused_label(text)
                || self.victim_services.contains(text)
                || SourcePersonId::new(text)
                    .is_ok_and(|person| self.sealed.get(&person).copied().unwrap_or(false))
        };
        any_text(value, &is_closed)
    }

    fn names_sealed(&self, event: &NewEvent) -> bool {
        let any = self.sealed.values().any(|is_sealed| *is_sealed);
        any && people_of(event)
            .iter()
            .any(|person| self.sealed.get(person).copied().unwrap_or(false))
    }

    /// Whether an event tells what a victim service provider did. A referral may name one as its target.
    fn is_of_victim_service(&self, event: &NewEvent) -> bool {
        let is_referral = event.body.event_type().starts_with("referral.");
        let is_named = |text: &str| self.victim_services.contains(text);
        !is_referral && !self.victim_services.is_empty() && any_text(&payload(event), &is_named)
    }

    /// The event with no mark lowered: what the store knows as sensitive stays so, and a category below the system's
    /// own does not count (specs consent 2: labels may only go up on the way).
    #[must_use]
    pub fn raised(&self, mut event: NewEvent) -> NewEvent {
        if let (Body::RecordReceived(record), Some(person)) =
            (&mut event.body, &event.source_person_id)
        {
            let known = self.flags.get(person).into_iter().flatten();
            for flag in known {
                if !record.person.flags.contains(flag) {
                    record.person.flags.push(*flag);
                }
            }
        }
        let own = self.default_category;
        let is_kept = |claimed: &Category| {
            Some(*claimed) == own || *claimed == Category::PersonIndex || STRICTER.contains(claimed)
        };
        if event.category.is_some_and(|claimed| {
            !is_kept(&claimed) || own.is_some_and(|own| lowers(claimed, own))
        }) {
            event.category = own;
        }
        event
    }
}

/// Whether a label closes the record that carries it (psychotherapy notes, sensitive service providers).
fn is_refused_label(label: &str) -> bool {
    tandem_fhir::gates::REFUSED_LABELS
        .iter()
        .any(|refused| refused.eq_ignore_ascii_case(label.trim()))
}

/// Whether a claimed category is less than the system's own: Part 2 data stay Part 2 data.
fn lowers(claimed: Category, own: Category) -> bool {
    own == Category::SudPart2 && !matches!(claimed, Category::SudPart2 | Category::PersonIndex)
}

fn payload(event: &NewEvent) -> Value {
    serde_json::to_value(&event.body).unwrap_or_default()
}

/// Everybody whom an event names by the sender's own ids.
fn people_of(event: &NewEvent) -> BTreeSet<SourcePersonId> {
    let mut found: BTreeSet<SourcePersonId> = event.source_person_id.iter().cloned().collect();
    gather(&payload(event), false, &mut found);
    found
}

fn gather(value: &Value, names_people: bool, found: &mut BTreeSet<SourcePersonId>) {
    match value {
        Value::String(text) if names_people => {
            found.extend(SourcePersonId::new(text.as_str()).ok())
        }
        Value::Array(values) => values
            .iter()
            .for_each(|inner| gather(inner, names_people, found)),
        Value::Object(fields) => {
            for (name, inner) in fields {
                gather(inner, PERSON_FIELDS.contains(&name.as_str()), found);
            }
        }
        _ => {}
    }
}

fn any_text(value: &Value, is_wanted: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_wanted(text),
        Value::Array(values) => values.iter().any(|inner| any_text(inner, is_wanted)),
        Value::Object(fields) => fields.values().any(|inner| any_text(inner, is_wanted)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(value: Value) -> NewEvent {
        serde_json::from_value(value).unwrap()
    }

    fn record(extra: &Value) -> NewEvent {
        let mut value = json!({
            "occurred_at": "2026-02-02T08:00:00-08:00", "source_event_id": "e-1", "source_person_id": "P-1",
            "type": "record.received", "payload": { "record_kind": "Client", "person": {} },
        });
        let fields = extra.as_object().unwrap().clone();
        value.as_object_mut().unwrap().extend(fields);
        event(value)
    }

    #[test]
    fn what_never_enters_is_refused_by_category_and_by_label() {
        let gate = Gate::default();
        assert!(!gate.refuses(&record(&json!({}))));
        for category in [
            "VSP_RECORD",
            "CW_REPORTER",
            "CW_REFERRAL",
            "IMMIGRATION",
            "PSYCHOTHERAPY_NOTES",
        ] {
            assert!(
                gate.refuses(&record(&json!({ "category": category }))),
                "{category}"
            );
        }
        for label in ["SSP", "PSYTHPN", " ssp "] {
            assert!(
                gate.refuses(&record(&json!({ "labels": [label] }))),
                "{label}"
            );
        }
    }

    #[test]
    fn everybody_whom_a_payload_names_is_looked_at() {
        let told = event(json!({
            "occurred_at": "2026-02-02T08:00:00-08:00", "source_event_id": "m-1", "source_person_id": "P-1",
            "type": "household.membership",
            "payload": { "person": "P-2", "relation": "child", "relative": "P-3", "household": "H-1" },
        }));
        let names: Vec<String> = people_of(&told).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["P-1", "P-2", "P-3"]);
    }

    #[test]
    fn a_sender_cannot_lower_what_is_known_of_a_person_or_of_its_system() {
        let person = SourcePersonId::new("P-1").unwrap();
        let gate = Gate {
            flags: HashMap::from([(person, vec![PersonFlag::Sensitive])]),
            default_category: Some(Category::SudPart2),
            ..Gate::default()
        };
        let raised = gate.raised(record(&json!({ "category": "CASH_AID" })));
        assert_eq!(raised.category, Some(Category::SudPart2));
        let Body::RecordReceived(told) = &raised.body else {
            panic!("another event")
        };
        assert_eq!(told.person.flags, [PersonFlag::Sensitive]);
    }
}
