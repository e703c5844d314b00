//! How well each group is served: precision and recall of the links as the model expects them, since there are no labels.
//!
//! A pair counts half for each of its records, in the groups of that record. Every compared pair that no rule forbids
//! is a match with the probability that its score tells; recall is the linked part of these matches, precision their
//! share among the links. Both are the model's own opinion: it cannot see pairs that share no blocking key, nor errors
//! that it holds to be agreement. They tell whether a group fares worse than others, not how well it fares.

mod group;

use std::collections::BTreeMap;
use std::io::Write;

use jiff::civil::Date;
use serde::Serialize;

use crate::decide::Decision;
use crate::population::{Population, Slot};
use crate::result::{LinkResult, Pair};

use group::{AgeBand, NameGroup};

/// Matches below which a group is too small for a rate to mean anything.
const FEWEST_MATCHES: f64 = 30.0;

/// By what records or pairs are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// By the kind of family name.
    FamilyName,
    /// By age at the date of the report.
    Age,
    /// By the two systems of a pair.
    Systems,
}

impl Dimension {
    /// The dimension as tables name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::FamilyName => "family_name",
            Self::Age => "age",
            Self::Systems => "systems",
        }
    }
}

/// How a group is served, as the model expects it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupQuality {
    /// By what it is a group.
    pub dimension: Dimension,
    /// The group.
    pub group: String,
    /// Matching pairs to be expected among those compared.
    pub expected_matches: f64,
    /// Pairs linked.
    pub links: f64,
    /// Pairs for a steward.
    pub reviews: f64,
    /// Expected share of the links that are one person; none for a group of fewer than 30 expected matches.
    pub precision: Option<f64>,
    /// Expected share of the matches that are linked; none for a group of fewer than 30 expected matches.
    pub recall: Option<f64>,
    /// Expected share of the matches that are linked or before a steward; none for a group of fewer than 30.
    pub recall_with_reviews: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    matches: f64,
    links: f64,
    true_links: f64,
    reviews: f64,
    true_reviews: f64,
}

/// Sums by group, gathered while the pairs pass by.
#[derive(Debug)]
pub(crate) struct Fairness {
    as_of: Date,
    names: [Sums; NameGroup::ALL.len()],
    ages: [Sums; AgeBand::ALL.len()],
    systems: BTreeMap<(u16, u16), Sums>,
}

impl Fairness {
    pub(crate) fn new(as_of: Date) -> Self {
        Self {
            as_of,
            names: Default::default(),
            ages: Default::default(),
            systems: BTreeMap::new(),
        }
    }

    /// Counts compared pairs.
    pub(crate) fn add(&mut self, population: &Population, pairs: &[Pair]) {
        // A pair that a rule forbids is two people, whatever its score.
        let possible = |pair: &&Pair| pair.is_open || pair.decision != Decision::NoLink;
        for pair in pairs.iter().filter(possible) {
            let chance = 1.0 - pair.false_share();
            self.each(population, pair, |sums, share| {
                sums.matches += chance * share;
            });
        }
    }

    /// The groups, with what was decided in the end.
    pub(crate) fn finish(mut self, result: &LinkResult) -> Vec<GroupQuality> {
        let population = &result.population;
        for pair in result.links() {
            let chance = 1.0 - pair.false_share();
            self.each(population, pair, |sums, share| {
                sums.links += share;
                sums.true_links += chance * share;
            });
        }
        for pair in result.reviews() {
            let chance = 1.0 - pair.false_share();
            self.each(population, pair, |sums, share| {
                sums.reviews += share;
                sums.true_reviews += chance * share;
            });
        }
        self.qualities(population)
    }

    /// Calls `add` with the sums of every group of a pair, and the pair's share in it.
    fn each(&mut self, population: &Population, pair: &Pair, mut add: impl FnMut(&mut Sums, f64)) {
        let person = |slot: Slot| population.person(slot);
        let (Some(a), Some(b)) = (person(pair.a), person(pair.b)) else {
            return;
        };
        for person in [a, b] {
            let name = NameGroup::of(population, person);
            let age = AgeBand::of(person.birth_date, self.as_of);
            let names = NameGroup::ALL.iter().zip(&mut self.names);
            let ages = AgeBand::ALL.iter().zip(&mut self.ages);
            let own_name = names
                .filter(|(group, _)| **group == name)
                .map(|(_, sums)| sums);
            let own_age = ages.filter(|(band, _)| **band == age).map(|(_, sums)| sums);
            own_name.chain(own_age).for_each(|sums| add(sums, 0.5));
        }
        let systems = (a.system.min(b.system), a.system.max(b.system));
        add(self.systems.entry(systems).or_default(), 1.0);
    }

    fn qualities(&self, population: &Population) -> Vec<GroupQuality> {
        let names = NameGroup::ALL.iter().zip(&self.names);
        let names = names.map(|(group, sums)| quality(Dimension::FamilyName, group.label(), sums));
        let ages = AgeBand::ALL.iter().zip(&self.ages);
        let ages = ages.map(|(band, sums)| quality(Dimension::Age, band.label(), sums));
        let systems = self.systems.iter().map(|((a, b), sums)| {
            let group = format!("{} - {}", population.system(*a), population.system(*b));
            quality(Dimension::Systems, &group, sums)
        });
        let all = names.chain(ages).chain(systems);
        all.filter(|group| group.expected_matches > 0.0 || group.links > 0.0)
            .collect()
    }
}

fn quality(dimension: Dimension, group: &str, sums: &Sums) -> GroupQuality {
    let rate = |part: f64, whole: f64| {
        (sums.matches >= FEWEST_MATCHES && whole > 0.0).then(|| part / whole)
    };
    GroupQuality {
        dimension,
        group: group.to_owned(),
        expected_matches: sums.matches,
        links: sums.links,
        reviews: sums.reviews,
        precision: rate(sums.true_links, sums.links),
        recall: rate(sums.true_links, sums.matches),
        recall_with_reviews: rate(sums.true_links + sums.true_reviews, sums.matches),
    }
}

/// Writes the groups as a table.
pub(crate) fn write_groups(groups: &[GroupQuality], output: &mut dyn Write) -> csv::Result<()> {
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record([
        "dimension",
        "group",
        "expected_matches",
        "links",
        "reviews",
        "precision",
        "recall",
        "recall_with_reviews",
    ])?;
    let rate = |rate: Option<f64>| rate.map_or(String::new(), |rate| format!("{rate:.4}"));
    for group in groups {
        writer.write_record([
            group.dimension.label(),
            &group.group,
            &format!("{:.1}", group.expected_matches),
            &format!("{:.1}", group.links),
            &format!("{:.1}", group.reviews),
            &rate(group.precision),
            &rate(group.recall),
            &rate(group.recall_with_reviews),
        ])?;
    }
    Ok(writer.flush()?)
}
