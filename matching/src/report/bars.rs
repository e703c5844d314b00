//! Horizontal bars: one row for each label, one bar for each figure.

use super::drawing::{Anchor, Area, Drawing, WIDTH};
use super::markup::count;
use super::plane::{COUNTS, FOOT, columns};
use super::scale::Scale;

/// A row of a chart.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) label: String,
    /// Figures, each with the class that colours its bar.
    pub(super) figures: Vec<(u64, &'static str)>,
}

/// A chart of counts.
#[derive(Debug)]
pub(super) struct Bars<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    pub(super) rows: Vec<Row>,
}

const LABELS: f64 = 250.0;
const RIGHT: f64 = WIDTH - 100.0;
const THICK: f64 = 14.0;
const GAP: f64 = 8.0;
const TOP: f64 = 8.0;

impl Bars<'_> {
    /// The chart; lengths go by powers of ten, since counts of blocks and clusters do.
    pub(super) fn draw(&self) -> String {
        let most = self.rows.iter().flat_map(|row| &row.figures);
        let most = most.map(|figure| figure.0).max().unwrap_or(1).max(10);
        let heights = self
            .rows
            .iter()
            .map(|row| row.figures.len() as f64 * THICK + GAP);
        let bottom = TOP + heights.sum::<f64>();
        let mut drawing = Drawing::new(self.id, bottom + FOOT, self.title, self.description);
        // One is a bar already: half of one is where bars begin.
        let scale = Scale::log((0.5, most as f64), (LABELS, RIGHT));
        columns(&mut drawing, &scale, (TOP, bottom), COUNTS);
        let mut top = TOP;
        for row in &self.rows {
            draw_row(&mut drawing, &scale, row, top);
            top += row.figures.len() as f64 * THICK + GAP;
        }
        drawing.finish()
    }
}

fn draw_row(drawing: &mut Drawing, scale: &Scale, row: &Row, top: f64) {
    let middle = top + row.figures.len() as f64 * THICK / 2.0 + 4.0;
    drawing.text((LABELS - 8.0, middle), Anchor::End, &row.label);
    for (place, (figure, class)) in row.figures.iter().enumerate() {
        let top = top + place as f64 * THICK;
        let length = if *figure == 0 {
            LABELS
        } else {
            scale.at(*figure as f64)
        };
        let area = Area {
            left: LABELS,
            top: top + 1.0,
            right: length,
            bottom: top + THICK - 1.0,
        };
        let shown = count(*figure);
        drawing.area(area, class, &format!("{}: {shown}", row.label));
        drawing.text((length + 6.0, top + THICK - 3.0), Anchor::Start, &shown);
    }
}
