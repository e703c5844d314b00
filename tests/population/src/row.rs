//! What a system writes down about a person.

use crate::bank::Bank;
use crate::dice::Dice;
use crate::errors::Errors;
use crate::family::Family;
use crate::member::{Home, Member, Role};
use crate::slip;
use crate::system::{Habits, System};

/// Columns of every table, in order: those of `tandem link`.
pub const COLUMNS: [&str; 20] = [
    "record_id",
    "first_name",
    "middle_name",
    "last_name",
    "suffix",
    "dob",
    "sex",
    "ssn",
    "phone",
    "street",
    "city",
    "state",
    "zip",
    "name_dq",
    "ssn_dq",
    "dob_dq",
    "household_id",
    "relationship",
    "other_names",
    "id_cin",
];

/// One record: the values of [`COLUMNS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which system holds it.
    pub system: System,
    /// Values, in the order of the columns.
    pub values: [String; 20],
}

/// Whom a record is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruthRow {
    /// Number of the person.
    pub person: u64,
    /// Number of the family.
    pub household: u64,
    /// Group of names that the family bears.
    pub name_group: &'static str,
    /// Age at the end of 2025.
    pub age: i64,
}

/// A system as it writes about one family.
pub(crate) struct Writing<'a> {
    bank: &'a Bank,
    errors: &'a Errors,
    system: System,
    habits: Habits,
    household: u64,
    pub(crate) dice: &'a mut Dice,
}

impl<'a> Writing<'a> {
    pub(crate) fn new(
        bank: &'a Bank,
        errors: &'a Errors,
        system: System,
        household: u64,
        dice: &'a mut Dice,
    ) -> Self {
        Self {
            bank,
            errors,
            system,
            habits: system.habits(),
            household,
            dice,
        }
    }

    fn errs(&mut self, rate: f64) -> bool {
        self.dice
            .chance((rate * self.habits.carelessness).min(0.95))
    }

    /// One record about a member; the second one of the same system has another id.
    pub(crate) fn row(&mut self, family: &Family, member: &Member, copy: u8) -> (Row, TruthRow) {
        let label = self.system.label();
        let (first, middle, last, other) = self.names(member);
        let (ssn, ssn_quality) = self.ssn(family, member);
        let (dob, dob_quality) = self.birth_date(member);
        let name_quality = if first == "Unknown" || first.starts_with("Baby") {
            "99"
        } else {
            "1"
        };
        let home = self.home(member);
        let [street, city, state, zip] = home.map(|home| self.address(&home)).unwrap_or_default();
        let coded = |code: &str| {
            if self.system.has_quality_codes() {
                code.to_owned()
            } else {
                String::new()
            }
        };
        let (name_dq, ssn_dq, dob_dq) =
            (coded(name_quality), coded(ssn_quality), coded(dob_quality));
        let values = [
            format!("{label}-{:08x}-{copy}", self.id(member.number)),
            first,
            middle,
            last,
            self.suffix(member),
            dob,
            self.sex(member),
            ssn,
            self.phone(member),
            street,
            city,
            state,
            zip,
            name_dq,
            ssn_dq,
            dob_dq,
            format!("{label}-h{}", self.household),
            relationship(member).to_owned(),
            other,
            if self.dice.chance(self.habits.cins) {
                member.cin.clone()
            } else {
                String::new()
            },
        ];
        let truth = TruthRow {
            person: member.number,
            household: self.household,
            name_group: member.group.label(),
            age: member.age(),
        };
        (
            Row {
                system: self.system,
                values,
            },
            truth,
        )
    }

    /// The system's own number for a person: one to one, and nothing in it tells another system's number.
    fn id(&self, person: u64) -> u64 {
        let salt = 0x5DEE_CE66 * (1 + self.system as u64);
        ((person ^ salt) & 0xFFFF_FFFF).wrapping_mul(0x9E37_79B1) & 0xFFFF_FFFF
    }

    /// Given, middle and family name, and other names where the system has a place for them.
    fn names(&mut self, member: &Member) -> (String, String, String, String) {
        let has_middle = self.dice.chance(self.habits.middle_names);
        let mut first = member.given.clone();
        let mut middle = if has_middle {
            member.middle.clone()
        } else {
            String::new()
        };
        if has_middle && self.dice.chance(0.4) {
            middle.truncate(1);
        }
        let mut last = self.family_name(member);
        if self.errs(self.errors.filler_name) {
            let filler = if member.age() < 1 {
                "Baby Boy"
            } else {
                "Unknown"
            };
            return (filler.to_owned(), String::new(), last, String::new());
        }
        if self.errs(self.errors.nickname) {
            if let Some(nickname) = self.bank.nickname(&first, self.dice) {
                nickname.clone_into(&mut first);
            }
        } else if self.errs(self.errors.initial) {
            first.truncate(1);
        } else if !member.middle.is_empty() && self.errs(self.errors.middle_as_given) {
            first = member.middle.clone();
            middle = member.given.clone();
        }
        if self.errs(self.errors.name_slip) {
            first = slip::text(&first, self.dice);
        }
        if self.errs(self.errors.name_slip) {
            last = slip::text(&last, self.dice);
        }
        if self.errs(self.errors.swapped) {
            std::mem::swap(&mut first, &mut last);
        }
        let knows_others = self.system != System::Tanf && self.dice.chance(0.2);
        let former = member.former.as_ref().filter(|_| knows_others);
        let other = former.map(|family| format!("{} {}", member.given, family.join(" ")));
        (first, middle, last, other.unwrap_or_default())
    }

