//! Makes every character of a line one byte wide, so that the positions of the layout tables hold whatever the file's
//! encoding was.

/// Writes the line as ASCII into `narrow` and says whether anything had to be replaced by `?`.
pub(super) fn narrow(text: &str, narrow: &mut String) -> bool {
    narrow.clear();
    let mut was_replaced = false;
    for character in text.chars() {
        let is_plain = character.is_ascii() && !character.is_ascii_control();
        was_replaced |= !is_plain;
        narrow.push(if is_plain { character } else { '?' });
    }
    was_replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_keeps_one_position() {
        let mut text = String::new();
        assert!(narrow("Ñ\u{0}1", &mut text));
        assert_eq!(text, "??1");
        assert!(!narrow("T1 20", &mut text));
    }
}
