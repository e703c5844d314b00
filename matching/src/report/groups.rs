//! How each group is served.

use crate::fairness::{Dimension, GroupQuality};

use super::markup::{Table, count, paragraph, percent, section};

/// The part of the page about groups; empty when nothing was told by group.
pub(super) fn groups(groups: &[GroupQuality]) -> String {
    if groups.is_empty() {
        return String::new();
    }
    let text = paragraph(
        "Expected by the model, without labels: of the pairs that are one person, how many are linked, and how many links \
         are right. A group that fares much worse than others is poorly served by the data or by the rules. A pair \
         counts half for each of its records. Groups of fewer than 30 expected matches have no rates.",
    );
    let dimensions = [
        (
            Dimension::FamilyName,
            "name-groups",
            "By the kind of family name",
        ),
        (Dimension::Age, "age-groups", "By age"),
        (
            Dimension::Systems,
            "system-groups",
            "By the two systems of a pair",
        ),
    ];
    let tables: String = dimensions
        .into_iter()
        .map(|(dimension, id, caption)| {
            let own = groups.iter().filter(|group| group.dimension == dimension);
            table(id, caption, own)
        })
        .collect();
    section("groups", "How groups fare", &format!("{text}{tables}"))
}

fn table<'a>(id: &str, caption: &str, groups: impl Iterator<Item = &'a GroupQuality>) -> String {
    let header = [
        "group",
        "expected matches",
        "linked",
        "for review",
        "precision",
        "recall",
        "recall with reviews",
    ];
    let mut table = Table::new(id, caption, &header);
    let rate = |rate: Option<f64>| rate.map_or_else(|| "too few".to_owned(), percent);
    for group in groups {
        table.row(&[
            group.group.clone(),
            count(group.expected_matches.round() as u64),
            count(group.links.round() as u64),
            count(group.reviews.round() as u64),
            rate(group.precision),
            rate(group.recall),
            rate(group.recall_with_reviews),
        ]);
    }
    table.finish()
}
