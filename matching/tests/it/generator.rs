//! A generated population with known truth.
//!
//! Families of invented names; each person has records in some of four systems, with the errors
//! that such systems have: missing and partial numbers, slips of the key, nicknames, double and changed
//! surnames, estimated birth dates, moves. Deterministic: one seed, one population.

use std::collections::HashMap;

use tandem_matching::{
    Address, BirthDate, LinkResult, Name, Pair, Quality, Record, RecordKey, Sex, Ssn,
};

/// A small generator of numbers (SplitMix64), so that no seed depends on a library's version.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A place in a list in which early places are more frequent, as names are.
    fn skewed(&mut self, end: u64) -> usize {
        let share = self.below(1 << 20) as f64 / (1 << 20) as f64;
        (share * share * end as f64) as usize
    }
}

const GIVEN: [(&str, Sex, &str); 24] = [
    ("Guadalupe", Sex::Female, "Lupita"),
    ("Marisol", Sex::Female, "Sol"),
    ("Elizabeth", Sex::Female, "Liz"),
    ("Katherine", Sex::Female, "Kate"),
    ("Ana", Sex::Female, "Ana"),
    ("Xenia", Sex::Female, "Xenia"),
    ("Thuy", Sex::Female, "Thuy"),
    ("Aaliyah", Sex::Female, "Aaliyah"),
    ("Veronica", Sex::Female, "Vero"),
    ("Samantha", Sex::Female, "Sam"),
    ("Odette", Sex::Female, "Odette"),
    ("Rosario", Sex::Female, "Chayo"),
    ("Francisco", Sex::Male, "Paco"),
    ("William", Sex::Male, "Bill"),
    ("Robert", Sex::Male, "Bob"),
    ("Jesus", Sex::Male, "Chuy"),
    ("Leo", Sex::Male, "Leo"),
    ("Jamal", Sex::Male, "Jamal"),
    ("Minh", Sex::Male, "Minh"),
    ("Guillermo", Sex::Male, "Memo"),
    ("Christopher", Sex::Male, "Chris"),
    ("Dmitri", Sex::Male, "Dmitri"),
    ("Enrique", Sex::Male, "Kike"),
    ("Tobias", Sex::Male, "Tobias"),
];
const SYLLABLES: [&str; 20] = [
    "de", "mo", "ra", "vi", "sal", "ter", "lo", "fan", "qui", "zen", "bar", "ne", "tol", "gus",
    "mi", "par", "hol", "ka", "wen", "dro",
];

#[derive(Debug, Clone)]
struct Being {
    given: usize,
    extra: String,
    last: String,
    birth: (i16, i8, i8),
    ssn: u64,
    suffix: &'static str,
    phone: u64,
    street: u64,
    household: u64,
}

pub(crate) fn surname(dice: &mut Dice) -> String {
    let number = dice.skewed(4000);
    let parts = [number % 20, number / 20 % 20, number / 400 % 20];
    parts
        .iter()
        .filter_map(|part| SYLLABLES.get(*part))
        .copied()
        .collect()
}

/// Given names beyond the short list: rare, invented.
fn extra_given(dice: &mut Dice) -> String {
    if dice.chance(40) {
        return String::new();
    }
    (0..3)
        .filter_map(|_| SYLLABLES.get(dice.skewed(20)).copied())
        .collect()
}

fn born(dice: &mut Dice, from: i16, years: u64) -> (i16, i8, i8) {
    let year = from + dice.below(years) as i16;
    (year, 1 + dice.below(12) as i8, 1 + dice.below(28) as i8)
}

fn family(dice: &mut Dice, household: u64, beings: &mut Vec<Being>) {
    let last = surname(dice);
    let (phone, street) = (2_130_000_000 + dice.below(900_000_000), dice.below(1 << 40));
    let being = |dice: &mut Dice, birth| Being {
        given: dice.skewed(24),
        extra: extra_given(dice),
        last: last.clone(),
        birth,
        ssn: 900_010_001 + dice.below(99_000_000),
        suffix: "",
        phone,
        street,
        household,
    };
    let birth = born(dice, 1955, 40);
    let mut parent = being(dice, birth);
    let mut children = Vec::new();
    for _ in 0..dice.below(4) {
        let birth = born(dice, birth.0.max(1985) + 18, 12);
        let child = being(dice, birth);
        children.push(child.clone());
        if dice.chance(3) {
            let mut twin = being(dice, birth);
            if (twin.given, &twin.extra) != (child.given, &child.extra) {
                twin.ssn = child.ssn + 1;
                children.push(twin);
            }
        }
    }
    if let Some(child) = children.first_mut().filter(|_| dice.chance(3)) {
        (child.given, child.extra) = (parent.given, parent.extra.clone());
        (parent.suffix, child.suffix) = ("Sr", "Jr");
    }
    beings.push(parent);
    beings.append(&mut children);
}

