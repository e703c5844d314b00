//! Pieces of HTML that are well-formed XML too, and numbers as people read them.

/// Text with the characters that mean something in markup written out.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // No character of XML 1.0.
            control if control.is_control() && !matches!(control, '\n' | '\t') => {
                escaped.push('\u{fffd}');
            }
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Rows from which on a table is folded under its name, so that what follows is found.
const FOLDED: usize = 16;

/// A table under construction: the same figures as the chart beside it, for those who do not see charts.
#[derive(Debug)]
pub(super) struct Table {
    html: String,
    caption: String,
    rows: usize,
}

impl Table {
    pub(super) fn new(id: &str, caption: &str, header: &[&str]) -> Self {
        let cells: String = header
            .iter()
            .map(|name| format!("<th scope=\"col\">{}</th>", escape(name)))
            .collect();
        let caption = escape(caption);
        Self {
            html: format!(
                "<div class=\"wide\"><table id=\"{id}\"><caption>{caption}</caption>\
                 <thead><tr>{cells}</tr></thead><tbody>\n"
            ),
            caption,
            rows: 0,
        }
    }

    /// A row; its first cell names it.
    pub(super) fn row<T: AsRef<str>>(&mut self, cells: &[T]) {
        self.rows += 1;
        self.html.push_str("<tr>");
        for (place, cell) in cells.iter().enumerate() {
            let cell = escape(cell.as_ref());
            let cell = if place == 0 {
                format!("<th scope=\"row\">{cell}</th>")
            } else {
                format!("<td>{cell}</td>")
            };
            self.html.push_str(&cell);
        }
        self.html.push_str("</tr>\n");
    }

    pub(super) fn finish(mut self) -> String {
        self.html.push_str("</tbody></table></div>\n");
        if self.rows < FOLDED {
            return self.html;
        }
        let (caption, table) = (self.caption, self.html);
        format!("<details><summary>Table: {caption}</summary>{table}</details>\n")
    }
}

/// A paragraph of plain text.
pub(super) fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape(text))
}

/// A part of the page with its heading.
pub(super) fn section(id: &str, heading: &str, content: &str) -> String {
    let heading = escape(heading);
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-heading\">\
         <h2 id=\"{id}-heading\">{heading}</h2>\n{content}</section>\n"
    )
}

/// A whole number, its thousands apart.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bits to a hundredth, with their sign; less than half a hundredth has none.
pub(super) fn bits(bits: f64) -> String {
    if bits.abs() < 0.005 {
        return "0.00".to_owned();
    }
    format!("{bits:+.2}")
}

/// A share or a probability with three digits that count.
pub(super) fn share(share: f64) -> String {
    if share == 0.0 || share >= 0.01 {
        format!("{share:.4}")
    } else {
        format!("{share:.2e}")
    }
}

/// A share in hundredths, to a thousandth of them.
pub(super) fn percent(share: f64) -> String {
    format!("{:.3} %", share * 100.0)
}

/// A field or a level as people read it.
pub(super) fn words(label: &str) -> String {
    label.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_never_turns_into_markup() {
        assert_eq!(
            escape("<b title='\"'>&\u{0}"),
            "&lt;b title=&#39;&quot;&#39;&gt;&amp;\u{fffd}"
        );
    }

    #[test]
    fn thousands_stand_apart() {
        let shown: Vec<String> = [0, 999, 1_000, 1_234_567].map(count).into();
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }
}
