//! `tandem consent check`: which laws a form satisfies, offline.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tandem_consent::{FormCheck, check_form};

use super::super::super::decide::basis;
use super::super::super::exit::{Exit, Failure};
use super::super::super::output::{print, print_json};
use super::super::super::table::printable;

/// Say which laws the form of a directive satisfies, and in plain words why not the others.
///
/// Reads a directive in Tandem's own form or as a FHIR R4 Consent, alone or in an array. Whether it is in force, and
/// whether anything may be told, is another question: `tandem decide`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem consent check form.json
  tandem consent check form.json --law part2 --spanish
  tandem consent check consent.fhir.json --json

Exit codes: 0 every named law is satisfied (every law when none is named), 1 one is not, 2 the file is not what it should
be, 3 could not run")]
pub(in super::super::super) struct CheckArgs {
    /// The directive
    file: PathBuf,
    /// Only this law, by the name of its regime such as hipaa or part2; once for each
    #[arg(long = "law", value_name = "REGIME")]
    laws: Vec<String>,
    /// Answer in Spanish
    #[arg(long)]
    spanish: bool,
    /// Rules to check by; those of the configuration when absent
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// Configuration; ./gateway.toml when it is there, else the built-in demo rules
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

impl CheckArgs {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let directives = basis::directives(&self.file)?;
        let bundle = basis::rules(
            self.bundle.as_deref(),
            self.config.as_deref(),
            "demo-county",
        )?;
        if let Some(unknown) = self
            .laws
            .iter()
            .find(|law| !bundle.regimes().any(|one| one == *law))
        {
            let known: Vec<&str> = bundle.regimes().collect();
            let known = known.join(", ");
            let unknown = printable(unknown);
            return Err(Failure::Usage(format!(
                "no regime is called {unknown}; there are {known}"
            )));
        }
        let mut checked = Vec::new();
        for directive in &directives {
            let mut all = check_form(directive, &bundle);
            all.retain(|one| self.laws.is_empty() || self.laws.contains(&one.regime));
            checked.push((directive.id.to_string(), all));
        }
        let is_satisfied = checked
            .iter()
            .all(|(_, all)| all.iter().all(|one| one.is_satisfied));
        if self.json {
            let forms = checked.iter();
            let forms: Vec<_> = forms
                .map(|(id, all)| json!({"directive": id, "regimes": all}))
                .collect();
            print_json(&json!({"bundle": bundle.hash(), "forms": forms}))?;
        } else {
            print(&self.for_people(&checked))?;
        }
        Ok(Exit::of(is_satisfied))
    }

    fn for_people(&self, checked: &[(String, Vec<FormCheck>)]) -> String {
        let mut lines = Vec::new();
        for (id, all) in checked {
            lines.push(printable(id));
            for one in all {
                let said = if self.spanish {
                    &one.explanation.es
                } else {
                    &one.explanation.en
                };
                lines.push(format!("  {:<16} {said}", one.regime));
            }
        }
        lines.join("\n")
    }
}
