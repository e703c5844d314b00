//! The tokens of a record: what goes into its filter, field by field.
//!
//! Names become their whole word, nicknames resolved, and its pairs of letters (bigrams, the ends marked: Schnell et al.
//! 2009). Both are salted with the year of birth (Niedermeyer et al. 2014): the same name sets other bits for every year,
//! so that frequent names do not stand out among all records. Numbers become digits by place, so that one wrong digit
//! leaves the others.

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::nickname::Nicknames;
use crate::person::Identifier;
use crate::record::Record;
use crate::text;
use crate::value::{Place, Quality, Sex, phone_digits, split_generation};

use super::field::ClkField;

/// Share of the positions of a name or a number that its whole value takes.
const WHOLE: f64 = 0.4;
const REST: f64 = 1.0 - WHOLE;
/// Where the last two digits of the year stand in a birth date.
const SHORT_YEAR: std::ops::Range<usize> = 2..4;

/// One token and its share of the positions of its field.
pub(super) struct Token {
    pub(super) field: ClkField,
    pub(super) text: String,
    pub(super) share: f64,
}

/// All tokens of a record; none of a field that is unknown.
pub(super) fn tokens(record: &Record, nicknames: &Nicknames) -> Vec<Token> {
    let mut found = Found(Vec::with_capacity(64));
    found.birth(record);
    found.names(record, nicknames);
    found.numbers(record);
    found.place(record);
    found.0
}

struct Found(Vec<Token>);

impl Found {
    fn add(&mut self, field: ClkField, text: impl Display, share: f64) {
        let text = text.to_string();
        self.0.push(Token { field, text, share });
    }

    fn birth(&mut self, record: &Record) {
        if let Some(date) = record.birth_date.filter(|date| is_usable(date.quality())) {
            let (year, month, day) = date.parts();
            self.add(ClkField::BirthYear, year, 0.5);
            for place in SHORT_YEAR {
                let digit = date.digits().get(place).copied().unwrap_or_default();
                self.add(ClkField::BirthYear, format_args!("{place}:{digit}"), 0.25);
            }
            if date.is_exact() {
                // The two together without their order: they are exchanged more often than mistaken.
                let (low, high) = (month.min(day), month.max(day));
                self.add(ClkField::BirthDay, format_args!("{low}+{high}"), WHOLE);
                self.add(ClkField::BirthDay, format_args!("m{month}"), REST / 2.0);
                self.add(ClkField::BirthDay, format_args!("d{day}"), REST / 2.0);
            }
        }
        match record.sex {
            Sex::Unknown => {}
            sex => self.add(ClkField::Sex, format_args!("{sex:?}"), 1.0),
        }
    }

    fn names(&mut self, record: &Record, nicknames: &Nicknames) {
        let Some(name) = record
            .names
            .first()
            .filter(|_| is_usable(record.name_quality))
        else {
            return;
        };
        let birth = record.birth_date.filter(|date| is_usable(date.quality()));
        let salt = birth.map_or(0, |date| date.year());
        let given = text::name_words(&name.first);
        if let Some(word) = given.first().filter(|word| !is_initial(word)) {
            self.word(ClkField::Given, nicknames.canonical(word), salt, 1.0);
        }
        let (family, _) = split_generation(&name.last);
        let words = text::name_words(family);
        for word in &words {
            self.word(ClkField::Family, word, salt, 1.0 / words.len() as f64);
        }
    }

    fn word(&mut self, field: ClkField, word: &str, salt: i16, share: f64) {
        self.add(field, format_args!("{salt}={word}"), share * WHOLE);
        let next = word.chars().map(Some).skip(1).chain([None]);
        let pairs = word.chars().map(Some).zip(next);
        let start = (None, word.chars().next());
        let pairs: BTreeSet<_> = std::iter::once(start).chain(pairs).collect();
        let each = share * REST / pairs.len() as f64;
        for (one, two) in pairs {
            let (one, two) = (one.unwrap_or('_'), two.unwrap_or('_'));
            self.add(field, format_args!("{salt}{one}{two}"), each);
        }
    }

    fn numbers(&mut self, record: &Record) {
        if let Some(ssn) = record.ssn.filter(|_| is_usable(record.ssn_quality)) {
            if let Some(whole) = ssn.whole() {
                self.digits(ClkField::SsnStart, &format!("{:05}", whole / 10_000));
            }
            if let Some(last_four) = ssn.last_four() {
                self.digits(ClkField::SsnEnd, &format!("{last_four:04}"));
            }
        }
        let identifiers = record.identifiers.iter();
        let identifiers: Vec<Identifier> = identifiers
            .filter_map(|(kind, value)| Identifier::new(kind, value))
            .collect();
        for identifier in &identifiers {
            let share = 1.0 / identifiers.len() as f64;
            self.add(ClkField::Identifier, identifier.value, share);
        }
        if let Some(phone) = record.phones.iter().find_map(|text| phone_digits(text)) {
            self.add(ClkField::Phone, phone, 1.0);
        }
    }

    fn digits(&mut self, field: ClkField, digits: &str) {
        self.add(field, digits, WHOLE);
        for (place, digit) in digits.chars().enumerate() {
            let share = REST / digits.len() as f64;
            self.add(field, format_args!("{place}:{digit}"), share);
        }
    }

    fn place(&mut self, record: &Record) {
        let place = record.addresses.first().map(Place::of).unwrap_or_default();
        if place.building != 0 {
            self.add(ClkField::Address, place.building, 1.0);
        }
        if place.zip != 0 {
            self.add(ClkField::Zip, place.zip, 1.0);
        }
    }
}

fn is_usable(quality: Quality) -> bool {
    quality != Quality::Unusable
}

fn is_initial(word: &str) -> bool {
    word.chars().nth(1).is_none()
}
