//! Who is one person, read from a table of clusters.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use sha2::{Digest as _, Sha256};
use tandem_mappings::model::id::{PersonId, RecordKey, SourcePersonId, SystemId};
use uuid::Uuid;

use super::table::{misfit, read_columns};
use crate::cli::exit::Failure;

/// Characters of the hash in a snapshot's id.
const HASH_LENGTH: usize = 16;

/// Records with the person whom each is about.
#[derive(Debug)]
pub(super) struct Links {
    /// The systems in the order in which pairs are formed.
    pub(super) systems: Vec<SystemId>,
    pub(super) persons: BTreeMap<RecordKey, PersonId>,
}

impl Links {
    /// Reads `system,record_id,cluster_id`. Pairs are formed in the order of `systems`; when there are none, in the order
    /// in which the table names them.
    pub(super) fn read(file: &Path, systems: Vec<SystemId>) -> Result<Self, Failure> {
        let mut links = Self {
            systems,
            persons: BTreeMap::new(),
        };
        let is_ordered = !links.systems.is_empty();
        let mut numbers: HashMap<String, u128> = HashMap::new();
        read_columns(
            file,
            ["system", "record_id", "cluster_id"],
            |line, [system, id, cluster]| {
                let system = SystemId::new(system)
                    .map_err(|_| misfit(file, line, "system", "the name of a system"))?;
                let person = SourcePersonId::new(id)
                    .map_err(|_| misfit(file, line, "record_id", "an id"))?;
                if !links.systems.contains(&system) {
                    if is_ordered {
                        return Err(misfit(file, line, "system", "a system named by --records"));
                    }
                    links.systems.push(system.clone());
                }
                if cluster.trim().is_empty() {
                    return Err(misfit(file, line, "cluster_id", "an id"));
                }
                let next = numbers.len() as u128;
                let number = *numbers.entry(cluster.trim().to_owned()).or_insert(next);
                let key = RecordKey { system, person };
                match links.persons.insert(key, PersonId(Uuid::from_u128(number))) {
                    None => Ok(()),
                    Some(_) => Err(misfit(
                        file,
                        line,
                        "record_id",
                        "a record that no earlier line has",
                    )),
                }
            },
        )?;
        Ok(links)
    }

    /// An id that the same links always have, in whatever order they are written and however the clusters are called.
    pub(super) fn snapshot_id(&self) -> String {
        let mut hash = Sha256::new();
        let mut firsts: HashMap<PersonId, u64> = HashMap::new();
        for (key, person) in &self.persons {
            let next = firsts.len() as u64;
            let first = *firsts.entry(*person).or_insert(next);
            for text in [key.system.as_str(), key.person.as_str()] {
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text);
            }
            hash.update(first.to_le_bytes());
        }
        let hash = hex::encode(hash.finalize());
        format!("links-{}", hash.get(..HASH_LENGTH).unwrap_or(&hash))
    }
}
