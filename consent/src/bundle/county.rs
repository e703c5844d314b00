//! The county's layer: it narrows, and widens only where a rule allows it.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::error::BundleError;
use super::rule::Rule;

/// The file that makes a folder a county layer.
pub(super) const COUNTY_FILE: &str = "county.toml";

/// The content of `county.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct County {
    pub(super) jurisdiction: String,
    /// Zone rule in POSIX form.
    pub(super) zone: String,
    #[serde(default)]
    pub(super) off: Vec<SwitchedOff>,
    /// The points for counsel, by the key of their switch.
    #[serde(default)]
    pub(super) law: BTreeMap<String, String>,
    /// Overrides the bundle's answer for forms that are not listed.
    #[serde(default)]
    pub(super) trust_unlisted_forms: Option<bool>,
}

/// A rule that the county's counsel switched off.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SwitchedOff {
    pub(super) rule: String,
    /// Why; a switch without a reason is refused.
    pub(super) reason: String,
}

/// A rule that does not count here, and why.
#[derive(Debug, Clone)]
pub(crate) struct OffRule {
    pub(crate) rule: Rule,
    pub(crate) reason: String,
}

/// Rules by regime and id.
pub(super) type Rules = BTreeMap<String, BTreeMap<String, Rule>>;

impl County {
    /// Takes the switched-off rules out. Taking out what closes would widen, and is refused.
    pub(super) fn switch_off(&self, rules: &mut Rules) -> Result<Vec<OffRule>, BundleError> {
        let mut gone = Vec::new();
        for off in &self.off {
            if off.reason.trim().is_empty() {
                let reason = format!("rule {} is switched off without a reason", off.rule);
                return Err(BundleError::malformed(COUNTY_FILE, reason));
            }
            let regime = rules
                .values_mut()
                .find(|rules| rules.contains_key(&off.rule));
            let Some(rules) = regime else {
                let reason = format!("there is no rule {} to switch off", off.rule);
                return Err(BundleError::malformed(COUNTY_FILE, reason));
            };
            if let Some(rule) = rules.remove(&off.rule) {
                let opens = !rule.kind.closes() && rule.kind != super::RuleKind::Obligation;
                if !opens && !rule.county_may_widen {
                    let reason = format!("switching off {} would widen", off.rule);
                    return Err(BundleError::Widens {
                        file: COUNTY_FILE.to_owned(),
                        reason,
                    });
                }
                gone.push(OffRule {
                    rule,
                    reason: off.reason.clone(),
                });
            }
        }
        Ok(gone)
    }
}

/// Lays a county's own rule over the others. It closes, or takes the place of a rule that says that a
/// county may widen it.
pub(super) fn add_rule(file: &str, rule: Rule, rules: &mut Rules) -> Result<(), BundleError> {
    let malformed = |reason: String| Err(BundleError::malformed(file, reason));
    let widens = |reason: String| {
        Err(BundleError::Widens {
            file: file.to_owned(),
            reason,
        })
    };
    let Some(rules) = rules.get_mut(&rule.regime) else {
        return malformed(format!("unknown regime {}", rule.regime));
    };
    if rules.contains_key(&rule.id) {
        return malformed(format!("the rule {} exists already", rule.id));
    }
    match &rule.supersedes {
        None if !rule.kind.closes() => return widens(format!("the rule {} permits", rule.id)),
        None => {}
        Some(old) => match rules.get(old) {
            None => return malformed(format!("there is no rule {old} to supersede")),
            Some(old) if !old.county_may_widen => {
                return widens(format!("the rule {} supersedes {}", rule.id, old.id));
            }
            Some(old) if old.kind != rule.kind => {
                let (kind, old) = (old.kind.as_str(), &old.id);
                return malformed(format!("{old}, which it supersedes, is a {kind} rule"));
            }
            Some(_) => {
                rules.remove(old);
            }
        },
    }
    rules.insert(rule.id.clone(), rule);
    Ok(())
}

/// A zone from its POSIX rule.
pub(super) fn zone(file: &str, rule: &str) -> Result<TimeZone, BundleError> {
    TimeZone::posix(rule)
        .map_err(|_| BundleError::malformed(file, format!("{rule:?} is not a POSIX zone rule")))
}
