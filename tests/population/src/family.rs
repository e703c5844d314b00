//! Families: who lives together, with what they share.

use crate::bank::{Bank, Group};
use crate::dice::Dice;
use crate::member::{Day, Home, Member, Role};

const CITIES: [&str; 12] = [
    "Alderwood",
    "Brookhaven",
    "Cedar Flats",
    "Dry Creek",
    "Eastfield",
    "Fern Valley",
    "Granite Point",
    "Harbor Mesa",
    "Ironwood",
    "Juniper Hills",
    "Kestrel",
    "Lakemont",
];
const STREETS: [&str; 8] = ["St", "Ave", "Blvd", "Dr", "Way", "Ct", "Rd", "Ln"];

/// How often each thing happens in families.
const TWINS: f64 = 0.032;
const SAME_NAME: f64 = 0.03;
const PARTNER: f64 = 0.4;
const GRANDPARENT: f64 = 0.06;
const MARRIED_NAME: f64 = 0.35;
const CHANGED_NAME: f64 = 0.12;
const MOVED: f64 = 0.35;
const NO_SSN_ADULT: f64 = 0.08;
const NO_SSN_CHILD: f64 = 0.05;

/// A family that lives together.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) members: Vec<Member>,
}

/// Draws one family; its members are numbered from `first`.
pub(crate) fn family(bank: &Bank, dice: &mut Dice, first: u64) -> Family {
    let (mut draw, names) = Draw::new(bank, dice, first);
    let group = draw.group;
    let head_is_female = dice.chance(0.68);
    let head = draw.adult(dice, Role::Head, head_is_female, &names, (1955, 2005));
    let (head_year, head_names) = (head.born.year, head.family.clone());
    draw.members.push(head);
    let partner_names = dice
        .chance(PARTNER)
        .then(|| draw.partner(dice, head_year, head_is_female, &head_names));
    let child_names = child_names(group, &head_names, partner_names.as_deref(), head_is_female);
    draw.children(dice, head_year, &child_names);
    if dice.chance(GRANDPARENT) {
        let is_female = dice.chance(0.6);
        let years = (head_year - 38, head_year - 20);
        let parent = draw.adult(dice, Role::Parent, is_female, &head_names, years);
        draw.members.push(parent);
    }
    draw.name_after_father(dice);
    Family {
        members: draw.members,
    }
}

/// A family in the making: what its members share, and who is there already.
pub(crate) struct Draw<'a> {
    bank: &'a Bank,
    group: Group,
    homes: Vec<Home>,
    phones: Vec<u64>,
    next: u64,
    members: Vec<Member>,
}

impl<'a> Draw<'a> {
    /// A home and a telephone for a family whose first member has the number `first`, and its family names.
    pub(crate) fn new(bank: &'a Bank, dice: &mut Dice, first: u64) -> (Self, Vec<String>) {
        let group = bank.group(dice);
        let names = family_names(bank, group, dice);
        let draw = Self {
            bank,
            group,
            homes: homes(dice),
            phones: phones(dice),
            next: first,
            members: Vec::new(),
        };
        (draw, names)
    }

    pub(crate) fn adult(
        &mut self,
        dice: &mut Dice,
        role: Role,
        is_female: bool,
        names: &[String],
        years: (i64, i64),
    ) -> Member {
        let year = years.0 + dice.below((years.1 - years.0).max(1) as u64) as i64;
        let born = day(dice, year);
        let mut member = self.member(dice, role, is_female, names, born);
        member.ssn = (!dice.chance(NO_SSN_ADULT)).then(|| ssn(dice));
        if is_female && dice.chance(CHANGED_NAME) {
            member.former = Some(family_names(self.bank, self.group, dice));
        }
        // An adult of the household has a telephone of his own as often as not.
        if dice.chance(0.7) {
            member.phones = phones(dice);
        }
        member
    }

