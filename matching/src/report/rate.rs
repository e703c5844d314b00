//! The curve of the rate of false links.

use crate::result::LinkResult;

use super::curve::{Point, curve};
use super::drawing::{Anchor, Drawing, WIDTH};
use super::markup::{Table, count, paragraph, section, share};
use super::plane::{HEIGHT, LEFT, Plane, RIGHT};

/// Rates below this are drawn at the foot of the chart.
const LEAST: f64 = 1e-6;

/// The part of the page about the expected rate of false links.
pub(super) fn rate(result: &LinkResult) -> String {
    let points = curve(result);
    let is_estimated = result.statistics().false_match_rate.is_some();
    let header = ["linked from bits", "links", "expected", "low", "high"];
    let caption = "Share of false links to be expected when pairs are linked from a score on, with the interval of 95 %";
    let mut table = Table::new("rate-table", caption, &header);
    for point in &points {
        let limit = |limit: f64| {
            if is_estimated {
                share(limit)
            } else {
                "–".to_owned()
            }
        };
        table.row(&[
            format!("{:.3}", point.bits),
            count(point.links),
            share(point.rate.expected),
            limit(point.rate.low),
            limit(point.rate.high),
        ]);
    }
    let text = if is_estimated {
        "Nobody knows which links are false: this is what the model expects. The interval holds chance, the \
         uncertainty of the estimate and the error of the model itself, as measured on generated populations."
    } else {
        "The probabilities were taken as they were set, not estimated from these records: the curve is as good as they \
         are, and has no interval."
    };
    section(
        "rate",
        "Expected share of false links",
        &format!(
            "{}{}{}",
            paragraph(text),
            draw(result, &points, is_estimated),
            table.finish()
        ),
    )
}

fn draw(result: &LinkResult, points: &[Point], is_estimated: bool) -> String {
    let mut drawing = Drawing::new(
        "rate-chart",
        HEIGHT,
        "Expected share of false links by threshold",
        "The threshold in bits from left to right, the share upwards by powers of ten; the band is the interval of \
         95 %. Dashed lines show the threshold that was used and the share that was wanted. The table below holds the \
         same figures.",
    );
    let bits = || points.iter().map(|point| point.bits);
    let range = (
        bits().fold(f64::INFINITY, f64::min),
        bits().fold(f64::NEG_INFINITY, f64::max),
    );
    if points.is_empty() {
        drawing.text(
            (WIDTH / 2.0, 100.0),
            Anchor::Middle,
            "no pair could be linked",
        );
        return drawing.finish();
    }
    let plane = Plane::new(range, (LEAST, 1.0));
    plane.draw(&mut drawing, "linked from this score on, in bits", percent);
    draw_curve(&mut drawing, &plane, points, is_estimated);
    let thresholds = &result.settings().thresholds;
    plane.mark(&mut drawing, thresholds.link_bits, ("used", Anchor::Start));
    if is_estimated {
        let y = plane.upwards.at(thresholds.false_match_rate);
        drawing.line((LEFT, y), (RIGHT, y), "threshold");
        let wanted = format!("wanted {}", percent(thresholds.false_match_rate));
        drawing.text((RIGHT - 4.0, y - 5.0), Anchor::End, &wanted);
    }
    drawing.finish()
}

fn draw_curve(drawing: &mut Drawing, plane: &Plane, points: &[Point], is_estimated: bool) {
    let place = |point: &Point, rate: f64| {
        let y = plane.upwards.at(rate.max(LEAST));
        (plane.across.at(point.bits), y)
    };
    if is_estimated {
        let highs = points.iter().map(|point| place(point, point.rate.high));
        let lows = points.iter().rev();
        let lows = lows.map(|point| place(point, point.rate.low));
        let around: Vec<_> = highs.chain(lows).collect();
        drawing.through(&around, "band");
    }
    let middle = points.iter().map(|point| place(point, point.rate.expected));
    let middle: Vec<_> = middle.collect();
    drawing.through(&middle, "curve");
}

fn percent(share: f64) -> String {
    let digits = (-(share * 100.0).log10().floor()).max(0.0) as usize;
    format!("{:.*} %", digits, share * 100.0)
}
