//! Names: nicknames, spelling, double surnames, swapped parts, other names of a person.

use rapidfuzz::distance::jaro_winkler;

use crate::field::{Field, FirstLevel, LastLevel, MiddleLevel, Pattern};
use crate::model::STRANGER;
use crate::person::{Person, PersonName};
use crate::score::Evidence;
use crate::spelling::SIMILAR;
use crate::value::Quality;
use crate::vocabulary::{Glance, NameEntry, NameId, Part, Vocabulary};

use super::{Comparer, with};

/// The levels of one combination of names, and their frequency bits.
#[derive(Debug, Clone, Copy, PartialEq)]
struct NameEvidence {
    pattern: Pattern,
    first_bits: f32,
    last_bits: f32,
}

impl Comparer<'_> {
    pub(super) fn compare_names(&self, a: &Person, b: &Person, evidence: &mut Evidence) {
        let mut found = self.compare_pair(&a.name, &b.name);
        if a.extra.is_some() || b.extra.is_some() {
            let mut weight = self.weigh(&found);
            for one in a.names() {
                for other in b.names() {
                    let next = self.compare_pair(one, other);
                    let next_weight = self.weigh(&next);
                    // The pattern settles a tie, so that the order of the two records does not.
                    let is_better = next_weight > weight
                        || (next_weight == weight && next.pattern < found.pattern);
                    if is_better {
                        (found, weight) = (next, next_weight);
                    }
                }
            }
        }
        if a.name_quality == Quality::Approximate || b.name_quality == Quality::Approximate {
            forgive_conflict(&mut found.pattern);
        }
        for field in [Field::FirstName, Field::MiddleName, Field::LastName] {
            evidence.pattern.set(field, found.pattern.level(field));
        }
        evidence.frequency[0] = found.first_bits;
        evidence.frequency[1] = found.last_bits;
    }

    fn weigh(&self, found: &NameEvidence) -> f64 {
        self.model.sum(found.pattern)[STRANGER]
            + f64::from(found.first_bits)
            + f64::from(found.last_bits)
    }

    fn compare_pair(&self, a: &PersonName, b: &PersonName) -> NameEvidence {
        let vocabulary = &self.population.vocabulary;
        let name = |id| Name::new(vocabulary, id);
        let (first_a, first_b) = (name(a.first), name(b.first));
        let (last_a, last_b) = (name(a.last), name(b.last));
        let (middle_a, middle_b) = (name(a.middle), name(b.middle));
        let mut first = first_level(first_a, first_b);
        let mut last = last_level(last_a, last_b);
        let differ = first == FirstLevel::Different && last == LastLevel::Different;
        if differ && is_swapped((first_a, last_a), (first_b, last_b)) {
            (first, last) = (FirstLevel::Swapped, LastLevel::Swapped);
        }
        if first == FirstLevel::Different
            && (is_same(first_a, middle_b) || is_same(middle_a, first_b))
        {
            first = FirstLevel::Middle;
        }
        let pattern = with(Pattern::default(), Field::FirstName, first as u8);
        let pattern = with(pattern, Field::LastName, last as u8);
        let middle = middle_level(middle_a, middle_b);
        let (first_bits, last_bits) = if first == FirstLevel::Swapped {
            let bits = self.swapped_bits((first_a, last_a), (first_b, last_b));
            (bits, bits)
        } else {
            (
                self.first_bits(first, first_a, first_b),
                self.last_bits(last, last_a, last_b),
            )
        };
        NameEvidence {
            pattern: with(pattern, Field::MiddleName, middle as u8),
            first_bits,
            last_bits,
        }
    }

    /// Half the bits of two names in each other's place: two people have names that are given and family names alike
    /// in either order more easily than rare ones. Which of the two is the family name is not known.
    fn swapped_bits(&self, a: (Name<'_>, Name<'_>), b: (Name<'_>, Name<'_>)) -> f32 {
        let base = (self.model.base(0) * self.model.base(1)).sqrt();
        let holders = |name: Name<'_>| name.glance.given().max(name.glance.family());
        let bits = |one, other| self.name_frequency(holders(one).max(holders(other)), base);
        (bits(a.0, b.1) + bits(a.1, b.0)) / 2.0
    }

    fn first_bits(&self, level: FirstLevel, a: Name<'_>, b: Name<'_>) -> f32 {
        if level != FirstLevel::Exact {
            return 0.0;
        }
        let count = a.glance.given().max(b.glance.given());
        self.name_frequency(count, self.model.base(0))
    }

    fn last_bits(&self, level: LastLevel, a: Name<'_>, b: Name<'_>) -> f32 {
        match level {
            LastLevel::Exact => {
                let count = a.glance.family().max(b.glance.family());
                self.name_frequency(count, self.model.base(1))
            }
            LastLevel::Part => {
                let shared = a.words().filter(|word| b.has_word(*word));
                let counts = shared.map(|word| self.population.vocabulary.family_word_count(word));
                let count = counts.min().unwrap_or(0);
                self.name_frequency(count, self.model.part_base)
            }
            _ => 0.0,
        }
    }
}

