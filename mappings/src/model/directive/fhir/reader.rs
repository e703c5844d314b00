//! Reading elements of which nothing may be overlooked.

use serde_json::{Map, Value};

use crate::model::directive::Moment;

const CODING_FIELDS: [&str; 6] = ["id", "system", "version", "code", "display", "userSelected"];
const CONCEPT_FIELDS: [&str; 3] = ["id", "coding", "text"];

/// Collects every reason for which a consent cannot be taken.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) reasons: Vec<String>,
}

impl Reader {
    pub(super) fn refuse<T>(&mut self, reason: impl Into<String>) -> Option<T> {
        self.reasons.push(reason.into());
        None
    }

    /// Refuses every field that is not known.
    pub(super) fn only(&mut self, place: &str, fields: &Map<String, Value>, known: &[&str]) {
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            self.reasons
                .push(format!("{place}.{name} is not understood"));
        }
    }

    /// An element that must be an object of known fields; anything else may narrow.
    pub(super) fn object(&mut self, place: &str, value: &Value, known: &[&str]) {
        match value.as_object() {
            Some(fields) => self.only(place, fields, known),
            None => self.reasons.push(format!("{place} is not an object")),
        }
    }

    /// The elements of a list with the FHIRPath of each. What is there and is no list, or an empty one (HL7 FHIR R4 4.0.1,
    /// JSON), is refused, not read as nothing.
    pub(super) fn elements<'a>(
        &mut self,
        place: &str,
        value: &'a Value,
        field: &str,
    ) -> Vec<(String, &'a Value)> {
        let found = match value.get(field) {
            None => return Vec::new(),
            Some(Value::Array(found)) if !found.is_empty() => found,
            Some(_) => {
                self.reasons
                    .push(format!("{place}.{field} is not a list of elements"));
                return Vec::new();
            }
        };
        let places = found.iter().enumerate();
        places
            .map(|(at, one)| (format!("{place}.{field}[{at}]"), one))
            .collect()
    }

    /// A coding of known fields: its code, and its system when it names one.
    pub(super) fn coding<'a>(
        &mut self,
        place: &str,
        coding: &'a Value,
    ) -> Option<(Option<&'a str>, &'a str)> {
        self.object(place, coding, &CODING_FIELDS);
        let system = match coding.get("system") {
            None => None,
            Some(Value::String(system)) => Some(system.as_str()),
            Some(_) => return self.refuse(format!("{place}.system is not a text")),
        };
        match text(coding, "code") {
            Some(code) => Some((system, code)),
            None => self.refuse(format!("{place}.code is absent")),
        }
    }

    /// The one code of a concept, from one of the systems; a code without a system is taken to be of the one that the
    /// element is bound to.
    pub(super) fn one_code<'a>(
        &mut self,
        place: &str,
        concept: &'a Value,
        systems: &[&str],
    ) -> Option<&'a str> {
        self.object(place, concept, &CONCEPT_FIELDS);
        let codings: Vec<_> = self
            .elements(place, concept, "coding")
            .into_iter()
            .map(|(place, coding)| self.coding(&place, coding))
            .collect();
        let [coding] = codings.as_slice() else {
            return self.refuse(format!("{place} has not exactly one code"));
        };
        let (system, code) = (*coding)?;
        if system.is_some_and(|system| !systems.contains(&system)) {
            return self.refuse(format!("{place} has a code of a foreign system"));
        }
        Some(code)
    }

    /// A day or an instant that is there and can be read, or nothing when there is none.
    pub(super) fn moment(&mut self, place: &str, value: Option<&Value>) -> Option<Moment> {
        let text = value?.as_str().map(str::parse);
        match text {
            Some(Ok(moment)) => Some(moment),
            _ => self.refuse(format!("{place} is neither a day nor an instant")),
        }
    }
}

/// The text of a field.
pub(super) fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}
