//! Parses JSON of others: within a number of values, and with an eye on repeated keys.
//!
//! A parsed value takes many times the room of its text (`[[],[],...`), so that a limit of bytes alone does not limit
//! memory.
//!
//! JSON leaves open which of two equal keys counts (RFC 8259, section 4); a reader that keeps the
//! last and a reader that keeps the first would see two different people. The first is kept here
//! and the repetition is reported.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A parsed text.
pub struct Parsed {
    /// The value.
    pub value: Value,
    /// How many keys were repeated within their object.
    pub repeated_keys: u32,
}

/// Why a piece is not usable JSON. Carries no content of the piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonFault {
    /// Line within the piece, from 1.
    pub line: u64,
    /// Byte of that line, from 1.
    pub column: u64,
    /// Whether the text ended too early.
    pub is_end_of_input: bool,
    /// Whether it holds more values than allowed.
    pub has_too_many_values: bool,
}

impl fmt::Debug for Parsed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Parsed")
            .field("repeated_keys", &self.repeated_keys)
            .finish_non_exhaustive()
    }
}

/// Parses `bytes` as exactly one JSON value, nested at most 128 deep, of at most `most_values` values (every object, list
/// and scalar is one).
///
/// # Errors
/// Where the bytes stop being JSON, or go beyond the limits.
pub fn parse(bytes: &[u8], most_values: usize) -> Result<Parsed, JsonFault> {
    let counts = Counts {
        repeated_keys: Cell::new(0),
        values_left: Cell::new(most_values),
    };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let result = Seed(&counts)
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    match result {
        Ok(value) => Ok(Parsed {
            value,
            repeated_keys: counts.repeated_keys.get(),
        }),
        Err(error) => Err(JsonFault {
            line: error.line() as u64,
            column: error.column() as u64,
            is_end_of_input: error.is_eof(),
            // Any JSON fits the visitor: only the limit makes an error of data.
            has_too_many_values: error.is_data(),
        }),
    }
}

struct Counts {
    repeated_keys: Cell<u32>,
    values_left: Cell<usize>,
}

#[derive(Clone, Copy)]
struct Seed<'c>(&'c Counts);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.0.values_left.get().checked_sub(1);
        let left = left.ok_or_else(|| D::Error::custom("too many values"))?;
        self.0.values_left.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self)?;
            if object.contains_key(&key) {
                let repeated = &self.0.repeated_keys;
                repeated.set(repeated.get().saturating_add(1));
            } else {
                object.insert(key, value);
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_counts_toward_the_limit() {
        let text = br#"{"a":[1,{"b":null}],"a":2}"#;
        let parsed = parse(text, 6).unwrap();
        assert_eq!(
            (parsed.repeated_keys, parsed.value["a"][0].as_i64()),
            (1, Some(1))
        );
        let fault = parse(text, 5).unwrap_err();
        assert!(fault.has_too_many_values && !fault.is_end_of_input);
        assert_eq!(fault.line, 1);
    }

    #[test]
    fn what_is_no_json_has_not_too_many_values() {
        let deep = "[".repeat(1_000);
        for text in [
            "",
            "{",
            "nul",
            "1e999",
            "[1,]",
            "\"\\ud800\"",
            deep.as_str(),
        ] {
            let fault = parse(text.as_bytes(), 1_000_000).unwrap_err();
            assert!(!fault.has_too_many_values, "{text:.10}");
        }
    }
}
