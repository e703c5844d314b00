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

    /// A dashed line at a score; its label ends there or starts there.
    pub(super) fn mark(&self, drawing: &mut Drawing, bits: f64, (label, anchor): (&str, Anchor)) {
        let x = self.across.at(bits);
        drawing.line((x, TOP - 12.0), (x, BOTTOM), "threshold");
        let beside = match anchor {
            Anchor::End => x - 4.0,
            Anchor::Start | Anchor::Middle => x + 4.0,
        };
        drawing.text((beside, TOP - 8.0), anchor, &format!("{label} {bits:.2}"));
    }
}

/// Upright lines with their numbers below, for bars that go to either side of 0.
pub(super) fn columns(drawing: &mut Drawing, scale: &Scale, (top, bottom): (f64, f64)) {
    for tick in scale.ticks() {
        let x = scale.at(tick);
        let class = if tick == 0.0 { "axis" } else { "grid" };
        drawing.line((x, top), (x, bottom), class);
        drawing.text((x, bottom + 18.0), Anchor::Middle, &format!("{tick}"));
    }
}
