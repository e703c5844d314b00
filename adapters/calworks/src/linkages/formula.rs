//! Text that a spreadsheet would take for a formula.
//!
//! Workers open the CSV form in spreadsheets, and these run a cell that starts with `=`, `+`, `-` or `@` as a formula
//! ("CSV injection", OWASP). The writer puts an apostrophe before such a text; the reader takes one away. A text that
//! already starts with apostrophes before such a character gets one more, so that every text comes back unchanged. Only
//! fields of type text are treated, and only in the CSV form.

/// Whether the text, after any apostrophes, starts like a formula.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@'])
}

/// The text as it is written.
pub(crate) fn guard(text: &str) -> String {
    if is_formula(text) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// The text as it was meant.
pub(crate) fn unguard(text: &str) -> &str {
    if is_formula(text) {
        text.strip_prefix('\'').unwrap_or(text)
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_written_as_text() {
        assert_eq!(guard("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(guard("+1 530 555 0100"), "'+1 530 555 0100");
        assert_eq!(guard("O'Example"), "O'Example");
    }

    proptest::proptest! {
        #[test]
        fn every_text_comes_back(text in "['=+@a-]{0,6}") {
            let written = guard(&text);
            proptest::prop_assert!(!written.starts_with(['=', '+', '-', '@']));
            proptest::prop_assert_eq!(unguard(&written), text);
        }
    }
}
