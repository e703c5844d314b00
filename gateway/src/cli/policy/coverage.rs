//! `tandem policy coverage`: the table of laws, and what became of each row.

use clap::Args;
use tandem_consent::{LawCoverage, LawLine, Standing, law_coverage};

use super::super::exit::{Exit, Failure};
use super::super::output::{print, print_json};
use super::super::table::TextTable;
use super::source::BundleArgs;

/// Compares the rules with the table of laws that they write out. Every row that permits, bars, conditions, requires or
/// obliges has a rule, or a reason why not; every rule has a row, or a reason. Exit code 1 when there is a gap.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem policy coverage
  tandem policy coverage --bundle config/overrides/demo-county --json")]
pub(in super::super) struct CoverageArgs {
    #[command(flatten)]
    bundle: BundleArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl CoverageArgs {
    pub(in super::super) fn run(&self) -> Result<Exit, Failure> {
        let bundle = self.bundle.load()?;
        let coverage = law_coverage(&bundle);
        if self.json {
            let mut answer = serde_json::to_value(&coverage).map_err(anyhow::Error::from)?;
            answer["bundle"] = bundle.hash().into();
            print_json(&answer)?;
        } else {
            print(&for_people(&coverage, bundle.hash()))?;
        }
        Ok(Exit::of(coverage.gaps.is_empty()))
    }
}

fn for_people(coverage: &LawCoverage, hash: &str) -> String {
    let mut table = TextTable::new(["row", "regime", "kind", "confidence", "rule or reason"]);
    for line in &coverage.lines {
        let row = &line.row;
        table.row([
            row.rule_id.clone(),
            row.regime.clone(),
            row.kind.clone(),
            row.confidence.clone(),
            said(line),
        ]);
    }
    let mut lines = table.lines("");
    lines.push(String::new());
    let mut own = TextTable::new(["own rule", "why it is there"]);
    for (rule, reason) in &coverage.own {
        own.row([rule, reason]);
    }
    lines.extend(own.lines(""));
    lines.push(String::new());
    for gap in &coverage.gaps {
        lines.push(format!("gap: {gap}"));
    }
    let count = |is: fn(&Standing) -> bool| {
        let standing = coverage.lines.iter().filter(|line| is(&line.standing));
        standing.count()
    };
    lines.push(format!(
        "{} rows: {} with a rule, {} with a reason, {} background, {} gaps",
        coverage.lines.len(),
        count(|one| matches!(one, Standing::Rule { .. } | Standing::Off { .. })),
        count(|one| matches!(one, Standing::Unwritten { .. })),
        count(|one| matches!(one, Standing::Background)),
        coverage.gaps.len(),
    ));
    lines.push(format!("rules {hash}"));
    lines.join("\n")
}

fn said(line: &LawLine) -> String {
    let mut words = match &line.standing {
        Standing::Rule { file } => file.clone(),
        Standing::Off { file, reason } => format!("{file}, off: {reason}"),
        Standing::Unwritten { reason } => format!("no rule: {reason}"),
        Standing::Background => "background".to_owned(),
        _ => "GAP".to_owned(),
    };
    for (field, reason) in &line.differs {
        words.push_str(&format!("; {field} differs: {reason}"));
    }
    words
}
