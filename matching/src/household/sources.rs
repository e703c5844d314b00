//! The households as the systems name them, with the people whom linking found in them.

use std::collections::HashMap;

use crate::cluster::ClusterId;
use crate::mix::MixedMap;
use crate::population::Slot;
use crate::result::LinkResult;
use crate::value::BirthDate;

/// Number of a person: a cluster of records.
pub(super) type PersonNumber = u32;
/// Number of a household of one system.
pub(super) type HomeNumber = Slot;

/// A household of one system.
#[derive(Debug, Default)]
pub(super) struct Home {
    /// Its people, sorted.
    people: Vec<PersonNumber>,
    /// Where they live, as keys of dwellings; sorted.
    dwellings: Vec<u64>,
}

/// The households of all systems.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) homes: Vec<Home>,
    pub(super) home_of_record: Vec<Option<HomeNumber>>,
    pub(super) homes_of_person: Vec<Vec<HomeNumber>>,
    /// Birth date of each person; an exact one where a record has one.
    pub(super) births: Vec<Option<BirthDate>>,
}

impl Sources {
    pub(super) fn of(result: &LinkResult) -> Self {
        let mut sources = Self::default();
        let mut people: HashMap<ClusterId, PersonNumber> = HashMap::new();
        let mut numbers: MixedMap<u64, HomeNumber> = MixedMap::default();
        for (slot, cluster) in (0..).zip(result.clusters()) {
            let next = people.len() as PersonNumber;
            let person = *people.entry(*cluster).or_insert(next);
            if person == next {
                sources.homes_of_person.push(Vec::new());
                sources.births.push(None);
            }
            let home = sources.add(result, slot, person, &mut numbers);
            sources.home_of_record.push(home);
        }
        for home in &mut sources.homes {
            home.people.sort_unstable();
            home.people.dedup();
            home.dwellings.sort_unstable();
            home.dwellings.dedup();
        }
        for homes in &mut sources.homes_of_person {
            homes.sort_unstable();
            homes.dedup();
        }
        sources
    }

    fn add(
        &mut self,
        result: &LinkResult,
        slot: Slot,
        person: PersonNumber,
        numbers: &mut MixedMap<u64, HomeNumber>,
    ) -> Option<HomeNumber> {
        let record = result.population.person(slot)?;
        if let Some(known) = self.births.get_mut(person as usize) {
            let is_better =
                |birth: &BirthDate| known.is_none_or(|old| !old.is_exact() && birth.is_exact());
            if let Some(birth) = record.birth_date.filter(is_better) {
                *known = Some(birth);
            }
        }
        if record.household == 0 {
            return None;
        }
        let next = self.homes.len() as HomeNumber;
        let number = *numbers.entry(record.household).or_insert(next);
        if number == next {
            self.homes.push(Home::default());
        }
        let home = self.homes.get_mut(number as usize)?;
        home.people.push(person);
        let dwellings = record.places().map(|place| place.dwelling);
        home.dwellings
            .extend(dwellings.filter(|dwelling| *dwelling != 0));
        self.homes_of_person.get_mut(person as usize)?.push(number);
        Some(number)
    }

    /// How many people a household has.
    pub(super) fn size(&self, home: HomeNumber) -> usize {
        self.homes
            .get(home as usize)
            .map_or(0, |home| home.people.len())
    }

    /// Whether two households that share a person are one.
    pub(super) fn is_one_household(&self, one: HomeNumber, other: HomeNumber) -> bool {
        let (Some(one), Some(other)) =
            (self.homes.get(one as usize), self.homes.get(other as usize))
        else {
            return false;
        };
        let shared = common(&one.people, &other.people);
        let smaller = one.people.len().min(other.people.len());
        (shared >= 2 && shared * 2 >= smaller) || common(&one.dwellings, &other.dwellings) > 0
    }
}

/// How many values two sorted lists share.
fn common<T: Ord>(one: &[T], other: &[T]) -> usize {
    one.iter()
        .filter(|value| other.binary_search(value).is_ok())
        .count()
}
