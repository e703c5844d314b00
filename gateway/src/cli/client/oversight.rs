//! `tandem measure`: what privacy officers, administrators and auditors look at.

use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tandem_coordination::period::Period;

use super::super::exit::{Exit, Failure};
use super::super::measure::TablesArgs;
use super::AnswerArgs;
use super::connection::Call;
use crate::clock::Clock;

/// Compute measures over a span of days: by the running gateway, or match rates from tables. Unless --public is given, the
/// figures are not masked: they are for the network, not for the public.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem measure MC-1 MC-2 --from 2026-01-01 --to 2026-03-31
  tandem measure MC-1 MC-2 MC-3 --records calworks=a.csv --records cws=b.csv --open cws=open.csv
  tandem measure MC-1 MC-2 --clusters clusters.csv --public --csv

From tables: MC-1 is the share of the first system's base known to the second, MC-2 the other direction, MC-3 the share
of the second's open cases known to the first; each in persons and in records.")]
pub(in super::super) struct MeasureArgs {
    /// Ids of measures, such as MC-1; all when none is named
    ids: Vec<String>,
    /// First day; the calendar year when absent
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<Date>,
    /// Last day
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<Date>,
    #[command(flatten)]
    tables: TablesArgs,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl MeasureArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        if self.to < self.from {
            return Err(Failure::Usage("--to is before --from".to_owned()));
        }
        if self.tables.are_given() {
            return self.tables.run(&self.ids, self.period()?, self.answer.json);
        }
        let call = Call::get(["measures"])
            .query("ids", (!self.ids.is_empty()).then(|| self.ids.join(",")))
            .query("from", self.from)
            .query("to", self.to);
        self.answer.call(call).await
    }

    /// The days that stand in rows from tables, which hold no days themselves.
    fn period(&self) -> Result<Period, Failure> {
        let today = Clock::System.now().to_zoned(TimeZone::UTC).date();
        let from = self.from.unwrap_or_else(|| today.first_of_year());
        let to = self.to.unwrap_or_else(|| today.last_of_year());
        Period::new(from, to).map_err(|error| Failure::Usage(error.to_string()))
    }
}
