//! Families in which most wrong links happen: twins, father and son of one name, sisters of nearly one age, mother and
//! daughter of one name.

use anyhow::Result;

use crate::bank::Bank;
use crate::dice::Dice;
use crate::errors::Errors;
use crate::family::{Draw, Family, day};
use crate::member::{Member, Role};
use crate::row::{Row, TruthRow, Writing};
use crate::system::System;

/// Households of look-alikes have numbers from here on, their members too: no other household and nobody else has.
pub const LOOKALIKES_FROM: u64 = 2_000_000_000;

/// What makes two people of one household look alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Twins,
    FatherAndSon,
    Sisters,
    MotherAndDaughter,
}

impl Kind {
    /// The kinds in turn: the place is the household's number modulo four.
    const ALL: [Self; 4] = [
        Self::Twins,
        Self::FatherAndSon,
        Self::Sisters,
        Self::MotherAndDaughter,
    ];
}

/// Families of two, the kinds in turn, with the records that the four systems keep of them. Each system knows each
/// family, and its members as often as those of any family that it knows.
#[derive(Debug)]
pub struct Lookalikes {
    bank: Bank,
    errors: Errors,
    seed: u64,
    families: u64,
    drawn: u64,
}

impl Lookalikes {
    /// Starts the walk through so many families.
    ///
    /// # Errors
    /// When a table of names that is compiled in is malformed, which a test rules out.
    pub fn new(families: u64, seed: u64, difficulty: f64) -> Result<Self> {
        Ok(Self {
            bank: Bank::new()?,
            errors: Errors::at(difficulty),
            seed,
            families,
            drawn: 0,
        })
    }

    /// The records of the next family, each with whom it is about.
    pub fn next_family(&mut self) -> Option<Vec<(Row, TruthRow)>> {
        if self.drawn >= self.families {
            return None;
        }
        let household = LOOKALIKES_FROM + self.drawn;
        let mut dice = Dice::of(self.seed, household);
        let kind = Kind::ALL
            .get((household % 4) as usize)
            .copied()
            .unwrap_or(Kind::Twins);
        let members = pair(
            &self.bank,
            &mut dice,
            kind,
            LOOKALIKES_FROM + 2 * self.drawn,
        );
        self.drawn += 1;
        Some(self.records(&Family { members }, household, &mut dice))
    }

    fn records(&self, family: &Family, household: u64, dice: &mut Dice) -> Vec<(Row, TruthRow)> {
        let mut found = Vec::new();
        for system in System::ALL {
            let habits = system.habits();
            let mut writing = Writing::new(&self.bank, &self.errors, system, household, dice);
            for member in &family.members {
                let share = if member.is_child() {
                    habits.children
                } else {
                    habits.adults
                };
                if writing.dice.chance(share) {
                    found.push(writing.row(family, member, 1));
                }
            }
        }
        found
    }
}

/// The two members of a family.
fn pair(bank: &Bank, dice: &mut Dice, kind: Kind, first: u64) -> Vec<Member> {
    let (mut draw, names) = Draw::new(bank, dice, first);
    match kind {
        Kind::Twins => {
            let born = any_day(dice);
            let one = draw.child(dice, &names, born);
            let other = draw.twin(dice, &one, &names);
            vec![one, other]
        }
        Kind::Sisters => {
            let born = any_day(dice);
            let mut elder = draw.child(dice, &names, born);
            let years_apart = 1 + dice.below(4) as i64;
            let younger_born = day(dice, born.year + years_apart);
            let mut younger = draw.child(dice, &names, younger_born);
            for sister in [&mut elder, &mut younger] {
                sister.is_female = true;
            }
            elder.given = draw.own_given(dice, true, "");
            younger.given = draw.own_given(dice, true, &elder.given);
            vec![elder, younger]
        }
        Kind::FatherAndSon | Kind::MotherAndDaughter => {
            let is_female = kind == Kind::MotherAndDaughter;
            let mut parent = draw.adult(dice, Role::Head, is_female, &names, (1955, 1995));
            let years_apart = 17 + dice.below(20) as i64;
            let born = day(dice, parent.born.year + years_apart);
            let mut child = draw.child(dice, &names, born);
            child.is_female = is_female;
            child.given.clone_from(&parent.given);
            if !is_female {
                child.middle.clone_from(&parent.middle);
                (parent.suffix, child.suffix) = ("Sr", "Jr");
            }
            vec![parent, child]
        }
    }
}

/// A birth date of a child or of a grown-up.
fn any_day(dice: &mut Dice) -> crate::member::Day {
    let year = 1960 + dice.below(60) as i64;
    day(dice, year)
}
