//! What can be wrong with a registry.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// One thing that is wrong, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The entry, such as `service bed-1`; empty when the file as a whole is meant.
    pub entry: String,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.entry.is_empty() {
            write!(formatter, "{}: {}", self.file, self.reason)
        } else {
            write!(formatter, "{}: {}: {}", self.file, self.entry, self.reason)
        }
    }
}

/// Why a registry cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// A file or the folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The folder holds no registry file.
    #[error("no registry file (*.toml) in {}", .0.display())]
    Empty(PathBuf),
    /// The files contradict themselves or each other.
    #[error("{}", list(.0))]
    Invalid(Vec<Problem>),
}

fn list(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
