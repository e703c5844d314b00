//! Which regimes cover an item.

use std::collections::BTreeSet;

use tandem_mappings::model::category::Category;

use super::scene::Scene;
use crate::bundle::Coverage;
use crate::facts::OrganizationRecord;
use crate::request::Item;

/// The regimes of an item.
pub(super) enum Cover<'a> {
    /// Closed for good by these regimes.
    Barred(BTreeSet<&'a str>),
    /// Every one of these must permit.
    Regimes(BTreeSet<&'a str>),
    /// No regime answers for it: the category or the source is unknown, or its source has none.
    Unknown,
}

/// Finds the regimes by category, label, source, chain of origin and person.
pub(super) fn cover<'a>(scene: &Scene<'a>, item: &Item) -> Cover<'a> {
    let coverage = &scene.bundle.coverage;
    let category = scene.category(item);
    let barred = barred(scene, item, category);
    if !barred.is_empty() {
        return Cover::Barred(barred);
    }
    if let Some(alone) = coverage.actions.get(scene.request.action.as_str()) {
        return Cover::Regimes(names(alone));
    }
    // Of a source that nobody knows it is not known either which laws it brings along.
    if scene.source(item).is_none() {
        return Cover::Unknown;
    }
    let Some(table) = category.and_then(|category| coverage.categories.get(&category)) else {
        return Cover::Unknown;
    };
    let mut regimes = names(&table.regimes);
    let follows = table.follows_source;
    regimes.extend(of_source(
        coverage,
        scene.source(item),
        item,
        category,
        follows,
    ));
    for link in &item.consent_chain {
        let holder = scene.facts.organization(&link.organization);
        regimes.extend(of_source(coverage, holder, item, category, follows));
    }
    if follows && regimes.is_empty() {
        return Cover::Unknown;
    }
    let labelled = item
        .labels
        .iter()
        .filter_map(|label| coverage.labels.get(label));
    regimes.extend(labelled.flatten().map(String::as_str));
    if !scene.signs_alone() {
        regimes.insert(&coverage.minors);
    }
    regimes.extend(coverage.always.iter().map(String::as_str));
    Cover::Regimes(regimes)
}

fn names(set: &BTreeSet<String>) -> BTreeSet<&str> {
    set.iter().map(String::as_str).collect()
}

fn barred<'a>(scene: &Scene<'a>, item: &Item, category: Option<Category>) -> BTreeSet<&'a str> {
    let coverage = &scene.bundle.coverage;
    let table = category.and_then(|category| coverage.categories.get(&category));
    let mut barred = table
        .map(|table| names(&table.hard_bar))
        .unwrap_or_default();
    let labels = item
        .labels
        .iter()
        .filter_map(|label| coverage.barring_labels.get(label));
    barred.extend(labels.flatten().map(String::as_str));
    if scene.request.subject.flags.contains("sealed") {
        let sealed = coverage.barring_labels.get("SEALED").into_iter().flatten();
        barred.extend(sealed.map(String::as_str));
    }
    let holders = item.consent_chain.iter().map(|link| &link.organization);
    for holder in holders.chain([&item.source_organization]) {
        let record = scene.facts.organization(holder);
        let sources = coverage.sources.iter().filter(|source| source.hard_bar);
        for source in sources.filter(|source| source.concerns(record, item)) {
            barred.extend(source.regimes.iter().map(String::as_str));
        }
    }
    barred
}

fn of_source<'a>(
    coverage: &'a Coverage,
    record: Option<&OrganizationRecord>,
    item: &Item,
    category: Option<Category>,
    follows: bool,
) -> BTreeSet<&'a str> {
    let fits = |source: &&crate::bundle::SourceCoverage| {
        let by_category = match source.category {
            Some(only) => Some(only) == category,
            None => follows || source.every_category,
        };
        by_category && source.concerns(record, item)
    };
    let sources = coverage.sources.iter().filter(fits);
    sources
        .flat_map(|source| &source.regimes)
        .map(String::as_str)
        .collect()
}
