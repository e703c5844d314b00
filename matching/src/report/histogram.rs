//! How many pairs have which score.

use std::collections::BTreeMap;

use crate::settings::Thresholds;

use super::drawing::{Anchor, Area, Drawing, WIDTH};
use super::markup::{Table, count, paragraph, section};
use super::scale::Scale;
use super::scores::Bin;

const LEFT: f64 = 80.0;
const RIGHT: f64 = WIDTH - 20.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 320.0;

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
        BOTTOM + 50.0,
        "Number of compared pairs by score",
        "Scores in bits from left to right, pairs upwards by powers of ten, with the thresholds of link and review as \
         dashed lines. The table below holds the same figures.",
    );
    let range = (
        bins.keys().next().map_or(0, |bin| *bin),
        bins.keys().next_back().map_or(1, |bin| *bin + 1),
    );
    let across = Scale::linear((f64::from(range.0), f64::from(range.1)), (LEFT, RIGHT));
    let most = bins
        .values()
        .map(|bin| bin.links.max(bin.reviews).max(bin.others));
    let most = most.max().unwrap_or(1).max(10);
    let upwards = Scale::log((0.5, most as f64), (BOTTOM, TOP));
    for tick in upwards.ticks().into_iter().filter(|tick| *tick >= 1.0) {
        let y = upwards.at(tick);
        drawing.line((LEFT, y), (RIGHT, y), "grid");
        let label = count(tick.round() as u64);
        drawing.text((LEFT - 6.0, y + 4.0), Anchor::End, &label);
    }
    for tick in across.ticks() {
        drawing.text(
            (across.at(tick), BOTTOM + 18.0),
            Anchor::Middle,
            &format!("{tick}"),
        );
    }
    drawing.line((LEFT, BOTTOM), (RIGHT, BOTTOM), "axis");
    drawing.text(
        ((LEFT + RIGHT) / 2.0, BOTTOM + 40.0),
        Anchor::Middle,
        "score in bits: links blue, reviews amber, not linked grey",
    );
    for (from, bin) in bins {
        draw_bin(&mut drawing, (&across, &upwards), *from, bin);
    }
    draw_threshold(
        &mut drawing,
        &across,
        thresholds.link_bits,
        ("link", Anchor::Start),
    );
    draw_threshold(
        &mut drawing,
        &across,
        thresholds.review_bits,
        ("review", Anchor::End),
    );
    drawing.finish()
}

fn draw_bin(drawing: &mut Drawing, (across, upwards): (&Scale, &Scale), from: i32, bin: &Bin) {
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
            left: across.at(start),
            top: upwards.at(pairs as f64),
            right: across.at(start + width),
            bottom: BOTTOM,
        };
        let tip = format!("{from} to {} bits: {} {label}", from + 1, count(pairs));
        drawing.area(area, class, &tip);
    }
}

fn draw_threshold(
    drawing: &mut Drawing,
    across: &Scale,
    bits: f64,
    (label, anchor): (&str, Anchor),
) {
    let x = across.at(bits);
    drawing.line((x, TOP - 12.0), (x, BOTTOM), "threshold");
    let beside = match anchor {
        Anchor::End => x - 4.0,
        Anchor::Start | Anchor::Middle => x + 4.0,
    };
    drawing.text((beside, TOP - 8.0), anchor, &format!("{label} {bits:.2}"));
}
