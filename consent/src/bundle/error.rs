//! Why a bundle cannot be used.

use std::path::PathBuf;

use thiserror::Error;

/// Why a bundle cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The bundle is neither a set of rules nor a county layer.
    #[error("{} holds neither schema.cedarschema nor county.toml", .0.display())]
    NotABundle(PathBuf),
    /// A file that every bundle has is not there.
    #[error("the bundle has no {0}")]
    Absent(String),
    /// A file has a name that no bundle knows.
    #[error("{0}: not a file of a bundle")]
    Unexpected(String),
    /// A file does not parse or contradicts itself.
    #[error("{file}: {reason}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The rules of a regime do not pass strict validation.
    #[error("regime {regime} does not validate: {reason}")]
    Invalid {
        /// The regime.
        regime: String,
        /// What the validator says.
        reason: String,
    },
    /// The county layer would permit what the law above it does not.
    #[error("{file}: {reason}; a county may only narrow")]
    Widens {
        /// The file.
        file: String,
        /// What would widen.
        reason: String,
    },
}

impl BundleError {
    pub(super) fn malformed(file: &str, reason: impl Into<String>) -> Self {
        let reason = reason
            .into()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        Self::Malformed {
            file: file.to_owned(),
            reason,
        }
    }
}
