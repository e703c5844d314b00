//! Telephone numbers.

/// The ten digits of a North American number, without the leading country code 1.
///
/// Numbers that stand for "none" (all digits equal, 555-5555, sequences, an area code that
/// begins with 0 or 1) give `None`, as do numbers of other lengths.
pub(crate) fn digits(text: &str) -> Option<u64> {
    let mut number = 0_u64;
    let mut length = 0;
    for digit in text.chars().filter_map(|symbol| symbol.to_digit(10)) {
        length += 1;
        if length > 11 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    if length == 11 && number / 10_000_000_000 == 1 {
        number %= 10_000_000_000;
    } else if length != 10 {
        return None;
    }
    let subscriber = number % 10_000_000;
    let is_placeholder = number / 1_000_000_000 < 2
        || number.is_multiple_of(1_111_111_111)
        || subscriber.is_multiple_of(1_111_111)
        || number == 2_345_678_901;
    (!is_placeholder).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_and_country_code_do_not_matter() {
        assert_eq!(digits("+1 (213) 555-0142"), Some(2_135_550_142));
        assert_eq!(digits("213.555.0142"), Some(2_135_550_142));
    }

    #[test]
    fn placeholder_numbers_are_nothing() {
        for text in [
            "5555555555",
            "0000000000",
            "213-555-5555",
            "555-0142",
            "1234567890",
            "",
        ] {
            assert_eq!(digits(text), None, "{text}");
        }
    }
}
