//! The tables that a run writes.

use std::io::{self, Write};

use rayon::prelude::*;
use uuid::Uuid;

use crate::batch::Batch;
use crate::cluster::ClusterId;
use crate::result::{LinkResult, Pair};

use super::error::LinkTablesError;
use super::rows::Rows;

/// Columns of the table of compared pairs.
pub(crate) const CANDIDATES: [&str; 5] = ["system_a", "id_a", "system_b", "id_b", "score"];

/// The table of compared pairs: pairs are held until there are enough for several tasks to turn into text.
pub(super) struct Candidates<'a> {
    output: &'a mut dyn Write,
    held: Vec<Pair>,
}

impl<'a> Candidates<'a> {
    /// Begins the table.
    pub(super) fn new(output: &'a mut dyn Write) -> io::Result<Self> {
        write_rows(&[()], output, |(), rows| rows.row(&CANDIDATES))?;
        let held = Vec::with_capacity(HELD);
        Ok(Self { output, held })
    }

    /// Takes compared pairs.
    pub(super) fn add(&mut self, batch: &Batch, pairs: &[Pair]) -> io::Result<()> {
        self.held.extend_from_slice(pairs);
        if self.held.len() < HELD {
            return Ok(());
        }
        self.write(|number| batch.key(number))
    }

    /// Writes what is still held.
    pub(super) fn finish(mut self, result: &LinkResult) -> io::Result<()> {
        self.write(|number| result.key_parts(number))
    }

    fn write<'k>(
        &mut self,
        key: impl Fn(usize) -> Option<(&'k str, &'k str)> + Sync,
    ) -> io::Result<()> {
        let row = |pair: &Pair, rows: &mut Rows| {
            if let (Some(a), Some(b)) = (key(pair.a()), key(pair.b())) {
                rows.fields(&[a.0, a.1, b.0, b.1]);
                rows.decimal(pair.score_bits(), 3);
                rows.end();
            }
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
    let row = |pair: &Pair, rows: &mut Rows| {
        if let (Some(a), Some(b)) = (key_parts(pair.a()), key_parts(pair.b())) {
            rows.fields(&[a.0, a.1, b.0, b.1]);
            rows.decimal(pair.score_bits(), 3);
            rows.field(pair.decision().label());
            rows.decimal(pair.false_match_rate(), 6);
            rows.end();
        }
    };
    write_rows(&[()], output, |(), rows| rows.row(&header))
        .and_then(|()| write_rows(links, output, row))
        .and_then(|()| write_rows(reviews, output, row))
        .map_err(LinkTablesError::writing("links"))
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
    let row = |number: &usize, rows: &mut Rows| {
        if let (Some(key), Some(cluster)) = (key_parts(*number), clusters.get(*number)) {
            let mut text = Uuid::encode_buffer();
            let cluster = cluster.uuid().hyphenated().encode_lower(&mut text);
            rows.row(&[key.0, key.1, cluster]);
        }
    };
    write_rows(&[()], output, |(), rows| rows.row(&header))
        .and_then(|()| write_rows(&numbers, output, row))
        .map_err(LinkTablesError::writing("clusters"))
}

/// Writes rows in their order; while some are written, several tasks turn the next into text.
fn write_rows<T: Sync>(
    rows: &[T],
    output: &mut dyn Write,
    row: impl Fn(&T, &mut Rows) + Sync,
) -> io::Result<()> {
    let mut texts = Vec::new();
    for held in rows.chunks(HELD) {
        let mut next = Vec::new();
        let written = rayon::in_place_scope(|scope| {
            scope.spawn(|_| next = as_text(held, &row));
            write_texts(&texts, output)
        });
        written?;
        texts = next;
    }
    write_texts(&texts, output)?;
    output.flush()
}

fn write_texts(texts: &[Vec<u8>], output: &mut dyn Write) -> io::Result<()> {
    texts.iter().try_for_each(|text| output.write_all(text))
}

/// Rows as text, in their order.
fn as_text<T: Sync>(rows: &[T], row: &(impl Fn(&T, &mut Rows) + Sync)) -> Vec<Vec<u8>> {
    let tasks = rows.par_chunks(TASK).map(|rows| {
        let mut text = Rows::with_capacity(ROW * rows.len());
        rows.iter().for_each(|each| row(each, &mut text));
        text.into_text()
    });
    tasks.collect()
}
