//! A bundle: the rules of every regime, what they cover, and the county's layer over them.

mod annotation;
mod county;
mod coverage;
mod elements;
mod error;
mod files;
mod law;
mod load;
mod regime;
mod rule;
mod switch;
mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cedar_policy::{PolicySet, Schema};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::canonical::canonical_json;

pub(crate) use self::county::OffRule;
pub(crate) use self::coverage::{Coverage, SourceCoverage};
pub(crate) use self::elements::ElementLists;
pub use self::error::BundleError;
use self::files::Files;
pub use self::law::LawRow;
pub(crate) use self::law::Laws;
pub(crate) use self::regime::{DefaultRule, Regime};
pub use self::rule::{Rule, RuleKind};
pub use self::switch::Switch;
use crate::example::{RuleExamples, World};

/// Rules, coverage and county layer, parsed and checked once.
#[derive(Debug)]
pub struct Bundle {
    /// The files of which it was made, to be kept for replay.
    files: Files,
    pub(crate) hash: String,
    pub(crate) jurisdiction: Option<String>,
    pub(crate) zone: TimeZone,
    pub(crate) schema: Schema,
    pub(crate) coverage: Coverage,
    pub(crate) elements: ElementLists,
    pub(crate) regimes: BTreeMap<String, Regime>,
    /// Rules that do not count here, by switch or because the county took them out.
    pub(crate) off: Vec<OffRule>,
    /// Rules in whose place the county has put its own.
    pub(crate) superseded: BTreeSet<String>,
    /// The points for counsel, as they are set here.
    pub(crate) switches: Vec<Switch>,
    /// The table of the laws that the rules write out.
    pub(crate) laws: Laws,
    /// The world of the examples, and the examples by rule.
    pub(crate) world: World,
    pub(crate) examples: BTreeMap<String, RuleExamples>,
    /// The ages from which a rule answers differently.
    pub(crate) ages: BTreeSet<i16>,
}

impl Bundle {
    /// The embedded rules; for the demo county with its own layer over them.
    ///
    /// # Errors
    /// When the embedded rules do not pass their checks.
    pub fn default_for(jurisdiction: &str) -> Result<Self, BundleError> {
        load::build(&Files::embedded(jurisdiction))
    }

    /// The rules of a folder. A folder with a schema replaces the embedded rules; one with a
    /// `county.toml` alone is laid over them.
    ///
    /// # Errors
    /// When a file cannot be read, does not parse, fails strict validation against the schema, or
    /// when a county layer would widen what the law permits.
    pub fn load(folder: &Path) -> Result<Self, BundleError> {
        load::build(&Files::read(folder)?)
    }

    /// A bundle from the text that [`Bundle::to_stored`] gave: what was in force is loaded as it was, years later.
    ///
    /// # Errors
    /// When the text is not of that form, or the rules do not pass today's checks.
    pub fn from_stored(text: &str) -> Result<Self, BundleError> {
        let files = serde_json::from_str(text)
            .map_err(|error| BundleError::malformed("stored bundle", error.to_string()))?;
        load::build(&files)
    }

    /// Every file as one text, for a store that keeps what was in force.
    #[must_use]
    pub fn to_stored(&self) -> String {
        canonical_json(&self.files)
    }

    /// The content hash, `sha256:` and hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The jurisdiction of the county layer; `None` without one.
    #[must_use]
    pub fn jurisdiction(&self) -> Option<&str> {
        self.jurisdiction.as_deref()
    }

    /// The zone whose days count.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Every rule, by regime and id.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.regimes
            .values()
            .flat_map(|regime| regime.rules.values())
    }

    /// What rules may look at.
    #[must_use]
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The rules of a regime that permit and forbid on a day, as they are evaluated.
    #[must_use]
    pub fn decisive(&self, regime: &str, day: Date) -> Option<&PolicySet> {
        Some(&self.regimes.get(regime)?.on(day)?.decisive)
    }

    /// The rules of a regime that add duties on a day, as they are evaluated.
    #[must_use]
    pub fn obligations(&self, regime: &str, day: Date) -> Option<&PolicySet> {
        Some(&self.regimes.get(regime)?.on(day)?.obligations)
    }

    /// The points on which counsel decides, as they are set here.
    #[must_use]
    pub fn switches(&self) -> &[Switch] {
        &self.switches
    }

    /// Rules that do not count here, each with the switch or the county's reason that took it out.
    pub fn rules_off(&self) -> impl Iterator<Item = (&Rule, &str)> {
        self.off.iter().map(|off| (&off.rule, off.reason.as_str()))
    }

    /// Every rule, also those that do not count here.
    pub(crate) fn all_rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules().chain(self.off.iter().map(|off| &off.rule))
    }

    /// What a regime is called in plain English, for whom its name in the bundle says nothing.
    #[must_use]
    pub fn regime_title(&self, regime: &str) -> Option<&str> {
        Some(&self.regimes.get(regime)?.name_en)
    }

    /// The names of the regimes.
    pub fn regimes(&self) -> impl Iterator<Item = &str> {
        self.regimes.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests;
