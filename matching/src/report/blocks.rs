//! Which keys brought pairs together, and how large the blocks were.

use crate::blocking::{KeyStatistics, Survey};
use crate::result::Statistics;

use super::bars::{Bars, Row};
use super::markup::{Table, count, paragraph, section};
use super::sizes::{by_class, row_label};

/// The part of the page about blocking.
pub(super) fn blocks(survey: &Survey, statistics: &Statistics) -> String {
    let blocking = &statistics.blocking;
    let per_record = statistics.pairs_compared as f64 / statistics.records.max(1) as f64;
    let text = format!(
        "{} pairs were compared, each once, however many keys it has: {per_record:.1} for each record. The records \
         fell into {} blocks. The largest key is shared by {} records; {} blocks were split on further fields, and in \
         {} that nothing splits only neighbours were compared.",
        count(statistics.pairs_compared),
        count(blocking.blocks),
        count(blocking.largest),
        count(blocking.split),
        count(blocking.windows),
    );
    let legend = "For each kind of key: pairs brought to comparison blue, pairs dropped grey, links and reviews amber.";
    let content = format!(
        "{}{}{}{}{}{}",
        paragraph(&text),
        paragraph(legend),
        draw_keys(&survey.keys),
        keys_table(&survey.keys),
        paragraph(
            "A key with few links of its own and many pairs costs time and gives little; one that reaches links which \
             no other does is needed."
        ),
        sizes(survey),
    );
    section("blocking", "Which pairs were compared", &content)
}

fn draw_keys(keys: &[KeyStatistics]) -> String {
    let row = |key: &KeyStatistics| Row {
        label: key.key.to_owned(),
        figures: vec![
            (key.pairs_kept, "link"),
            (key.pairs_dropped, "other"),
            (key.found, "review"),
        ],
    };
    let bars = Bars {
        id: "keys-chart",
        title: "Pairs by kind of key",
        description: "For each kind of key three bars, by powers of ten: pairs that it brought to comparison in blue, \
                      pairs that it shares but dropped in grey, links and reviews among them in amber. The table below \
                      holds the same figures.",
        rows: keys.iter().map(row).collect(),
    };
    bars.draw()
}

fn keys_table(keys: &[KeyStatistics]) -> String {
    let caption = "Keys that records share, and the pairs that they bring together; a pair counts for each of its keys";
    let header = [
        "key",
        "shared keys",
        "pairs",
        "kept",
        "dropped",
        "links and reviews",
        "reached by no other",
    ];
    let mut table = Table::new("keys-table", caption, &header);
    for key in keys {
        table.row(&[
            key.key.to_owned(),
            count(key.shared_keys),
            count(key.pairs),
            count(key.pairs_kept),
            count(key.pairs_dropped),
            count(key.found),
            count(key.found_alone),
        ]);
    }
    table.finish()
}

fn sizes(survey: &Survey) -> String {
    let classes = by_class(&survey.block_sizes);
    let caption = "Blocks by the number of their records, after splitting";
    let mut table = Table::new("blocks-table", caption, &["records", "blocks"]);
    for (label, blocks, _) in &classes {
        table.row(&[label.clone(), count(*blocks)]);
    }
    let rows = classes.into_iter().map(|(label, blocks, _)| Row {
        label: row_label(&label),
        figures: vec![(blocks, "link")],
    });
    let bars = Bars {
        id: "blocks-chart",
        title: "Sizes of blocks",
        description: "Number of blocks by the number of their records, by powers of ten. The table below holds the \
                      same figures.",
        rows: rows.collect(),
    };
    format!("{}{}", bars.draw(), table.finish())
}
