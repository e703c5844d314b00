//! Families: households of several systems that share a person are one.

use std::collections::{BTreeMap, BTreeSet};

use super::{Facts, PersonKey, Snapshot};

/// The family of each person. The key of a family is its first member.
#[derive(Debug, Default)]
pub(super) struct Families {
    first: BTreeMap<PersonKey, PersonKey>,
}

impl Families {
    pub(super) fn of(facts: &Facts, snapshot: &Snapshot) -> Self {
        let mut families = Self::default();
        for members in facts.households.values() {
            let mut members = members.iter().map(|record| snapshot.person(record));
            if let Some(head) = members.next() {
                families.join(&head, &head);
                members.for_each(|member| families.join(&head, &member));
            }
        }
        families
    }

    /// The family of a person; none when no household names the person.
    pub(super) fn family(&self, person: &PersonKey) -> Option<&PersonKey> {
        let mut family = self.first.get(person)?;
        while let Some(next) = self.first.get(family).filter(|next| *next != family) {
            family = next;
        }
        Some(family)
    }

    /// Everybody in one of the given families.
    pub(super) fn members<'a>(
        &'a self,
        families: &'a BTreeSet<PersonKey>,
    ) -> impl Iterator<Item = &'a PersonKey> {
        let is_in = |person: &&PersonKey| {
            self.family(person)
                .is_some_and(|family| families.contains(family))
        };
        self.first.keys().filter(is_in)
    }

    fn join(&mut self, one: &PersonKey, other: &PersonKey) {
        let one = self.family(one).unwrap_or(one).clone();
        let other = self.family(other).unwrap_or(other).clone();
        // The smaller key leads, so that the result does not depend on the order of events.
        let (lead, follower) = if one <= other {
            (one, other)
        } else {
            (other, one)
        };
        self.first
            .entry(lead.clone())
            .or_insert_with(|| lead.clone());
        self.first.insert(follower, lead);
    }
}