    fn partner(
        &mut self,
        dice: &mut Dice,
        year: i64,
        head_is_female: bool,
        names: &[String],
    ) -> Vec<String> {
        let takes_name = !self.group.has_two_family_names() && dice.chance(MARRIED_NAME * 2.0);
        let own = family_names(self.bank, self.group, dice);
        let is_female = if dice.chance(0.96) {
            !head_is_female
        } else {
            head_is_female
        };
        let years = (year - 8, year + 8);
        let names = if takes_name {
            names.to_vec()
        } else {
            own.clone()
        };
        let mut partner = self.adult(dice, Role::Partner, is_female, &names, years);
        if takes_name {
            partner.former = Some(own);
        }
        let names = partner.family.clone();
        self.members.push(partner);
        names
    }

    fn children(&mut self, dice: &mut Dice, parent_year: i64, names: &[String]) {
        let from = (parent_year + 17).max(2008);
        for _ in 0..dice.ranked(30).min(5) {
            if from > 2025 {
                return;
            }
            let year = from + dice.below((2026 - from).clamp(1, 22) as u64) as i64;
            let born = day(dice, year);
            let child = self.child(dice, names, born);
            let twin = dice.chance(TWINS).then(|| self.twin(dice, &child, names));
            self.members.push(child);
            self.members.extend(twin);
        }
    }

    pub(crate) fn child(&mut self, dice: &mut Dice, names: &[String], born: Day) -> Member {
        let is_female = dice.chance(0.49);
        let mut child = self.member(dice, Role::Child, is_female, names, born);
        child.given = self.own_given(dice, is_female, "");
        child.ssn = (!dice.chance(NO_SSN_CHILD)).then(|| ssn(dice));
        child
    }

    /// A given name that no sister or brother has: parents give no two children one name.
    pub(crate) fn own_given(&self, dice: &mut Dice, is_female: bool, twin: &str) -> String {
        loop {
            let given = self.bank.given(self.group, is_female, dice);
            let is_taken = |member: &Member| member.role == Role::Child && member.given == given;
            if given != twin && !self.members.iter().any(is_taken) {
                return given;
            }
        }
    }

    pub(crate) fn twin(&mut self, dice: &mut Dice, child: &Member, names: &[String]) -> Member {
        let mut twin = self.child(dice, names, child.born);
        if dice.chance(0.6) {
            twin.is_female = child.is_female;
        }
        twin.given = self.own_given(dice, twin.is_female, &child.given);
        if let (Some(number), true) = (child.ssn, dice.chance(0.5)) {
            twin.ssn = Some(number + 1);
        }
        while twin.given == child.given {
            twin.given = self.bank.given(self.group, twin.is_female, dice);
        }
        twin
    }

    fn member(
        &mut self,
        dice: &mut Dice,
        role: Role,
        is_female: bool,
        names: &[String],
        born: Day,
    ) -> Member {
        let number = self.next;
        self.next += 1;
        Member {
            number,
            group: self.group,
            role,
            is_female,
            given: self.bank.given(self.group, is_female, dice),
            middle: if dice.chance(0.7) {
                self.bank.given(self.group, is_female, dice)
            } else {
                String::new()
            },
            family: names.to_vec(),
            former: None,
            suffix: "",
            born,
            ssn: None,
            cin: cin(dice),
            phones: self.phones.clone(),
            homes: self.homes.clone(),
        }
    }

    /// Some sons are named after the father of the house.
    fn name_after_father(&mut self, dice: &mut Dice) {
        let is_father = |member: &&mut Member| {
            !member.is_female && matches!(member.role, Role::Head | Role::Partner)
        };
        let Some(father) = self.members.iter_mut().find(is_father) else {
            return;
        };
        if !dice.chance(SAME_NAME * 3.0) {
            return;
        }
        let (given, middle, family) = (
            father.given.clone(),
            father.middle.clone(),
            father.family.clone(),
        );
        let number = father.number;
        if self
            .members
            .iter()
            .any(|member| member.role == Role::Child && member.given == given)
        {
            return;
        }
        let is_son = |member: &&mut Member| !member.is_female && member.role == Role::Child;
        let Some(son) = self.members.iter_mut().find(is_son) else {
            return;
        };
        (son.given, son.middle, son.family, son.suffix) = (given, middle, family, "Jr");
        if let Some(father) = self
            .members
            .iter_mut()
            .find(|member| member.number == number)
        {
            father.suffix = "Sr";
        }
    }
}

