//! A lenient view on a JSON object that is meant to be a FHIR element.
//!
//! Reading never fails: a field of the wrong type counts as absent and is noted with its path, a
//! single value where the standard has a list counts as a list of one, and a primitive whose value
//! is carried only by its `_field` sibling (FHIR R4 JSON, section 2.6.2.3) counts as absent
//! without a note. Notes hold paths and expectations, never values.

use std::cell::RefCell;

use serde_json::{Map, Value};

/// A field that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    /// Path of the field, such as `Patient.name.given`.
    pub(crate) path: String,
    /// What was expected there.
    pub(crate) expected: &'static str,
}

/// Collects notes while views on one resource are read.
#[derive(Debug, Default)]
pub(crate) struct Notes(RefCell<Vec<Note>>);

impl Notes {
    /// Notes that the field at `path` was not what it should be.
    pub(crate) fn add(&self, path: impl Into<String>, expected: &'static str) {
        if let Ok(mut notes) = self.0.try_borrow_mut() {
            notes.push(Note {
                path: path.into(),
                expected,
            });
        }
    }

    /// Everything noted.
    pub(crate) fn into_inner(self) -> Vec<Note> {
        self.0.into_inner()
    }
}

/// A view on one object.
#[derive(Debug, Clone)]
pub(crate) struct View<'a> {
    map: &'a Map<String, Value>,
    path: String,
    notes: &'a Notes,
}

impl<'a> View<'a> {
    /// A view on `value`, if it is an object.
    pub(crate) fn new(value: &'a Value, path: impl Into<String>, notes: &'a Notes) -> Option<Self> {
        let path = path.into();
        match value.as_object() {
            Some(map) => Some(Self { map, path, notes }),
            None => {
                notes.add(path, "an object");
                None
            }
        }
    }

    /// Path of a field of this element.
    pub(crate) fn path_of(&self, field: &str) -> String {
        format!("{}.{field}", self.path)
    }

    /// Notes that `field` was not what it should be.
    pub(crate) fn note(&self, field: &str, expected: &'static str) {
        self.notes.add(self.path_of(field), expected);
    }

    /// The raw value of a field; JSON `null` counts as absent.
    pub(crate) fn raw(&self, field: &str) -> Option<&'a Value> {
        self.map.get(field).filter(|value| !value.is_null())
    }

    /// Whether the field has a value or says by an extension why it has none.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.raw(field).is_some() || self.absent_reason(field).is_some()
    }

    /// Code of the data-absent-reason extension on a primitive field.
    pub(crate) fn absent_reason(&self, field: &str) -> Option<&'a str> {
        let sibling = self.map.get(&format!("_{field}"))?;
        sibling
            .get("extension")?
            .as_array()?
            .iter()
            .find_map(|extension| {
                let url = extension.get("url")?.as_str()?;
                (url == crate::terms::DATA_ABSENT_REASON).then(|| {
                    extension
                        .get("valueCode")
                        .and_then(Value::as_str)
                        .unwrap_or("unknown")
                })
            })
    }

    /// Whether a choice element `value[x]` has a value of any type.
    pub(crate) fn has_value(&self) -> bool {
        self.map
            .iter()
            .any(|(key, value)| key.starts_with("value") && !value.is_null())
    }

    /// A string field, trimmed; blank counts as absent.
    pub(crate) fn text(&self, field: &str) -> Option<&'a str> {
        match self.raw(field)? {
            Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => {
                self.note(field, "a string");
                None
            }
        }
    }

    /// A boolean field.
    pub(crate) fn flag(&self, field: &str) -> Option<bool> {
        let value = self.raw(field)?;
        if value.as_bool().is_none() {
            self.note(field, "a boolean");
        }
        value.as_bool()
    }

    /// An object field.
    pub(crate) fn object(&self, field: &str) -> Option<View<'a>> {
        View::new(self.raw(field)?, self.path_of(field), self.notes)
    }

    /// The objects of a list field.
    pub(crate) fn objects(&self, field: &str) -> Vec<View<'a>> {
        self.items(field)
            .filter_map(|item| View::new(item, self.path_of(field), self.notes))
            .collect()
    }

    /// The strings of a list field, trimmed, without blanks and `null`s.
    pub(crate) fn texts(&self, field: &str) -> Vec<&'a str> {
        self.items(field)
            .filter_map(|item| match item {
                Value::String(text) => Some(text.trim()),
                Value::Null => None,
                _ => {
                    self.note(field, "strings");
                    None
                }
            })
            .filter(|text| !text.is_empty())
            .collect()
    }

    fn items(&self, field: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        let (single, list) = match self.raw(field) {
            Some(Value::Array(items)) => (None, Some(items)),
            other => (other, None),
        };
        single.into_iter().chain(list.into_iter().flatten())
    }

    /// The value of the extension with this URL, whatever its `value[x]` type.
    pub(crate) fn extension(&self, url: &str) -> Option<&'a Value> {
        self.items("extension").find_map(|extension| {
            let object = extension.as_object()?;
            (object.get("url")?.as_str()? == url)
                .then(|| object.iter().find(|(key, _)| key.starts_with("value")))?
                .map(|(_, value)| value)
        })
    }

    /// The codings of a CodeableConcept field: (system, code), and its text.
    pub(crate) fn concept(&self, field: &str) -> Option<Concept<'a>> {
        self.object(field).map(|view| Concept::read(&view))
    }

    /// The concepts of a list of CodeableConcepts.
    pub(crate) fn concepts(&self, field: &str) -> Vec<Concept<'a>> {
        self.objects(field).iter().map(Concept::read).collect()
    }
}

/// A CodeableConcept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Concept<'a> {
    /// (system or empty, code, display)
    pub(crate) codings: Vec<(&'a str, &'a str, Option<&'a str>)>,
    pub(crate) text: Option<&'a str>,
}

impl<'a> Concept<'a> {
    fn read(view: &View<'a>) -> Self {
        let codings = view
            .objects("coding")
            .iter()
            .filter_map(|coding| {
                let code = coding.text("code")?;
                Some((
                    coding.text("system").unwrap_or(""),
                    code,
                    coding.text("display"),
                ))
            })
            .collect();
        Self {
            codings,
            text: view.text("text"),
        }
    }

    /// The code that a system gives to the concept.
    pub(crate) fn code_in(&self, system: &str) -> Option<&'a str> {
        self.codings
            .iter()
            .find(|coding| coding.0 == system)
            .map(|coding| coding.1)
    }

    /// The text, or the first display.
    pub(crate) fn words(&self) -> Option<&'a str> {
        self.text
            .or_else(|| self.codings.iter().find_map(|coding| coding.2))
    }
}
