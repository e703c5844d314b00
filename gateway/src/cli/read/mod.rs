//! `tandem read`: what Tandem would make of a file, offline.

mod events;
mod progress;
mod report;
mod source;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use jiff::tz::TimeZone;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::{FormatReader, Sink};
use tandem_adapter_port::report::{Counting, Outcome, Report};
use tandem_mappings::model::id::{OrganizationId, SystemId};

use self::events::{EventFile, Nowhere};
use self::source::Source;
use super::exit::{Exit, Failure};
use super::output::{print, print_json};
use crate::adapters::offline_reader;
use crate::clock::Clock;
use crate::seal::fill_random;

/// The zone of local times without one, when none is named.
const DEFAULT_ZONE: &str = "America/Los_Angeles";
/// The same zone for machines without a time-zone database (rule since 2007).
const DEFAULT_ZONE_POSIX: &str = "PST8PDT,M3.2.0,M11.1.0";

/// What would Tandem make of this file?
///
/// Prints how many records of each type there are, how many people, which events would come of them, and every kind
/// of deviation with the first place where it stands. The report holds no personal data. Nothing is stored or sent.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem read ADS.E2J.FTP1.TS06 --as calworks/acf-199
  tandem read export.zip --as hmis/csv --json
  tandem read cws-extract/ --as child-welfare/cws-cms --events events.ndjson

Exit codes: 0 accepted in any degree, 1 rejected, 2 wrong usage, 3 the file can't be opened")]
pub(super) struct ReadArgs {
    /// File, folder or zip; a zip is known by its content, whatever its name
    #[arg(value_name = "FILE|DIR|ZIP")]
    input: PathBuf,
    /// Format: calworks/acf-199, calworks/caseload, calworks/linkages, child-welfare/cws-cms, child-welfare/niem,
    /// hmis/csv or fhir/bundle
    #[arg(long = "as", value_name = "SYSTEM/FORMAT")]
    format: Format,
    /// Also write every event, one JSON object a line. THIS FILE HOLDS PERSONAL DATA: it is made readable by its
    /// owner only. Ids that are made of personal data are keyed with a fresh random key at each run, so they do
    /// not match between two runs; without this option a fixed key is used, as no id leaves the command
    #[arg(long, value_name = "FILE.ndjson")]
    events: Option<PathBuf>,
    /// Zone of local times that stand without one
    #[arg(long, value_name = "ZONE", default_value = DEFAULT_ZONE)]
    zone: String,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &ReadArgs) -> Result<Exit, Failure> {
    let mut source = Source::open(&args.input)?;
    let context = context(args, source.name())?;
    let reader = offline_reader(args.format, &context.system, &context.organization)
        .context("setting up the reader")?;
    let report = match &args.events {
        None => read(&*reader, &mut source, &context, &mut Nowhere)?,
        Some(path) => {
            let mut events = EventFile::create(path)?;
            let report = read(&*reader, &mut source, &context, &mut events)?;
            events.finish()?;
            report
        }
    };
    if args.json {
        print_json(&report)?;
    } else {
        print(&report::for_people(source.name(), &report))?;
    }
    Ok(Exit::of(report.outcome != Outcome::Rejected))
}

fn read(
    reader: &dyn FormatReader,
    source: &mut Source,
    context: &ReadContext,
    sink: &mut dyn Sink,
) -> Result<Report, Failure> {
    let mut counting = Counting::new(reader.format(), sink);
    source
        .read_with(reader, context, &mut counting)
        .context("writing the events")?;
    Ok(counting.report())
}

fn context(args: &ReadArgs, name: &str) -> Result<ReadContext, Failure> {
    let zone = TimeZone::get(&args.zone).or_else(|error| match args.zone.as_str() {
        DEFAULT_ZONE => TimeZone::posix(DEFAULT_ZONE_POSIX),
        _ => Err(error),
    });
    let zone = zone.map_err(|_| Failure::Usage("--zone: no IANA zone has this name".to_owned()))?;
    let mut id_key = [0_u8; 32];
    if args.events.is_some() {
        fill_random(&mut id_key).context("making a key for ids")?;
    }
    let family = args.format.name().split('/').next().unwrap_or_default();
    let offline = format!("{family}-offline");
    let system: SystemId = offline.parse().context("naming the system")?;
    let organization: OrganizationId = offline.parse().context("naming the organisation")?;
    let now = Clock::System.now();
    Ok(ReadContext::new(
        system,
        organization,
        name,
        now,
        zone,
        id_key,
    ))
}
