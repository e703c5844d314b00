//! Runs the `tandem` program as a person would.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) told: String,
}

impl Ended {
    /// The answer as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs a command in a folder, without any setting of the environment.
pub(crate) fn tandem_in(folder: &Path, arguments: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("TANDEM_URL")
        .env_remove("TANDEM_TOKEN_FILE")
        .env_remove("TANDEM_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: text(output.stdout),
        told: text(output.stderr),
    }
}

/// Runs a command.
pub(crate) fn tandem(arguments: &[&str]) -> Ended {
    tandem_in(Path::new("."), arguments)
}

/// A fixture of an adapter.
pub(crate) fn fixture(path: &str) -> String {
    let adapters = Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters");
    adapters.join(path).to_str().unwrap().to_owned()
}

/// A file in a temporary folder.
pub(crate) fn file(folder: &tempfile::TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}
