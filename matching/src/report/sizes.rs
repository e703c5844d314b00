//! Sizes of blocks and of clusters, gathered into classes.

use std::collections::{BTreeMap, HashMap};

use crate::cluster::ClusterId;

use super::bars::{Bars, Row};
use super::markup::{Table, count, paragraph, section};

/// Up to this size every size is a class of its own; above, each class ends at twice the end of the one before.
const SINGLE: usize = 10;

/// Classes of sizes: label, how many things, how many records in them.
pub(super) fn by_class(sizes: &BTreeMap<usize, u64>) -> Vec<(String, u64, u64)> {
    let mut classes: BTreeMap<(usize, usize), (u64, u64)> = BTreeMap::new();
    for (size, things) in sizes {
        let class = classes.entry(class(*size)).or_default();
        class.0 += things;
        class.1 += *size as u64 * things;
    }
    let label = |(low, high): (usize, usize)| {
        if low == high {
            low.to_string()
        } else {
            format!("{low} to {high}")
        }
    };
    let classes = classes.into_iter();
    classes
        .map(|(bounds, (things, records))| (label(bounds), things, records))
        .collect()
}

/// A class as a row of a chart is named.
pub(super) fn row_label(label: &str) -> String {
    if label == "1" {
        "1 record".to_owned()
    } else {
        format!("{label} records")
    }
}

fn class(size: usize) -> (usize, usize) {
    if size <= SINGLE {
        return (size, size);
    }
    let mut high = SINGLE * 2;
    while high < size {
        high = high.saturating_mul(2);
    }
    (high / 2 + 1, high)
}

/// The part of the page about clusters.
pub(super) fn clusters(clusters: &[ClusterId]) -> String {
    let mut records: HashMap<ClusterId, usize> = HashMap::new();
    for cluster in clusters {
        *records.entry(*cluster).or_insert(0) += 1;
    }
    let mut sizes = BTreeMap::new();
    for size in records.values() {
        *sizes.entry(*size).or_insert(0) += 1;
    }
    let classes = by_class(&sizes);
    let caption = "Clusters, each a person as the run found them, by the number of their records";
    let header = ["records of a cluster", "clusters", "records"];
    let mut table = Table::new("clusters-table", caption, &header);
    for (label, clusters, records) in &classes {
        table.row(&[label.clone(), count(*clusters), count(*records)]);
    }
    let rows = classes.into_iter().map(|(label, clusters, _)| Row {
        label: row_label(&label),
        figures: vec![(clusters, "link")],
    });
    let bars = Bars {
        id: "clusters-chart",
        title: "Sizes of clusters",
        description: "Number of clusters by the number of their records, by powers of ten. The table below holds the \
                      same figures.",
        rows: rows.collect(),
    };
    let text = paragraph(
        "Much larger clusters than there are systems deserve a look: they may hold several people.",
    );
    section(
        "clusters",
        "People found",
        &format!("{text}{}{}", bars.draw(), table.finish()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_meet_without_gap_or_overlap() {
        let classes: Vec<(usize, usize)> = (1..=100).map(class).collect();
        for (place, (low, high)) in classes.iter().enumerate() {
            assert!((*low..=*high).contains(&(place + 1)));
        }
        let mut distinct = classes;
        distinct.dedup();
        assert!(distinct.windows(2).all(|two| two[0].1 + 1 == two[1].0));
    }
}
