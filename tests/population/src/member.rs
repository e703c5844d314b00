//! A person as the person really is.

use crate::bank::Group;

/// Where somebody lived, and since which place in the life it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) number: u64,
    pub(crate) street: String,
    pub(crate) unit: Option<u64>,
    pub(crate) city: &'static str,
    pub(crate) zip: u64,
}

/// What somebody is to the head of the household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Head,
    Partner,
    Child,
    Parent,
}

/// A day by its year, month and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) year: i64,
    pub(crate) month: u64,
    pub(crate) day: u64,
}

/// A person as the person really is.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) number: u64,
    pub(crate) group: Group,
    pub(crate) role: Role,
    pub(crate) is_female: bool,
    pub(crate) given: String,
    pub(crate) middle: String,
    /// One family name, or two.
    pub(crate) family: Vec<String>,
    /// The family names before a marriage or an adoption.
    pub(crate) former: Option<Vec<String>>,
    pub(crate) suffix: &'static str,
    pub(crate) born: Day,
    pub(crate) ssn: Option<u64>,
    pub(crate) cin: String,
    /// The number called first, then one that was given up.
    pub(crate) phones: Vec<u64>,
    /// The present home, then earlier ones.
    pub(crate) homes: Vec<Home>,
}

impl Member {
    /// Years of age at the end of 2025.
    pub(crate) fn age(&self) -> i64 {
        2025 - self.born.year
    }

    pub(crate) fn is_child(&self) -> bool {
        self.age() < 18
    }
}
