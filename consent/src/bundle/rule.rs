//! One rule: a Cedar policy with the annotations that make it readable.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Effect, Policy, PolicyId};
use jiff::civil::Date;

use super::annotation;
use super::error::BundleError;

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleKind {
    /// Opens, when its conditions hold.
    Permit,
    /// Opens, and a client's refusal cannot close it.
    Require,
    /// Closes, whatever else permits.
    Bar,
    /// Closes unless its condition holds.
    Condition,
    /// Adds a duty to a permit.
    Obligation,
}

impl RuleKind {
    fn parse(text: &str) -> Option<(Self, Effect)> {
        Some(match text {
            "permit" => (Self::Permit, Effect::Permit),
            "require" => (Self::Require, Effect::Permit),
            "bar" => (Self::Bar, Effect::Forbid),
            "condition" => (Self::Condition, Effect::Forbid),
            // An obligation rule "permits" when the duty applies; it stands in a set of its own.
            "obligation" => (Self::Obligation, Effect::Permit),
            _ => return None,
        })
    }

    /// The kind as rule files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Require => "require",
            Self::Bar => "bar",
            Self::Condition => "condition",
            Self::Obligation => "obligation",
        }
    }

    /// Whether the rule can close.
    #[must_use]
    pub const fn closes(self) -> bool {
        matches!(self, Self::Bar | Self::Condition)
    }
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id, which is also its file name.
    pub id: String,
    /// Whose rule it is.
    pub regime: String,
    /// What it does.
    pub kind: RuleKind,
    /// The kind of basis that it gives, such as `CONSENT` or `TREATMENT`.
    pub basis: Option<String>,
    /// The law in words.
    pub title: String,
    /// Where the law stands.
    pub citation: String,
    /// What it says, in plain English.
    pub summary_en: String,
    /// What it says, in plain Spanish.
    pub summary_es: String,
    /// First day on which it counts.
    pub effective_from: Date,
    /// Last day on which it counts.
    pub effective_to: Option<Date>,
    /// `US`, `CA`, a county, or `product`.
    pub jurisdiction: String,
    /// `verified`, `high`, `medium` or `low`.
    pub confidence: String,
    /// Who answers for the text.
    pub owner: String,
    /// The obligation that it adds.
    pub obligation: Option<String>,
    /// The notice that travels along.
    pub notice: Option<String>,
    /// Refrain codes that it adds.
    pub refrains: BTreeSet<String>,
    /// The number of years of a retention or accounting duty.
    pub years: Option<String>,
    /// Whether a person must look before anything is told.
    pub is_manual: bool,
    /// The regimes whose secrecy it lifts.
    pub lifts: BTreeSet<String>,
    /// Whether a county may widen or switch off the rule.
    pub county_may_widen: bool,
    /// The rule in whose place a county has put it.
    pub supersedes: Option<String>,
    /// Who reviewed the text last.
    pub reviewed_by: Option<String>,
    /// When it was reviewed last.
    pub reviewed_on: Option<Date>,
    /// The whole text.
    pub text: String,
    pub(crate) policy: Policy,
}

impl Rule {
    /// Reads one rule file.
    pub(super) fn parse(file: &str, regime: &str, text: &str) -> Result<Self, BundleError> {
        let malformed = |reason: String| BundleError::malformed(file, reason);
        let stem = file
            .rsplit('/')
            .next()
            .unwrap_or(file)
            .trim_end_matches(".cedar");
        let policy = Policy::parse(Some(PolicyId::new(stem)), text)
            .map_err(|errors| malformed(errors.to_string()))?;
        let mut notes: BTreeMap<_, _> = policy
            .annotations()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut optional = |name: &str| notes.remove(name);
        let set = |text: Option<String>| -> BTreeSet<String> {
            text.iter()
                .flat_map(|text| text.split(','))
                .map(|one| one.trim().to_owned())
                .collect()
        };
        let obligation = optional("obligation");
        let (basis, notice, years) = (optional("basis"), optional("notice"), optional("years"));
        let (refrains, lifts) = (set(optional("refrains")), set(optional("lifts")));
        let is_manual = flag(file, "manual", optional("manual").as_deref())?;
        let county_may_widen = flag(
            file,
            "county_may_widen",
            optional("county_may_widen").as_deref(),
        )?;
        let mut last_day = |name| {
            let text = optional(name);
            text.map(|text| day(file, &text)).transpose()
        };
        let (effective_to, reviewed_on) = (last_day("effective_to")?, last_day("reviewed_on")?);
        let (supersedes, reviewed_by) = (optional("supersedes"), optional("reviewed_by"));
        let mut required = |name: &str| {
            optional(name)
                .filter(|value| !value.trim().is_empty())
                .ok_or_else(|| malformed(format!("no annotation @{name}")))
        };
        let id = required("id")?;
        let kind = required("kind")?;
        let (kind, effect) =
            RuleKind::parse(&kind).ok_or_else(|| malformed(format!("unknown kind {kind:?}")))?;
        let rule = Self {
            regime: regime.to_owned(),
            title: required("title")?,
            citation: required("citation")?,
            summary_en: required("summary_en")?,
            summary_es: required("summary_es")?,
            effective_from: day(file, &required("effective_from")?)?,
            jurisdiction: required("jurisdiction")?,
            confidence: required("confidence")?,
            owner: required("owner")?,
            text: text.to_owned(),
            id,
            kind,
            basis,
            effective_to,
            obligation,
            notice,
            refrains,
            years,
            is_manual,
            lifts,
            county_may_widen,
            supersedes,
            reviewed_by,
            reviewed_on,
            policy,
        };
        if rule.id != stem {
            return Err(malformed(format!(
                "the id {} is not the file's name",
                rule.id
            )));
        }
        if rule.policy.effect() != effect {
            return Err(malformed("the effect does not fit the kind".to_owned()));
        }
        if let Some(name) = notes.keys().next() {
            return Err(malformed(format!("unknown annotation @{name}")));
        }
        annotation::check(&rule).map_err(|reason| BundleError::malformed(file, reason))?;
        Ok(rule)
    }

    /// Whether the rule counts on a day.
    #[must_use]
    pub fn is_effective_on(&self, day: Date) -> bool {
        self.effective_from <= day && self.effective_to.is_none_or(|last| day <= last)
    }

    /// Whether it asks which teams source and recipient share.
    pub(crate) fn asks_about_teams(&self) -> bool {
        self.text.contains("shared_teams")
    }

    /// The ages in whole years from which its text answers differently.
    pub(super) fn ages(&self) -> impl Iterator<Item = i16> {
        self.text
            .split("subject.age")
            .skip(1)
            .filter_map(turning_age)
    }
}

/// The age at which a comparison with a number of years turns.
fn turning_age(comparison: &str) -> Option<i16> {
    let comparison = comparison.trim_start();
    let (rest, step) = [(">=", 0), ("<=", 1), (">", 1), ("<", 0)]
        .into_iter()
        .find_map(|(sign, step)| Some((comparison.strip_prefix(sign)?, step)))?;
    let digits = rest.trim_start().split(|one: char| !one.is_ascii_digit());
    let years: i16 = digits.into_iter().next()?.parse().ok()?;
    years.checked_add(step)
}

fn flag(file: &str, name: &str, value: Option<&str>) -> Result<bool, BundleError> {
    match value {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(BundleError::malformed(
            file,
            format!("@{name} is neither true nor false"),
        )),
    }
}

fn day(file: &str, text: &str) -> Result<Date, BundleError> {
    text.parse()
        .map_err(|_| BundleError::malformed(file, format!("{text:?} is not a day")))
}
