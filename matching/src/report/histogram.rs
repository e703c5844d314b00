//! How many pairs have which score.

use std::collections::BTreeMap;

use crate::settings::Thresholds;

use super::drawing::{Anchor, Area, Drawing};
use super::markup::{Table, count, paragraph, section};
use super::plane::{BOTTOM, HEIGHT, Plane};
use super::scores::Bin;

/// The part of the page about scores.
pub(super) fn histogram(bins: &BTreeMap<i32, Bin>, thresholds: &Thresholds) -> String {
    let mut table = Table::new(
        "scores-table",
        "Compared pairs by score; a row holds the scores from its number up to the next",
        &["from bits", "links", "for review", "not linked"],
    );
    for (from, bin) in bins {
        table.row(&[
            from.to_string(),
            count(bin.links),
            count(bin.reviews),
            count(bin.others),
        ]);
    }
    let text = paragraph(
        "Pairs of one person gather at the right, pairs of two at the left; the fewer lie between, the surer the \
         decisions. From the link threshold on, rules and clusters still keep pairs for review or apart.",
    );
    section(
        "scores",
        "Scores of all compared pairs",
        &format!("{text}{}{}", draw(bins, thresholds), table.finish()),
    )
}

fn draw(bins: &BTreeMap<i32, Bin>, thresholds: &Thresholds) -> String {
    let mut drawing = Drawing::new(
        "scores-chart",
        HEIGHT,
        "Number of compared pairs by score",
        "Scores in bits from left to right, pairs upwards by powers of ten, with the thresholds of link and review as \
         dashed lines. The table below holds the same figures.",
    );
    let range = (
        bins.keys().next().map_or(0, |bin| *bin),
        bins.keys().next_back().map_or(1, |bin| *bin + 1),
    );
    let most = bins
        .values()
        .map(|bin| bin.links.max(bin.reviews).max(bin.others));
    let most = most.max().unwrap_or(1).max(10) as f64;
    let plane = Plane::new((f64::from(range.0), f64::from(range.1)), (0.5, most));
    let axis = "score in bits: links blue, reviews amber, not linked grey";
    plane.draw(&mut drawing, axis, |tick| count(tick.round() as u64));
    for (from, bin) in bins {
        draw_bin(&mut drawing, &plane, *from, bin);
    }
    plane.mark(&mut drawing, thresholds.link_bits, ("link", Anchor::Start));
    plane.mark(
        &mut drawing,
        thresholds.review_bits,
        ("review", Anchor::End),
    );
    drawing.finish()
}

fn draw_bin(drawing: &mut Drawing, plane: &Plane, from: i32, bin: &Bin) {
    let parts = [
        (bin.others, "other", "not linked"),
        (bin.reviews, "review", "for review"),
        (bin.links, "link", "links"),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|part| part.0 > 0).collect();
    let width = 1.0 / parts.len().max(1) as f64;
    for (place, (pairs, class, label)) in parts.into_iter().enumerate() {
        let start = f64::from(from) + place as f64 * width;
        let area = Area {
            left: plane.across.at(start),
            top: plane.upwards.at(pairs as f64),
            right: plane.across.at(start + width),
            bottom: BOTTOM,
        };
        let tip = format!("{from} to {} bits: {} {label}", from + 1, count(pairs));
        drawing.area(area, class, &tip);
    }
}