/// A partial, street or code name may differ from the legal one without telling anything.
fn forgive_conflict(pattern: &mut Pattern) {
    if pattern.level(Field::FirstName) == FirstLevel::Different as u8 {
        pattern.set(Field::FirstName, FirstLevel::Missing as u8);
    }
    if pattern.level(Field::MiddleName) == MiddleLevel::Different as u8 {
        pattern.set(Field::MiddleName, MiddleLevel::Missing as u8);
    }
    if pattern.level(Field::LastName) == LastLevel::Different as u8 {
        pattern.set(Field::LastName, LastLevel::Missing as u8);
    }
}

/// A name of the vocabulary: mostly a glance at it is enough.
#[derive(Debug, Clone, Copy)]
struct Name<'a> {
    id: NameId,
    glance: Glance,
    vocabulary: &'a Vocabulary,
}

impl<'a> Name<'a> {
    fn new(vocabulary: &'a Vocabulary, id: NameId) -> Self {
        let glance = vocabulary.glance(id);
        Self {
            id,
            glance,
            vocabulary,
        }
    }

    fn entry(self) -> &'a NameEntry {
        self.vocabulary.entry(self.id)
    }

    fn is_none(self) -> bool {
        self.glance.spelling.is_none()
    }

    /// Whether the two are one name once blanks are left out.
    fn is_same(self, other: Self) -> bool {
        // Mostly it is one entry, or the keys tell two names apart: the texts lie elsewhere in memory.
        self.id == other.id
            || (self.glance.spelling.key == other.glance.spelling.key
                && self.entry().joined == other.entry().joined)
    }

    fn is_initial(self) -> bool {
        self.glance.spelling.is_initial
    }

    /// Whether one of the two is a single letter; then, whether the other begins with it.
    fn initial(self, other: Self) -> Option<bool> {
        let starts_alike =
            || self.entry().joined.chars().next() == other.entry().joined.chars().next();
        (self.is_initial() || other.is_initial()).then(starts_alike)
    }

    fn is_similar(self, other: Self) -> bool {
        self.glance.spelling.may_be_similar(other.glance.spelling)
            && is_similar(&self.entry().joined, &other.entry().joined)
    }

    fn is_one_word_each(self, other: Self) -> bool {
        self.glance.spelling.is_one_word() && other.glance.spelling.is_one_word()
    }

    /// Keys of the words, in order.
    fn words(self) -> impl Iterator<Item = u64> {
        let spelling = self.glance.spelling;
        let only = spelling.is_one_word().then_some(spelling.key);
        let parts = self.parts().iter().map(|part| part.spelling.key);
        only.into_iter().chain(parts)
    }

    fn parts(self) -> &'a [Part] {
        if self.glance.spelling.is_one_word() {
            return &[];
        }
        &self.entry().parts
    }

    fn has_word(self, word: u64) -> bool {
        self.words().any(|own| own == word)
    }

    fn shares_word(self, other: Self) -> bool {
        !self.is_one_word_each(other) && self.words().any(|word| other.has_word(word))
    }

    fn has_same_words(self, other: Self) -> bool {
        // Both ways: a word that one of them has twice would hide another of the other's.
        self.words().count() == other.words().count()
            && self.words().all(|word| other.has_word(word))
            && other.words().all(|word| self.has_word(word))
    }

    /// Whether it is a double surname one word of which is spelt like the other name.
    fn has_word_like(self, other: Self) -> bool {
        let is_like = |part: &Part| {
            part.spelling.may_be_similar(other.glance.spelling)
                && is_similar(&part.text, &other.entry().joined)
        };
        other.glance.spelling.is_one_word() && self.parts().iter().any(is_like)
    }

    fn shares_nickname(self, other: Self) -> bool {
        let sets = |name: Self| &name.entry().nicknames;
        self.glance.spelling.has_nickname
            && other.glance.spelling.has_nickname
            && sets(self).iter().any(|set| sets(other).contains(set))
    }
}

