//! A gateway in a process of its own, to be killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway on a folder; it keeps its address from start to start.
pub(crate) struct Process {
    folder: PathBuf,
    pub(crate) url: String,
    child: Option<Child>,
}

impl Process {
    pub(crate) fn on(folder: &Path, url: String) -> Self {
        Self {
            folder: folder.to_owned(),
            url,
            child: None,
        }
    }

    /// Starts it and waits until it serves.
    pub(crate) async fn start(&mut self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_tandem"))
            .args(["serve", "--config", "gateway.toml"])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
        let asked = async {
            loop {
                let answer = reqwest::get(format!("{}/readyz", self.url)).await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                let child = self.child.as_mut().unwrap();
                if let Some(status) = child.try_wait().unwrap() {
                    let said = std::fs::read_to_string(self.folder.join("log")).unwrap();
                    panic!("the gateway does not start again: {status}\n{said}");
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let asked = tokio::time::timeout(PATIENCE, asked).await;
        asked.unwrap_or_else(|_| panic!("the gateway at {} does not serve", self.url));
    }

    /// Kills it as a loss of power would, but for the disk.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ended_already = child.kill();
            let _status = child.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
