//! Linking as a part of another command.

use std::fmt;
use std::io::{self, Write};

use anyhow::Context as _;
use serde::Serialize;
use tandem_matching::{
    FalseMatchRate, LinkExtras, LinkOptions, LinkOutputs, Rulings, Settings, link_tables_with,
};

use super::progress::ProgressLine;
use super::tables::failure;
use super::tables::{NamedTable, open_all};
use crate::cli::exit::Failure;

/// What a run says about links that were made on the way.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct LinkedTables {
    records: u64,
    links: u64,
    for_review: u64,
    /// Expected share of false links; none when the probabilities could not be estimated from the records.
    false_match_rate: Option<FalseMatchRate>,
}

impl fmt::Display for LinkedTables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            records,
            links,
            for_review,
            ..
        } = self;
        write!(
            formatter,
            "{records} records, {links} links, {for_review} for review"
        )?;
        match &self.false_match_rate {
            Some(rate) => write!(
                formatter,
                ", {:.2} % of the links expected to be false",
                rate.expected * 100.0
            ),
            None => write!(formatter, ", by the probabilities that came with it"),
        }
    }
}

/// Links tables as `tandem link` does without settings, and writes the clusters.
pub(in crate::cli) fn link_into(
    tables: &[NamedTable],
    clusters: &mut dyn Write,
    is_json: bool,
) -> Result<LinkedTables, Failure> {
    let options = LinkOptions {
        settings: Settings::standard().context("loading the matching settings")?,
        estimate: true,
        rulings: Rulings::new(),
    };
    let opened = open_all(tables)?;
    let mut line = ProgressLine::new(false, is_json);
    let mut listener = |progress| line.show(progress);
    let extras = LinkExtras {
        progress: Some(Box::new(&mut listener)),
        ..LinkExtras::default()
    };
    let outputs = LinkOutputs {
        links: &mut io::sink(),
        clusters,
        candidates: None,
    };
    let report = link_tables_with(opened, &options, outputs, extras).map_err(failure);
    line.clear();
    let report = report?;
    let statistics = report.statistics;
    Ok(LinkedTables {
        records: report.records.values().sum(),
        links: statistics.links,
        for_review: statistics.reviews,
        false_match_rate: statistics.false_match_rate,
    })
}
