//! How long each kind of row is kept. The terms are a table with a source and a version; a county may keep longer, and
//! shorter as far as the law behind the kind lets it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The shipped terms.
const TABLE: &str = include_str!("retention_terms.csv");
/// Longest term in years that is written as a number: beyond it lies `for ever`.
const MOST_YEARS: i16 = 200;

/// A kind of row that is disposed of when its term is over. They stand in the order in which a run takes them: what
/// another kind needs comes after that other, so that a run disposes of what a dry run has counted, and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RowKind {
    /// What events tell.
    Events,
    /// Records about a person, with links and closed cases.
    People,
    /// Inputs as they came.
    Originals,
    /// Consents in the versions on which decisions rested.
    Evidence,
    /// Decisions with their reasons.
    Decisions,
    /// Programmes' plans.
    Plans,
    /// Closed referrals.
    Referrals,
    /// Ended co-management, with its lined-up plan.
    Episodes,
    /// Consents that ended, with their scanned documents.
    Consents,
    /// Messages that came to an end: content, attempts, who holds a copy.
    Deliveries,
    /// Broken glass.
    Emergencies,
    /// What operators put back into lanes.
    Replays,
}

impl RowKind {
    /// Every kind, in the order of a run.
    pub const ALL: [Self; 12] = [
        Self::Events,
        Self::People,
        Self::Originals,
        Self::Evidence,
        Self::Decisions,
        Self::Plans,
        Self::Referrals,
        Self::Episodes,
        Self::Consents,
        Self::Deliveries,
        Self::Emergencies,
        Self::Replays,
    ];

    /// The kind as text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::People => "people",
            Self::Originals => "originals",
            Self::Evidence => "evidence",
            Self::Decisions => "decisions",
            Self::Plans => "plans",
            Self::Referrals => "referrals",
            Self::Episodes => "episodes",
            Self::Consents => "consents",
            Self::Deliveries => "deliveries",
            Self::Emergencies => "emergencies",
            Self::Replays => "replays",
        }
    }
}

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum Term {
    /// So many years.
    Years(i16),
    /// Nothing is disposed of.
    ForEver,
}

/// What a term must look like.
#[derive(Debug, thiserror::Error)]
#[error("expected whole years, for example \"6 years\", or \"for ever\"")]
pub struct TermError;

impl FromStr for Term {
    type Err = TermError;

    fn from_str(text: &str) -> Result<Self, TermError> {
        if text == "for ever" {
            return Ok(Self::ForEver);
        }
        let number = text
            .strip_suffix(" years")
            .or_else(|| text.strip_suffix(" year"));
        let years: Option<i16> = number.and_then(|number| number.parse().ok());
        years
            .filter(|years| (1..=MOST_YEARS).contains(years))
            .map(Self::Years)
            .ok_or(TermError)
    }
}

impl TryFrom<String> for Term {
    type Error = TermError;

    fn try_from(text: String) -> Result<Self, TermError> {
        text.parse()
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Years(1) => f.write_str("1 year"),
            Self::Years(years) => write!(f, "{years} years"),
            Self::ForEver => f.write_str("for ever"),
        }
    }
}

impl Term {
    /// The instant before which a row must have been counted from for its term to be over; `None` when it never is.
    #[must_use]
    pub fn cutoff(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let Self::Years(years) = self else {
            return None;
        };
        let then = now.to_zoned(zone.clone()).checked_sub(years.years());
        then.ok().map(|then| then.timestamp())
    }
}

/// What the table says of a kind.
#[derive(Debug, Clone, Deserialize)]
pub struct TermRow {
    /// The kind.
    pub kind: RowKind,
    /// The term in years, unless the county sets another.
    pub years: i16,
    /// The shortest term that may be set.
    pub least: i16,
    /// From when the term is counted.
    pub counted_from: String,
    /// On what the term rests.
    pub why: String,
    /// What forbids a shorter one.
    pub least_by: String,
}

/// The shipped table.
#[derive(Debug)]
pub struct Terms {
    /// Its version.
    pub version: String,
    rows: BTreeMap<RowKind, TermRow>,
}

impl Terms {
    /// The shipped table. A test holds that it can be read and names every kind.
    pub fn shipped() -> &'static Self {
        static SHIPPED: OnceLock<Terms> = OnceLock::new();
        SHIPPED.get_or_init(|| {
            let version = TABLE
                .lines()
                .find_map(|line| line.strip_prefix("# version: "));
            let mut reader = csv::ReaderBuilder::new()
                .comment(Some(b'#'))
                .from_reader(TABLE.as_bytes());
            let rows = reader.deserialize().filter_map(Result::ok);
            Self {
                version: version.unwrap_or_default().to_owned(),
                rows: rows.map(|row: TermRow| (row.kind, row)).collect(),
            }
        })
    }

    /// What the table says of a kind.
    #[must_use]
    pub fn of(&self, kind: RowKind) -> Option<&TermRow> {
        self.rows.get(&kind)
    }
}

