//! Households across systems, and how many people, families and children there are when nobody is counted twice.
//!
//! A system's own households are taken as they are (`household_id`). Two of them, of one system or of two, are one
//! household when they share at least two people and half of the smaller one, or when they share a person and a
//! dwelling. A household of one person joins the household in which that person lives with others, if there is only
//! one: a child of separated parents does not make one household of two.

mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cluster::Clusters;
use crate::population::{Population, Slot};
use crate::result::LinkResult;

use sources::{HomeNumber, PersonNumber, Sources};

/// Age in years from which a person is no child.
const ADULT: i16 = 18;
/// Keeps the ids of households apart from those of people.
const TAG: u128 = 0x686f_7573_6568_6f6c_645f_6964_5f5f_5f5f;

/// A household as the batch found it. The id derives from the keys of its records: the same set has the same id in
/// every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HouseholdId(Uuid);

impl fmt::Display for HouseholdId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Counts in which nobody is counted twice, as far as records were linked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Unduplicated {
    /// People: clusters of records.
    pub persons: u64,
    /// People of whom a birth date tells that they are under 18.
    pub children: u64,
    /// People without a birth date.
    pub persons_of_unknown_age: u64,
    /// Households, those of one person included.
    pub households: u64,
    /// Households of two people or more.
    pub families: u64,
    /// Households of two people or more, at least one of them a child.
    pub families_with_children: u64,
    /// People of whom no system says in which household they are.
    pub persons_without_household: u64,
}

/// The households of all records.
#[derive(Debug, Clone)]
pub struct Households {
    of_record: Vec<Option<HouseholdId>>,
    counts: Unduplicated,
}

impl Households {
    /// Finds the households of a run's people. Ages are those at `as_of`.
    pub fn of(result: &LinkResult, as_of: Date) -> Self {
        let sources = Sources::of(result);
        let homes = join(&sources);
        let ids = ids(&result.population, &sources, &homes);
        let of_record = sources.home_of_record.iter().map(|home| {
            let root = homes.get((*home)? as usize)?;
            ids.get(root).copied()
        });
        Self {
            of_record: of_record.collect(),
            counts: count(result, &sources, &homes, as_of),
        }
    }

    /// The household of a record, by its number; `None` when its system names none.
    pub fn of_record(&self, number: usize) -> Option<HouseholdId> {
        self.of_record.get(number).copied().flatten()
    }

    /// The counts.
    pub fn counts(&self) -> &Unduplicated {
        &self.counts
    }
}

/// For each source household the number of the one that stands for all it was joined with.
fn join(sources: &Sources) -> Vec<HomeNumber> {
    let mut joined = Clusters::new(sources.homes.len() as Slot, usize::MAX);
    let is_shared = |home: &HomeNumber| sources.size(*home) > 1;
    for homes in &sources.homes_of_person {
        for (place, one) in homes.iter().enumerate().filter(|(_, home)| is_shared(home)) {
            for other in homes.iter().skip(place + 1).filter(|home| is_shared(home)) {
                if sources.is_one_household(*one, *other) {
                    joined.join(*one, *other, |_, _| false);
                }
            }
        }
    }
    for homes in &sources.homes_of_person {
        let shared = homes.iter().filter(|home| is_shared(home));
        let families: BTreeSet<HomeNumber> = shared.map(|home| joined.root(*home)).collect();
        let singles: Vec<HomeNumber> = homes
            .iter()
            .filter(|home| !is_shared(home))
            .copied()
            .collect();
        let target = match (families.first(), families.len()) {
            (Some(family), 1) => Some(*family),
            _ => singles.first().copied(),
        };
        for (single, target) in singles.iter().zip(std::iter::repeat(target).flatten()) {
            joined.join(target, *single, |_, _| false);
        }
    }
    (0..sources.homes.len() as Slot)
        .map(|home| joined.root(home))
        .collect()
}

/// The id of each joined household, by the number that stands for it.
fn ids(
    population: &Population,
    sources: &Sources,
    homes: &[HomeNumber],
) -> BTreeMap<HomeNumber, HouseholdId> {
    let mut least: BTreeMap<HomeNumber, u128> = BTreeMap::new();
    for (slot, home) in (0..).zip(&sources.home_of_record) {
        let Some(root) = home.and_then(|home| homes.get(home as usize)) else {
            continue;
        };
        let digest = population.digest(slot);
        let least = least.entry(*root).or_insert(digest);
        *least = (*least).min(digest);
    }
    let id = |digest: u128| uuid::Builder::from_custom_bytes((digest ^ TAG).to_be_bytes());
    let ids = least.into_iter();
    ids.map(|(root, digest)| (root, HouseholdId(id(digest).into_uuid())))
        .collect()
}

fn count(
    result: &LinkResult,
    sources: &Sources,
    homes: &[HomeNumber],
    as_of: Date,
) -> Unduplicated {
    let is_child = |person: PersonNumber| {
        let birth = sources.births.get(person as usize).copied().flatten();
        birth.map(|birth| birth.age(as_of) < ADULT)
    };
    let mut members: BTreeSet<(HomeNumber, PersonNumber)> = BTreeSet::new();
    for (person, own) in (0..).zip(&sources.homes_of_person) {
        let roots = own.iter().filter_map(|home| homes.get(*home as usize));
        members.extend(roots.map(|root| (*root, person)));
    }
    let members: Vec<(HomeNumber, PersonNumber)> = members.into_iter().collect();
    let persons = || 0..sources.homes_of_person.len() as PersonNumber;
    let mut counts = Unduplicated {
        persons: result.people(),
        children: persons().filter(|one| is_child(*one) == Some(true)).count() as u64,
        persons_of_unknown_age: persons().filter(|one| is_child(*one).is_none()).count() as u64,
        persons_without_household: sources
            .homes_of_person
            .iter()
            .filter(|homes| homes.is_empty())
            .count() as u64,
        ..Unduplicated::default()
    };
    for household in members.chunk_by(|a, b| a.0 == b.0) {
        counts.households += 1;
        if household.len() > 1 {
            counts.families += 1;
            let has_child = household
                .iter()
                .any(|(_, one)| is_child(*one) == Some(true));
            counts.families_with_children += u64::from(has_child);
        }
    }
    counts
}

/// Writes the records that have a household: `household_id,system,record_id,cluster_id`.
pub(crate) fn write_households(
    households: &Households,
    result: &LinkResult,
    output: &mut dyn Write,
) -> csv::Result<()> {
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record(["household_id", "system", "record_id", "cluster_id"])?;
    let mut order: Vec<(HouseholdId, usize)> = (0..result.clusters().len())
        .filter_map(|number| Some((households.of_record(number)?, number)))
        .collect();
    order.sort_unstable();
    for (household, number) in order {
        let cluster = result.clusters().get(number);
        if let (Some((system, id)), Some(cluster)) = (result.key_parts(number), cluster) {
            writer.write_record([&household.to_string(), system, id, &cluster.to_string()])?;
        }
    }
    Ok(writer.flush()?)
}
