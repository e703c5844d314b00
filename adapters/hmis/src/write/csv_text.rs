//! CSV as the specification writes it: strings quoted, numbers and dates bare, blank for null.

use crate::tables::{ColumnType, FileLayout};

/// The six characters that an export strips from its data.
const STRIPPED: [char; 6] = ['<', '>', '[', ']', '{', '}'];

/// A value of ours as an export may carry it: without the stripped characters and without control characters, blanks
/// around it cut.
pub(crate) fn clean(text: &str) -> String {
    let kept: String = text
        .chars()
        .filter(|c| !STRIPPED.contains(c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    kept.trim().to_owned()
}

/// The text of a file: its exact header and its rows.
pub(crate) fn file_text<'a>(
    layout: &FileLayout,
    rows: impl IntoIterator<Item = &'a [String]>,
) -> String {
    let mut text = layout.header().collect::<Vec<_>>().join(",");
    text.push_str("\r\n");
    for row in rows {
        for (index, (column, value)) in layout.columns.iter().zip(row).enumerate() {
            if index > 0 {
                text.push(',');
            }
            push_value(&mut text, column.kind, value);
        }
        text.push_str("\r\n");
    }
    text
}

fn push_value(text: &mut String, kind: ColumnType, value: &str) {
    let is_string = matches!(kind, ColumnType::Text(_));
    if value.is_empty() || !(is_string || value.contains([',', '"', '\n', '\r'])) {
        text.push_str(value);
        return;
    }
    text.push('"');
    text.push_str(&value.replace('"', "\"\""));
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{Edition, edition};

    #[test]
    fn strings_are_quoted_and_numbers_are_not() {
        let layout = edition(Edition::Fy2026)
            .unwrap()
            .file("AssessmentResults")
            .unwrap();
        let mut row = vec![String::new(); layout.columns.len()];
        "R\"1".clone_into(&mut row[0]);
        "2026-02-03 00:00:00".clone_into(&mut row[6]);
        let text = file_text(layout, [row.as_slice()]);
        assert_eq!(
            text.lines().nth(1),
            Some("\"R\"\"1\",,,,,,2026-02-03 00:00:00,,,,")
        );
    }

    #[test]
    fn stripped_characters_do_not_reach_the_partner() {
        assert_eq!(clean(" a<b>[c]{d}\te\n"), "abcd e");
    }
}
