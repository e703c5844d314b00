//! Which regimes cover an item: `coverage.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tandem_mappings::model::category::Category;

use crate::facts::OrganizationRecord;
use crate::request::Item;

/// The coverage tables.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Coverage {
    /// Regimes that cover every item.
    pub(crate) always: BTreeSet<String>,
    /// The regime that says who may sign for minors.
    pub(crate) minors: String,
    /// Regimes whose permits lift the secrecy of others.
    pub(crate) lifting: BTreeSet<String>,
    /// Zone rule when no county states one, POSIX form.
    pub(crate) zone: String,
    /// The facts about a person that rules test.
    pub(crate) subject_flags: BTreeSet<String>,
    /// Actions that are decided by these regimes alone.
    pub(crate) actions: BTreeMap<String, BTreeSet<String>>,
    /// What each category brings along.
    pub(crate) categories: BTreeMap<Category, CategoryCoverage>,
    /// What each source brings along.
    pub(crate) sources: Vec<SourceCoverage>,
    /// What each sensitivity label brings along.
    pub(crate) labels: BTreeMap<String, BTreeSet<String>>,
    /// Labels that close an item, with the regimes that say so.
    pub(crate) barring_labels: BTreeMap<String, BTreeSet<String>>,
}

/// What a category brings along.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CategoryCoverage {
    /// The regimes that must permit.
    pub(crate) regimes: BTreeSet<String>,
    /// Whether the regimes of the source must permit as well.
    #[serde(default)]
    pub(crate) follows_source: bool,
    /// Whether a form with boxes opens the category only when its box is ticked.
    #[serde(default)]
    pub(crate) ticked_separately: bool,
    /// The regimes that close the category for good.
    #[serde(default)]
    pub(crate) hard_bar: BTreeSet<String>,
    /// Plain name, English.
    pub(crate) en: String,
    /// Plain name, Spanish.
    pub(crate) es: String,
}

/// What a source of a kind, or with a fact, brings along.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceCoverage {
    /// The kind of the source.
    #[serde(default)]
    pub(crate) kind: Option<String>,
    /// The fact about the source.
    #[serde(default)]
    pub(crate) fact: Option<SourceFact>,
    /// The only category concerned.
    #[serde(default)]
    pub(crate) category: Option<Category>,
    /// The regimes that must permit.
    pub(crate) regimes: BTreeSet<String>,
    /// Whether every category is covered, not only those that follow their source.
    #[serde(default)]
    pub(crate) every_category: bool,
    /// Whether the source is closed for good.
    #[serde(default)]
    pub(crate) hard_bar: bool,
}

/// A fact about a source that brings regimes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceFact {
    HipaaCoveredEntity,
    LpsServices,
    Part2Program,
    Tribe,
    VictimServiceProvider,
    CountyFundedSud,
    /// The item's project is funded by a runaway-and-homeless-youth grant.
    RhyProject,
}

impl Coverage {
    /// Every regime that the tables name.
    pub(super) fn named(&self) -> BTreeSet<&str> {
        let sets = self.actions.values().chain(self.labels.values());
        let sets = sets.chain(self.barring_labels.values());
        let categories = self.categories.values();
        sets.flatten()
            .chain(categories.flat_map(|category| category.regimes.union(&category.hard_bar)))
            .chain(self.sources.iter().flat_map(|source| &source.regimes))
            .chain(&self.always)
            .chain(&self.lifting)
            .chain([&self.minors])
            .map(String::as_str)
            .collect()
    }

    /// The first category of the model that the tables do not know.
    pub(super) fn forgotten(&self) -> Option<Category> {
        Category::ALL
            .into_iter()
            .find(|category| !self.categories.contains_key(category))
    }
}

impl SourceCoverage {
    /// Whether the entry concerns an item of a source. A source of which nothing is known brings
    /// nothing along, and what depends on it stays uncovered.
    pub(crate) fn concerns(&self, source: Option<&OrganizationRecord>, item: &Item) -> bool {
        let Some(source) = source else { return false };
        let by_kind = self.kind.as_ref().is_none_or(|kind| source.is_a(kind));
        by_kind && self.fact.is_none_or(|fact| fact.is_true(source, item))
    }
}

impl SourceFact {
    fn is_true(self, source: &OrganizationRecord, item: &Item) -> bool {
        let facts = &source.facts;
        let stated = match self {
            Self::HipaaCoveredEntity => facts.hipaa_covered_entity,
            Self::LpsServices => facts.lps_services,
            Self::Part2Program => facts.part2_program,
            Self::Tribe => facts.tribe,
            Self::VictimServiceProvider => facts.victim_service_provider,
            Self::CountyFundedSud => facts.county_funded_sud,
            Self::RhyProject => {
                let project = item.program.as_ref();
                return project.is_some_and(|project| facts.rhy_project_ids.contains(project));
            }
        };
        stated == Some(true)
    }
}
