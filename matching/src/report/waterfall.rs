//! Example pairs: how each field moved the score.

use crate::settings::Thresholds;

use super::drawing::{Anchor, Area, Drawing, WIDTH};
use super::examples::Example;
use super::markup::{Table, bits, escape, paragraph, words};
use super::plane::{BITS, FOOT, columns, mark};
use super::scale::Scale;

const LEFT: f64 = 270.0;
const RIGHT: f64 = WIDTH - 80.0;
const ROW: f64 = 20.0;
const TOP: f64 = 24.0;
/// What stands in place of a value that is not shown.
const MASK: &str = "•••";

/// A step of the score.
struct Step {
    label: String,
    bits: f64,
}

/// One example with its chart and its table.
pub(super) fn waterfall(example: &Example, thresholds: &Thresholds) -> String {
    let place = match example.line {
        Some(line) => format!("line {line} of the links table"),
        None => "not in the links table".to_owned(),
    };
    let (a, b) = (&example.keys.0.system, &example.keys.1.system);
    let mut text = format!(
        "{a} and {b}, {place}: {} bits, {}.",
        bits(example.bits),
        example.decision.label()
    );
    for note in &example.notes {
        text.push_str(&format!(" Note: {}.", note.meaning()));
    }
    format!(
        "<h3 id=\"{}\">{}</h3>\n{}{}{}",
        example.id,
        escape(example.heading),
        paragraph(&text),
        draw(example, thresholds),
        table(example)
    )
}

fn steps(example: &Example) -> Vec<Step> {
    let mut steps = vec![Step {
        label: "prior: before any comparison".to_owned(),
        bits: example.prior_bits,
    }];
    let said = example.fields.iter();
    steps.extend(said.filter_map(|field| {
        Some(Step {
            label: format!("{}: {}", words(field.field), words(field.level?)),
            bits: field.total_bits,
        })
    }));
    steps.push(Step {
        label: "household: relative or twin".to_owned(),
        bits: example.household_bits,
    });
    steps
}

fn draw(example: &Example, thresholds: &Thresholds) -> String {
    let steps = steps(example);
    let rows = steps.len() as f64 + 1.0;
    let bottom = TOP + rows * ROW;
    let title = format!("{}: how the score came about", example.heading);
    let id = format!("{}-chart", example.id);
    let mut drawing = Drawing::new(
        &id,
        bottom + FOOT,
        &title,
        "Each bar begins where the one above ends; bars to the right speak for one person, bars to the left for two. \
         The last bar is the score. Dashed lines are the thresholds. The table below holds the same figures.",
    );
    let sums = steps.iter().scan(0.0, |sum, step| {
        *sum += step.bits;
        Some(*sum)
    });
    let sums: Vec<f64> = sums.collect();
    let (review, link) = (thresholds.review_bits, thresholds.link_bits);
    let range = sums
        .iter()
        .fold((review.min(0.0), link.max(0.0)), |range, sum| {
            (range.0.min(*sum), range.1.max(*sum))
        });
    let scale = Scale::linear(range, (LEFT, RIGHT));
    columns(&mut drawing, &scale, (TOP, bottom), BITS);
    // Bars and their figures stand before the lines.
    for (bits, label, anchor) in [
        (thresholds.review_bits, "review", Anchor::End),
        (thresholds.link_bits, "link", Anchor::Start),
    ] {
        mark(
            &mut drawing,
            scale.at(bits),
            (TOP - 6.0, bottom),
            (label, anchor),
        );
    }
    draw_steps(&mut drawing, &scale, &steps, &sums);
    let score = Step {
        label: "score".to_owned(),
        bits: example.bits,
    };
    let ends = (0.0, example.bits);
    draw_step(&mut drawing, &scale, (steps.len(), &score), ends, "total");
    drawing.finish()
}

/// Each step from where the one before ended.
fn draw_steps(drawing: &mut Drawing, scale: &Scale, steps: &[Step], sums: &[f64]) {
    let mut start = 0.0;
    for (place, (step, end)) in steps.iter().zip(sums).enumerate() {
        let class = if step.bits >= 0.0 { "for" } else { "against" };
        draw_step(drawing, scale, (place, step), (start, *end), class);
        start = *end;
    }
}

fn draw_step(
    drawing: &mut Drawing,
    scale: &Scale,
    (place, step): (usize, &Step),
    (start, end): (f64, f64),
    class: &str,
) {
    let top = TOP + place as f64 * ROW;
    let (left, right) = (scale.at(start), scale.at(end));
    let area = Area {
        left,
        top: top + 3.0,
        right,
        bottom: top + ROW - 3.0,
    };
    let shown = bits(step.bits);
    drawing.text((LEFT - 8.0, top + 14.0), Anchor::End, &step.label);
    drawing.area(area, class, &format!("{}: {shown} bits", step.label));
    let beside = (left.max(right) + 4.0, top + 14.0);
    drawing.text(beside, Anchor::Start, &shown);
}

fn table(example: &Example) -> String {
    let caption = format!("{}: parts of the score in bits", example.heading);
    let header = [
        "field",
        "one record",
        "the other",
        "level",
        "weight",
        "frequency",
        "together",
    ];
    let id = format!("{}-table", example.id);
    let mut table = Table::new(&id, &caption, &header);
    let prior = bits(example.prior_bits);
    table.row(&["prior", "", "", "population", &prior, "", &prior]);
    for field in &example.fields {
        let Some(level) = field.level else { continue };
        table.row(&[
            words(field.field),
            value(example, 0, field.field),
            value(example, 1, field.field),
            words(level),
            bits(field.weight_bits),
            bits(field.frequency_bits),
            bits(field.total_bits),
        ]);
    }
    let household = bits(example.household_bits);
    table.row(&[
        "household",
        "",
        "",
        "relative or twin",
        &household,
        "",
        &household,
    ]);
    let score = bits(example.bits);
    table.row(&["score", "", "", example.decision.label(), "", "", &score]);
    table.finish()
}

fn value(example: &Example, record: usize, field: &str) -> String {
    let shown = example.values.as_ref();
    let value = shown.and_then(|values| values.get(record)?.get(field));
    value.map_or_else(|| MASK.to_owned(), Clone::clone)
}
