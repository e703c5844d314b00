//! Generational suffixes of names.

/// The generation that a suffix states: 1 for senior, 2 for junior and so on.
///
/// `II` is read as junior: forms do not keep the two apart. Titles such as `MD` state none.
pub(crate) fn generation(text: &str) -> Option<u8> {
    let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    match letters.to_ascii_uppercase().as_str() {
        "SR" | "SENIOR" | "I" | "1ST" => Some(1),
        "JR" | "JUNIOR" | "II" | "2ND" | "HIJO" => Some(2),
        "III" | "3RD" => Some(3),
        "IV" | "4TH" => Some(4),
        "V" | "5TH" => Some(5),
        _ => None,
    }
}

/// Cuts a generational suffix off the end of a family name.
///
/// The single letters `I` and `V` stay: at the end of a name they are more often initials.
pub(crate) fn split_generation(last_name: &str) -> (&str, Option<u8>) {
    let trimmed = last_name.trim_end();
    let Some((rest, tail)) = trimmed.rsplit_once([' ', ',']) else {
        return (trimmed, None);
    };
    match generation(tail) {
        Some(found) if tail.trim_end_matches('.').len() > 1 => {
            (rest.trim_end_matches([' ', ',']), Some(found))
        }
        _ => (trimmed, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffix_inside_the_last_name_is_found() {
        assert_eq!(split_generation("Demofield Jr."), ("Demofield", Some(2)));
        assert_eq!(split_generation("Demofield, III"), ("Demofield", Some(3)));
        assert_eq!(split_generation("Demofield V"), ("Demofield V", None));
        assert_eq!(split_generation("Sr"), ("Sr", None));
    }
}
