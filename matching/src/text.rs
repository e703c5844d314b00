//! Plain text: what is left of a name or a street when spelling habits are taken away.

/// Upper-case text without accents; runs of anything but letters and digits become one blank.
///
/// Apostrophes and full stops vanish (`O'Brien`, `St. Ana`). `#` stays a word of its own, since it
/// announces a unit number.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '\'' | '’' | '`' | '´' | '.' => {}
            '#' => {
                push_blank(&mut plain);
                plain.push_str("# ");
            }
            letter if letter.is_ascii_alphanumeric() => plain.push(letter.to_ascii_uppercase()),
            letter if letter.is_alphanumeric() => push_unaccented(letter, &mut plain),
            other if is_combining(other) => {}
            _ => push_blank(&mut plain),
        }
    }
    plain
}

fn push_blank(plain: &mut String) {
    if !plain.ends_with(' ') {
        plain.push(' ');
    }
}

fn is_combining(symbol: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&symbol)
}

fn push_unaccented(letter: char, plain: &mut String) {
    let base = match letter {
        'À'..='Å' | 'à'..='å' | 'Ā'..='ą' => "A",
        'Æ' | 'æ' => "AE",
        'Ç' | 'ç' | 'Ć'..='č' => "C",
        'Ð' | 'ð' | 'Ď'..='đ' => "D",
        'È'..='Ë' | 'è'..='ë' | 'Ē'..='ě' => "E",
        'Ĝ'..='ģ' => "G",
        'Ĥ'..='ħ' => "H",
        'Ì'..='Ï' | 'ì'..='ï' | 'Ĩ'..='ı' => "I",
        'Ĵ' | 'ĵ' => "J",
        'Ķ' | 'ķ' => "K",
        'Ĺ'..='ł' => "L",
        'Ñ' | 'ñ' | 'Ń'..='ň' => "N",
        'Ò'..='Ö' | 'Ø' | 'ò'..='ö' | 'ø' | 'Ō'..='ő' => "O",
        'Œ' | 'œ' => "OE",
        'Ŕ'..='ř' => "R",
        'Ś'..='š' => "S",
        'ß' => "SS",
        'Ţ'..='ŧ' => "T",
        'Ù'..='Ü' | 'ù'..='ü' | 'Ũ'..='ų' => "U",
        'Ŵ' | 'ŵ' => "W",
        'Ý' | 'ý' | 'ÿ' | 'Ŷ'..='Ÿ' => "Y",
        'Ź'..='ž' => "Z",
        other => {
            // Some letters have a capital of two characters, the second an accent (U+1E96).
            plain.extend(other.to_uppercase().filter(|symbol| !is_combining(*symbol)));
            return;
        }
    };
    plain.push_str(base);
}

/// Words that belong to the word after them in a family name.
fn is_particle(word: &str) -> bool {
    matches!(
        word,
        "DE" | "DEL"
            | "LA"
            | "LAS"
            | "LOS"
            | "DA"
            | "DOS"
            | "DI"
            | "DU"
            | "VAN"
            | "VON"
            | "DER"
            | "DEN"
            | "MC"
            | "MAC"
            | "SAN"
            | "ST"
            | "AL"
    )
}

/// Values that stand for a name nobody knows.
///
/// `NA` is none of them: it is a given name, too (Chinese). Where a system writes it for "not available", its frequency
/// takes its weight away.
fn is_placeholder(name: &str) -> bool {
    matches!(
        name,
        "UNKNOWN"
            | "UNK"
            | "UNKNWN"
            | "NONE"
            | "N A"
            | "NULL"
            | "NFN"
            | "NLN"
            | "NMN"
            | "NMI"
            | "BABY"
            | "BABY BOY"
            | "BABY GIRL"
            | "BABYBOY"
            | "BABYGIRL"
            | "BOY"
            | "GIRL"
            | "INFANT"
            | "INFANT BOY"
            | "INFANT GIRL"
            | "NEWBORN"
            | "REFUSED"
            | "ANONYMOUS"
            | "NOT GIVEN"
            | "NO NAME"
            | "NONAME"
            | "X"
            | "XX"
            | "XXX"
    )
}

/// The words of a name with a blank between them, particles glued to the word after them; empty for a placeholder.
pub(crate) fn name(spelling: &str) -> String {
    let whole = plain(spelling);
    let plain = whole.trim();
    if is_placeholder(plain) {
        return String::new();
    }
    if !whole.contains([' ', '#']) {
        return whole;
    }
    let mut name = String::with_capacity(plain.len());
    let mut is_glued = true;
    let words = plain.split(' ');
    for word in words.filter(|word| !word.is_empty() && *word != "#") {
        if !is_glued {
            name.push(' ');
        }
        name.push_str(word);
        is_glued = is_particle(word);
    }
    name
}

/// The words of a name; none for a placeholder.
pub(crate) fn name_words(spelling: &str) -> Vec<String> {
    let name = name(spelling);
    let words = name.split(' ').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accents_case_and_apostrophes_do_not_matter() {
        assert_eq!(plain("Núñez"), "NUNEZ");
        assert_eq!(plain("O'Demo"), "ODEMO");
        assert_eq!(plain("Jose\u{301}"), "JOSE");
        assert_eq!(plain("\u{1e96}"), "H");
    }

    #[test]
    fn particles_are_glued_and_hyphens_part_words() {
        assert_eq!(name_words("de la Testa"), ["DELATESTA"]);
        assert_eq!(name_words("Demofield-Rivas"), ["DEMOFIELD", "RIVAS"]);
        assert_eq!(name_words("Mc Example"), ["MCEXAMPLE"]);
        assert_eq!(name_words("De"), ["DE"]);
    }

    #[test]
    fn placeholder_names_are_nothing() {
        for name in ["Baby Boy", "UNKNOWN", "n/a", "", "---", "#"] {
            assert!(name_words(name).is_empty(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn plain_text_is_stable(text in ".{0,40}") {
            let once = plain(&text);
            let twice = plain(&once);
            prop_assert_eq!(twice.trim(), once.trim());
        }
    }
}
