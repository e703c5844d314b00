//! What the first pass learns of households: whether each has one head, and whether its id is used once.

use crate::idset::{IdMap, id_hash};

const HAS_HEAD: u32 = 1;
const HAS_TWO_HEADS: u32 = 2;
const IS_REUSED: u32 = 4;
const HAS_MEMBER: u32 = 8;
const MARKS: u32 = 15;

/// Households by hashed HouseholdID, with the project of the first stay and marks.
#[derive(Debug)]
pub(crate) struct Households {
    held: IdMap<u32>,
}

impl Households {
    pub(crate) fn new() -> Self {
        Self { held: IdMap::new() }
    }

    /// Learns one stay.
    pub(crate) fn learn(&mut self, household: &str, project: &str, relation: &str) {
        if household.is_empty() {
            return;
        }
        let owner = u32::try_from(id_hash(&[project]) >> 32).unwrap_or(0) & !MARKS;
        let is_head = relation == "1";
        let Some((held, is_new)) = self.held.entry(id_hash(&[household]), owner) else {
            return;
        };
        if !is_new && *held & !MARKS != owner {
            *held |= IS_REUSED;
        }
        if is_head {
            *held |= if *held & HAS_HEAD == 0 {
                HAS_HEAD
            } else {
                HAS_TWO_HEADS
            };
        } else {
            *held |= HAS_MEMBER;
        }
    }

    fn has(&self, household: &str, mark: u32) -> bool {
        self.held
            .get(id_hash(&[household]))
            .is_some_and(|held| held & mark != 0)
    }

    /// Whether the HouseholdID names no one household: projects share it, or several heads and nobody else do, as where
    /// an export gives one id to all single people.
    pub(crate) fn is_reused(&self, household: &str) -> bool {
        let is_of_singles = self.has_two_heads(household) && !self.has(household, HAS_MEMBER);
        is_of_singles || self.has(household, IS_REUSED)
    }

    pub(crate) fn has_head(&self, household: &str) -> bool {
        self.has(household, HAS_HEAD)
    }

    pub(crate) fn has_two_heads(&self, household: &str) -> bool {
        self.has(household, HAS_TWO_HEADS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_counted_and_reuse_across_projects_is_seen() {
        let mut households = Households::new();
        households.learn("H1", "P1", "1");
        households.learn("H1", "P1", "2");
        assert!(households.has_head("H1") && !households.has_two_heads("H1"));
        assert!(!households.is_reused("H1"));
        households.learn("H1", "P2", "1");
        assert!(households.is_reused("H1") && households.has_two_heads("H1"));
        assert!(!households.has_head("H2"));
    }

    #[test]
    fn an_id_that_only_heads_share_names_no_household() {
        let mut households = Households::new();
        households.learn("H1", "P1", "1");
        households.learn("H1", "P1", "1");
        assert!(households.is_reused("H1"));
        // With a member beside them it is a family with a head too many.
        households.learn("H1", "P1", "2");
        assert!(!households.is_reused("H1") && households.has_two_heads("H1"));
    }
}
