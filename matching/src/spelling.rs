//! How names are spelt, at a glance: what most comparisons look at, small enough to stay near the processor.

use crate::mix;

/// Jaro-Winkler similarity from which names count as spelt alike.
pub(crate) const SIMILAR: f64 = 0.90;
/// So much less, that rounding never makes the bound refuse what the similarity itself would not.
const BOUND: f64 = SIMILAR - 0.001;
/// What each letter at the beginning adds in which the two agree, up to four of them (Winkler 1990).
const PREFIX_WEIGHT: f64 = 0.1;

/// A name at a glance; the default is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Spelling {
    /// Key of the name without blanks: names with two keys are two names.
    pub(crate) key: u64,
    /// Which letters occur, one bit for each; letters may share a bit.
    letters: u32,
    /// The first letters, eight bits of each.
    start: u32,
    length: u16,
    words: u16,
    /// Whether the name is a single letter.
    pub(crate) is_initial: bool,
    /// Whether the name is in a set of nicknames.
    pub(crate) has_nickname: bool,
}

impl Spelling {
    /// The spelling of a name in plain text.
    pub(crate) fn of(joined: &str, words: usize, has_nickname: bool) -> Self {
        let start = joined.chars().zip([24, 16, 8, 0]);
        let length = joined.chars().count();
        Self {
            key: mix::text(joined),
            letters: joined.chars().fold(0, |set, letter| set | bit(letter)),
            start: start.fold(0, |start, (letter, shift)| {
                start | (u32::from(letter) & 0xFF) << shift
            }),
            length: u16::try_from(length).unwrap_or(u16::MAX),
            words: u16::try_from(words).unwrap_or(u16::MAX),
            is_initial: length == 1,
            has_nickname,
        }
    }

    /// Whether there is no name.
    pub(crate) fn is_none(self) -> bool {
        self.length == 0
    }

    pub(crate) fn is_one_word(self) -> bool {
        self.words == 1
    }

    /// How many letters at the beginning are alike, four at most, and never fewer than there are.
    fn starts_like(self, other: Self) -> u32 {
        (self.start ^ other.start).leading_zeros() / 8
    }

    /// Whether Jaro-Winkler of the two could reach [`SIMILAR`]: a letter that only one of them has agrees with nothing,
    /// which bounds how many letters agree, and the beginnings are known.
    pub(crate) fn may_be_similar(self, other: Self) -> bool {
        let least = |own: Self, other: Self| {
            u32::from(own.length).saturating_sub((own.letters & !other.letters).count_ones())
        };
        let agreeing = f64::from(least(self, other).min(least(other, self)));
        let (one, two) = (f64::from(self.length), f64::from(other.length));
        let jaro = (agreeing / one + agreeing / two + 1.0) / 3.0;
        let prefix = PREFIX_WEIGHT * f64::from(self.starts_like(other));
        jaro + prefix * (1.0 - jaro) >= BOUND
    }
}

fn bit(letter: char) -> u32 {
    1 << (u32::from(letter) & 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rapidfuzz::distance::jaro_winkler;

    fn may_be_similar(a: &str, b: &str) -> bool {
        Spelling::of(a, 1, false).may_be_similar(Spelling::of(b, 1, false))
    }

    #[test]
    fn names_of_other_letters_are_told_apart_at_a_glance() {
        assert!(!may_be_similar("TESTERMAN", "DEMOFIELD"));
        assert!(!may_be_similar("ANA", "ANASTASIA"));
        assert!(may_be_similar("DEMOFIELD", "DEMOFEILD"));
    }

    proptest! {
        #[test]
        fn a_glance_never_refuses_names_that_are_spelt_alike(
            a in "[A-EÀ-Â]{1,9}", b in "[A-EÀ-Â]{1,9}", shared in "[A-E]{0,6}",
        ) {
            let (a, b) = (format!("{shared}{a}"), format!("{shared}{b}"));
            let similarity = jaro_winkler::similarity(a.chars(), b.chars());
            prop_assert!(similarity < SIMILAR || may_be_similar(&a, &b), "{a} {b} {similarity}");
        }
    }
}
