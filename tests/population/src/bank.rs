//! The names there are.

use std::collections::HashMap;

use anyhow::{Context as _, Result, bail};

use crate::dice::Dice;

const GIVEN: &str = include_str!("../data/given_names.csv");
const FAMILY: &str = include_str!("../data/family_names.csv");
const NICKNAMES: &str = include_str!("../data/nicknames.csv");

/// Groups of names with the share of the families that bear them.
const GROUPS: [(&str, f64); 5] = [
    ("english", 0.44),
    ("spanish", 0.40),
    ("vietnamese", 0.06),
    ("chinese", 0.06),
    ("armenian", 0.04),
];

/// Given names outside the lists, as a share of all.
const RARE_GIVEN: f64 = 0.12;
/// Family names outside the lists, as a share of all.
const RARE_FAMILY: f64 = 0.35;
/// How many rare family names each group has.
const RARE_FAMILIES: usize = 60_000;
/// How many rare given names there are.
const RARE_GIVENS: usize = 12_000;

const SYLLABLES: [&str; 32] = [
    "ba", "ben", "cor", "da", "del", "dro", "fan", "gar", "gus", "hol", "ja", "ka", "len", "lo",
    "mar", "mi", "mo", "nar", "ne", "par", "qui", "ra", "sal", "so", "ter", "tol", "va", "vi",
    "wen", "yo", "zan", "zu",
];

/// Which names a family bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group(usize);

impl Group {
    /// Whether children bear the family names of both parents.
    pub(crate) fn has_two_family_names(self) -> bool {
        self.0 == 1
    }

    /// The label that reports use.
    pub(crate) fn label(self) -> &'static str {
        GROUPS.get(self.0).map_or("", |(label, _)| label)
    }
}

#[derive(Debug, Default)]
struct Lists {
    female: Vec<&'static str>,
    male: Vec<&'static str>,
    family: Vec<&'static str>,
}

/// All names, most frequent first.
#[derive(Debug)]
pub(crate) struct Bank {
    groups: Vec<Lists>,
    nicknames: HashMap<&'static str, Vec<&'static str>>,
}

impl Bank {
    pub(crate) fn new() -> Result<Self> {
        let mut bank = Self {
            groups: GROUPS.iter().map(|_| Lists::default()).collect(),
            nicknames: HashMap::new(),
        };
        for line in rows(GIVEN) {
            let [group, sex, name] = fields(line).context("given names")?;
            let lists = bank.lists(group)?;
            match sex {
                "female" => lists.female.push(name),
                "male" => lists.male.push(name),
                other => bail!("given names: expected female or male, found {other}"),
            }
        }
        for line in rows(FAMILY) {
            let [group, name] = fields(line).context("family names")?;
            bank.lists(group)?.family.push(name);
        }
        for line in rows(NICKNAMES) {
            let [name, nickname] = fields(line).context("nicknames")?;
            bank.nicknames.entry(name).or_default().push(nickname);
        }
        Ok(bank)
    }

    fn lists(&mut self, label: &str) -> Result<&mut Lists> {
        let place = GROUPS.iter().position(|(group, _)| *group == label);
        place
            .and_then(|place| self.groups.get_mut(place))
            .with_context(|| format!("unknown group of names {label}"))
    }

    pub(crate) fn group(&self, dice: &mut Dice) -> Group {
        let mut share = dice.share();
        for (place, (_, part)) in GROUPS.iter().enumerate() {
            if share < *part {
                return Group(place);
            }
            share -= part;
        }
        Group(0)
    }

    pub(crate) fn given(&self, group: Group, is_female: bool, dice: &mut Dice) -> String {
        if dice.chance(RARE_GIVEN) {
            return invented(
                dice.ranked(RARE_GIVENS),
                0x61,
                if is_female { "a" } else { "" },
            );
        }
        let Some(lists) = self.groups.get(group.0) else {
            return String::new();
        };
        let list = if is_female {
            &lists.female
        } else {
            &lists.male
        };
        list.get(dice.ranked(list.len()))
            .copied()
            .unwrap_or_default()
            .to_owned()
    }

    pub(crate) fn family(&self, group: Group, dice: &mut Dice) -> String {
        if dice.chance(RARE_FAMILY) {
            return invented(dice.ranked(RARE_FAMILIES), 0x7F + group.0 as u64, "");
        }
        let list = self.groups.get(group.0).map(|lists| &lists.family);
        let name = list.and_then(|list| list.get(dice.ranked(list.len())));
        name.copied().unwrap_or_default().to_owned()
    }

    pub(crate) fn nickname(&self, name: &str, dice: &mut Dice) -> Option<&'static str> {
        dice.one(self.nicknames.get(name)?)
    }
}

/// The rare name of a rank: syllables that the rank and the list determine.
fn invented(rank: usize, list: u64, ending: &str) -> String {
    let mut dice = Dice::of(list, rank as u64);
    let syllables = 2 + usize::from(dice.chance(0.6)) + usize::from(dice.chance(0.15));
    let mut name: String = (0..syllables)
        .filter_map(|_| dice.one(&SYLLABLES))
        .collect();
    name.push_str(ending);
    let initial = name.get(..1).unwrap_or_default().to_uppercase();
    name.replace_range(..1, &initial);
    name
}

fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#')).skip(1)
}

fn fields<const N: usize>(line: &'static str) -> Result<[&'static str; N]> {
    let fields: Vec<&str> = line.split(',').collect();
    fields
        .try_into()
        .map_err(|_| anyhow::anyhow!("expected {N} columns in {line}"))
}
