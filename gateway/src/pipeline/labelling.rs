//! The labelling step on the way in: whatever a system tells gets its category and labels before it is stored.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use tandem_mappings::labels::{Claim, LabelSource, label};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::SystemId;
use tandem_mappings::registry::{Program, Registry, System};

use crate::config::Loaded;

/// Labels events by the tables and by what the registry says of their source.
#[derive(Debug)]
pub struct Labeller {
    loaded: Arc<Loaded>,
}

impl Labeller {
    /// A labeller with Tandem's tables and the county's.
    #[must_use]
    pub const fn new(loaded: Arc<Loaded>) -> Self {
        Self { loaded }
    }

    /// The event with its labels and their reasons, and without the codes that were to be read only.
    #[must_use]
    pub fn label(&self, system: &SystemId, mut event: NewEvent) -> NewEvent {
        event.labelled_by.clear();
        let mut codes = std::mem::take(&mut event.codes);
        if is_of_an_end(&event.body) {
            return event;
        }
        codes.extend(event.original.iter().cloned());
        // A body that is no JSON could not be stored either.
        let payload = serde_json::to_value(&event.body).unwrap_or_default();
        gather(&payload, &mut codes);
        let source = self.source(system, &event);
        let claim = Claim {
            category: event.category,
            labels: event.labels.iter().cloned().collect(),
            is_identity: is_identity(&event.body),
            has_free_text: has_free_text(&payload),
        };
        let found = label(&self.loaded.labels.tables, source, &claim, &codes);
        let usual = match claim.is_identity {
            true => Category::PersonIndex,
            false => source.default_category,
        };
        if found.category != event.category.unwrap_or(usual) || self.is_of_a_program(system, &event)
        {
            event.category = Some(found.category);
        }
        let known: BTreeSet<&String> = claim.labels.iter().collect();
        let new = found.labels.iter().filter(|label| !known.contains(label));
        event.labels.extend(new.cloned());
        event.labelled_by = found.why.into_iter().collect();
        if !event.labelled_by.is_empty() {
            event.labelled_by.push(self.loaded.labels.reason());
        }
        event
    }

    fn source(&self, system: &SystemId, event: &NewEvent) -> LabelSource {
        let registry = &self.loaded.registry;
        let known = registry.system(system);
        LabelSource::of(
            registry.organization_of_system(system),
            known,
            program(registry, known, event),
        )
    }

    /// Whether a programme says what its data are: what the rest of the pipeline takes for usual is its system's.
    fn is_of_a_program(&self, system: &SystemId, event: &NewEvent) -> bool {
        let registry = &self.loaded.registry;
        program(registry, registry.system(system), event)
            .is_some_and(|program| program.default_category.is_some())
    }
}

/// The programme that tells something: the one it names, that of its project, or the only one of its system. A
/// programme of another organisation is none.
fn program<'a>(
    registry: &'a Registry,
    system: Option<&'a System>,
    event: &NewEvent,
) -> Option<&'a Program> {
    let organization = &system?.organization;
    let project = match &event.body {
        Body::EnrollmentActive(told)
        | Body::EnrollmentEnded(told)
        | Body::CaseOpened(told)
        | Body::CaseClosed(told) => told.project.as_deref(),
        _ => None,
    };
    let of_project = || {
        let mut services = registry.services_of(organization);
        let service =
            services.find(|one| project.is_some() && one.hmis_project.as_deref() == project);
        service?.program.as_ref()
    };
    let named = event.program.as_ref().or_else(of_project);
    let id = named.or(system?.program.as_ref())?;
    let own = |program: &&Program| program.organization == *organization;
    registry.program(id).filter(own)
}

/// Whether an event says who somebody is.
fn is_identity(body: &Body) -> bool {
    matches!(body, Body::RecordReceived(_) | Body::HouseholdMembership(_))
}

/// Whether an event only says that a record is gone.
fn is_of_an_end(body: &Body) -> bool {
    matches!(body, Body::RecordWithdrawn(_) | Body::RecordSealed(_))
}

/// Fields of payloads in which people write what they like.
const TEXT_FIELDS: [&str; 7] = [
    "decisions",
    "need",
    "note",
    "reason_text",
    "statement",
    "text",
    "transition_plan",
];

/// Whether a payload holds a note.
fn has_free_text(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().any(has_free_text),
        Value::Object(fields) => fields.iter().any(|(name, inner)| {
            let is_note = TEXT_FIELDS.contains(&name.as_str());
            has_free_text(inner) || (is_note && inner.as_str().is_some_and(|text| !text.is_empty()))
        }),
        _ => false,
    }
}

/// Every code of a payload.
fn gather(value: &Value, codes: &mut Vec<Coding>) {
    match value {
        Value::Array(values) => values.iter().for_each(|inner| gather(inner, codes)),
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str);
            if let (Some(system), Some(code)) = (text("system"), text("code")) {
                codes.push(Coding::new(system, code));
            }
            fields.values().for_each(|inner| gather(inner, codes));
        }
        _ => {}
    }
}
