//! `tandem policy diff`: what changed rule by rule, and what the new bundle permits that the old one did not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};
use tandem_consent::{Bundle, Rule};

use super::super::exit::{Exit, Failure};
use super::super::output::{print, print_json, tell};
use super::prover::{is_ready, output};
use super::source::{built_in, load};

#[derive(Debug, Args)]
#[command(after_help = "\
A bundle is a folder, `built-in` for the built-in rules, or `built-in:JURISDICTION` for those with a county's layer.
What the rules permit is compared by the program tandem-prover with the solver cvc5 (Debian package cvc5); without them
only the texts are compared, and that is said.

Exit codes: 0 compared, 1 the solver gave no answer, 2 wrong usage, 3 could not run.

Examples:
  tandem policy diff built-in built-in:demo-county
  tandem policy diff rules-2026 rules-2027 --json")]
pub(in super::super) struct DiffArgs {
    /// The old bundle
    old: String,
    /// The new bundle
    new: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A rule that is not the same in both bundles.
#[derive(Debug, PartialEq, Eq)]
struct Changed<'a> {
    id: &'a str,
    regime: &'a str,
    /// `added`, `removed`, or what differs: `text`, `dates`.
    how: Vec<&'static str>,
}

impl DiffArgs {
    pub(in super::super) fn run(&self) -> Result<Exit, Failure> {
        let (old, new) = (named(&self.old)?, named(&self.new)?);
        let rules = changed(&old, &new);
        let (exit, permitted) = self.permitted()?;
        if self.json {
            print_json(&as_json(&old, &new, &rules, permitted)?)?;
        } else {
            print(&for_people(&rules, permitted.as_deref()))?;
        }
        Ok(exit)
    }

    /// What the prover says about what is permitted, as it printed it; `None` without a solver.
    fn permitted(&self) -> Result<(Exit, Option<String>), Failure> {
        if !is_ready() {
            tell(
                "only the texts are compared: tandem-prover or its solver (Debian package cvc5) is not installed",
            );
            return Ok((Exit::Yes, None));
        }
        let mut args = vec![
            "diff".into(),
            self.old.clone().into(),
            self.new.clone().into(),
        ];
        if self.json {
            args.push("--json".into());
        }
        let (code, text) = output(&args)?;
        match code {
            Some(0) => Ok((Exit::Yes, Some(text))),
            Some(1) => Ok((Exit::No, Some(text))),
            _ => Err(Failure::CouldNotRun(anyhow::anyhow!(
                "the prover could not compare the bundles"
            ))),
        }
    }
}

fn named(name: &str) -> Result<Bundle, Failure> {
    match name.split_once(':') {
        _ if name == "built-in" => built_in(""),
        Some(("built-in", jurisdiction)) => built_in(jurisdiction),
        _ => load(Path::new(name)),
    }
}

/// The rules that differ, by id.
fn changed<'a>(old: &'a Bundle, new: &'a Bundle) -> Vec<Changed<'a>> {
    let by_id = |bundle: &'a Bundle| -> BTreeMap<&'a str, &'a Rule> {
        bundle
            .rules()
            .map(|rule| (rule.id.as_str(), rule))
            .collect()
    };
    let (old, new) = (by_id(old), by_id(new));
    let ids: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let compare = |id: &'a str| {
        let (regime, how) = match (old.get(id), new.get(id)) {
            (Some(old), Some(new)) => (&new.regime, differences(old, new)),
            (None, Some(new)) => (&new.regime, vec!["added"]),
            (Some(old), None) => (&old.regime, vec!["removed"]),
            (None, None) => return None,
        };
        (!how.is_empty()).then_some(Changed { id, regime, how })
    };
    ids.into_iter().filter_map(compare).collect()
}

fn differences(old: &Rule, new: &Rule) -> Vec<&'static str> {
    let dates = |rule: &Rule| (rule.effective_from, rule.effective_to);
    let text = |rule: &Rule| {
        let lines = rule.text.lines();
        let kept = lines.filter(|line| !line.starts_with("@effective_"));
        kept.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut how = Vec::new();
    if old.regime != new.regime {
        how.push("regime");
    }
    if text(old) != text(new) {
        how.push("text");
    }
    if dates(old) != dates(new) {
        how.push("dates");
    }
    how
}

fn as_json(
    old: &Bundle,
    new: &Bundle,
    rules: &[Changed<'_>],
    permitted: Option<String>,
) -> Result<Value, Failure> {
    let listed = rules
        .iter()
        .map(|one| json!({ "id": one.id, "regime": one.regime, "changed": one.how }));
    let permitted: Option<Value> = permitted
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .context("reading what the prover printed")?;
    let part = |name: &str| permitted.as_ref().and_then(|all| all.get(name)).cloned();
    Ok(json!({
        "old": old.hash(),
        "new": new.hash(),
        "rules": listed.collect::<Vec<_>>(),
        // Null without a solver: then it is not known whether anything more is permitted.
        "changes": part("changes"),
        "replay": part("replay"),
    }))
}

fn for_people(rules: &[Changed<'_>], permitted: Option<&str>) -> String {
    let mut text = String::new();
    for one in rules {
        let _ = writeln!(
            text,
            "{:<10} {:<16} {}",
            one.id,
            one.regime,
            one.how.join(", ")
        );
    }
    if rules.is_empty() {
        text.push_str("the rules are the same\n");
    }
    if let Some(permitted) = permitted {
        text.push('\n');
        text.push_str(permitted);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_county_switches_off_is_told_as_removed() {
        let (old, new) = (
            named("built-in").unwrap(),
            named("built-in:demo-county").unwrap(),
        );
        let rules = changed(&old, &new);
        let removed = rules.iter().find(|one| one.id == "HMIS-02").unwrap();
        assert_eq!(removed.how, ["removed"]);
        assert_eq!(changed(&old, &old), []);
    }
}
