//! Parses one piece of JSON and notices repeated keys.
//!
//! JSON leaves open which of two equal keys counts (RFC 8259, section 4); a reader that keeps the
//! last and a reader that keeps the first would see two different people. The first is kept here
//! and the repetition is reported.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A parsed piece.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) value: Value,
    /// How many keys were repeated within their object.
    pub(crate) repeated_keys: u32,
}

/// Why a piece is not usable JSON. Carries no content of the piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JsonFault {
    /// Line within the piece, from 1.
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) is_end_of_input: bool,
}

/// Parses `bytes` as exactly one JSON value, nested at most 128 deep.
///
/// # Errors
/// Where the bytes stop being JSON.
pub(crate) fn parse(bytes: &[u8]) -> Result<Parsed, JsonFault> {
    let repeated = Cell::new(0);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let result = Seed(&repeated)
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    match result {
        Ok(value) => Ok(Parsed {
            value,
            repeated_keys: repeated.get(),
        }),
        Err(error) => Err(JsonFault {
            line: error.line() as u64,
            column: error.column() as u64,
            is_end_of_input: error.is_eof(),
        }),
    }
}

#[derive(Clone, Copy)]
struct Seed<'c>(&'c Cell<u32>);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
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
                self.0.set(self.0.get().saturating_add(1));
            } else {
                object.insert(key, value);
            }
        }
        Ok(Value::Object(object))
    }
}
