//! The rules of a regime that count on a day, as Cedar policy sets.

use std::collections::BTreeMap;

use cedar_policy::{ActionConstraint, Effect, Policy, PolicySet, PolicySetError};
use jiff::ToSpan;
use jiff::civil::Date;

use super::rule::{Rule, RuleKind};

/// The policy sets of one stretch of days in which no rule starts or ends.
#[derive(Debug, Clone)]
pub(crate) struct RuleSet {
    /// Rules that permit and forbid.
    pub(crate) decisive: PolicySet,
    /// Those of them that ask which teams source and recipient share.
    about_teams: PolicySet,
    /// Those of them that permit and lift the secrecy of other regimes.
    pub(crate) lifting: PolicySet,
    /// Rules that add duties.
    pub(crate) obligations: PolicySet,
    /// How many rules there are.
    pub(crate) size: usize,
}

impl RuleSet {
    /// The rules that ask which teams source and recipient share, when any of them speaks of the action.
    pub(crate) fn about_teams(&self, action: &str) -> Option<&PolicySet> {
        let mut rules = self.about_teams.policies();
        let speaks = rules.any(|rule| speaks_of(rule, action));
        speaks.then_some(&self.about_teams)
    }

    /// Whether a rule that closes may keep silent because of a team.
    pub(crate) fn a_team_may_silence(&self, action: &str) -> bool {
        let mut rules = self.about_teams.policies();
        rules.any(|rule| rule.effect() == Effect::Forbid && speaks_of(rule, action))
    }
}

fn speaks_of(rule: &Policy, action: &str) -> bool {
    match rule.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(one) => one.id().unescaped() == action,
        ActionConstraint::In(several) => several.iter().any(|one| one.id().unescaped() == action),
    }
}

/// The rule sets of a regime by the first day on which each counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Versions(BTreeMap<Date, RuleSet>);

impl Versions {
    pub(super) fn new(rules: &BTreeMap<String, Rule>) -> Result<Self, Box<PolicySetError>> {
        let mut starts: Vec<Date> = rules.values().map(|rule| rule.effective_from).collect();
        let after = |last: Date| last.checked_add(1.day()).ok();
        starts.extend(
            rules
                .values()
                .filter_map(|rule| rule.effective_to.and_then(after)),
        );
        starts.push(Date::MIN);
        let mut versions = BTreeMap::new();
        for start in starts {
            let mut set = RuleSet {
                decisive: PolicySet::new(),
                about_teams: PolicySet::new(),
                lifting: PolicySet::new(),
                obligations: PolicySet::new(),
                size: 0,
            };
            for rule in rules.values().filter(|rule| rule.is_effective_on(start)) {
                match rule.kind {
                    RuleKind::Obligation => {
                        set.obligations.add(rule.policy.clone()).map_err(Box::new)?
                    }
                    _ => set.decisive.add(rule.policy.clone()).map_err(Box::new)?,
                }
                if rule.asks_about_teams() && rule.kind != RuleKind::Obligation {
                    set.about_teams.add(rule.policy.clone()).map_err(Box::new)?;
                }
                if !rule.lifts.is_empty() && rule.policy.effect() == Effect::Permit {
                    set.lifting.add(rule.policy.clone()).map_err(Box::new)?;
                }
                set.size += 1;
            }
            versions.insert(start, set);
        }
        Ok(Self(versions))
    }

    /// The rules of a day.
    pub(super) fn on(&self, day: Date) -> Option<&RuleSet> {
        self.0.range(..=day).next_back().map(|(_, set)| set)
    }

    /// The first day after the given one on which a rule starts or ends.
    pub(super) fn next_change(&self, day: Date) -> Option<Date> {
        self.0
            .range(day..)
            .map(|(start, _)| *start)
            .find(|start| *start > day)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &RuleSet> {
        self.0.values()
    }
}
