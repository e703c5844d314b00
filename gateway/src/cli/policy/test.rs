//! `tandem policy test`: whether every rule does what its examples say.

use clap::Args;
use serde_json::json;
use tandem_consent::{test_bundle, test_rule};

use super::super::exit::{Exit, Failure};
use super::super::output::{print, print_json};
use super::super::table::printable;
use super::source::BundleArgs;

/// Puts the examples beside the rules to the rules. Exit code 1 when one is not borne out, or when a rule lacks a permit or
/// a deny example.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem policy test
  tandem policy test --rule P2-02
  tandem policy test --bundle config/overrides/demo-county --json")]
pub(in super::super) struct TestArgs {
    /// Only the examples of this rule
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    #[command(flatten)]
    bundle: BundleArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl TestArgs {
    pub(in super::super) fn run(&self) -> Result<Exit, Failure> {
        let bundle = self.bundle.load()?;
        let report = match &self.rule {
            Some(id) => test_rule(&bundle, id)
                .ok_or_else(|| Failure::Refused(format!("there is no rule {id}")))?,
            None => test_bundle(&bundle),
        };
        if self.json {
            let failures = serde_json::to_value(&report.failures).map_err(anyhow::Error::from)?;
            print_json(&json!({
                "bundle": bundle.hash(),
                "rules": report.rules,
                "passed": report.passed,
                "failed": report.failures.len(),
                "failures": failures,
            }))?;
        } else {
            let failed = report.failures.iter();
            let mut lines: Vec<String> = failed
                .map(|one| printable(&format!("{}: {}: {}", one.rule, one.example, one.reason)))
                .collect();
            lines.push(format!(
                "{} rules: {} passed, {} failed",
                report.rules,
                report.passed,
                report.failures.len()
            ));
            print(&lines.join("\n"))?;
        }
        Ok(Exit::of(report.failures.is_empty()))
    }
}
