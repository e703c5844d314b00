//! The page as a whole.

use std::collections::BTreeSet;

use crate::blocking::Survey;
use crate::record::RecordKey;
use crate::result::LinkResult;
use crate::table::{LinkReport, Values};

use super::blocks::blocks;
use super::examples::{Example, choose};
use super::groups::groups;
use super::histogram::histogram;
use super::markup::{Table, count, paragraph, percent, section};
use super::rate::rate;
use super::scores::Scores;
use super::sizes::clusters;
use super::waterfall::waterfall;
use super::weights::weights;

const STYLE: &str = include_str!("page.css");

/// Nothing may be loaded, whatever a value that is shown may hold.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The report of a run.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    result: &'a LinkResult,
    report: &'a LinkReport,
    scores: &'a Scores,
    examples: Vec<Example>,
}

impl<'a> Page<'a> {
    pub(crate) fn new(result: &'a LinkResult, report: &'a LinkReport, scores: &'a Scores) -> Self {
        Self {
            result,
            report,
            scores,
            examples: choose(result, scores),
        }
    }

    /// Records of the example pairs.
    pub(crate) fn records(&self) -> BTreeSet<RecordKey> {
        let keys = self.examples.iter().map(|example| &example.keys);
        keys.flat_map(|(a, b)| [a.clone(), b.clone()]).collect()
    }

    /// Shows values of the example pairs.
    pub(crate) fn show(&mut self, values: &Values) {
        for example in &mut self.examples {
            let of = |key| values.get(key).cloned().unwrap_or_default();
            example.values = Some([of(&example.keys.0), of(&example.keys.1)]);
        }
    }

    /// The page.
    pub(crate) fn html(&self) -> String {
        let settings = self.result.settings();
        let pairs = self.result.links().iter().chain(self.result.reviews());
        let survey = Survey::of(
            &self.result.population,
            &settings.blocking,
            pairs.map(|pair| (pair.a, pair.b)),
        );
        let statistics = self.result.statistics();
        let parts = [
            self.summary(),
            weights(settings),
            histogram(&self.scores.by_decision(self.result), &settings.thresholds),
            rate(self.result),
            blocks(&survey, statistics),
            clusters(self.result.clusters()),
            groups(&self.report.fairness),
            self.waterfalls(),
        ];
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"/>\
             <title>Tandem: report of linked records</title>\n<style>\n{STYLE}</style></head>\n<body><main>\n\
             <h1>Which records are one person</h1>\n{}</main></body></html>\n",
            parts.concat()
        )
    }

    fn summary(&self) -> String {
        let statistics = self.result.statistics();
        let mut table = Table::new("summary-table", "The run", &["what", "number"]);
        for (system, records) in &self.report.records {
            table.row(&[format!("records of {system}"), count(*records)]);
        }
        table.row(&["pairs compared", &count(statistics.pairs_compared)]);
        table.row(&["links", &count(statistics.links)]);
        table.row(&["for review", &count(statistics.reviews)]);
        let refused = count(statistics.links_refused_by_cluster);
        table.row(&["of these, links that their clusters refuse", &refused]);
        table.row(&["people (clusters)", &count(self.report.clusters)]);
        let mut text = paragraph(&self.basis());
        if let Some(rate) = &statistics.false_match_rate {
            text.push_str(&paragraph(&format!(
                "Linked from {:.3} bits. Of the links {} are expected to be false ({} to {}); {} was wanted.",
                statistics.link_bits,
                percent(rate.expected),
                percent(rate.low),
                percent(rate.high),
                percent(self.result.settings().thresholds.false_match_rate),
            )));
        }
        let passed_over: u64 = self.report.warnings.iter().map(|found| found.count).sum();
        if passed_over > 0 {
            text.push_str(&paragraph(&format!(
                "{} values, columns or lines of the tables were passed over or are doubtful; the run named them.",
                count(passed_over)
            )));
        }
        section("summary", "Summary", &format!("{text}{}", table.finish()))
    }

    fn basis(&self) -> String {
        match (&self.report.estimate, &self.report.estimate_refused) {
            (Some(estimate), _) => format!(
                "The probabilities were estimated from these records, without labels, in {} rounds over {} distinct \
                 patterns of agreement; about {} matching pairs are expected.",
                estimate.rounds,
                count(estimate.patterns as u64),
                count(estimate.expected_matches.round() as u64),
            ),
            (None, Some(reason)) => {
                format!(
                    "The probabilities could not be estimated ({reason}): they are as they were set."
                )
            }
            (None, None) => "The probabilities are as they were set.".to_owned(),
        }
    }

    fn waterfalls(&self) -> String {
        let is_shown = self.examples.iter().any(|example| example.values.is_some());
        let text = if is_shown {
            "This page shows names, dates and addresses of people: keep it as you keep their records. Numbers by which \
             a person is known are left out."
        } else {
            "Values are masked: the page says nothing about a person. What is linked stands in the links table, by line."
        };
        let thresholds = &self.result.settings().thresholds;
        let examples = self.examples.iter();
        let examples: String = examples
            .map(|example| waterfall(example, thresholds))
            .collect();
        let content = format!("{}{examples}", paragraph(text));
        section("examples", "Example pairs", &content)
    }
}
