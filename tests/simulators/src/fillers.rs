//! Filler families: enough neighbours that the demo family is not alone in a file.
//!
//! Every system draws from its own part of the name lists and its own number range, so that no two
//! systems share a filler person by accident.

use jiff::ToSpan;
use jiff::civil::date;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::person::{Family, Person};

const SURNAME_STARTS: [&str; 24] = [
    "Amber", "Birch", "Cedar", "Dahlia", "Elder", "Fennel", "Garnet", "Hazel", "Indigo", "Juniper",
    "Kestrel", "Linden", "Maple", "Nettle", "Olive", "Poppy", "Quartz", "Rowan", "Sorrel",
    "Thistle", "Umber", "Velvet", "Willow", "Yarrow",
];
const SURNAME_ENDS: [&str; 4] = ["sample", "testa", "demo", "example"];
const GIVEN: [&str; 24] = [
    "Abrin", "Belka", "Corvo", "Dessa", "Emmet", "Farla", "Gusta", "Hollin", "Ivara", "Jorun",
    "Kelda", "Lumir", "Mirek", "Nolwen", "Osric", "Petra", "Quinta", "Rasmus", "Selka", "Tobin",
    "Ursa", "Vesna", "Wystan", "Zelda",
];

/// Which system's neighbours to make up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Neighbourhood {
    /// Families on cash aid.
    Calworks,
    /// Families known to child welfare.
    ChildWelfare,
    /// Households in the housing system.
    Housing,
    /// Patients of the clinics.
    Health,
}

impl Neighbourhood {
    const fn part(self) -> usize {
        match self {
            Self::Calworks => 0,
            Self::ChildWelfare => 1,
            Self::Housing => 2,
            Self::Health => 3,
        }
    }
}

/// Makes `count` families, the same ones for the same seed.
pub(crate) fn families(seed: u64, neighbourhood: Neighbourhood, count: usize) -> Vec<Family> {
    let part = neighbourhood.part();
    let mut random = StdRng::seed_from_u64(seed.wrapping_mul(4).wrapping_add(part as u64));
    (0..count)
        .map(|number| family(&mut random, part, number))
        .collect()
}

fn family(random: &mut StdRng, part: usize, number: usize) -> Family {
    // Quarters of the lists keep the systems apart; the ending tells large counts apart.
    let start = pick(&SURNAME_STARTS, part * 6 + number % 6);
    let end = pick(&SURNAME_ENDS, number / 6);
    let surname = format!("{start}{end}");
    let children = random.random_range(1..=3_usize);
    let mut members = Vec::new();
    for place in 0..=children {
        let is_child = place > 0;
        let born = if is_child {
            date(2010, 1, 5)
        } else {
            date(1980, 1, 5)
        };
        let days = random.random_range(0..4700_i64);
        let serial = number * 8 + place;
        let letter = char::from(b'K' + u8::try_from(place).unwrap_or(0));
        members.push(Person {
            first_name: pick(&GIVEN, part * 6 + random.random_range(0..6_usize)).to_owned(),
            last_name: surname.clone(),
            birth_date: born.saturating_add(days.days()),
            sex: if random.random_range(0..2_u8) == 0 {
                'F'
            } else {
                'M'
            },
            ssn: format!("9{part}1{:06}", 20_417 + serial * 131),
            cin: format!("9{part}{:06}{letter}", 310_207 + serial * 17),
            is_child,
        });
    }
    Family {
        serial: format!("1F{part}{number:04}"),
        members,
        house: format!("{}", 100 + number),
        street: format!(
            "{} Street",
            pick(&SURNAME_STARTS, part * 6 + (number + 3) % 6)
        ),
        phone: format!("530555{:04}", 1000 + part * 1000 + number),
    }
}

fn pick<'list>(list: &[&'list str], index: usize) -> &'list str {
    list.iter().cycle().nth(index).copied().unwrap_or("Filler")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Neighbourhood, families};

    #[test]
    fn same_seed_gives_the_same_families_and_another_seed_gives_others() {
        let first = families(7, Neighbourhood::Housing, 20);
        assert_eq!(first, families(7, Neighbourhood::Housing, 20));
        assert_ne!(first, families(8, Neighbourhood::Housing, 20));
    }

    #[test]
    fn no_number_occurs_twice_and_every_ssn_is_one_that_is_never_issued() {
        let mut ssns = BTreeSet::new();
        let mut cins = BTreeSet::new();
        for neighbourhood in [Neighbourhood::Calworks, Neighbourhood::Housing] {
            for person in families(7, neighbourhood, 22)
                .into_iter()
                .flat_map(|family| family.members)
            {
                assert!(person.ssn.len() == 9 && person.ssn.starts_with('9'));
                assert_eq!(person.cin.len(), 9);
                assert!(ssns.insert(person.ssn) && cins.insert(person.cin));
            }
        }
    }
}
