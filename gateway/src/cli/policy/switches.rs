//! `tandem policy switches`: the points on which a county's counsel decides, as they are set.

use clap::Args;
use serde_json::{Value, json};
use tandem_consent::Switch;

use super::super::exit::{Exit, Failure};
use super::super::output::{print, print_json};
use super::super::table::printable;
use super::source::BundleArgs;

/// Lists the points of law that are for counsel to decide: what is asked, what may be chosen in [law] of county.toml, and
/// what counts now.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem policy switches
  tandem policy switches --bundle config/overrides/demo-county --json")]
pub(in super::super) struct SwitchesArgs {
    #[command(flatten)]
    bundle: BundleArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl SwitchesArgs {
    pub(in super::super) fn run(&self) -> Result<Exit, Failure> {
        let bundle = self.bundle.load()?;
        if self.json {
            let switches: Vec<Value> = bundle.switches().iter().map(as_json).collect();
            print_json(&json!({ "bundle": bundle.hash(), "switches": switches }))?;
        } else {
            let switches: Vec<String> = bundle.switches().iter().map(for_people).collect();
            print(&switches.join("\n\n"))?;
        }
        Ok(Exit::Yes)
    }
}

fn for_people(switch: &Switch) -> String {
    let mut lines = vec![
        format!("{}. {}", switch.point, switch.asks),
        format!("   {} = \"{}\"", switch.key, switch.chosen),
    ];
    for (value, means, off) in switch.values() {
        let mark = if value == switch.chosen { "*" } else { " " };
        let usual = if value == switch.default {
            " (default)"
        } else {
            ""
        };
        let off: Vec<&str> = off.iter().map(String::as_str).collect();
        let off = if off.is_empty() {
            String::new()
        } else {
            format!(" [without {}]", off.join(", "))
        };
        lines.push(format!("   {mark} {value}{usual}: {means}{off}"));
    }
    let lines: Vec<String> = lines.iter().map(|line| printable(line)).collect();
    lines.join("\n")
}

fn as_json(switch: &Switch) -> Value {
    let values: Vec<Value> = switch
        .values()
        .map(|(value, means, off)| json!({ "value": value, "means": means, "without_rules": off }))
        .collect();
    json!({
        "point": switch.point,
        "key": switch.key,
        "asks": switch.asks,
        "default": switch.default,
        "chosen": switch.chosen,
        "rules": switch.rules(),
        "values": values,
    })
}
