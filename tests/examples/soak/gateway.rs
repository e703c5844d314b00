//! The gateway, first in this process until its families are known, then in one of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tandem::clock::Clock;
use tandem::config::Loaded;
use tandem::demo::office::Office;
use tandem::serve::Gateway;
use tandem::store::OutboxState;

use crate::county::deploy;
use crate::messages;
use crate::told::{applied, consents, tell, until};

/// What this program is told first to be the gateway.
pub(crate) const SERVE: &str = "serve";
/// Families told in one input.
const TOGETHER: usize = 250;

async fn start(folder: &Path) -> Gateway {
    let loaded = Loaded::from_file(&folder.join("gateway.toml")).unwrap();
    Box::pin(Gateway::start(loaded, Clock::System))
        .await
        .unwrap()
}

/// Serves until its input ends.
pub(crate) async fn serve(folder: &Path) {
    let gateway = start(folder).await;
    println!("{}", gateway.address);
    let end = || std::io::stdin().read_to_end(&mut Vec::new());
    let _ended = tokio::task::spawn_blocking(end).await;
    gateway.stop().await;
}

/// Makes the families known and co-managed, and waits until all that is told of that has arrived.
pub(crate) async fn introduce(
    folder: &Path,
    inbox: &str,
    database: Option<String>,
    families: &[usize],
) {
    deploy(folder);
    let file = folder.join("gateway.toml");
    let mut text = std::fs::read_to_string(&file)
        .unwrap()
        .replace("http://127.0.0.1:9/\"", &format!("{inbox}\""))
        .replace(
            "[systems.cws-demo]\n",
            "[systems.cws-demo]\nlane = { in_flight = 16 }\n",
        );
    if let Some(database) = database {
        text = format!("store = {{ postgres = \"{database}\" }}\n{text}");
    }
    std::fs::write(&file, text).unwrap();
    let gateway = start(folder).await;
    let office = Office::new(format!("http://{}", gateway.address), folder).unwrap();
    let core = Arc::clone(&gateway.core);
    for part in families.chunks(TOGETHER) {
        tell(&office, "calworks", &messages::of_calworks(part)).await;
        tell(&office, "cws", &messages::of_office(part)).await;
        applied(&core).await;
        for family in part {
            consents(&office, *family).await;
        }
        tell(&office, "calworks", &messages::starts(part)).await;
        applied(&core).await;
    }
    until(&core, async || {
        let mut tx = core.store.snapshot().await.unwrap();
        let counts = tx.lane_counts().await.unwrap();
        let waits = |state| matches!(state, OutboxState::Queued | OutboxState::Failed);
        let of_lane = counts.iter().filter(|one| one.lane == "cws-demo");
        !of_lane.into_iter().any(|one| waits(one.state))
    })
    .await;
    gateway.stop().await;
}

/// The gateway in a process of its own.
pub(crate) struct Served {
    process: Child,
    pub(crate) address: SocketAddr,
    /// Its process, as Linux numbers it.
    pub(crate) id: String,
}

impl Served {
    pub(crate) fn start(folder: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg(SERVE)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut said).unwrap();
        Self {
            address: said.trim().parse().unwrap(),
            id: process.id().to_string(),
            process,
        }
    }

    /// Lets it stop by itself.
    pub(crate) fn stop(mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
    }
}
