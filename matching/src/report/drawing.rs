//! A chart as SVG within the page: title and description first, colours from the page's style.

use std::fmt::Write as _;

use super::markup::escape;

/// Where a text stands beside its point.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn label(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A rectangle between two corners.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

/// A chart under construction.
#[derive(Debug)]
pub(super) struct Drawing {
    head: String,
    body: String,
}

/// Width of every chart, in its own units.
pub(super) const WIDTH: f64 = 900.0;

impl Drawing {
    pub(super) fn new(id: &str, height: f64, title: &str, description: &str) -> Self {
        let (title, description) = (escape(title), escape(description));
        Self {
            head: format!(
                "<svg id=\"{id}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" \
                 viewBox=\"0 0 {WIDTH} {height}\"><title id=\"{id}-title\">{title}</title>\
                 <desc id=\"{id}-desc\">{description}</desc>\n"
            ),
            body: String::new(),
        }
    }

    /// A rectangle; `tip` shows when a pointer rests on it.
    pub(super) fn area(&mut self, area: Area, class: &str, tip: &str) {
        let (x, y) = (area.left.min(area.right), area.top.min(area.bottom));
        let width = (area.right - area.left).abs();
        let height = (area.bottom - area.top).abs();
        let tip = escape(tip);
        self.add(&format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\">\
             <title>{tip}</title></rect>"
        ));
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        self.add(&format!(
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
            from.0, from.1, to.0, to.1
        ));
    }

    /// A line through points, closed to an area when the class fills it.
    pub(super) fn through(&mut self, points: &[(f64, f64)], class: &str) {
        let mut path = String::new();
        for (place, (x, y)) in points.iter().enumerate() {
            let command = if place == 0 { 'M' } else { 'L' };
            // Writing to a string cannot fail.
            let _written = write!(path, "{command}{x:.1} {y:.1}");
        }
        self.add(&format!("<path class=\"{class}\" d=\"{path}\"/>"));
    }

    pub(super) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        self.add(&format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{}\">{}</text>",
            anchor.label(),
            escape(text)
        ));
    }

    fn add(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    pub(super) fn finish(self) -> String {
        format!(
            "<figure class=\"wide\">{}{}</svg></figure>\n",
            self.head, self.body
        )
    }
}
