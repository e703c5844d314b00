//! `tandem encode`: people of an agency that may not share names, as keyed encodings.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use tandem_mappings::model::id::SystemId;
use tandem_matching::{EncodeOptions, EncodeReport, Noise, PprlKey, encode_table};

use super::exit::{Exit, Failure};
use super::key_file;
use super::link::summary::warning;
use super::link::tables::{NamedTable, failure, open};
use super::output::{print, print_json};
use super::output_file::OutputFile;
use super::table::TextTable;
use crate::config::Loaded;

/// Encode the people of a table with a key, so that they can be linked without their names, dates and numbers.
///
/// Reads the columns that `tandem link` reads and writes one line for each record: its id (a keyed pseudonym unless
/// --keep-ids), scheme, key check value, noise, which fields are known, and 1024 bits (a CLK). Agencies that link
/// with each other use one key; whoever links their encodings must not have it. Encodings are personal data, never
/// anonymous, and never made of a victim service provider's people. Limits: docs/PRIVACY-PRESERVING-LINKAGE.md.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem encode --new-key shared.key
  tandem encode --records hmis=people.csv --key-file shared.key --output hmis.clk.csv --ids hmis.ids.csv
  tandem encode --records hmis=people.csv --key-file shared.key --dry-run --json
  tandem encode --records hmis=people.csv --key-file shared.key --output hmis.clk.csv --config gateway.toml

Exit codes: 0 done, 1 refused for a victim service provider, 2 wrong usage or a table or key that can't be used,
3 a file can't be read or written")]
pub(super) struct EncodeArgs {
    /// Make a key of 32 random bytes in a new file that only you can read, and do nothing else
    #[arg(long, value_name = "KEY", conflicts_with_all = ["records", "key_file", "output"])]
    new_key: Option<PathBuf>,
    /// The table and the name of its system
    #[arg(
        long,
        value_name = "NAME=FILE.csv",
        required_unless_present = "new_key"
    )]
    records: Option<NamedTable>,
    /// The key that the agencies share
    #[arg(long, value_name = "KEY", required_unless_present = "new_key")]
    key_file: Option<PathBuf>,
    /// Out: the encodings
    #[arg(long, value_name = "OUT.clk.csv", required_unless_present_any = ["new_key", "dry_run"])]
    output: Option<PathBuf>,
    /// Out: record_id,encoded_id, by which you alone find your records again in links
    #[arg(long, value_name = "OUT.csv", conflicts_with = "new_key")]
    ids: Option<PathBuf>,
    /// Write the ids of the records as they are. A case number is an identifier: see what your agreement says
    #[arg(long, conflicts_with = "new_key")]
    keep_ids: bool,
    /// Flip bits at random, with the privacy loss EPSILON for each bit: 16 hardly any, 4 costs little, 2 nearly
    /// everything
    #[arg(long, value_name = "EPSILON", value_parser = noise, conflicts_with = "new_key")]
    noise: Option<Noise>,
    /// The system is a victim service provider's: refuse to encode it
    #[arg(long)]
    victim_service_provider: bool,
    /// Look the system up in this configuration, and refuse it unless its organisation is stated to be no victim service
    /// provider
    #[arg(long, value_name = "FILE", conflicts_with = "new_key")]
    config: Option<PathBuf>,
    /// Encode, count and warn, but write no file
    #[arg(long, conflicts_with = "new_key")]
    dry_run: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// Why nothing of a victim service provider is encoded: 34 USC 12291(b)(2) forbids it to disclose, encoded or not.
const REFUSED: &str =
    "is a victim service provider: nothing of its people leaves it, encodings included";

/// Runs the command.
pub(super) fn run(args: &EncodeArgs) -> Result<Exit, Failure> {
    if args.victim_service_provider {
        return Err(Failure::Refused(format!("the system {REFUSED}")));
    }
    if let Some(file) = &args.new_key {
        return new_key(file, args.json);
    }
    let (Some(table), Some(key_file)) = (&args.records, &args.key_file) else {
        let needed = "expected --records and --key-file, or --new-key";
        return Err(Failure::Usage(needed.to_owned()));
    };
    must_be_distinct(args, table, key_file)?;
    if let Some(config) = &args.config {
        must_be_no_victim_service(config, &table.system)?;
    }
    let options = EncodeOptions {
        key: key_file::read(key_file)?,
        noise: args.noise.unwrap_or(Noise::NONE),
        keeps_ids: args.keep_ids,
    };
    let report = encode(args, table, &options)?;
    if args.json {
        print_json(&report)?;
    } else {
        print(&for_people(&report, args.dry_run))?;
    }
    Ok(Exit::Yes)
}

