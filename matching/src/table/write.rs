//! The tables that a run writes.

use std::io::Write;

use crate::batch::Batch;
use crate::result::{LinkResult, Pair};

use super::error::LinkTablesError;

/// Writes compared pairs; the header is the caller's.
pub(super) fn write_candidates(
    batch: &Batch,
    pairs: &[Pair],
    writer: &mut csv::Writer<&mut dyn Write>,
) -> Result<(), csv::Error> {
    for pair in pairs {
        let (Some(a), Some(b)) = (batch.key(pair.a()), batch.key(pair.b())) else {
            continue;
        };
        let score = format!("{:.3}", pair.score_bits());
        writer.write_record([a.0, a.1, b.0, b.1, &score])?;
    }
    Ok(())
}

/// Links and reviews.
pub(super) fn write_links(
    result: &LinkResult,
    output: &mut dyn Write,
) -> Result<(), LinkTablesError> {
    let failed = |source| LinkTablesError::Write {
        output: "links",
        source,
    };
    let mut writer = csv::Writer::from_writer(output);
    let header = [
        "system_a",
        "id_a",
        "system_b",
        "id_b",
        "score",
        "decision",
        "false_match_rate",
    ];
    writer.write_record(header).map_err(failed)?;
    for pair in result.links().iter().chain(result.reviews()) {
        let (Some(a), Some(b)) = (result.key_parts(pair.a()), result.key_parts(pair.b())) else {
            continue;
        };
        let score = format!("{:.3}", pair.score_bits());
        let decision = pair.decision();
        let rate = format!("{:.6}", pair.false_match_rate());
        writer
            .write_record([a.0, a.1, b.0, b.1, &score, decision.label(), &rate])
            .map_err(failed)?;
    }
    writer.flush().map_err(|error| failed(error.into()))
}

/// Every record with its cluster.
pub(super) fn write_clusters(
    result: &LinkResult,
    output: &mut dyn Write,
) -> Result<(), LinkTablesError> {
    let failed = |source| LinkTablesError::Write {
        output: "clusters",
        source,
    };
    let mut writer = csv::Writer::from_writer(output);
    writer
        .write_record(["system", "record_id", "cluster_id"])
        .map_err(failed)?;
    for (number, cluster) in result.clusters().iter().enumerate() {
        let Some((system, id)) = result.key_parts(number) else {
            continue;
        };
        writer
            .write_record([system, id, &cluster.to_string()])
            .map_err(failed)?;
    }
    writer.flush().map_err(|error| failed(error.into()))
}