/// When what is past its term is disposed of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Disposal {
    /// Once a day, by a serving gateway.
    #[default]
    Daily,
    /// When a privacy officer asks for it.
    ByCommand,
}

/// How long rows are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// When what is past its term is disposed of.
    pub dispose: Disposal,
    /// Terms other than those of the table, by kind.
    pub keep: BTreeMap<RowKind, Term>,
}

impl RetentionConfig {
    /// How long a kind is kept. A kind of which the table says nothing is kept for ever.
    #[must_use]
    pub fn term(&self, kind: RowKind) -> Term {
        let shipped = || Terms::shipped().of(kind);
        let shipped = || shipped().map_or(Term::ForEver, |row| Term::Years(row.years));
        self.keep.get(&kind).copied().unwrap_or_else(shipped)
    }

    /// What does not fit, each with its place and the law that forbids it.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (kind, term) in &self.keep {
            let Some(row) = Terms::shipped().of(*kind) else {
                continue;
            };
            let least = Term::Years(row.least);
            if *term < least {
                problems.push(format!(
                    "retention.keep.{}: {term} is too short, expected at least {least} ({})",
                    kind.code(),
                    row.least_by
                ));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_of_every_kind_how_long_it_is_kept_and_by_which_source() {
        let table = Terms::shipped();
        assert!(!table.version.is_empty());
        for kind in RowKind::ALL {
            let row = table.of(kind).unwrap();
            assert!(row.least >= 1 && row.years >= row.least, "{}", kind.code());
            assert!(
                !row.why.is_empty() && !row.least_by.is_empty(),
                "{}",
                kind.code()
            );
        }
        assert_eq!(table.rows.len(), RowKind::ALL.len());
        let own: Vec<_> = RowKind::ALL.iter().map(|kind| kind.code()).collect();
        let listed = TABLE
            .lines()
            .skip(3)
            .map(|line| line.split(',').next().unwrap());
        assert_eq!(
            listed.collect::<Vec<_>>(),
            own,
            "a line each, in the order of a run"
        );
    }

    #[test]
    fn a_term_below_what_the_law_asks_for_is_refused_with_the_citation() {
        let text = "[keep]\ndecisions = \"5 years\"\noriginals = \"1 year\"\nconsents = \"for ever\"\n\
            deliveries = \"12 years\"";
        let config: RetentionConfig = toml::from_str(text).unwrap();
        let problems = config.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("retention.keep.decisions: 5 years is too short"));
        assert!(
            problems[0].contains("45 CFR 164.530(j)(2)"),
            "{}",
            problems[0]
        );
        assert_eq!(config.term(RowKind::Deliveries), Term::Years(12));
        assert_eq!(config.term(RowKind::People), Term::Years(7));
    }

    #[test]
    fn a_term_is_whole_years_or_for_ever() {
        for text in [
            "0 years",
            "six years",
            "6",
            "6 months",
            "-1 years",
            "201 years",
            "",
        ] {
            assert!(text.parse::<Term>().is_err(), "{text}");
        }
        for text in ["1 year", "6 years", "for ever"] {
            assert_eq!(text.parse::<Term>().unwrap().to_string(), text);
        }
        let unknown: Result<RetentionConfig, _> = toml::from_str("[keep]\nminutes = \"6 years\"");
        assert!(unknown.unwrap_err().to_string().contains("minutes"));
    }

    #[test]
    fn a_term_ends_on_the_day_of_the_calendar_and_the_leap_day_s_on_the_last_of_february() {
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        let now: Timestamp = "2032-03-01T00:00:00-08:00".parse().unwrap();
        let cutoff = Term::Years(6).cutoff(now, &zone).unwrap();
        assert_eq!(cutoff, "2026-03-01T00:00:00-08:00".parse().unwrap());
        let leap: Timestamp = "2032-02-29T12:00:00-08:00".parse().unwrap();
        let cutoff = Term::Years(6).cutoff(leap, &zone).unwrap();
        assert_eq!(cutoff, "2026-02-28T12:00:00-08:00".parse().unwrap());
        assert_eq!(Term::ForEver.cutoff(now, &zone), None);
    }
}
