//! What the engine is told about one person in one system.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::value::{Address, BirthDate, Quality, Relationship, Sex, Ssn};

/// A source record: the system and the person's id in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// Name of the source system.
    pub system: String,
    /// The person's id in that system.
    pub id: String,
}

impl RecordKey {
    /// A key from its two parts.
    pub fn new(system: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            system: system.into(),
            id: id.into(),
        }
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.system, self.id)
    }
}

/// One name of a person, as the source writes it; empty parts are unknown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Name {
    /// Given name or names.
    pub first: String,
    /// Middle name or initial.
    pub middle: String,
    /// Family name or names, with a generational suffix or without.
    pub last: String,
}

impl Name {
    /// A name from its parts.
    pub fn new(
        first: impl Into<String>,
        middle: impl Into<String>,
        last: impl Into<String>,
    ) -> Self {
        Self {
            first: first.into(),
            middle: middle.into(),
            last: last.into(),
        }
    }

    /// Reads a name written in one piece: `Last, First Middle` or `First Middle Last`.
    pub fn parse(text: &str) -> Self {
        if let Some((last, given)) = text.split_once(',') {
            let given = given.trim();
            let (first, middle) = given.split_once(' ').unwrap_or((given, ""));
            return Self::new(first, middle.trim(), last.trim());
        }
        let text = text.trim();
        let (given, last) = text.rsplit_once(' ').unwrap_or(("", text));
        let (first, middle) = given.trim().split_once(' ').unwrap_or((given.trim(), ""));
        Self::new(first, middle.trim(), last)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Name(redacted)")
    }
}

/// Everything about a person that matching uses. Absent values are no evidence.
#[derive(Clone)]
pub struct Record {
    /// Where the record comes from.
    pub key: RecordKey,
    /// The current name first, then other names the person has used.
    pub names: Vec<Name>,
    /// Quality of the names.
    pub name_quality: Quality,
    /// Generational suffix (Jr, Sr, III).
    pub suffix: Option<String>,
    /// Birth date with its own quality.
    pub birth_date: Option<BirthDate>,
    /// Sex.
    pub sex: Sex,
    /// Social Security number, whole or partial.
    pub ssn: Option<Ssn>,
    /// Quality of the Social Security number.
    pub ssn_quality: Quality,
    /// Telephone numbers, any notation.
    pub phones: Vec<String>,
    /// Addresses, the current one first.
    pub addresses: Vec<Address>,
    /// Identifiers that several systems share, by kind (`cin`).
    pub identifiers: BTreeMap<String, String>,
    /// Household in the record's own system.
    pub household: Option<String>,
    /// Relationship to the head of that household.
    pub relationship: Option<Relationship>,
}

impl Record {
    /// A record about which nothing is known yet but where it comes from.
    pub fn new(key: RecordKey) -> Self {
        Self {
            key,
            names: Vec::new(),
            name_quality: Quality::Full,
            suffix: None,
            birth_date: None,
            sex: Sex::Unknown,
            ssn: None,
            ssn_quality: Quality::Full,
            phones: Vec::new(),
            addresses: Vec::new(),
            identifiers: BTreeMap::new(),
            household: None,
            relationship: None,
        }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Record")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
