//! Large files: which are, and where their blobs lie.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ByteSize;

/// Large files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilesConfig {
    /// A file above this size goes into a blob and comes into the store in steps; a smaller one is committed whole.
    pub large_over: ByteSize,
    /// Folder of the blobs; `blobs` in the data folder unless given. Gateways on one database must share it.
    pub blobs: Option<PathBuf>,
}

impl Default for FilesConfig {
    fn default() -> Self {
        Self {
            large_over: ByteSize::mebibytes(8),
            blobs: None,
        }
    }
}

impl FilesConfig {
    /// The folder of the blobs.
    #[must_use]
    pub fn folder(&self, data: &Path) -> PathBuf {
        self.blobs.clone().unwrap_or_else(|| data.join("blobs"))
    }
}