    fn family_name(&mut self, member: &Member) -> String {
        let mut family = member.family.clone();
        if let Some(former) = &member.former
            && self.errs(self.errors.former_name)
        {
            family.clone_from(former);
        } else if (member.is_female || member.is_child()) && self.errs(self.errors.other_name) {
            family = vec![self.bank.family(member.group, self.dice)];
        }
        if family.len() == 2 && self.errs(self.errors.one_family_name) {
            // The first of the two is the one that is kept, most of the time.
            family.remove(usize::from(self.dice.chance(0.8)));
        }
        family.join(if self.dice.chance(0.4) { "-" } else { " " })
    }

    fn suffix(&mut self, member: &Member) -> String {
        let is_left_out = member.suffix.is_empty() || self.errs(self.errors.no_suffix);
        if is_left_out {
            String::new()
        } else {
            member.suffix.to_owned()
        }
    }

    fn birth_date(&mut self, member: &Member) -> (String, &'static str) {
        let mut day = member.born;
        if self.errs(self.errors.no_birth_date) {
            return (String::new(), "99");
        }
        let mut quality = "1";
        if self.errs(self.errors.first_january) {
            (day.month, day.day) = (1, 1);
            quality = if self.dice.chance(0.6) { "2" } else { "1" };
        } else if day.day <= 12 && self.errs(self.errors.day_month * 2.3) {
            (day.month, day.day) = (day.day, day.month);
        } else if self.errs(self.errors.birth_digit) {
            match self.dice.below(3) {
                0 => day.year += if self.dice.chance(0.5) { 1 } else { -1 },
                1 => day.month = 1 + (day.month + self.dice.below(11)) % 12,
                _ => day.day = 1 + (day.day + self.dice.below(27)) % 28,
            }
        }
        (
            format!("{:04}-{:02}-{:02}", day.year, day.month, day.day),
            quality,
        )
    }

    fn sex(&mut self, member: &Member) -> String {
        if self.errs(self.errors.no_sex) {
            return String::new();
        }
        let is_female = member.is_female != self.errs(self.errors.no_sex / 10.0);
        if is_female { "F" } else { "M" }.to_owned()
    }

    fn ssn(&mut self, family: &Family, member: &Member) -> (String, &'static str) {
        let share = if member.is_child() {
            self.habits.child_ssns
        } else {
            self.habits.adult_ssns
        };
        if !self.dice.chance(share) {
            return (String::new(), "99");
        }
        if self.errs(self.errors.ssn_filler) {
            return ("999999999".to_owned(), "99");
        }
        let mut number = member.ssn;
        if self.errs(self.errors.ssn_of_relative) {
            let place = self.dice.below(family.members.len() as u64) as usize;
            number = family.members.get(place).and_then(|relative| relative.ssn);
        }
        let Some(number) = number else {
            return (String::new(), "8");
        };
        let mut digits = format!("{number:09}");
        if self.errs(self.errors.ssn_slip) {
            // The first digit stays: no slip may make a number that somebody could have.
            let slipped = slip::digits(digits.get(1..).unwrap_or_default(), self.dice);
            digits.replace_range(1.., &slipped);
        }
        if self.dice.chance(self.habits.partial_ssns) {
            let last_four = digits.get(5..).unwrap_or_default();
            return (format!("xxxxx{last_four}"), "2");
        }
        (digits, "1")
    }

    fn phone(&mut self, member: &Member) -> String {
        if !self.dice.chance(self.habits.phones) {
            return String::new();
        }
        let is_old = self.errs(self.errors.old_phone);
        let phone = member
            .phones
            .get(usize::from(is_old))
            .or_else(|| member.phones.first());
        phone.map(u64::to_string).unwrap_or_default()
    }

    fn home(&mut self, member: &Member) -> Option<Home> {
        if !self.dice.chance(self.habits.addresses) {
            return None;
        }
        let is_old = self.errs(self.errors.old_home);
        let place = if is_old {
            1 + self.dice.below(2) as usize
        } else {
            0
        };
        member
            .homes
            .get(place)
            .or_else(|| member.homes.first())
            .cloned()
    }

    fn address(&mut self, home: &Home) -> [String; 4] {
        let mut street = format!("{} {}", home.number, home.street);
        let mut unit = home
            .unit
            .map(|unit| format!(" Apt {unit}"))
            .unwrap_or_default();
        if self.errs(self.errors.street_form) {
            match self.dice.below(4) {
                0 => {
                    street = street
                        .replace(" St", " Street")
                        .replace(" Ave", " Avenue")
                        .replace(" Rd", " Road")
                }
                1 => {
                    unit = home
                        .unit
                        .map(|unit| format!(" #{unit}"))
                        .unwrap_or_default()
                }
                2 => unit.clear(),
                _ => street = slip::text(&street, self.dice),
            }
        }
        [
            format!("{street}{unit}"),
            home.city.to_owned(),
            "CA".to_owned(),
            home.zip.to_string(),
        ]
    }
}

fn relationship(member: &Member) -> &'static str {
    match member.role {
        Role::Head => "head",
        Role::Partner => "spouse",
        Role::Child => "child",
        Role::Parent => "parent",
    }
}
