//! What has come up before: persons and their records, in a few bytes each.

use super::cases::Repetition;
use crate::read::compact::{CompactMap, CompactSet};

/// The aided standings of a person that may be told apart in a few bits: digit of the record type and affiliation.
const STANDINGS: [(&str, &str); 7] = [
    ("2", "1"),
    ("2", "2"),
    ("2", "4"),
    ("3", "1"),
    ("3", "3"),
    ("5", "1"),
    ("5", "2"),
];

/// The person has been told.
const TOLD: u8 = 0x80;
/// The person has been told in the case of the first record.
const TOLD_IN_CASE: u8 = 0x40;

/// Month and standing of a record by which a person with a usable number may be remembered; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing(u8);

impl Standing {
    /// The standing of a record; `None` when the affiliation is none of the usual ones.
    #[must_use]
    pub(super) fn of(tag: &str, month: &str, affiliation: &str) -> Option<Self> {
        let kind = tag.get(1..)?;
        let place = STANDINGS
            .iter()
            .position(|known| *known == (kind, affiliation))?;
        let month: u8 = month.get(4..)?.parse().ok()?;
        // The months of a quarter differ modulo 3.
        Some(Self(u8::try_from(place * 3).ok()? + month % 3 + 1))
    }
}

/// The first record of a person, in single bytes so that none is lost to alignment.
#[derive(Debug, Clone, Copy, Default)]
struct First {
    /// The standing, 0 for none, and what has been told.
    marks: u8,
    /// A short hash of the case.
    case: [u8; 3],
    /// A short hash of the line.
    text: [u8; 2],
}

/// What is new about a person who is about to be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct News {
    /// The person has not been told.
    pub is_person: bool,
    /// The person has not been told in this case.
    pub is_member: bool,
}

/// What has come up in a file. A person in one month of one case, as most are, takes one entry; every further record
/// takes a smaller one.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Persons by number and birth date, or by their id when they have no usable number.
    persons: CompactMap<First>,
    /// Records that are not remembered with their person, by the key of rules K5 and K7.
    records: CompactMap<[u8; 2]>,
    /// Persons in other cases than that of their first record.
    elsewhere: CompactSet,
}

impl Known {
    /// Remembers a record under its key and tells whether there was one like it. `text` is the fingerprint of the line.
    pub(super) fn record(&mut self, key: u64, text: u64) -> Repetition {
        let short = short(text);
        match self.records.entry(key) {
            (Some(first), true) => {
                *first = short;
                Repetition::New
            }
            (Some(first), false) => repeated(*first, short),
            (None, _) => Repetition::New,
        }
    }

    /// The same for the record of a person with a usable number. `None` when it has to be remembered as [`Known::record`]
    /// does, since the person came up in another month, case or standing before.
    pub(super) fn person(
        &mut self,
        person: u64,
        standing: Standing,
        case: u64,
        text: u64,
    ) -> Option<Repetition> {
        let (first, is_new) = self.persons.entry(person);
        let first = first?;
        let (case, text) = (short_case(case), short(text));
        if is_new {
            *first = First {
                marks: standing.0,
                case,
                text,
            };
            return Some(Repetition::New);
        }
        let is_same = first.marks & !(TOLD | TOLD_IN_CASE) == standing.0 && first.case == case;
        is_same.then(|| repeated(first.text, text))
    }

    /// What is new about a person of a case who is told now.
    pub(super) fn tell(&mut self, person: u64, case: u64) -> News {
        let (Some(first), is_new) = self.persons.entry(person) else {
            return News::default();
        };
        if is_new {
            first.case = short_case(case);
        }
        let marks = first.marks;
        first.marks |= TOLD;
        let is_member = if first.case == short_case(case) {
            first.marks |= TOLD_IN_CASE;
            marks & TOLD_IN_CASE == 0
        } else {
            self.elsewhere.insert(person ^ case.rotate_left(32))
        };
        News {
            is_person: marks & TOLD == 0,
            is_member,
        }
    }

    /// Bytes allocated.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.persons.bytes() + self.records.bytes()
    }
}

fn repeated(first: [u8; 2], text: [u8; 2]) -> Repetition {
    if first == text {
        Repetition::Identical
    } else {
        Repetition::SameKey
    }
}

/// What is kept of a line's fingerprint to tell identical lines from lines with the same key.
#[must_use]
pub(super) fn short(text: u64) -> [u8; 2] {
    let [a, b, ..] = text.to_le_bytes();
    [a, b]
}

fn short_case(case: u64) -> [u8; 3] {
    let [a, b, c, ..] = case.to_le_bytes();
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adult(month: &str) -> Standing {
        Standing::of("T2", month, "1").unwrap()
    }

    #[test]
    fn identical_lines_differ_from_lines_with_the_same_key() {
        let mut known = Known::default();
        assert_eq!(known.record(5, 100), Repetition::New);
        assert_eq!(known.record(5, 100), Repetition::Identical);
        assert_eq!(known.record(5, 101), Repetition::SameKey);
        let month = adult("202010");
        assert_eq!(known.person(7, month, 1, 100), Some(Repetition::New));
        assert_eq!(known.person(7, month, 1, 100), Some(Repetition::Identical));
        assert_eq!(known.person(7, month, 1, 101), Some(Repetition::SameKey));
    }

    #[test]
    fn another_month_case_or_standing_of_a_person_is_another_record() {
        let mut known = Known::default();
        known.person(7, adult("202010"), 1, 100);
        assert_eq!(known.person(7, adult("202011"), 1, 101), None);
        assert_eq!(known.person(7, adult("202010"), 2, 101), None);
        let child = Standing::of("T3", "202010", "1").unwrap();
        assert_eq!(known.person(7, child, 1, 101), None);
        assert_eq!(Standing::of("T2", "202010", "9"), None);
    }

    #[test]
    fn a_person_is_told_once_and_once_in_each_case() {
        let mut known = Known::default();
        let news = |is_person, is_member| News {
            is_person,
            is_member,
        };
        // The first record stands in case 1, which is told last.
        known.person(7, adult("202010"), 1, 100);
        assert_eq!(known.tell(7, 2), news(true, true));
        assert_eq!(known.tell(7, 2), news(false, false));
        assert_eq!(known.tell(7, 1), news(false, true));
        assert_eq!(known.tell(7, 1), news(false, false));
        assert_eq!(known.tell(8, 1), news(true, true));
        assert_eq!(known.tell(8, 1), news(false, false));
    }

    #[test]
    fn a_person_takes_one_small_entry_and_further_months_smaller_ones() {
        // Odd multiples of the golden ratio stand for fingerprints. They leave most buckets empty, so that few keys fill
        // the others as those of a large file do.
        let person = |n: u64| (2 * n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) & !0x3_f000;
        let mut known = Known::default();
        let empty = known.bytes();
        let count = 400_000;
        for n in 0..count {
            known.person(person(n), adult("202010"), person(n) ^ 1, n);
            known.tell(person(n), person(n) ^ 1);
        }
        let one_month = (known.bytes() - empty) as u64;
        assert!(one_month < count * 15, "{one_month} bytes");
        for n in 0..count {
            known.record(person(n), n);
        }
        let two_months = (known.bytes() - empty) as u64;
        assert!(two_months < count * 24, "{two_months} bytes");
    }
}
