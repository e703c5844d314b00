//! `tandem link`: batch matching of plain person tables.

mod explain;
mod outputs;
mod plan;
mod pprl;
mod progress;
pub(super) mod summary;
pub(super) mod tables;
mod within;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{ArgAction, Args};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use tandem_matching::{
    Audience, LinkExtras, LinkOptions, LinkReport, Rulings, Settings, TableInput, link_tables_with,
    plan_tables,
};

use crate::clock::Clock;

use super::exit::{Exit, Failure};
use super::output::{print, print_json};

use outputs::{Outputs, Parts, must_be_distinct};
use progress::ProgressLine;
pub(super) use tables::NamedTable;
use tables::{failure, must_be_readable_twice, open_all, reopen_all};
pub(super) use within::{LinkedTables, link_into};

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
  tandem link --records a=a.csv --records b=b.csv --explain a:17 b:4711 --explain a:17 b:4712
  tandem link --records a=a.csv --links l.csv --clusters c.csv --report report.html
  tandem link --records a=a.csv --records b=b.csv --links l.csv --clusters c.csv --households h.csv --fairness f.csv
  tandem link --records a=a.csv --records b=b.csv --dry-run
  tandem link --pprl --encoded a=a.clk.csv --encoded b=b.clk.csv --links l.csv --clusters c.csv
  tandem link --pprl --key-file shared.key --records a=a.csv --encoded b=b.clk.csv --links l.csv --clusters c.csv

The output files appear when the run has ended well; a failed run leaves earlier ones untouched.
Exit codes: 0 done, 2 wrong usage or a table that can't be used, 3 a file can't be read or written")]
pub(super) struct LinkArgs {
    /// A table and the name of its system; once for each table
    #[arg(
        long = "records",
        value_name = "NAME=FILE.csv",
        required_unless_present = "encoded"
    )]
    tables: Vec<NamedTable>,
    /// Link encodings (CLKs of `tandem encode`), with each other and, by --key-file, with clear tables
    #[arg(
        long,
        conflicts_with_all = [
            "estimate", "no_estimate", "save_settings", "explain", "report", "report_values", "dry_run",
            "fairness", "households", "as_of"
        ]
    )]
    pprl: bool,
    /// A table of encodings and the name of its system; once for each table
    #[arg(long, value_name = "NAME=FILE.clk.csv", requires = "pprl")]
    encoded: Vec<NamedTable>,
    /// The key by which clear tables are encoded in memory; encoded tables need none
    #[arg(long, value_name = "KEY", requires = "pprl")]
    key_file: Option<PathBuf>,
    /// Out: system_a,id_a,system_b,id_b,score,decision (`link` or `review`),false_match_rate (expected among all pairs
    /// of this score and above)
    #[arg(long, value_name = "OUT.csv", required_unless_present_any = ["dry_run", "explain"])]
    links: Option<PathBuf>,
    /// Out: system,record_id,cluster_id, every record once
    #[arg(long, value_name = "OUT.csv", required_unless_present_any = ["dry_run", "explain"])]
    clusters: Option<PathBuf>,
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
    /// Explain a pair: every field, the prior, the rule that decided and the keys by which it was reached, or not; for
    /// any pair of records, as often as wanted. A record goes by its id alone where one table holds it
    #[arg(
        long,
        num_args = 2,
        action = ArgAction::Append,
        value_names = ["SYSTEM:ID", "SYSTEM:ID"],
        conflicts_with = "dry_run"
    )]
    explain: Vec<String>,
    /// Out: a page for a browser with weights, scores, expected false links, blocks, clusters and example pairs. It needs
    /// nothing from outside and says nothing about a person
    #[arg(long, value_name = "OUT.html", conflicts_with = "dry_run")]
    report: Option<PathBuf>,
    /// Show names, dates and addresses of the example pairs in the report (up to five pairs): then it holds personal
    /// data. SSNs and identifiers stay masked. Reads the tables twice
    #[arg(long, requires = "report")]
    report_values: bool,
    /// Out: how each group (kind of family name, age band, pair of systems) is served: expected precision and recall
    #[arg(long, value_name = "OUT.csv", conflicts_with = "dry_run")]
    fairness: Option<PathBuf>,
    /// Out: household_id,system,record_id,cluster_id: the households across systems; the summary then counts people,
    /// families and children, nobody twice
    #[arg(long, value_name = "OUT.csv", conflicts_with = "dry_run")]
    households: Option<PathBuf>,
    /// Date at which ages are told [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,
    /// Read the tables and count blocks and pairs, but compare nothing and write no file
    #[arg(long)]
    dry_run: bool,
    /// Tell on standard error how far the run has come, also where that is no terminal, and with --json
    #[arg(long)]
    progress: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &LinkArgs) -> Result<Exit, Failure> {
    must_be_distinct(args)?;
    if args.report_values {
        must_be_readable_twice(&args.tables)?;
    }
    let options = options(args)?;
    let mut line = ProgressLine::new(args.progress, args.json);
    if args.pprl {
        let mut listener = |progress| line.show(progress);
        let report = pprl::link(args, &options, Some(Box::new(&mut listener)));
        line.clear();
        let report = report?;
        return answer(args, &report, || pprl::for_people(&report));
    }
    let tables = open_all(&args.tables)?;
    if args.dry_run {
        let mut listener = |progress| line.show(progress);
        let plan =
            plan_tables(tables, &options.settings, Some(Box::new(&mut listener))).map_err(failure);
        line.clear();
        let plan = plan?;
        answer(args, &plan, || plan::for_people(&plan))
    } else {
        let mut listener = |progress| line.show(progress);
        let report = link(args, tables, &options, Some(Box::new(&mut listener)));
        line.clear();
        let report = report?;
        answer(args, &report, || summary::for_people(&report))
    }
}

fn answer(
    args: &LinkArgs,
    found: &impl Serialize,
    for_people: impl FnOnce() -> String,
) -> Result<Exit, Failure> {
    if args.json {
        print_json(found)?;
    } else {
        print(&for_people())?;
    }
    Ok(Exit::Yes)
}

fn link(
    args: &LinkArgs,
    tables: Vec<TableInput<'_>>,
    options: &LinkOptions,
    progress: Audience<'_>,
) -> Result<LinkReport, Failure> {
    let mut outputs = Outputs::create(args)?;
    let Parts {
        tables: tables_out,
        page,
        fairness,
        households,
    } = outputs.parts();
    let reopen = || reopen_all(&args.tables);
    let pairs = args.explain.chunks_exact(2);
    let extras = LinkExtras {
        explain: pairs
            .filter_map(|pair| Some((pair.first()?.clone(), pair.last()?.clone())))
            .collect(),
        page,
        values: args.report_values.then_some(&reopen),
        as_of: Some(args.as_of.unwrap_or_else(today)),
        fairness,
        households,
        progress,
    };
    let report = link_tables_with(tables, options, tables_out, extras).map_err(failure)?;
    outputs.finish(report.settings.as_ref())?;
    Ok(report)
}

/// Today, where this machine stands.
fn today() -> Date {
    Clock::System.now().to_zoned(TimeZone::system()).date()
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
