//! The tables that a run writes.

use std::io::{self, Write};

use rayon::prelude::*;

use crate::batch::Batch;
use crate::cluster::ClusterId;
use crate::result::{LinkResult, Pair};

use super::error::LinkTablesError;

/// The table of compared pairs: pairs are held until there are enough for several tasks to turn into text.
pub(super) struct Candidates<'a> {
    output: &'a mut dyn Write,
    held: Vec<Pair>,
}

impl<'a> Candidates<'a> {
    /// Begins the table.
    pub(super) fn new(output: &'a mut dyn Write) -> csv::Result<Self> {
        let header = ["system_a", "id_a", "system_b", "id_b", "score"];
        write_rows(&[()], output, |(), writer| writer.write_record(header))?;
        let held = Vec::with_capacity(HELD);
        Ok(Self { output, held })
    }

    /// Takes compared pairs.
    pub(super) fn add(&mut self, batch: &Batch, pairs: &[Pair]) -> csv::Result<()> {
        self.held.extend_from_slice(pairs);
        if self.held.len() < HELD {
            return Ok(());
        }
        self.write(|number| batch.key(number))
    }

    /// Writes what is still held.
    pub(super) fn finish(mut self, result: &LinkResult) -> csv::Result<()> {
        self.write(|number| result.key_parts(number))
    }

    fn write<'k>(
        &mut self,
        key: impl Fn(usize) -> Option<(&'k str, &'k str)> + Sync,
    ) -> csv::Result<()> {
        let row = |pair: &Pair, writer: &mut Rows| {
            let (Some(a), Some(b)) = (key(pair.a()), key(pair.b())) else {
                return Ok(());
            };
            let score = format!("{:.3}", pair.score_bits());
            writer.write_record([a.0, a.1, b.0, b.1, &score])
        };
        write_rows(&self.held, self.output, row)?;
        self.held.clear();
        Ok(())
    }
}

/// Rows that one task writes.
const TASK: usize = 4096;
/// Bytes that a row takes, about.
const ROW: usize = 80;
/// Rows that are held as text at a time.
const HELD: usize = 32 * TASK;

/// Links and reviews.
pub(super) fn write_links(
    result: &LinkResult,
    output: &mut dyn Write,
) -> Result<(), LinkTablesError> {
    let pairs = [result.links(), result.reviews()];
    write_pairs(pairs, |number| result.key_parts(number), output)
}

/// Links, then reviews; `key_parts` gives system and id of a record.
pub(crate) fn write_pairs<'a>(
    [links, reviews]: [&[Pair]; 2],
    key_parts: impl Fn(usize) -> Option<(&'a str, &'a str)> + Sync,
    output: &mut dyn Write,
) -> Result<(), LinkTablesError> {
    let header = [
        "system_a",
        "id_a",
        "system_b",
        "id_b",
        "score",
        "decision",
        "false_match_rate",
    ];
    let row = |pair: &Pair, writer: &mut Rows| {
        let (Some(a), Some(b)) = (key_parts(pair.a()), key_parts(pair.b())) else {
            return Ok(());
        };
        let score = format!("{:.3}", pair.score_bits());
        let decision = pair.decision().label();
        let rate = format!("{:.6}", pair.false_match_rate());
        writer.write_record([a.0, a.1, b.0, b.1, &score, decision, &rate])
    };
    write_rows(&[()], output, |(), writer| writer.write_record(header))
        .and_then(|()| write_rows(links, output, row))
        .and_then(|()| write_rows(reviews, output, row))
        .map_err(|source| LinkTablesError::Write {
            output: "links",
            source,
        })
}

/// Every record with its cluster.
pub(super) fn write_clusters(
    result: &LinkResult,
    output: &mut dyn Write,
) -> Result<(), LinkTablesError> {
    write_cluster_ids(result.clusters(), |number| result.key_parts(number), output)
}

/// Records, numbered in the order of their clusters, each with its cluster.
pub(crate) fn write_cluster_ids<'a>(
    clusters: &[ClusterId],
    key_parts: impl Fn(usize) -> Option<(&'a str, &'a str)> + Sync,
    output: &mut dyn Write,
) -> Result<(), LinkTablesError> {
    let header = ["system", "record_id", "cluster_id"];
    let numbers: Vec<usize> = (0..clusters.len()).collect();
    let row = |number: &usize, writer: &mut Rows| {
        let cluster = clusters.get(*number);
        let (Some(key), Some(cluster)) = (key_parts(*number), cluster) else {
            return Ok(());
        };
        writer.write_record([key.0, key.1, &cluster.to_string()])
    };
    write_rows(&[()], output, |(), writer| writer.write_record(header))
        .and_then(|()| write_rows(&numbers, output, row))
        .map_err(|source| LinkTablesError::Write {
            output: "clusters",
            source,
        })
}

type Rows = csv::Writer<Vec<u8>>;

/// Writes rows in their order; while some are written, several tasks turn the next into text.
fn write_rows<T: Sync>(
    rows: &[T],
    output: &mut dyn Write,
    row: impl Fn(&T, &mut Rows) -> csv::Result<()> + Sync,
) -> csv::Result<()> {
    let mut texts = Vec::new();
    for held in rows.chunks(HELD) {
        let mut next = Ok(Vec::new());
        let written = rayon::in_place_scope(|scope| {
            scope.spawn(|_| next = as_text(held, &row));
            write_texts(&texts, output)
        });
        written?;
        texts = next?;
    }
    write_texts(&texts, output)?;
    Ok(output.flush()?)
}

fn write_texts(texts: &[Vec<u8>], output: &mut dyn Write) -> io::Result<()> {
    texts.iter().try_for_each(|text| output.write_all(text))
}

/// Rows as text, in their order.
fn as_text<T: Sync>(
    rows: &[T],
    row: &(impl Fn(&T, &mut Rows) -> csv::Result<()> + Sync),
) -> csv::Result<Vec<Vec<u8>>> {
    let tasks = rows.par_chunks(TASK).map(|rows| {
        let mut writer = csv::Writer::from_writer(Vec::with_capacity(ROW * rows.len()));
        rows.iter().try_for_each(|each| row(each, &mut writer))?;
        writer
            .into_inner()
            .map_err(|error| csv::Error::from(error.into_error()))
    });
    tasks.collect()
}
