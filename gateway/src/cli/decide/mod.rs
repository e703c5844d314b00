//! `tandem decide`: a consent decision with its reasons, offline.

pub(super) mod basis;
mod explain;
mod schema;

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use tandem_consent::{Outcome, Request, decide};

use self::basis::{directives, facts_and_bundle};
use self::schema::Schema;
use super::exit::{Exit, Failure};
use super::json_input::read_json;
use super::output::{print, print_json};

/// May this be told? Decide a request offline, and say why.
///
/// Reads the request as JSON and prints the outcome, what each legal regime says about each item, and which rules say
/// so. Nothing is recorded. The same files give the same answer, byte for byte.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem decide request.json
  tandem decide request.json --directives consents.json --at 2026-07-01T00:00:00-07:00 --json
  tandem decide request.json --facts facts.json --bundle rules/
  tandem decide --schema request

A request:
  {\"as_of\":\"2026-03-02T09:15:00-08:00\",\"action\":\"disclose\",\"purpose\":\"COC\",\"jurisdiction\":\"demo-county\",
   \"requester\":{\"organization\":\"org-calworks\"},\"recipient\":{\"organization\":\"org-cws\"},
   \"subject\":{\"id\":\"p-1\"},\"items\":[{\"id\":\"i1\",\"category\":\"CASH_AID\",\"source_organization\":\"org-calworks\"}]}

Exit codes: 0 permit or permit_with_redaction, 1 any other outcome, 2 a file is not what it should be, 3 could not run")]
pub(super) struct DecideArgs {
    /// The request
    #[arg(required_unless_present = "schema")]
    request: Option<PathBuf>,
    /// Print the JSON Schema of what is read or printed, and decide nothing
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "request")]
    schema: Option<Schema>,
    /// Decide for this instant instead of the request's as_of
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
    /// Facts about organisations; the registry of the configuration when absent
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// Consent directives: a JSON array of directives or FHIR R4 Consents; none when absent
    #[arg(long, value_name = "FILE")]
    directives: Option<PathBuf>,
    /// Rules to decide by; those of the configuration when absent
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// Configuration; ./gateway.toml when it is there, else the built-in demo registry and rules
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the decision as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &DecideArgs) -> Result<Exit, Failure> {
    if let Some(schema) = args.schema {
        print(schema.text())?;
        return Ok(Exit::Yes);
    }
    let file = args.request.as_deref().unwrap_or(Path::new(""));
    let mut request: Request = read_json(file)?;
    if let Some(at) = args.at {
        request.as_of = at;
    }
    let directives = args
        .directives
        .as_deref()
        .map(directives)
        .transpose()?
        .unwrap_or_default();
    let (facts, bundle) = facts_and_bundle(args, request.jurisdiction.as_str())?;
    let decision = decide(&request, &facts, &directives, &bundle);
    if args.json {
        print_json(&decision)?;
    } else {
        print(&explain::for_people(&decision))?;
    }
    Ok(Exit::of(matches!(
        decision.outcome,
        Outcome::Permit | Outcome::PermitWithRedaction
    )))
}
