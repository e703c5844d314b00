//! The plane of a chart: scores from left to right, something counted by powers of ten upwards; and grids.

use super::drawing::{Anchor, Drawing, WIDTH};
use super::scale::Scale;

pub(super) const LEFT: f64 = 80.0;
pub(super) const RIGHT: f64 = WIDTH - 20.0;
pub(super) const TOP: f64 = 30.0;
pub(super) const BOTTOM: f64 = 310.0;
/// Height of a chart with a plane: below it stand the scores and what they are.
pub(super) const HEIGHT: f64 = BOTTOM + 50.0;

/// Scores against counts or shares.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plane {
    pub(super) across: Scale,
    pub(super) upwards: Scale,
}

impl Plane {
    pub(super) fn new(scores: (f64, f64), counted: (f64, f64)) -> Self {
        Self {
            across: Scale::linear(scores, (LEFT, RIGHT)),
            upwards: Scale::log(counted, (BOTTOM, TOP)),
        }
    }

    /// Lines and numbers, and what the scores are.
    pub(super) fn draw(&self, drawing: &mut Drawing, axis: &str, label: impl Fn(f64) -> String) {
        for tick in self.upwards.ticks() {
            let y = self.upwards.at(tick);
            drawing.line((LEFT, y), (RIGHT, y), "grid");
            drawing.text((LEFT - 6.0, y + 4.0), Anchor::End, &label(tick));
        }
        for tick in self.across.ticks() {
            let below = (self.across.at(tick), BOTTOM + 18.0);
            drawing.text(below, Anchor::Middle, &format!("{tick}"));
        }
        drawing.line((LEFT, BOTTOM), (RIGHT, BOTTOM), "axis");
        let middle = f64::midpoint(LEFT, RIGHT);
        drawing.text((middle, BOTTOM + 40.0), Anchor::Middle, axis);
    }

    /// A dashed line at a score, with its label.
    pub(super) fn mark(&self, drawing: &mut Drawing, bits: f64, (label, anchor): (&str, Anchor)) {
        let label = format!("{label} {bits:.2}");
        mark(
            drawing,
            self.across.at(bits),
            (TOP - 12.0, BOTTOM),
            (&label, anchor),
        );
    }
}

/// A dashed upright line; its label ends beside its upper end or starts there.
pub(super) fn mark(
    drawing: &mut Drawing,
    x: f64,
    (top, bottom): (f64, f64),
    (label, anchor): (&str, Anchor),
) {
    drawing.line((x, top), (x, bottom), "threshold");
    let beside = match anchor {
        Anchor::End => x - 4.0,
        Anchor::Start | Anchor::Middle => x + 4.0,
    };
    drawing.text((beside, top + 4.0), anchor, label);
}

/// Room below the bars for the numbers of the columns and what they are.
pub(super) const FOOT: f64 = 46.0;
/// What the numbers below a chart of weights are.
pub(super) const BITS: &str = "bits: to the right for one person, to the left for two";
/// What the numbers below a chart of counts are.
pub(super) const COUNTS: &str = "number, by powers of ten";

/// Upright lines with their numbers below, and what those are.
pub(super) fn columns(drawing: &mut Drawing, scale: &Scale, (top, bottom): (f64, f64), axis: &str) {
    for tick in scale.ticks() {
        let x = scale.at(tick);
        let class = if tick == 0.0 { "axis" } else { "grid" };
        drawing.line((x, top), (x, bottom), class);
        drawing.text((x, bottom + 18.0), Anchor::Middle, &scale.label(tick));
    }
    let middle = scale.middle();
    drawing.text((middle, bottom + 36.0), Anchor::Middle, axis);
}