fn slip(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let place = dice.below(letters.len().max(2) as u64 - 1) as usize;
    if place + 1 < letters.len() {
        letters.swap(place, place + 1);
    }
    letters.into_iter().collect()
}

fn given_name(being: &Being, dice: &mut Dice) -> String {
    if !being.extra.is_empty() {
        return if dice.chance(4) {
            slip(&being.extra, dice)
        } else {
            being.extra.clone()
        };
    }
    let (name, _, nickname) = GIVEN[being.given];
    match dice.below(100) {
        0..6 => nickname.into(),
        6..9 => slip(name, dice),
        _ => name.into(),
    }
}

fn family_name(being: &Being, dice: &mut Dice) -> String {
    match dice.below(100) {
        0..6 => format!("{}-{}", being.last, surname(dice)),
        6..9 => surname(dice),
        9..12 => slip(&being.last, dice),
        _ => being.last.clone(),
    }
}

fn birth_date(being: &Being, dice: &mut Dice) -> Option<BirthDate> {
    let (year, month, day) = being.birth;
    let full = |year, month, day| jiff::civil::Date::new(year, month, day).ok();
    let (date, quality) = match dice.below(100) {
        0..2 => return None,
        2..4 => (full(year, 1, 1)?, Quality::Full),
        4..6 => (full(year, month, 1)?, Quality::Approximate),
        6..8 if day <= 12 => (full(year, day, month)?, Quality::Full),
        8..10 => (full(year, month, 1 + (day + 8) % 28)?, Quality::Full),
        _ => (full(year, month, day)?, Quality::Full),
    };
    Some(BirthDate::new(date, quality))
}

fn ssn(being: &Being, dice: &mut Dice) -> Option<Ssn> {
    let number = format!("{:09}", being.ssn);
    match dice.below(100) {
        0..30 => None,
        30..40 => Ssn::parse(&format!("xxxxx{}", &number[5..])),
        40..43 => Ssn::parse(&format!("{}7{}", &number[..6], &number[7..])),
        _ => Ssn::parse(&number),
    }
}

fn record(being: &Being, system: &str, id: String, dice: &mut Dice) -> Record {
    let mut record = Record::new(RecordKey::new(system, id));
    let mut name = Name::new(given_name(being, dice), "", family_name(being, dice));
    if dice.chance(1) {
        std::mem::swap(&mut name.first, &mut name.last);
    }
    record.names = vec![name];
    record.birth_date = birth_date(being, dice);
    let sex = GIVEN[being.given].1;
    record.sex = if dice.chance(4) { Sex::Unknown } else { sex };
    record.ssn = ssn(being, dice);
    if dice.chance(60) {
        record.suffix = Some(being.suffix.into());
    }
    if dice.chance(60) {
        let moved = if dice.chance(25) { dice.below(1000) } else { 0 };
        record.phones = vec![(being.phone + moved).to_string()];
    }
    if dice.chance(75) {
        let street = if dice.chance(25) {
            dice.below(1 << 40)
        } else {
            being.street
        };
        record.addresses = vec![Address {
            street: format!("{} Example {} St", street % 900 + 1, street / 900),
            zip: format!("{:05}", 90_001 + street % 97),
            ..Address::default()
        }];
    }
    record.household = Some(being.household.to_string());
    record
}

/// Records of about this many people, and whom each is about.
pub(crate) fn population(people: usize, seed: u64) -> (Vec<Record>, Vec<usize>) {
    let mut dice = Dice::new(seed);
    let mut beings = Vec::new();
    let mut household = 0;
    while beings.len() < people {
        household += 1;
        family(&mut dice, household, &mut beings);
    }
    let (mut records, mut truth) = (Vec::new(), Vec::new());
    for (number, being) in beings.iter().enumerate() {
        for system in ["tanf", "cws", "clinic", "hmis"] {
            if dice.chance(40) {
                let id = format!("{system}-{number}");
                records.push(record(being, system, id, &mut dice));
                truth.push(number);
            }
        }
    }
    (records, truth)
}

/// Precision and recall of links, and recall of links and reviews together.
pub(crate) fn quality(result: &LinkResult, truth: &[usize]) -> (f64, f64, f64) {
    let mut sizes: HashMap<usize, u64> = HashMap::new();
    for person in truth {
        *sizes.entry(*person).or_default() += 1;
    }
    let matches: u64 = sizes.values().map(|size| size * (size - 1) / 2).sum();
    let right = |pairs: &[Pair]| {
        pairs
            .iter()
            .filter(|pair| truth[pair.a()] == truth[pair.b()])
            .count() as f64
    };
    let (linked, reviewed) = (right(result.links()), right(result.reviews()));
    (
        linked / result.links().len() as f64,
        linked / matches as f64,
        (linked + reviewed) / matches as f64,
    )
}
