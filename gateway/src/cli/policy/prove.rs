//! `tandem policy prove`.

use std::ffi::OsString;

use clap::Args;

use super::super::exit::{Exit, Failure};
use super::prover::pass_through;
use super::source::BundleArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Needs the program tandem-prover and the Debian package cvc5.

Examples:
  tandem policy prove
  tandem policy prove --bundle rules-2027 --against rules-2026 --listed P2-22
  tandem policy prove --property S6 --regime part2")]
pub(in super::super) struct ProveArgs {
    #[command(flatten)]
    bundle: BundleArgs,
    /// The older bundle for S9: a folder, `built-in` or `built-in:JURISDICTION`. For a county's layer the rules under it
    #[arg(long, value_name = "OLD")]
    against: Option<String>,
    /// A rule that may permit more than the older bundle; may be repeated
    #[arg(long, value_name = "RULE")]
    listed: Vec<String>,
    /// Only this property, such as S6; may be repeated
    #[arg(long, value_name = "ID")]
    property: Vec<String>,
    /// Only the rules of this regime
    #[arg(long, value_name = "REGIME")]
    regime: Option<String>,
    /// Seconds that one question to the solver may take
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ProveArgs {
    pub(in super::super) fn run(&self) -> Result<Exit, Failure> {
        // Also here, so that a bundle that does not load is told as by every other command.
        self.bundle.load()?;
        pass_through(&self.prover_args()?)
    }

    fn prover_args(&self) -> Result<Vec<OsString>, Failure> {
        let mut args = vec![OsString::from("prove")];
        args.extend(self.bundle.prover_args()?);
        let mut option = |name: &str, value: &str| {
            args.push(format!("--{name}={value}").into());
        };
        if let Some(old) = &self.against {
            option("against", old);
        }
        for rule in &self.listed {
            option("listed", rule);
        }
        for property in &self.property {
            option("property", property);
        }
        if let Some(regime) = &self.regime {
            option("regime", regime);
        }
        if let Some(seconds) = self.timeout {
            option("timeout", &seconds.to_string());
        }
        if self.json {
            args.push("--json".into());
        }
        Ok(args)
    }
}
