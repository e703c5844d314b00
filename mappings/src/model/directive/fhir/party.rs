//! Whom references mean.

use serde_json::Value;

use super::reader::{Reader, text};

const REFERENCE_FIELDS: [&str; 5] = ["id", "reference", "type", "identifier", "display"];
const IDENTIFIER_FIELDS: [&str; 7] = ["id", "use", "type", "system", "value", "period", "assigner"];

/// Somebody or something that a reference means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Referred {
    /// The type of the resource, when the reference says it.
    pub(super) kind: Option<String>,
    /// Its id: the end of the address, else the value of the identifier (FAST: references across systems carry one).
    pub(super) id: String,
}

impl Reader {
    /// Whom a reference means; a reason is noted when that cannot be said.
    pub(super) fn reference(&mut self, place: &str, value: Option<&Value>) -> Option<Referred> {
        let Some(value) = value else {
            return self.refuse(format!("{place} is absent"));
        };
        self.object(place, value, &REFERENCE_FIELDS);
        let stated = text(value, "type").map(str::to_owned);
        if let Some(identifier) = value.get("identifier") {
            self.object(
                &format!("{place}.identifier"),
                identifier,
                &IDENTIFIER_FIELDS,
            );
        }
        if let Some(address) = text(value, "reference") {
            // A version of a resource is not another resource.
            let path = address.split("/_history/").next().unwrap_or(address);
            let mut parts = path.rsplit('/');
            let id = parts
                .next()
                .filter(|id| !id.is_empty() && !id.starts_with('#'));
            let kind = stated.or_else(|| parts.next().map(str::to_owned));
            return match id {
                Some(id) => Some(Referred {
                    kind,
                    id: id.to_owned(),
                }),
                None => self.refuse(format!("{place}.reference names nobody")),
            };
        }
        let identified = value.pointer("/identifier/value").and_then(Value::as_str);
        match identified.filter(|id| !id.trim().is_empty()) {
            Some(id) => Some(Referred {
                kind: stated,
                id: id.to_owned(),
            }),
            None => self.refuse(format!("{place} names nobody by address or identifier")),
        }
    }
}
