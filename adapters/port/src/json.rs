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

use serde::Deserializer as _;
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

/// How much a list may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListLimits {
    /// Most elements.
    pub elements: usize,
    /// Most values of one element.
    pub values_of_one: usize,
    /// Most values of all elements together.
    pub values: usize,
}

/// Why a list was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListFault {
    /// It is no JSON, or no list.
    NoList,
    /// It has more elements than allowed.
    TooManyElements,
    /// One of its elements, or all of them together, have more values than allowed.
    TooManyValues,
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
    let counts = Counts::up_to(most_values);
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

/// Parses `bytes` as exactly one JSON list and hands its elements over in order. One of them is in memory at a time, and
/// nothing is read beyond what is allowed.
///
/// # Errors
/// When it is no list or goes beyond the limits; what came before was handed over then.
pub fn each_element(
    bytes: &[u8],
    most: ListLimits,
    take: impl FnMut(Parsed),
) -> Result<(), ListFault> {
    let beyond = Cell::new(None);
    let elements = Elements {
        most,
        take,
        beyond: &beyond,
    };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = deserializer
        .deserialize_seq(elements)
        .and_then(|()| deserializer.end());
    read.map_err(|_| beyond.get().unwrap_or(ListFault::NoList))
}

struct Elements<'c, F> {
    most: ListLimits,
    take: F,
    /// Beyond which limit the list goes.
    beyond: &'c Cell<Option<ListFault>>,
}

impl<'de, F: FnMut(Parsed)> Visitor<'de> for Elements<'_, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let mut left = self.most.values;
        for seen in 0_usize.. {
            let most = left.min(self.most.values_of_one);
            let counts = Counts::up_to(most);
            let item = items.next_element_seed(Seed(&counts)).inspect_err(|_| {
                if counts.is_over.get() {
                    self.beyond.set(Some(ListFault::TooManyValues));
                }
            })?;
            let Some(value) = item else { break };
            if seen == self.most.elements {
                self.beyond.set(Some(ListFault::TooManyElements));
                return Err(A::Error::custom("too many elements"));
            }
            left -= most - counts.values_left.get();
            (self.take)(Parsed {
                value,
                repeated_keys: counts.repeated_keys.get(),
            });
        }
        Ok(())
    }
}

struct Counts {
    repeated_keys: Cell<u32>,
    values_left: Cell<usize>,
    /// Whether there were more values than that.
    is_over: Cell<bool>,
}

impl Counts {
    const fn up_to(most_values: usize) -> Self {
        Self {
            repeated_keys: Cell::new(0),
            values_left: Cell::new(most_values),
            is_over: Cell::new(false),
        }
    }
}

#[derive(Clone, Copy)]
struct Seed<'c>(&'c Counts);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Some(left) = self.0.values_left.get().checked_sub(1) else {
            self.0.is_over.set(true);
            return Err(D::Error::custom("too many values"));
        };
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

    const FEW: ListLimits = ListLimits {
        elements: 2,
        values_of_one: 3,
        values: 5,
    };

    /// How many elements were handed over, and why no more.
    fn elements_of(text: &str) -> (usize, Result<(), ListFault>) {
        let mut count = 0;
        let read = each_element(text.as_bytes(), FEW, |_| count += 1);
        (count, read)
    }

    #[test]
    fn a_list_is_read_no_further_than_it_may_go() {
        assert_eq!(elements_of("[]"), (0, Ok(())));
        assert_eq!(elements_of("[[1,2],{\"a\":1}]"), (2, Ok(())));
        // What comes after the limit is not looked at: it is no JSON.
        let many = elements_of("[1,2,3 no json");
        assert_eq!(many, (2, Err(ListFault::TooManyElements)));
        let of_one = elements_of("[[1,2,3 no json");
        assert_eq!(of_one, (0, Err(ListFault::TooManyValues)));
        let of_all = elements_of("[[1,2],[1,2 no json");
        assert_eq!(of_all, (1, Err(ListFault::TooManyValues)));
    }

    #[test]
    fn what_is_no_list_is_said_to_be_none() {
        for text in ["", "{}", "1", "[1", "[1,]", "[1]]", "[nul]"] {
            assert_eq!(elements_of(text).1, Err(ListFault::NoList), "{text}");
        }
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
