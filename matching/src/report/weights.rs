//! What agreeing and differing is worth, by field and level.

use crate::field::Field;
use crate::settings::Settings;

use super::drawing::{Anchor, Area, Drawing, WIDTH};
use super::markup::{Table, bits, paragraph, section, share, words};
use super::plane::{BITS, FOOT, columns};
use super::scale::Scale;

/// A level of a field with its probabilities.
#[derive(Debug, Clone, Copy)]
struct Weight {
    field: Field,
    level: &'static str,
    m: f64,
    u: f64,
}

impl Weight {
    fn bits(self) -> f64 {
        (self.m / self.u).log2()
    }
}

const LEFT: f64 = 240.0;
const ROW: f64 = 17.0;
const TOP: f64 = 24.0;

/// The part of the page about weights.
pub(super) fn weights(settings: &Settings) -> String {
    let weights = all(settings);
    let mut table = Table::new(
        "weights-table",
        "Probability of each level among pairs of one person (m) and of strangers (u), and its weight, log2(m / u)",
        &["field", "level", "m", "u", "weight in bits"],
    );
    for weight in &weights {
        table.row(&[
            words(weight.field.label()),
            words(weight.level),
            share(weight.m),
            share(weight.u),
            bits(weight.bits()),
        ]);
    }
    let text = paragraph(
        "A level to the right speaks for one person, to the left for two; one bit doubles or halves the odds. An \
         absent value has no weight. Common names weigh less and rare ones more than is shown here.",
    );
    section(
        "weights",
        "What each agreement is worth",
        &format!("{text}{}{}", draw(&weights), table.finish()),
    )
}

fn all(settings: &Settings) -> Vec<Weight> {
    let fields = Field::ALL.iter();
    let levels = fields.flat_map(|field| field.levels().iter().map(move |level| (*field, *level)));
    let weight = |(field, level)| {
        let probabilities = settings.level(field, level)?;
        Some(Weight {
            field,
            level,
            m: probabilities.same,
            u: probabilities.stranger,
        })
    };
    levels.filter_map(weight).collect()
}

fn draw(weights: &[Weight]) -> String {
    let all = || weights.iter().map(|weight| weight.bits());
    let range = (all().fold(-1.0, f64::min), all().fold(1.0, f64::max));
    let bottom = TOP + weights.len() as f64 * ROW;
    let mut drawing = Drawing::new(
        "weights-chart",
        bottom + FOOT,
        "Weight of each level of each field, in bits",
        "Bars to the right of the middle line speak for one person, bars to the left for two. The table below holds \
         the same figures.",
    );
    let scale = Scale::linear(range, (LEFT + 55.0, WIDTH - 60.0));
    columns(&mut drawing, &scale, (TOP, bottom), BITS);
    let mut previous = None;
    for (place, weight) in weights.iter().enumerate() {
        let top = TOP + place as f64 * ROW;
        if previous != Some(weight.field) {
            drawing.line((4.0, top), (WIDTH - 4.0, top), "grid");
            drawing.text(
                (4.0, top + 13.0),
                Anchor::Start,
                &words(weight.field.label()),
            );
        }
        previous = Some(weight.field);
        draw_bar(&mut drawing, &scale, *weight, top);
    }
    drawing.finish()
}

fn draw_bar(drawing: &mut Drawing, scale: &Scale, weight: Weight, top: f64) {
    let level = words(weight.level);
    drawing.text((LEFT - 8.0, top + 13.0), Anchor::End, &level);
    let (start, end) = (scale.at(0.0), scale.at(weight.bits()));
    let is_for = end >= start;
    let area = Area {
        left: start,
        top: top + 3.0,
        right: end,
        bottom: top + ROW - 2.0,
    };
    let (m, u, shown) = (share(weight.m), share(weight.u), bits(weight.bits()));
    let tip = format!(
        "{} {level}: m {m}, u {u}, {shown} bits",
        words(weight.field.label())
    );
    drawing.area(area, if is_for { "for" } else { "against" }, &tip);
    let anchor = if is_for { Anchor::Start } else { Anchor::End };
    let beside = if is_for { end + 4.0 } else { end - 4.0 };
    drawing.text((beside, top + 13.0), anchor, &shown);
}
