//! `tandem link`: batch matching of plain person tables.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;
use clap::Args;
use tandem_matching::{
    LinkOptions, LinkOutputs, LinkReport, LinkTablesError, Rulings, Settings, TableInput,
    link_tables,
};

use super::exit::{Exit, Failure};
use super::output::{print, print_json};
use super::output_file::OutputFile;
use super::table::{TextTable, printable};

/// Find the records of plain person tables that are one person, within and between the tables.
///
/// Columns of a table, any of which may be missing: record_id, first_name, middle_name, last_name, suffix, dob, sex,
/// ssn, phone, street, city, state, zip; name_dq, ssn_dq, dob_dq (HMIS data quality codes); household_id,
/// relationship, other_names (`;` between names); id_NAME for an identifier that several systems share (id_cin).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem link --records calworks=a.csv --records hmis=b.csv --links links.csv --clusters clusters.csv
  tandem link --records a=a.csv --links l.csv --clusters c.csv --false-match-rate 0.001 --save-settings learnt.toml
  tandem link --records a=a.csv --links l.csv --clusters c.csv --candidates all.csv --settings matching.toml

The output files appear when the run has ended well; a failed run leaves earlier ones untouched.
Exit codes: 0 done, 2 wrong usage or a table that can't be used, 3 a file can't be read or written")]
pub(super) struct LinkArgs {
    /// A table and the name of its system; once for each table
    #[arg(long = "records", value_name = "NAME=FILE.csv", required = true)]
    tables: Vec<NamedTable>,
    /// Out: system_a,id_a,system_b,id_b,score,decision (`link` or `review`),false_match_rate (expected among all pairs
    /// of this score and above)
    #[arg(long, value_name = "OUT.csv")]
    links: PathBuf,
    /// Out: system,record_id,cluster_id, every record once
    #[arg(long, value_name = "OUT.csv")]
    clusters: PathBuf,
    /// Out: system_a,id_a,system_b,id_b,score, every compared pair
    #[arg(long, value_name = "OUT.csv")]
    candidates: Option<PathBuf>,
    /// Matching settings; those compiled in when absent
    #[arg(long, value_name = "FILE.toml")]
    settings: Option<PathBuf>,
    /// Estimate the probabilities from the records first (done when no settings are given)
    #[arg(long, overrides_with = "no_estimate")]
    estimate: bool,
    /// Take the probabilities of the settings as they are
    #[arg(long, overrides_with = "estimate")]
    no_estimate: bool,
    /// Link down to the score at which this share of all links is expected to be false; with an estimation only
    #[arg(long, value_name = "SHARE")]
    false_match_rate: Option<f64>,
    /// Out: the settings with what was estimated, as a file for --settings
    #[arg(long, value_name = "OUT.toml")]
    save_settings: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// `NAME=FILE`.
#[derive(Debug, Clone)]
struct NamedTable {
    system: String,
    file: PathBuf,
}

impl FromStr for NamedTable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((system, file)) if !system.trim().is_empty() && !file.is_empty() => Ok(Self {
                system: system.trim().to_owned(),
                file: file.into(),
            }),
            _ => Err("expected NAME=FILE.csv".to_owned()),
        }
    }
}

/// Runs the command.
pub(super) fn run(args: &LinkArgs) -> Result<Exit, Failure> {
    distinct_outputs(args)?;
    let options = options(args)?;
    let tables = args.tables.iter().map(open).collect::<Result<_, _>>()?;
    let mut links = OutputFile::create(&args.links)?;
    let mut clusters = OutputFile::create(&args.clusters)?;
    let mut candidates = args
        .candidates
        .as_deref()
        .map(OutputFile::create)
        .transpose()?;
    let outputs = LinkOutputs {
        links: &mut links,
        clusters: &mut clusters,
        candidates: candidates.as_mut().map(|file| file as &mut dyn Write),
    };
    let mut saved = args
        .save_settings
        .as_deref()
        .map(OutputFile::create)
        .transpose()?;
    let report = link_tables(tables, &options, outputs).map_err(failure)?;
    if let (Some(file), Some(settings)) = (&mut saved, &report.settings) {
        let text = settings.to_toml().context("writing the settings")?;
        file.write_all(text.as_bytes())
            .context("writing the settings")?;
    }
    links.finish()?;
    clusters.finish()?;
    candidates.map_or(Ok(()), OutputFile::finish)?;
    saved.map_or(Ok(()), OutputFile::finish)?;
    if args.json {
        print_json(&report)?
    } else {
        print(&for_people(&report))?
    }
    Ok(Exit::Yes)
}

