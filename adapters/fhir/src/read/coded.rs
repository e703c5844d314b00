//! The codes and labels of a resource, and of what it rests on: for the labelling step, not for the model.
//!
//! A referral that says nothing of a diagnosis itself may rest on a Condition that does: whoever is told of the referral
//! learns of it. What a reference leads to counts when the same payload holds it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::event::NewEvent;

use super::reference;
use crate::gates;

/// Resources on which others rest (FHIR R4, `reasonReference`, `addresses`,
/// `supportingInfo`, `encounter` and the like).
const FACTS: &[&str] = &[
    "AllergyIntolerance",
    "Condition",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "EpisodeOfCare",
    "Goal",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Procedure",
    "QuestionnaireResponse",
    "ServiceRequest",
];

/// How many references are followed one after the other.
const HOPS: usize = 3;

/// What counts of one resource.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    codes: BTreeSet<Coding>,
    labels: BTreeSet<String>,
    references: BTreeSet<String>,
}

impl Marks {
    /// Those of a resource and of what it contains.
    pub(crate) fn of(resource: &Value) -> Self {
        let mut marks = Self::default();
        marks.gather(resource);
        let contained = resource.get("contained").and_then(Value::as_array);
        for one in std::iter::once(resource).chain(contained.into_iter().flatten()) {
            marks.labels.extend(gates::labels(one).map(str::to_owned));
        }
        marks
    }

    fn gather(&mut self, value: &Value) {
        match value {
            Value::Array(values) => values.iter().for_each(|inner| self.gather(inner)),
            Value::Object(fields) => {
                let text = |name: &str| fields.get(name).and_then(Value::as_str);
                if let Some(code) = text("code") {
                    self.codes
                        .insert(Coding::new(text("system").unwrap_or(""), code));
                }
                self.references.extend(text("reference").map(str::to_owned));
                let content = fields.iter().filter(|(name, _)| *name != "meta");
                content.for_each(|(_, inner)| self.gather(inner));
            }
            _ => {}
        }
    }

    fn join(&mut self, other: &Self) {
        self.codes.extend(other.codes.iter().cloned());
        self.labels.extend(other.labels.iter().cloned());
    }
}

/// The marks of the resources of a payload, by type and id, and by the id of a `urn:` under which it gives them.
#[derive(Debug, Default)]
pub(crate) struct Marked(BTreeMap<String, Marks>);

impl Marked {
    /// Whether others may rest on a resource of this type.
    pub(crate) fn is_rested_on(kind: &str) -> bool {
        FACTS.contains(&kind)
    }

    /// Remembers a resource by its id and by the `urn:` of its entry.
    pub(crate) fn remember(&mut self, kind: &str, resource: &Value, urn: Option<&str>) {
        let marks = Marks::of(resource);
        let id = resource.get("id").and_then(Value::as_str);
        self.0
            .extend(urn.map(|urn| (format!("/{urn}"), marks.clone())));
        self.0.extend(id.map(|id| (format!("{kind}/{id}"), marks)));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Puts on an event the codes and labels of its resource and of everything it rests on.
    pub(crate) fn mark(&self, event: &mut NewEvent, resource: &Value) {
        let mut all = Marks::of(resource);
        let mut seen = BTreeSet::new();
        let mut next = self.behind(&all);
        for _ in 0..HOPS {
            let mut further = Vec::new();
            for (key, marks) in next {
                if seen.insert(key) {
                    all.join(marks);
                    further.extend(self.behind(marks));
                }
            }
            next = further;
        }
        event.labels = all.labels.into_iter().collect();
        event.codes = all.codes.into_iter().collect();
    }

    /// What a resource refers to, whatever the server: a code too many only makes it stricter.
    fn behind(&self, marks: &Marks) -> Vec<(&str, &Marks)> {
        let found = marks.references.iter().filter_map(|text| {
            let target = reference::parse(text)?;
            self.0
                .get_key_value(&format!("{}/{}", target.kind, target.id))
        });
        found.map(|(key, marks)| (key.as_str(), marks)).collect()
    }
}
