//! Which category is stricter than which.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use crate::model::category::Category;
use crate::tables::{Row, Table, TableError};

const TEXT: &str = include_str!("../../tables/labels/strictness.csv");
const HEADER: [&str; 4] = ["category", "confidentiality", "raised_from", "stays_as"];

/// HL7 v3-Confidentiality of a category, loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidentiality {
    /// `N`, normal.
    Normal,
    /// `R`, restricted.
    Restricted,
    /// `V`, very restricted.
    VeryRestricted,
}

#[derive(Debug, Clone)]
struct Grade {
    rank: usize,
    confidentiality: Confidentiality,
    /// Every category from which this one is reached, in any number of steps.
    below: BTreeSet<Category>,
    stays_as: Option<String>,
}

/// The order of the categories. It is no line: categories that different laws guard stand beside each other.
#[derive(Debug, Clone)]
pub struct Strictness {
    grades: BTreeMap<Category, Grade>,
}

impl Strictness {
    /// The order that comes with Tandem.
    ///
    /// # Errors
    /// When the table is malformed, leaves a category out, or lets a category fall; a test shows that it does not.
    pub fn shipped() -> Result<Self, TableError> {
        let table = Table::parse("strictness.csv", TEXT, &HEADER)?.unique_by(&["category"])?;
        let mut order = Self {
            grades: BTreeMap::new(),
        };
        for (rank, row) in table.rows().iter().enumerate() {
            order.read(rank, row)?;
        }
        let is_missing = |category: &Category| !order.grades.contains_key(category);
        match (
            Category::ALL.iter().find(|one| is_missing(one)),
            table.rows().last(),
        ) {
            (Some(missing), Some(row)) => {
                Err(row.refuse("category", format!("a row for {missing} too")))
            }
            _ => Ok(order),
        }
    }

    /// The order that comes with Tandem, read once.
    ///
    /// # Errors
    /// As for [`Strictness::shipped`].
    pub fn shared() -> Result<&'static Self, TableError> {
        static ORDER: OnceLock<Result<Strictness, TableError>> = OnceLock::new();
        let order = ORDER.get_or_init(Self::shipped);
        order.as_ref().map_err(Clone::clone)
    }

    fn read(&mut self, rank: usize, row: &Row) -> Result<(), TableError> {
        let category: Category = row.parsed("category", "a data category")?;
        let confidentiality = match row.get("confidentiality") {
            "N" => Confidentiality::Normal,
            "R" => Confidentiality::Restricted,
            "V" => Confidentiality::VeryRestricted,
            _ => return Err(row.refuse("confidentiality", "N, R or V")),
        };
        let mut below = BTreeSet::new();
        for name in row.get("raised_from").split_whitespace() {
            let from = name.parse::<Category>().ok();
            let grade = from.and_then(|from| Some((from, self.grades.get(&from)?)));
            let Some((from, grade)) =
                grade.filter(|(_, one)| one.confidentiality <= confidentiality)
            else {
                let expected = "categories of earlier rows that are no stricter";
                return Err(row.refuse("raised_from", expected));
            };
            below.insert(from);
            below.extend(&grade.below);
        }
        let stays_as = Some(row.get("stays_as")).filter(|label| !label.is_empty());
        let grade = Grade {
            rank,
            confidentiality,
            below,
            stays_as: stays_as.map(str::to_owned),
        };
        self.grades.insert(category, grade);
        Ok(())
    }

    /// Whether a category is the other one or becomes it when raised.
    #[must_use]
    pub fn is_at_least(&self, stricter: Category, than: Category) -> bool {
        stricter == than
            || self
                .grades
                .get(&stricter)
                .is_some_and(|grade| grade.below.contains(&than))
    }

    /// What a category becomes when another one is called for: the other one where it is stricter, else itself.
    #[must_use]
    pub fn raised(&self, from: Category, to: Category) -> Category {
        if self.is_at_least(to, from) { to } else { from }
    }

    /// The strictest of the categories to which one is raised; the order in which they are named does not matter.
    #[must_use]
    pub fn highest(
        &self,
        from: Category,
        called_for: impl IntoIterator<Item = Category>,
    ) -> Category {
        let reached = called_for
            .into_iter()
            .filter(|to| self.is_at_least(*to, from));
        let rank = |category: &Category| self.grades.get(category).map_or(0, |grade| grade.rank);
        reached.max_by_key(rank).unwrap_or(from)
    }

    /// The label by which a category stays known when it is raised to a stricter one or stands beside another.
    #[must_use]
    pub fn stays_as(&self, category: Category) -> Option<&str> {
        self.grades.get(&category)?.stays_as.as_deref()
    }

    /// How confidential a category is.
    #[must_use]
    pub fn confidentiality(&self, category: Category) -> Confidentiality {
        self.grades
            .get(&category)
            .map_or(Confidentiality::VeryRestricted, |grade| {
                grade.confidentiality
            })
    }
}