fn distinct_outputs(args: &LinkArgs) -> Result<(), Failure> {
    let mut outputs = vec![&args.links, &args.clusters];
    outputs.extend(&args.candidates);
    outputs.extend(&args.save_settings);
    let inputs = args.tables.iter().map(|table| &table.file);
    let is_taken = |path: &PathBuf| outputs.iter().filter(|other| **other == path).count() > 1;
    if outputs.iter().any(|path| is_taken(path)) {
        return Err(Failure::Usage("two outputs have the same file".to_owned()));
    }
    let mut overwritten = inputs.filter(|input| outputs.contains(input));
    match overwritten.next() {
        Some(input) => Err(Failure::Usage(format!(
            "{} is both read and written",
            input.display()
        ))),
        None => Ok(()),
    }
}

fn options(args: &LinkArgs) -> Result<LinkOptions, Failure> {
    let settings = match &args.settings {
        None => Settings::standard().context("loading the matching settings")?,
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("reading {}", path.display()))?;
            Settings::parse(&text)
                .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?
        }
    };
    let mut settings = settings;
    if let Some(rate) = args.false_match_rate {
        settings.thresholds.false_match_rate = rate;
        settings
            .check()
            .map_err(|error| Failure::Usage(error.to_string()))?;
    }
    let estimate = args.estimate || (args.settings.is_none() && !args.no_estimate);
    Ok(LinkOptions {
        settings,
        estimate,
        rulings: Rulings::new(),
    })
}

fn open(table: &NamedTable) -> Result<TableInput<'static>, Failure> {
    let input =
        open_file(&table.file).with_context(|| format!("reading {}", table.file.display()))?;
    Ok(TableInput {
        system: table.system.clone(),
        file: table.file.display().to_string(),
        input: Box::new(input),
    })
}

fn open_file(path: &Path) -> std::io::Result<BufReader<File>> {
    if path.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    Ok(BufReader::with_capacity(1 << 18, File::open(path)?))
}

fn failure(error: LinkTablesError) -> Failure {
    match error {
        LinkTablesError::Value { .. } | LinkTablesError::System(_) => {
            Failure::Usage(error.to_string())
        }
        LinkTablesError::Unreadable { ref source, .. } if !source.is_io_error() => {
            Failure::Usage(error.to_string())
        }
        other => Failure::CouldNotRun(other.into()),
    }
}

fn for_people(report: &LinkReport) -> String {
    let statistics = &report.statistics;
    let mut table = TextTable::default();
    for (system, records) in &report.records {
        table.row([format!("records of {system}"), records.to_string()]);
    }
    table.row([
        "pairs compared".to_owned(),
        statistics.pairs_compared.to_string(),
    ]);
    table.row(["links".to_owned(), statistics.links.to_string()]);
    table.row(["for review".to_owned(), statistics.reviews.to_string()]);
    table.row(["people (clusters)".to_owned(), report.clusters.to_string()]);
    let mut lines = table.lines("");
    if let Some(estimate) = &report.estimate {
        let (rounds, matches) = (estimate.rounds, estimate.expected_matches);
        lines.push(format!(
            "estimated in {rounds} rounds: about {matches:.0} matching pairs expected"
        ));
    }
    if let Some(rate) = &statistics.false_match_rate {
        let percent = |share: f64| format!("{:.2}", share * 100.0);
        lines.push(format!(
            "linked from {:.1} bits; {} % of the links are expected to be false ({} to {} %)",
            statistics.link_bits,
            percent(rate.expected),
            percent(rate.low),
            percent(rate.high)
        ));
    }
    if let Some(reason) = &report.estimate_refused {
        lines.push(format!(
            "not estimated, the settings were used as they are: {reason}"
        ));
    }
    for warning in &report.warnings {
        let column = if warning.column.is_empty() {
            "line"
        } else {
            &warning.column
        };
        lines.push(printable(&format!(
            "warning: {}:{}: {column}: expected {} ({} times)",
            warning.file, warning.line, warning.expected, warning.count
        )));
    }
    lines.join("\n")
}
