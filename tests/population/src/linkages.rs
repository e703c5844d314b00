//! Two systems whose sizes, overlap and open cases are given: the shape of a Linkages report.

use std::str::FromStr;

use anyhow::{Context as _, Result, bail, ensure};

use crate::bank::Bank;
use crate::dice::Dice;
use crate::errors::Errors;
use crate::family::family;
use crate::row::{Row, TruthRow, Writing};
use crate::system::System;

/// How often a child is known to the same systems as the first child of the family.
const LIKE_THE_FIRST: f64 = 0.8;

/// How many children cash aid (A) and child welfare (B) know. Each has one record in each system that knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Children whom A knows.
    pub a: u64,
    /// Children whom B knows.
    pub b: u64,
    /// Children whom both know.
    pub both: u64,
    /// Children with an open case in B.
    pub open: u64,
    /// Of these, how many A knows too.
    pub open_both: u64,
}

impl Shape {
    /// One to a hundred of the published California example.
    pub const CALIFORNIA_HUNDREDTH: Self = Self {
        a: 17_860,
        b: 6_906,
        both: 2_501,
        open: 1_263,
        open_both: 599,
    };

    /// The published California example; of its overlap and its open cases the hundredth is what is known.
    pub const CALIFORNIA: Self = Self {
        a: 1_785_978,
        b: 690_593,
        both: 250_100,
        open: 126_300,
        open_both: 59_900,
    };

    fn check(&self) -> Result<()> {
        ensure!(
            self.both <= self.a.min(self.b),
            "both: expected no more than a and b"
        );
        let open_b_only = self.open.checked_sub(self.open_both);
        ensure!(
            self.open_both <= self.both
                && open_b_only.is_some_and(|open| open <= self.b - self.both),
            "open: expected no more than there are in b"
        );
        Ok(())
    }
}

impl FromStr for Shape {
    type Err = anyhow::Error;

    /// `california-hundredth`, `california`, or the five numbers `A,B,BOTH,OPEN,OPEN_BOTH`.
    fn from_str(text: &str) -> Result<Self> {
        let shape = match text {
            "california-hundredth" => Self::CALIFORNIA_HUNDREDTH,
            "california" => Self::CALIFORNIA,
            numbers => {
                let numbers: Vec<u64> = numbers
                    .split(',')
                    .map(str::parse)
                    .collect::<Result<_, _>>()
                    .context(
                        "expected california-hundredth, california or A,B,BOTH,OPEN,OPEN_BOTH",
                    )?;
                let [a, b, both, open, open_both] = numbers[..] else {
                    bail!("expected five numbers A,B,BOTH,OPEN,OPEN_BOTH");
                };
                Self {
                    a,
                    b,
                    both,
                    open,
                    open_both,
                }
            }
        };
        shape.check()?;
        Ok(shape)
    }
}

/// Who of a shape is still to come, and who of them has an open case: drawn without replacement, so that the numbers
/// come out exactly.
#[derive(Debug, Clone, Copy)]
struct Quota {
    children: u64,
    open: u64,
}

impl Quota {
    /// Takes one; whether its case is open.
    fn take(&mut self, dice: &mut Dice) -> bool {
        let is_open = dice.below(self.children) < self.open;
        self.children = self.children.saturating_sub(1);
        self.open -= u64::from(is_open);
        is_open
    }
}

/// The systems that know a child: places in [`Linkages::quotas`].
const KNOWN_TO: [&[System]; 3] = [
    &[System::Tanf, System::ChildWelfare],
    &[System::Tanf],
    &[System::ChildWelfare],
];

/// A record of a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The record.
    pub row: Row,
    /// Whom it is about.
    pub about: TruthRow,
    /// Whether it stands for an open case of child welfare.
    pub is_open: bool,
}

/// The children of a shape, family by family.
#[derive(Debug)]
pub struct Linkages {
    bank: Bank,
    errors: Errors,
    seed: u64,
    quotas: [Quota; 3],
    people: u64,
    families: u64,
}

impl Linkages {
    /// Starts the walk.
    ///
    /// # Errors
    /// When the shape's numbers contradict each other.
    pub fn new(shape: Shape, seed: u64, difficulty: f64) -> Result<Self> {
        shape.check()?;
        let quota = |children, open| Quota { children, open };
        Ok(Self {
            bank: Bank::new()?,
            errors: Errors::at(difficulty),
            seed,
            quotas: [
                quota(shape.both, shape.open_both),
                quota(shape.a - shape.both, 0),
                quota(shape.b - shape.both, shape.open - shape.open_both),
            ],
            people: 0,
            families: 0,
        })
    }

    /// The records of the next family with children; `None` when the shape is full.
    pub fn next_family(&mut self) -> Option<Vec<Known>> {
        let mut found = Vec::new();
        while found.is_empty() {
            if self.left() == 0 {
                return None;
            }
            found = self.family();
        }
        Some(found)
    }

    fn left(&self) -> u64 {
        self.quotas.iter().map(|quota| quota.children).sum()
    }

    fn family(&mut self) -> Vec<Known> {
        let mut dice = Dice::of(self.seed, self.families);
        let family = family(&self.bank, &mut dice, self.people);
        self.people += family.members.len() as u64;
        let mut first = None;
        let mut found = Vec::new();
        for child in family.members.iter().filter(|member| member.is_child()) {
            let Some(place) = self.place(first, &mut dice) else {
                break;
            };
            first.get_or_insert(place);
            let (Some(quota), Some(systems)) = (self.quotas.get_mut(place), KNOWN_TO.get(place))
            else {
                break;
            };
            let is_open = quota.take(&mut dice);
            for &system in *systems {
                let (bank, errors) = (&self.bank, &self.errors);
                let mut writing = Writing::new(bank, errors, system, self.families, &mut dice);
                let (row, about) = writing.row(&family, child, 1);
                found.push(Known {
                    row,
                    about,
                    is_open: is_open && system == System::ChildWelfare,
                });
            }
        }
        self.families += 1;
        found
    }

    /// Which systems know the next child: mostly those that know the family's first, else as many as are left.
    fn place(&self, first: Option<usize>, dice: &mut Dice) -> Option<usize> {
        let has_left = |place: &usize| self.quotas.get(*place).is_some_and(|one| one.children > 0);
        if let Some(place) = first.filter(has_left)
            && dice.chance(LIKE_THE_FIRST)
        {
            return Some(place);
        }
        let left = self.left();
        let mut drawn = dice.below(left);
        self.quotas.iter().position(|quota| {
            let is_here = drawn < quota.children;
            drawn = drawn.saturating_sub(quota.children);
            is_here
        })
    }
}
