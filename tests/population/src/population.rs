//! The walk through all families.

use anyhow::Result;

use crate::bank::Bank;
use crate::dice::Dice;
use crate::errors::Errors;
use crate::family::{Family, family};
use crate::row::{Row, TruthRow, Writing};
use crate::system::System;

/// What to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// At least so many people, whether a system knows them or not.
    pub people: u64,
    /// Another seed, other people.
    pub seed: u64,
    /// 1 is the ordinary difficulty, 0 a world without errors.
    pub difficulty: f64,
}

/// Families one after another; see the crate's documentation.
#[derive(Debug)]
pub struct Population {
    bank: Bank,
    parameters: Parameters,
    errors: Errors,
    people: u64,
    families: u64,
}

impl Population {
    /// Starts the walk.
    ///
    /// # Errors
    /// When a table of names that is compiled in is malformed, which a test rules out.
    pub fn new(parameters: Parameters) -> Result<Self> {
        Ok(Self {
            bank: Bank::new()?,
            parameters,
            errors: Errors::at(parameters.difficulty),
            people: 0,
            families: 0,
        })
    }

    /// The records of the next family, each with whom it is about; `None` when there are people enough.
    pub fn next_family(&mut self) -> Option<Vec<(Row, TruthRow)>> {
        if self.people >= self.parameters.people {
            return None;
        }
        let mut dice = Dice::of(self.parameters.seed, self.families);
        let family = family(&self.bank, &mut dice, self.people);
        self.people += family.members.len() as u64;
        self.families += 1;
        Some(self.records(&family, &mut dice))
    }

    fn records(&self, family: &Family, dice: &mut Dice) -> Vec<(Row, TruthRow)> {
        let mut found = Vec::new();
        for system in System::ALL {
            let habits = system.habits();
            if !dice.chance(habits.families) {
                continue;
            }
            let mut writing = Writing::new(&self.bank, &self.errors, system, self.families, dice);
            for member in &family.members {
                let share = if member.is_child() {
                    habits.children
                } else {
                    habits.adults
                };
                if writing.dice.chance(share) {
                    found.push(writing.row(family, member, 1));
                    if writing.dice.chance(self.errors.twice) {
                        found.push(writing.row(family, member, 2));
                    }
                }
            }
        }
        found
    }
}
