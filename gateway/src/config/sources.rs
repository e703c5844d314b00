//! What a configuration was read from: the keys of its file, and the content of every file that it names, as hashes. Two
//! readings are told apart by it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tandem_consent::sha256;
use tandem_mappings::model::id::SystemId;
use utoipa::ToSchema;

use super::{Config, Loaded};

/// The name of the configuration's own file in the hash: gateways of one store may call it otherwise.
const OWN_FILE: &str = "configuration";

/// What differs between two configurations. No value of either stands in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Change {
    /// What happened to it.
    pub change: ChangeKind,
    /// A key of the configuration file, a token by its name, or a file that the configuration names.
    pub what: String,
}

/// How something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// It says something else.
    Changed,
    /// It is not there any more.
    Removed,
}

/// A file that a configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    /// The key that names it.
    key: String,
    /// Hash of its content; empty when it can't be read.
    sha256: String,
    /// Whether it holds a secret: its content is then no part of the configuration's hash, which is published.
    is_secret: bool,
}

/// What a configuration was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    own: String,
    keys: BTreeMap<String, String>,
    tokens: BTreeMap<String, String>,
    files: BTreeMap<String, Source>,
}

impl Sources {
    /// Reads again what a configuration was read from. What can't be read counts as empty: whoever needs it says so.
    #[must_use]
    pub fn of(loaded: &Loaded) -> Self {
        let own = std::fs::read_to_string(&loaded.file).unwrap_or_default();
        let mut keys = BTreeMap::new();
        let table: toml::Table = toml::from_str(&own).unwrap_or_default();
        flatten("", &toml::Value::Table(table), &mut keys);
        let tokens = loaded.tokens.tokens.iter();
        let tokens = tokens.map(|token| (format!("token {}", token.name), format!("{token:?}")));
        let folder = loaded.file.parent().unwrap_or_else(|| Path::new(""));
        let mut files = BTreeMap::new();
        for (key, path, is_secret) in named(&loaded.config, folder) {
            for file in files_of(&path) {
                let name = file.strip_prefix(folder).unwrap_or(&file);
                let content = std::fs::read(&file).map(|bytes| sha256(&bytes));
                let source = Source {
                    key: key.clone(),
                    sha256: content.unwrap_or_default(),
                    is_secret,
                };
                files.insert(name.display().to_string(), source);
            }
        }
        Self {
            own: sha256(own.as_bytes()),
            keys,
            tokens: tokens.collect(),
            files,
        }
    }

    /// One hash of all that is no secret: the same files have the same, on every gateway.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut whole = format!("{OWN_FILE} {}\n", self.own);
        for (name, source) in self.files.iter().filter(|(_, source)| !source.is_secret) {
            whole.push_str(&format!("{name} {}\n", source.sha256));
        }
        sha256(whole.as_bytes())
    }

    /// What differs in a later reading.
    #[must_use]
    pub fn changes(&self, later: &Self) -> Vec<Change> {
        let digests = |sources: &Self| -> BTreeMap<String, String> {
            let all = sources.files.iter();
            // Tokens are told by their names.
            let told = all.filter(|(_, source)| source.key != "tokens");
            told.map(|(name, source)| (name.clone(), source.sha256.clone()))
                .collect()
        };
        let mut changes = differing(&self.keys, &later.keys);
        let systems = [whole_systems(&self.keys), whole_systems(&later.keys)];
        let [before, after] = &systems;
        for change in &mut changes {
            let system = system_of(&change.what);
            // A system that comes or goes is one change.
            if let Some(system) = system.filter(|one| before.contains(one) != after.contains(one)) {
                change.what = system;
            }
        }
        changes.extend(differing(&self.tokens, &later.tokens));
        changes.extend(differing(&digests(self), &digests(later)));
        changes.sort();
        changes.dedup();
        changes
    }

    /// The keys under which the files of one or the other say something else.
    pub(super) fn keys_of_other_files<'a>(&'a self, later: &'a Self) -> BTreeSet<&'a str> {
        let is_in = |source: &(&String, &Source), other: &Self| {
            other.files.get(source.0).map(|one| &one.sha256) == Some(&source.1.sha256)
        };
        let gone = self.files.iter().filter(|one| !is_in(one, later));
        let new = later.files.iter().filter(|one| !is_in(one, self));
        gone.chain(new)
            .map(|(_, source)| source.key.as_str())
            .collect()
    }

    /// Whether a later reading says the same of how a system is connected.
    #[must_use]
    pub fn says_the_same_of(&self, system: &SystemId, later: &Self) -> bool {
        let start = format!("systems.{system}.");
        let is_own = |(key, _): &(&String, &String)| key.starts_with(&start);
        let keys = |sources: &'_ Self| -> Vec<(String, String)> {
            let own = sources.keys.iter().filter(is_own);
            own.map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        };
        let other_files = self.keys_of_other_files(later);
        keys(self) == keys(later) && !other_files.iter().any(|key| key.starts_with(&start))
    }
}

