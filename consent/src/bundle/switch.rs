//! The points for counsel as switches of the county's configuration: `switches.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::county::{COUNTY_FILE, OffRule, Rules};
use super::elements::ElementLists;
use super::error::BundleError;
use super::rule::{Rule, RuleKind};
use crate::directive::Element;

/// The file of the switches.
pub(super) const SWITCHES_FILE: &str = "switches.toml";

/// A point of law that a county's counsel decides.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// The number of the point in the list for counsel.
    pub point: u8,
    /// Its key in `[law]` of `county.toml`.
    pub key: String,
    /// The question.
    pub asks: String,
    /// The value that counts when the county says nothing.
    pub default: String,
    /// The values that a county may choose.
    values: BTreeMap<String, Choice>,
    /// The value that counts here.
    #[serde(skip)]
    pub chosen: String,
}

/// What a value of a switch does.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    /// What it means, in a sentence.
    means: String,
    /// The rules that do not count.
    #[serde(default)]
    off: BTreeSet<String>,
    /// Elements that documents must hold on top of the lists, by regime.
    #[serde(default)]
    elements: BTreeMap<String, BTreeSet<Element>>,
}

/// The content of `switches.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SwitchFile {
    switch: Vec<Switch>,
}

impl Switch {
    /// The values with what each means, and the rules that do not count under it.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str, &BTreeSet<String>)> {
        let values = self.values.iter();
        values.map(|(name, choice)| (name.as_str(), choice.means.as_str(), &choice.off))
    }

    /// Every rule on which the switch acts.
    #[must_use]
    pub fn rules(&self) -> BTreeSet<&str> {
        let choices = self.values.values();
        choices
            .flat_map(|choice| &choice.off)
            .map(String::as_str)
            .collect()
    }
}

/// Sets the switches as the county says, takes out the rules that then do not count, and adds the
/// elements that are then asked for.
pub(super) fn apply(
    file: SwitchFile,
    law: &BTreeMap<String, String>,
    rules: &mut Rules,
    elements: &mut ElementLists,
) -> Result<(Vec<Switch>, Vec<OffRule>), BundleError> {
    let known: BTreeSet<&str> = file.switch.iter().map(|one| one.key.as_str()).collect();
    if known.len() != file.switch.len() {
        return Err(BundleError::malformed(SWITCHES_FILE, "a key is used twice"));
    }
    if let Some(key) = law.keys().find(|key| !known.contains(key.as_str())) {
        let known: Vec<_> = known.into_iter().collect();
        let reason = format!("[law] has no switch {key}; there are {}", known.join(", "));
        return Err(BundleError::malformed(COUNTY_FILE, reason));
    }
    let mut switches = Vec::new();
    let mut off = Vec::new();
    for mut switch in file.switch {
        let chosen = law.get(&switch.key).unwrap_or(&switch.default).clone();
        let choice = choose(&switch, &chosen, rules)?;
        for id in &choice.off {
            let reason = format!("{} = \"{chosen}\"", switch.key);
            off.push(OffRule {
                rule: take_out(id, rules)?,
                reason,
            });
        }
        for (regime, more) in &choice.elements {
            elements.also_ask(regime, more);
        }
        switch.chosen = chosen;
        switches.push(switch);
    }
    Ok((switches, off))
}

/// The choice, when the county may make it.
fn choose(switch: &Switch, chosen: &str, rules: &Rules) -> Result<Choice, BundleError> {
    let key = &switch.key;
    let Some(default) = switch.values.get(&switch.default) else {
        let reason = format!("the default of {key} is none of its values");
        return Err(BundleError::malformed(SWITCHES_FILE, reason));
    };
    if !default.elements.is_empty() {
        // Another choice would then ask for less, and no rule could say that it may.
        let reason = format!("the default of {key} adds elements");
        return Err(BundleError::malformed(SWITCHES_FILE, reason));
    }
    let Some(choice) = switch.values.get(chosen) else {
        let known: Vec<_> = switch.values.keys().map(String::as_str).collect();
        let reason = format!("{key} is one of {}, not {chosen:?}", known.join(", "));
        return Err(BundleError::malformed(COUNTY_FILE, reason));
    };
    let widens = |id: &str, opens: bool| {
        let rule = find(id, rules);
        rule.is_none_or(|rule| opens == may_open(rule) && !rule.county_may_widen)
    };
    let taken_out = choice.off.difference(&default.off);
    let put_in = default.off.difference(&choice.off);
    let widening = taken_out
        .map(|id| (id, false))
        .chain(put_in.map(|id| (id, true)))
        .find(|(id, opens)| widens(id, *opens));
    if let Some((id, _)) = widening {
        return Err(BundleError::Widens {
            file: COUNTY_FILE.to_owned(),
            reason: format!("{key} = {chosen:?} would widen by {id}"),
        });
    }
    Ok(choice.clone())
}

/// Whether a rule opens. What closes, and what adds a duty, narrows.
fn may_open(rule: &Rule) -> bool {
    matches!(rule.kind, RuleKind::Permit | RuleKind::Require)
}

fn find<'a>(id: &str, rules: &'a Rules) -> Option<&'a Rule> {
    rules.values().find_map(|rules| rules.get(id))
}

fn take_out(id: &str, rules: &mut Rules) -> Result<Rule, BundleError> {
    let found = rules.values_mut().find_map(|rules| rules.remove(id));
    found.ok_or_else(|| {
        BundleError::malformed(
            SWITCHES_FILE,
            format!("there is no rule {id} to switch off"),
        )
    })
}