fn is_same(a: Name<'_>, b: Name<'_>) -> bool {
    !a.is_none() && !a.is_initial() && a.is_same(b)
}

/// Given and family name have changed places; one of the two may be misspelt.
fn is_swapped(a: (Name<'_>, Name<'_>), b: (Name<'_>, Name<'_>)) -> bool {
    match (is_same(a.0, b.1), is_same(a.1, b.0)) {
        (true, true) => true,
        (true, false) => a.1.is_similar(b.0),
        (false, true) => a.0.is_similar(b.1),
        (false, false) => false,
    }
}

fn first_level(a: Name<'_>, b: Name<'_>) -> FirstLevel {
    if a.is_none() || b.is_none() {
        return FirstLevel::Missing;
    }
    if a.is_same(b) {
        // A letter that equals a letter is no full name.
        return if a.is_initial() {
            FirstLevel::Initial
        } else {
            FirstLevel::Exact
        };
    }
    match a.initial(b) {
        Some(true) => FirstLevel::Initial,
        Some(false) => FirstLevel::Different,
        None if a.shares_word(b) => FirstLevel::Part,
        None if a.shares_nickname(b) => FirstLevel::Nickname,
        None if a.is_similar(b) => FirstLevel::Similar,
        None => FirstLevel::Different,
    }
}

fn middle_level(a: Name<'_>, b: Name<'_>) -> MiddleLevel {
    if a.is_none() || b.is_none() {
        return MiddleLevel::Missing;
    }
    match a.initial(b) {
        Some(true) => MiddleLevel::Initial,
        Some(false) => MiddleLevel::Different,
        None if a.is_same(b) || a.shares_word(b) || a.is_similar(b) => MiddleLevel::Exact,
        None => MiddleLevel::Different,
    }
}

fn last_level(a: Name<'_>, b: Name<'_>) -> LastLevel {
    if a.is_none() || b.is_none() {
        return LastLevel::Missing;
    }
    if a.is_same(b) {
        return LastLevel::Exact;
    }
    if a.is_one_word_each(b) {
        return if a.is_similar(b) {
            LastLevel::Similar
        } else {
            LastLevel::Different
        };
    }
    if a.has_same_words(b) {
        LastLevel::Exact
    } else if a.shares_word(b) {
        LastLevel::Part
    } else if a.is_similar(b) || a.has_word_like(b) || b.has_word_like(a) {
        LastLevel::Similar
    } else {
        LastLevel::Different
    }
}

/// Jaro-Winkler in one order of the two: the last digit of the result must not depend on it.
fn is_similar(a: &str, b: &str) -> bool {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    if a.len() < 3 || b.len() < 3 {
        return false;
    }
    // The cut-off only saves work: it is rounded otherwise than the similarity.
    let enough = jaro_winkler::Args::default().score_cutoff(SIMILAR - 0.001);
    let similarity = if a.is_ascii() && b.is_ascii() {
        jaro_winkler::similarity_with_args(a.bytes(), b.bytes(), &enough)
    } else {
        jaro_winkler::similarity_with_args(a.chars(), b.chars(), &enough)
    };
    similarity.is_some_and(|similarity| similarity >= SIMILAR)
}
