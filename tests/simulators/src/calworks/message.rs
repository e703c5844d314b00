//! A Linkages message as rows of named fields, whatever its kind.

use std::collections::BTreeMap;

/// One row that belongs to a message: a person, activity, goal, funding line or rating.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// `person`, `activity`, `goal`, `funding` or `rating`.
    pub line_type: String,
    /// Filled fields by their published name.
    pub fields: BTreeMap<String, String>,
}

impl Part {
    /// The field `name`, blank when it is not filled.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// A message of the Linkages table: header fields and the rows that belong to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkagesMessage {
    /// Unique for the sender.
    pub message_id: String,
    /// Kind of message, e.g. `participation`.
    pub message_type: String,
    /// All other filled header fields by their published name.
    pub fields: BTreeMap<String, String>,
    /// The rows in file order.
    pub parts: Vec<Part>,
}

impl LinkagesMessage {
    /// The header field `name`, blank when it is not filled.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        match name {
            "message_id" => &self.message_id,
            "message_type" => &self.message_type,
            _ => self.fields.get(name).map_or("", String::as_str),
        }
    }

    /// The rows of one line type.
    pub fn parts_of<'message>(
        &'message self,
        line_type: &'message str,
    ) -> impl Iterator<Item = &'message Part> {
        self.parts
            .iter()
            .filter(move |part| part.line_type == line_type)
    }

    /// Sets a header field; a blank value takes it away.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if value.is_empty() {
            self.fields.remove(name);
        } else {
            self.fields.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    /// Adds a row; blank values are left out.
    #[must_use]
    pub fn with_part(mut self, line_type: &str, fields: &[(&str, &str)]) -> Self {
        let fields = fields
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.parts.push(Part {
            line_type: line_type.to_owned(),
            fields,
        });
        self
    }
}
