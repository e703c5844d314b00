//! Names: nicknames, spelling, double surnames, swapped parts, other names of a person.

use rapidfuzz::distance::jaro_winkler;

use crate::field::{Field, FirstLevel, LastLevel, MiddleLevel, Pattern};
use crate::model::STRANGER;
use crate::person::{Person, PersonName};
use crate::score::Evidence;
use crate::value::Quality;
use crate::vocabulary::{NameEntry, NameUse};

use super::{Comparer, with};

/// Jaro-Winkler similarity from which names count as spelt alike.
const SIMILAR: f64 = 0.90;

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
        let (first_a, first_b) = (vocabulary.entry(a.first), vocabulary.entry(b.first));
        let (last_a, last_b) = (vocabulary.entry(a.last), vocabulary.entry(b.last));
        let (middle_a, middle_b) = (vocabulary.entry(a.middle), vocabulary.entry(b.middle));
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
    fn swapped_bits(&self, a: (&NameEntry, &NameEntry), b: (&NameEntry, &NameEntry)) -> f32 {
        let base = (self.model.base(0) * self.model.base(1)).sqrt();
        let holders =
            |name: &NameEntry| name.count(NameUse::Given).max(name.count(NameUse::Family));
        let bits = |one, other| self.name_frequency(holders(one).max(holders(other)), base);
        (bits(a.0, b.1) + bits(a.1, b.0)) / 2.0
    }

    fn first_bits(&self, level: FirstLevel, a: &NameEntry, b: &NameEntry) -> f32 {
        if level != FirstLevel::Exact {
            return 0.0;
        }
        let count = a.count(NameUse::Given).max(b.count(NameUse::Given));
        self.name_frequency(count, self.model.base(0))
    }

    fn last_bits(&self, level: LastLevel, a: &NameEntry, b: &NameEntry) -> f32 {
        match level {
            LastLevel::Exact => {
                let count = a.count(NameUse::Family).max(b.count(NameUse::Family));
                self.name_frequency(count, self.model.base(1))
            }
            LastLevel::Part => {
                let shared = a.words.iter().filter(|word| b.words.contains(word));
                let counts = shared.map(|word| self.population.vocabulary.family_word_count(*word));
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

fn is_same(a: &NameEntry, b: &NameEntry) -> bool {
    !a.joined.is_empty() && a.is_same(b) && !a.is_initial
}

/// Given and family name have changed places; one of the two may be misspelt.
fn is_swapped(a: (&NameEntry, &NameEntry), b: (&NameEntry, &NameEntry)) -> bool {
    match (is_same(a.0, b.1), is_same(a.1, b.0)) {
        (true, true) => true,
        (true, false) => is_similar(&a.1.joined, &b.0.joined),
        (false, true) => is_similar(&a.0.joined, &b.1.joined),
        (false, false) => false,
    }
}

fn first_level(a: &NameEntry, b: &NameEntry) -> FirstLevel {
    if a.joined.is_empty() || b.joined.is_empty() {
        return FirstLevel::Missing;
    }
    if a.is_same(b) {
        // A letter that equals a letter is no full name.
        return if a.is_initial {
            FirstLevel::Initial
        } else {
            FirstLevel::Exact
        };
    }
    let starts_alike = a.joined.chars().next() == b.joined.chars().next();
    if a.is_initial || b.is_initial {
        return if starts_alike {
            FirstLevel::Initial
        } else {
            FirstLevel::Different
        };
    }
    if shares_word(a, b) {
        FirstLevel::Part
    } else if a.nicknames.iter().any(|set| b.nicknames.contains(set)) {
        FirstLevel::Nickname
    } else if is_similar(&a.joined, &b.joined) {
        FirstLevel::Similar
    } else {
        FirstLevel::Different
    }
}

fn middle_level(a: &NameEntry, b: &NameEntry) -> MiddleLevel {
    if a.joined.is_empty() || b.joined.is_empty() {
        return MiddleLevel::Missing;
    }
    let starts_alike = a.joined.chars().next() == b.joined.chars().next();
    if a.is_initial || b.is_initial {
        return if starts_alike {
            MiddleLevel::Initial
        } else {
            MiddleLevel::Different
        };
    }
    let is_alike = a.is_same(b) || shares_word(a, b) || is_similar(&a.joined, &b.joined);
    if is_alike {
        MiddleLevel::Exact
    } else {
        MiddleLevel::Different
    }
}

fn last_level(a: &NameEntry, b: &NameEntry) -> LastLevel {
    if a.joined.is_empty() || b.joined.is_empty() {
        return LastLevel::Missing;
    }
    if a.is_same(b) || has_same_words(a, b) {
        LastLevel::Exact
    } else if shares_word(a, b) {
        LastLevel::Part
    } else if is_similar(&a.joined, &b.joined) || has_similar_word(a, b) {
        LastLevel::Similar
    } else {
        LastLevel::Different
    }
}

fn shares_word(a: &NameEntry, b: &NameEntry) -> bool {
    (a.words.len() > 1 || b.words.len() > 1) && a.words.iter().any(|word| b.words.contains(word))
}

fn has_same_words(a: &NameEntry, b: &NameEntry) -> bool {
    a.words.len() == b.words.len() && a.words.iter().all(|word| b.words.contains(word))
}

/// A double surname one word of which is spelt like the other name.
fn has_similar_word(a: &NameEntry, b: &NameEntry) -> bool {
    match (a.parts.is_empty(), b.parts.is_empty()) {
        (false, true) => a.parts.iter().any(|part| is_similar(part, &b.joined)),
        (true, false) => b.parts.iter().any(|part| is_similar(part, &a.joined)),
        _ => false,
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
