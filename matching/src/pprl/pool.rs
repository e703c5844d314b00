//! The encodings that are linked with each other.

use std::collections::HashSet;

use crate::population::key_digest;
use crate::record::RecordKey;

use super::encode::Encoding;
use super::noise::Noise;

/// A table among the encodings.
#[derive(Debug, Clone)]
struct System {
    name: String,
    noise: Noise,
}

#[derive(Debug)]
struct Entry {
    system: u16,
    id: Box<str>,
    digest: u128,
    encoding: Encoding,
}

/// Encodings, numbered from 0 in the order of input.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    systems: Vec<System>,
    entries: Vec<Entry>,
    digests: HashSet<u128>,
}

/// A system of a pool.
pub(super) type SystemNumber = u16;

impl Pool {
    /// Starts a system; `None` when its name is taken or there are too many.
    pub(super) fn system(&mut self, name: &str, noise: Noise) -> Option<SystemNumber> {
        if self.systems.iter().any(|known| known.name == name) {
            return None;
        }
        let number = SystemNumber::try_from(self.systems.len()).ok()?;
        let name = name.to_owned();
        self.systems.push(System { name, noise });
        Some(number)
    }

    /// Adds an encoding; `false` when the system has the id already.
    pub(super) fn push(&mut self, system: SystemNumber, id: &str, encoding: Encoding) -> bool {
        let name = self.systems.get(usize::from(system));
        let name = name.map_or("", |system| system.name.as_str());
        let digest = key_digest(&RecordKey::new(name, id));
        let is_new = self.digests.insert(digest);
        if is_new {
            let id = id.into();
            self.entries.push(Entry {
                system,
                id,
                digest,
                encoding,
            });
        }
        is_new
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// System and id of a record.
    pub(crate) fn key_parts(&self, number: usize) -> Option<(&str, &str)> {
        let entry = self.entries.get(number)?;
        let system = self.systems.get(usize::from(entry.system))?;
        Some((&system.name, &entry.id))
    }

    pub(super) fn system_of(&self, number: u32) -> SystemNumber {
        let entry = self.entries.get(number as usize);
        entry.map_or(SystemNumber::MAX, |entry| entry.system)
    }

    pub(super) fn digest(&self, number: u32) -> u128 {
        let entry = self.entries.get(number as usize);
        entry.map_or(u128::MAX, |entry| entry.digest)
    }

    /// An encoding with the noise of its table.
    pub(super) fn encoding(&self, number: u32) -> Option<(&Encoding, Noise)> {
        let entry = self.entries.get(number as usize)?;
        let system = self.systems.get(usize::from(entry.system))?;
        Some((&entry.encoding, system.noise))
    }

    /// Encodings that know enough to be linked, with their numbers.
    pub(super) fn linkable(&self) -> impl Iterator<Item = (u32, &Encoding)> {
        let numbered = (0..).zip(&self.entries);
        numbered
            .map(|(number, entry)| (number, &entry.encoding))
            .filter(|(_, encoding)| encoding.known.is_enough())
    }
}
