//! Which field of a JSON text stands at a line and column.

/// One step on the way into a JSON text.
#[derive(Debug)]
enum Step {
    /// Inside an object, at this key.
    Key(String),
    /// Inside an array, at this element.
    Element(usize),
}

/// The path of the field that was last begun within the first `column` bytes of a line, such as
/// `items[0].category`; empty for the whole text. Lines and columns count from 1, as `serde_json` counts them.
pub(super) fn path_at(text: &str, line: usize, column: usize) -> String {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let end = before.saturating_add(column).min(text.len());
    let seen = text.as_bytes().get(..end).unwrap_or_default();
    render(&steps(seen))
}

fn steps(seen: &[u8]) -> Vec<Step> {
    let mut path: Vec<Step> = Vec::new();
    let mut position = 0;
    let mut is_key = false;
    while let Some(byte) = seen.get(position) {
        position += 1;
        match byte {
            b'{' => {
                path.push(Step::Key(String::new()));
                is_key = true;
            }
            b'[' => path.push(Step::Element(0)),
            b'}' | b']' => {
                path.pop();
                is_key = false;
            }
            b',' => match path.last_mut() {
                Some(Step::Element(number)) => *number += 1,
                Some(Step::Key(key)) => {
                    key.clear();
                    is_key = true;
                }
                None => {}
            },
            b'"' => {
                let length = string_length(seen.get(position..).unwrap_or_default());
                let inside = seen.get(position..position + length).unwrap_or_default();
                position += length + 1;
                if let (true, Some(Step::Key(key))) = (is_key, path.last_mut()) {
                    *key = String::from_utf8_lossy(inside).into_owned();
                    is_key = false;
                }
            }
            _ => {}
        }
    }
    path
}

/// Bytes up to the quote that ends a string.
fn string_length(text: &[u8]) -> usize {
    let mut is_escaped = false;
    let ends = |byte: &u8| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    };
    text.iter().position(ends).unwrap_or(text.len())
}

fn render(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Element(number) => path.push_str(&format!("[{number}]")),
            Step::Key(key) if key.is_empty() => {}
            Step::Key(key) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.extend(key.chars().filter(|letter| !letter.is_control()).take(60));
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_follows_keys_and_elements() {
        let text = "{\"a\": 1,\n \"b\": [{\"c\\\"d\": \"x,]}\"}, {\"e\": 2}]}";
        assert_eq!(path_at(text, 1, 7), "a");
        assert_eq!(path_at(text, 2, 20), "b[0].c\\\"d");
        assert_eq!(path_at(text, 2, 32), "b[1].e");
        assert_eq!(path_at(text, 2, 34), "b");
        assert_eq!(path_at(text, 2, 35), "");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}\",:a\\\\\n]{0,40}", line in 0_usize..5, column in 0_usize..50) {
            let _ = path_at(&text, line, column);
        }
    }
}