/// Every key with its value, by its whole name.
fn flatten(name: &str, value: &toml::Value, keys: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (part, inner) in table {
                let name = if name.is_empty() {
                    part.clone()
                } else {
                    format!("{name}.{part}")
                };
                flatten(&name, inner, keys);
            }
        }
        plain => {
            keys.insert(name.to_owned(), plain.to_string());
        }
    }
}

fn differing(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<Change> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changes = names.into_iter().filter_map(|name| {
        let change = match (before.get(name), after.get(name)) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            (before, after) if before != after => ChangeKind::Changed,
            _ => return None,
        };
        Some(Change {
            change,
            what: name.clone(),
        })
    });
    changes.collect()
}

/// The system to which a key belongs, as `systems.NAME`.
fn system_of(key: &str) -> Option<String> {
    let name = key.strip_prefix("systems.")?.split('.').next()?;
    Some(format!("systems.{name}"))
}

fn whole_systems(keys: &BTreeMap<String, String>) -> BTreeSet<String> {
    keys.keys().filter_map(|key| system_of(key)).collect()
}

/// What a configuration names: the key, the file or folder, and whether a secret stands in it.
fn named(config: &Config, folder: &Path) -> Vec<(String, PathBuf, bool)> {
    let mut found = vec![
        ("registry".to_owned(), config.registry.clone(), false),
        ("tokens".to_owned(), config.tokens.clone(), false),
    ];
    let single = [
        ("rules", &config.rules, false),
        ("overrides", &config.overrides, false),
        ("matching", &config.matching, false),
        ("policy.signers", &config.policy.signers, false),
        ("listen.certificate", &config.listen.certificate, false),
        ("listen.key", &config.listen.key, true),
    ];
    let mut add =
        |key: String, path: &Path, is_secret| found.push((key, path.to_owned(), is_secret));
    for (key, path, is_secret) in single {
        if let Some(path) = path {
            add(key.to_owned(), path, is_secret);
        }
    }
    for table in &config.labels.tables {
        add("labels.tables".to_owned(), &folder.join(&table.file), false);
    }
    for (id, system) in &config.systems {
        let key = |part: &str| format!("systems.{id}.{part}");
        let push = system.push.as_ref();
        let push = push.map(|push| ("push", &push.token_file, &push.authority));
        let fhir = system.fhir.as_ref();
        let servers = fhir.map(|fhir| ("fhir", &fhir.token_file, &fhir.authority));
        for (part, token, authority) in push.into_iter().chain(servers) {
            if let Some(path) = token {
                add(key(&format!("{part}.token_file")), path, true);
            }
            if let Some(path) = authority {
                add(key(&format!("{part}.authority")), path, false);
            }
        }
        for (_, path) in fhir.into_iter().flat_map(|fhir| fhir.tables.given()) {
            add(key("fhir.tables"), path, false);
        }
        for layout in &system.calworks.caseload.layouts {
            add(
                key("calworks.caseload.layouts"),
                Path::new(layout.as_str()),
                false,
            );
        }
    }
    found
}

/// A file, or those in a folder and the folders in it.
fn files_of(path: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(next) = open.pop() {
        match std::fs::read_dir(&next) {
            Ok(entries) => open.extend(entries.filter_map(Result::ok).map(|entry| entry.path())),
            Err(_) => files.push(next),
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str, files: &[(&str, &str, &str, bool)]) -> Sources {
        let mut keys = BTreeMap::new();
        let table: toml::Table = toml::from_str(text).unwrap();
        flatten("", &toml::Value::Table(table), &mut keys);
        let files = files.iter().map(|(name, key, content, is_secret)| {
            let source = Source {
                key: (*key).to_owned(),
                sha256: sha256(content.as_bytes()),
                is_secret: *is_secret,
            };
            ((*name).to_owned(), source)
        });
        Sources {
            own: sha256(text.as_bytes()),
            keys,
            tokens: BTreeMap::new(),
            files: files.collect(),
        }
    }

    #[test]
    fn a_system_that_comes_or_goes_is_one_change_and_a_setting_of_another_its_own() {
        let before = sources("[systems.a]\nx = 1\ny = 2\n[systems.b]\nx = 1", &[]);
        let after = sources("[systems.c]\nx = 1\ny = 2\n[systems.b]\nx = 2", &[]);
        let told: Vec<String> = before
            .changes(&after)
            .iter()
            .map(|one| format!("{:?} {}", one.change, one.what))
            .collect();
        let expected = [
            "Added systems.c",
            "Changed systems.b.x",
            "Removed systems.a",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_secret_is_a_change_and_no_part_of_the_published_hash() {
        let with = |token: &str, table: &str| {
            let files = [
                ("a.token", "systems.a.push.token_file", token, true),
                ("t.csv", "labels.tables", table, false),
            ];
            sources("", &files)
        };
        let (before, secret, table) = (with("1", "1"), with("2", "1"), with("1", "2"));
        assert_eq!(before.changes(&secret).len(), 1);
        assert_eq!(before.hash(), secret.hash());
        assert_ne!(before.hash(), table.hash());
        let system = "a".parse().unwrap();
        assert!(!before.says_the_same_of(&system, &secret));
        assert!(before.says_the_same_of(&system, &table));
    }
}
