//! What other records of one system could be the same person: each record's candidates, the best first.

use super::block::NumberPair;
use super::pool::{Pool, SystemNumber};

/// Scores below it are those of strangers: such a candidate rivals nobody.
const LOWEST: f64 = -50.0;

/// A compared pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Compared {
    pub(super) records: NumberPair,
    pub(super) score: f64,
}

/// A candidate of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// The record that could be the same person.
    pub(super) other: u32,
    pub(super) score: f64,
    /// Number of the pair among those compared.
    pub(super) pair: usize,
}

/// The candidates of one record in one system, the best first; never empty.
#[derive(Debug)]
pub(super) struct Candidates<'a> {
    pub(super) record: u32,
    /// Whether the system is the record's own.
    pub(super) is_within: bool,
    rows: &'a [Row],
}

impl Candidates<'_> {
    pub(super) fn iter(&self) -> impl Iterator<Item = Candidate> {
        self.rows.iter().map(|row| row.candidate)
    }
}

#[derive(Debug, Clone, Copy)]
struct Row {
    record: u32,
    system: SystemNumber,
    is_within: bool,
    candidate: Candidate,
}

/// All candidates of all records.
#[derive(Debug)]
pub(super) struct Rivals {
    rows: Vec<Row>,
    /// By number of the pair, for how many of its two records the other is the best candidate in its system.
    best_for: Vec<u8>,
}

impl Rivals {
    pub(super) fn of(pool: &Pool, compared: &[Compared]) -> Self {
        let near = compared.iter().enumerate();
        let near = near.filter(|(_, pair)| pair.score >= LOWEST);
        let mut rows: Vec<Row> = near
            .flat_map(|(number, pair)| {
                let (a, b) = pair.records;
                [(a, b), (b, a)].map(|(record, other)| {
                    let system = pool.system_of(other);
                    Row {
                        record,
                        system,
                        is_within: system == pool.system_of(record),
                        candidate: Candidate {
                            other,
                            score: pair.score,
                            pair: number,
                        },
                    }
                })
            })
            .collect();
        rows.sort_unstable_by(|one, two| {
            let place = |row: &Row| (row.record, row.system);
            let by_score = two.candidate.score.total_cmp(&one.candidate.score);
            let by_pair = one.candidate.pair.cmp(&two.candidate.pair);
            place(one).cmp(&place(two)).then(by_score).then(by_pair)
        });
        let mut rivals = Self {
            best_for: vec![0; compared.len()],
            rows,
        };
        let best: Vec<usize> = rivals
            .groups()
            .filter_map(|candidates| Some(candidates.iter().next()?.pair))
            .collect();
        for pair in best {
            if let Some(times) = rivals.best_for.get_mut(pair) {
                *times += 1;
            }
        }
        rivals
    }

    /// For how many of the two records of a pair the other is the best candidate in its system.
    pub(super) fn best_for(&self, pair: usize) -> u8 {
        self.best_for.get(pair).copied().unwrap_or_default()
    }

    /// The candidates, by record and system.
    pub(super) fn groups(&self) -> impl Iterator<Item = Candidates<'_>> {
        let groups = self
            .rows
            .chunk_by(|one, two| (one.record, one.system) == (two.record, two.system));
        groups.filter_map(|rows| {
            let first = rows.first()?;
            Some(Candidates {
                record: first.record,
                is_within: first.is_within,
                rows,
            })
        })
    }
}