fn family_names(bank: &Bank, group: Group, dice: &mut Dice) -> Vec<String> {
    let mut names = vec![bank.family(group, dice)];
    if group.has_two_family_names() && dice.chance(0.65) {
        names.push(bank.family(group, dice));
    }
    names
}

/// Children bear the father's first name and then, where that is the custom, the mother's.
fn child_names(
    group: Group,
    head: &[String],
    partner: Option<&[String]>,
    head_is_female: bool,
) -> Vec<String> {
    let Some(partner) = partner else {
        return head.to_vec();
    };
    let (father, mother) = if head_is_female {
        (partner, head)
    } else {
        (head, partner)
    };
    let mut names: Vec<String> = father.first().cloned().into_iter().collect();
    if group.has_two_family_names() {
        names.extend(mother.first().cloned());
    }
    names
}

fn homes(dice: &mut Dice) -> Vec<Home> {
    let count = 1 + usize::from(dice.chance(MOVED)) + usize::from(dice.chance(MOVED / 3.0));
    (0..count).map(|_| home(dice)).collect()
}

fn home(dice: &mut Dice) -> Home {
    let city = dice.ranked(CITIES.len());
    let street = dice.ranked(4000);
    let kind = STREETS
        .get(street % STREETS.len())
        .copied()
        .unwrap_or_default();
    let name = crate::dice::Dice::of(0x57, street as u64).below(900);
    // One house in three holds several dwellings.
    let unit = dice.chance(0.4).then(|| 1 + dice.below(40));
    Home {
        number: 1 + dice.below(if unit.is_some() { 400 } else { 9800 }),
        street: format!("{} {kind}", street_name(name, street)),
        unit,
        city: CITIES.get(city).copied().unwrap_or_default(),
        zip: 90_001 + city as u64 * 40 + (street % 40) as u64,
    }
}

fn street_name(number: u64, street: usize) -> String {
    const WORDS: [&str; 20] = [
        "Oak", "Maple", "Olive", "Vista", "Mission", "Palm", "Canyon", "Lincoln", "Grand",
        "Sunset", "Orchard", "Valley", "Spring", "Hill", "River", "Park", "Cypress", "Magnolia",
        "Laurel", "Alta",
    ];
    if street.is_multiple_of(3) {
        return format!("{}th", 4 + number % 96);
    }
    let word = |place: u64| {
        WORDS
            .get((place % 20) as usize)
            .copied()
            .unwrap_or_default()
    };
    if street % 3 == 1 {
        return word(number).to_owned();
    }
    format!("{} {}", word(number), word(number / 20 + 7))
}

fn phones(dice: &mut Dice) -> Vec<u64> {
    let number = |dice: &mut Dice| {
        let area = dice.one(&[
            213_u64, 310, 323, 408, 510, 559, 619, 661, 714, 818, 909, 916,
        ]);
        area.unwrap_or(213) * 10_000_000 + 2_000_000 + dice.below(7_999_999)
    };
    let count = 1 + usize::from(dice.chance(0.4));
    (0..count).map(|_| number(dice)).collect()
}

pub(crate) fn day(dice: &mut Dice, year: i64) -> Day {
    Day {
        year,
        month: 1 + dice.below(12),
        day: 1 + dice.below(28),
    }
}

fn ssn(dice: &mut Dice) -> u64 {
    // Areas 900 to 999 are never issued; group and serial are never all zero.
    let (area, group, serial) = (
        900 + dice.below(100),
        1 + dice.below(99),
        1 + dice.below(9998),
    );
    area * 1_000_000 + group * 10_000 + serial
}

fn cin(dice: &mut Dice) -> String {
    let letter = char::from(b'A' + dice.below(26) as u8);
    format!("9{:07}{letter}", dice.below(10_000_000))
}
