//! Records as a person names them: `SYSTEM:ID`, or the id alone where one table holds it.

use std::collections::BTreeMap;

use crate::batch::Batch;
use crate::record::RecordKey;

use super::error::LinkTablesError;

/// A pair of records by their references.
pub type ReferencePair = (String, String);

/// Numbers of the records that pairs of references name.
pub(super) fn find_pairs(
    batch: &Batch,
    tables: &BTreeMap<String, u64>,
    pairs: &[ReferencePair],
) -> Result<Vec<(usize, usize)>, LinkTablesError> {
    let systems: Vec<&str> = tables.keys().map(String::as_str).collect();
    let find_pair = |(one, other): &ReferencePair| {
        let (a, b) = (find(batch, &systems, one)?, find(batch, &systems, other)?);
        if a == b {
            return Err(refused(other, "is the same record twice".to_owned()));
        }
        Ok((a, b))
    };
    pairs.iter().map(find_pair).collect()
}

fn find(batch: &Batch, systems: &[&str], text: &str) -> Result<usize, LinkTablesError> {
    let with_system: Vec<(&str, &str)> = systems
        .iter()
        .filter_map(|system| Some((*system, text.strip_prefix(system)?.strip_prefix(':')?)))
        .collect();
    let alone = systems.iter().map(|system| (*system, text));
    let found = |(system, id): (&str, &str)| {
        let number = batch.number(&RecordKey::new(system, id))?;
        Some((number, system.to_owned()))
    };
    let named: Vec<_> = with_system.iter().copied().filter_map(found).collect();
    // An id may hold a colon itself: the id alone counts only where no table is named.
    let held = if named.is_empty() {
        alone.filter_map(found).collect()
    } else {
        named
    };
    match held.as_slice() {
        [(number, _)] => Ok(*number),
        [] => Err(refused(text, unknown(&with_system, systems))),
        several => {
            let places: Vec<&str> = several.iter().map(|(_, system)| system.as_str()).collect();
            let places = places.join(" and ");
            let problem = format!("is in several tables ({places}), expected SYSTEM:ID of one");
            Err(refused(text, problem))
        }
    }
}

fn unknown(with_system: &[(&str, &str)], systems: &[&str]) -> String {
    match with_system.first() {
        Some((system, _)) => format!("is unknown: table {system} has no such record id"),
        None => {
            let tables = systems.join(", ");
            format!("is unknown: expected SYSTEM:ID, SYSTEM being one of {tables}")
        }
    }
}

fn refused(reference: &str, problem: String) -> LinkTablesError {
    LinkTablesError::Reference {
        reference: reference.to_owned(),
        problem,
    }
}
