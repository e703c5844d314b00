//! `tandem policy rules` and `tandem policy show`.

use clap::Args;
use serde_json::{Value, json};
use tandem_consent::Rule;

use super::super::exit::{Exit, Failure};
use super::super::output::{print, print_json};
use super::super::table::{TextTable, printable};
use super::source::BundleArgs;

#[derive(Debug, Args)]
pub(in super::super) struct RulesArgs {
    /// Only the rules of this regime
    #[arg(long, value_name = "REGIME")]
    regime: Option<String>,
    #[command(flatten)]
    bundle: BundleArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in super::super) struct ShowArgs {
    /// Id of the rule, such as P2-02
    rule: String,
    #[command(flatten)]
    bundle: BundleArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl RulesArgs {
    pub(in super::super) fn run(&self) -> Result<Exit, Failure> {
        let bundle = self.bundle.load()?;
        if let Some(regime) = &self.regime
            && !bundle.regimes().any(|known| known == regime)
        {
            let known: Vec<_> = bundle.regimes().collect();
            let known = known.join(", ");
            return Err(Failure::Usage(format!(
                "no regime {regime}; there are {known}"
            )));
        }
        let asked = |rule: &&Rule| self.regime.as_ref().is_none_or(|one| *one == rule.regime);
        let rules: Vec<&Rule> = bundle.rules().filter(asked).collect();
        if self.json {
            let rules: Vec<Value> = rules.into_iter().map(as_json).collect();
            print_json(&json!({ "bundle": bundle.hash(), "rules": rules }))?;
        } else {
            let mut table =
                TextTable::new(["rule", "regime", "kind", "basis", "citation", "summary"]);
            for rule in rules {
                let basis = rule.basis.as_deref().unwrap_or("");
                let kind = rule.kind.as_str();
                table.row([
                    &rule.id,
                    &rule.regime,
                    kind,
                    basis,
                    &rule.citation,
                    &rule.summary_en,
                ]);
            }
            print(&format!(
                "{}\nrules {}",
                table.lines("").join("\n"),
                bundle.hash()
            ))?;
        }
        Ok(Exit::Yes)
    }
}

impl ShowArgs {
    pub(in super::super) fn run(&self) -> Result<Exit, Failure> {
        let bundle = self.bundle.load()?;
        let Some(rule) = bundle.rules().find(|rule| rule.id == self.rule) else {
            return Err(Failure::Refused(format!("there is no rule {}", self.rule)));
        };
        if self.json {
            print_json(&as_json(rule))?;
        } else {
            print(&for_people(rule))?;
        }
        Ok(Exit::Yes)
    }
}

fn for_people(rule: &Rule) -> String {
    let until = rule
        .effective_to
        .map_or("no end stated".to_owned(), |day| format!("to {day}"));
    let fields = [
        (
            "",
            format!("{} ({}, {})", rule.id, rule.regime, rule.kind.as_str()),
        ),
        ("law", rule.title.clone()),
        ("stands in", rule.citation.clone()),
        ("says", rule.summary_en.clone()),
        ("en español", rule.summary_es.clone()),
        ("counts", format!("from {}, {until}", rule.effective_from)),
        ("layer", rule.jurisdiction.clone()),
        ("confidence", rule.confidence.clone()),
        ("owner", rule.owner.clone()),
    ];
    let mut lines: Vec<String> = fields
        .iter()
        .map(|(name, value)| printable(format!("{name:<11} {value}").trim()))
        .collect();
    lines.push(String::new());
    lines.extend(
        rule.text
            .lines()
            .filter(|line| !line.starts_with('@'))
            .map(printable),
    );
    lines.join("\n")
}

fn as_json(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "regime": rule.regime,
        "kind": rule.kind.as_str(),
        "basis": rule.basis,
        "title": rule.title,
        "citation": rule.citation,
        "summary": { "en": rule.summary_en, "es": rule.summary_es },
        "effective_from": rule.effective_from,
        "effective_to": rule.effective_to,
        "jurisdiction": rule.jurisdiction,
        "confidence": rule.confidence,
        "owner": rule.owner,
        "text": rule.text,
    })
}
