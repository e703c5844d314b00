//! Who signs for rules before they take effect.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Who signs for rules. Without `signers` the rules of the configuration count as they stand.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyConfig {
    /// TOML file of the public keys of those who may sign for rules.
    pub signers: Option<PathBuf>,
    /// Folder of the signed notes for the rules of the configuration, each in a file `*.note`.
    pub approvals: Option<PathBuf>,
    /// Minutes between two rounds of the canary, whose data must always be denied; 0 for none.
    pub canary_minutes: u32,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            signers: None,
            approvals: None,
            canary_minutes: 10,
        }
    }
}

impl PolicyConfig {
    /// Takes relative paths from a folder.
    pub(super) fn resolve(&mut self, folder: &Path) {
        for path in [&mut self.signers, &mut self.approvals]
            .into_iter()
            .flatten()
        {
            *path = folder.join(&*path);
        }
    }

    /// The signed notes for the rules of the configuration; none without a folder of them.
    ///
    /// # Errors
    /// When the folder or a note can't be read.
    pub fn notes(&self) -> io::Result<Vec<String>> {
        let Some(folder) = &self.approvals else {
            return Ok(Vec::new());
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|kind| kind == "note") {
                files.push(path);
            }
        }
        files.sort();
        files.iter().map(std::fs::read_to_string).collect()
    }
}
