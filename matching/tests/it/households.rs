//! A thousand families of the kinds in which most wrong links happen: twins, Jr and Sr, sisters at one
//! address, parent and child of one name. Each member has a record in two systems.

use tandem_matching::{Engine, Record, RecordKey, Rulings, Settings, Sex, Ssn};

use crate::people::{With, person};

/// A small generator of numbers (SplitMix64), so that no seed depends on a library's version.
#[derive(Debug, Clone)]
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A place in a list in which early places are more frequent, as names are.
    fn skewed(&mut self, end: u64) -> usize {
        let share = self.below(1 << 20) as f64 / (1 << 20) as f64;
        (share * share * end as f64) as usize
    }
}

const SYLLABLES: [&str; 20] = [
    "de", "mo", "ra", "vi", "sal", "ter", "lo", "fan", "qui", "zen", "bar", "ne", "tol", "gus",
    "mi", "par", "hol", "ka", "wen", "dro",
];

fn surname(dice: &mut Dice) -> String {
    let number = dice.skewed(4000);
    let parts = [number % 20, number / 20 % 20, number / 400 % 20];
    parts
        .iter()
        .filter_map(|part| SYLLABLES.get(*part))
        .copied()
        .collect()
}

const GIRLS: [&str; 8] = [
    "Ana", "Xenia", "Marisol", "Odette", "Thuy", "Aaliyah", "Veronica", "Rosario",
];
const BOYS: [&str; 8] = [
    "Leo", "Jamal", "Dmitri", "Tobias", "Minh", "Enrique", "Robert", "Jaylen",
];

/// Given name, birth date, suffix and SSN of a member.
type Member = (&'static str, String, &'static str, u64);

fn members(kind: u64, dice: &mut Dice) -> (Sex, [Member; 2]) {
    let year = 1950 + dice.below(40);
    let birth = |year: u64, dice: &mut Dice| {
        format!("{year}-{:02}-{:02}", 1 + dice.below(12), 2 + dice.below(27))
    };
    let first = dice.below(8) as usize;
    let (girl, sister) = (GIRLS[first], GIRLS[(first + 1) % 8]);
    let ssn = 900_010_001 + dice.below(98_000_000);
    let stranger = 900_010_001 + dice.below(98_000_000);
    let one = birth(year, dice);
    match kind {
        0 => (
            Sex::Female,
            [(girl, one.clone(), "", ssn), (sister, one, "", ssn + 1)],
        ),
        1 => {
            let son = birth(year + 17 + dice.below(20), dice);
            (
                Sex::Male,
                [
                    (BOYS[first], one, "Sr", ssn),
                    (BOYS[first], son, "Jr", stranger),
                ],
            )
        }
        2 => {
            let younger = birth(year + 1 + dice.below(5), dice);
            (
                Sex::Female,
                [(girl, one, "", ssn), (sister, younger, "", stranger)],
            )
        }
        _ => {
            let daughter = birth(year + 17 + dice.below(20), dice);
            (
                Sex::Female,
                [(girl, one, "", ssn), (girl, daughter, "", stranger)],
            )
        }
    }
}

/// Records of all families; the id begins with the person's number.
fn families(count: u64, seed: u64) -> Vec<Record> {
    let mut dice = Dice::new(seed);
    let mut records = Vec::new();
    for number in 0..count {
        let last = surname(&mut dice);
        let street = format!("{} Example St", 1 + dice.below(9000));
        let zip = format!("{}", 90_001 + dice.below(90));
        let phone = format!("213{:07}", 2_000_000 + dice.below(7_000_000));
        let (sex, members) = members(number % 4, &mut dice);
        for (place, (first, birth, suffix, ssn)) in members.into_iter().enumerate() {
            for system in ["a", "b"] {
                let id = format!("{number}-{place}");
                let mut record = person(system, &id, first, &last, &birth).sex(sex);
                record = record.home(&street, &zip).phone(&phone);
                // Half of the suffixes and of the numbers are not recorded, as in real systems.
                if dice.below(2) == 0 {
                    record = record.suffix(suffix);
                }
                if dice.below(2) == 0 {
                    record.ssn = Ssn::parse(&ssn.to_string());
                }
                records.push(record);
            }
        }
    }
    records
}

#[test]
fn household_members_are_not_linked_in_a_thousand_families() {
    let records = families(1000, 31);
    for link_bits in [6.6, 10.0] {
        let mut settings = Settings::standard().unwrap();
        settings.thresholds.link_bits = link_bits;
        let result = Engine::new(settings).unwrap().link(&records).unwrap();
        let id = |number| result.key(number).unwrap().id;
        let wrong = result
            .links()
            .iter()
            .filter(|pair| id(pair.a()) != id(pair.b()))
            .count();
        assert_eq!(wrong, 0);
        let right = result.links().len();
        assert!(right >= 1900, "{right} of 2000 at {link_bits}");
    }
}

#[test]
fn household_members_are_not_linked_with_estimated_probabilities_either() {
    let mut batch = Engine::standard().unwrap().batch();
    for record in families(1000, 32) {
        batch.push(&record).unwrap();
    }
    batch.estimate().unwrap();
    let run = batch.run(&Rulings::new(), |_, _| {
        Ok::<(), std::convert::Infallible>(())
    });
    let result = run.unwrap();
    let key = |number| result.key(number).unwrap_or_else(|| RecordKey::new("", ""));
    let wrong = result
        .links()
        .iter()
        .filter(|pair| key(pair.a()).id != key(pair.b()).id)
        .count();
    assert_eq!(wrong, 0);
    assert!(
        result.links().len() >= 1900,
        "{} of 2000",
        result.links().len()
    );
}