fn encode(
    args: &EncodeArgs,
    table: &NamedTable,
    options: &EncodeOptions,
) -> Result<EncodeReport, Failure> {
    let input = open(table)?;
    let create = |path: &Option<PathBuf>| {
        let path = path.as_deref().filter(|_| !args.dry_run);
        path.map(OutputFile::create).transpose()
    };
    let (mut output, mut ids) = (create(&args.output)?, create(&args.ids)?);
    let mut nowhere = [io::sink(), io::sink()];
    let [no_output, no_ids] = &mut nowhere;
    let report = encode_table(
        input,
        options,
        writer(&mut output, no_output),
        writer(&mut ids, no_ids),
    );
    let report = report.map_err(failure)?;
    for file in [output, ids].into_iter().flatten() {
        file.finish()?;
    }
    Ok(report)
}

fn writer<'a>(
    file: &'a mut Option<OutputFile>,
    nowhere: &'a mut io::Sink,
) -> &'a mut (dyn Write + Send) {
    match file {
        Some(file) => file,
        None => nowhere,
    }
}

/// What `--new-key` made.
#[derive(Debug, Serialize)]
struct NewKey<'a> {
    key_file: &'a Path,
    key_check: String,
}

fn new_key(file: &Path, is_json: bool) -> Result<Exit, Failure> {
    let key: PprlKey = key_file::create(file)?;
    let made = NewKey {
        key_file: file,
        key_check: key.check_value(),
    };
    if is_json {
        print_json(&made)?;
    } else {
        let file = file.display();
        print(&format!(
            "{file} holds a new key, key check {}. Hand it to the agencies of the exchange in person or sealed, and never \
             to whoever links their encodings",
            made.key_check
        ))?;
    }
    Ok(Exit::Yes)
}

fn noise(text: &str) -> Result<Noise, String> {
    let epsilon = text.parse().ok().and_then(Noise::of);
    epsilon.ok_or_else(|| "expected a number from 1 to 16".to_owned())
}

fn must_be_distinct(args: &EncodeArgs, table: &NamedTable, key_file: &Path) -> Result<(), Failure> {
    let outputs: Vec<&Path> = [&args.output, &args.ids]
        .into_iter()
        .filter_map(|path| path.as_deref())
        .collect();
    if let [output, ids] = outputs.as_slice()
        && output == ids
    {
        return Err(Failure::Usage("two outputs have the same file".to_owned()));
    }
    match [table.file.as_path(), key_file]
        .into_iter()
        .find(|input| outputs.contains(input))
    {
        Some(input) => Err(Failure::Usage(format!(
            "{} is both read and written",
            input.display()
        ))),
        None => Ok(()),
    }
}

/// The registry must state that the system's organisation is no victim service provider; silence is not enough.
fn must_be_no_victim_service(config: &Path, system: &str) -> Result<(), Failure> {
    let loaded = Loaded::from_file(config).map_err(|error| Failure::Usage(error.to_string()))?;
    let unknown = || Failure::Usage(format!("{}: no system {system}", config.display()));
    let id = SystemId::new(system).map_err(|_| unknown())?;
    let configured = loaded.config.systems.get(&id).ok_or_else(unknown)?;
    let organization = &configured.organization;
    let facts = loaded.registry.organization(organization);
    match facts.and_then(|known| known.facts.victim_service_provider) {
        Some(false) => Ok(()),
        Some(true) => Err(Failure::Refused(format!("{organization} {REFUSED}"))),
        None => Err(Failure::Refused(format!(
            "the registry does not state whether {organization} is a victim service provider"
        ))),
    }
}

fn for_people(report: &EncodeReport, is_dry: bool) -> String {
    let mut table = TextTable::default();
    for (label, value) in [
        ("system", report.system.clone()),
        ("records encoded", report.records.to_string()),
        (
            "too little known to link",
            report.too_little_known.to_string(),
        ),
        ("scheme", report.scheme.to_owned()),
        ("key check", report.key_check.clone()),
    ] {
        table.row([label.to_owned(), value]);
    }
    let mut lines = table.lines("");
    lines.extend(report.warnings.iter().map(warning));
    lines.push("encodings are personal data: giving them away is a disclosure".to_owned());
    if is_dry {
        lines.push("no file was written".to_owned());
    }
    lines.join("\n")
}
