//! What each minute shows.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::gateway::Served;
use crate::partner::Partner;
use crate::usage;

/// How often it is looked how far the deliveries are behind.
const LOOKS: Duration = Duration::from_millis(200);
const MINUTE: Duration = Duration::from_secs(60);

/// Notes acceptances.
#[derive(Clone, Default)]
pub(crate) struct Noting(Arc<Mutex<Noted>>);

#[derive(Default)]
struct Noted {
    /// How long each acceptance of this minute took.
    took: Vec<Duration>,
    /// When each message was accepted.
    at: Vec<Instant>,
}

impl Noting {
    /// Notes that a message was accepted that was due at an instant.
    pub(crate) fn accepted(&self, due: Instant) {
        let now = Instant::now();
        let mut noted = self.0.lock().unwrap();
        noted.took.push(now.duration_since(due));
        noted.at.push(now);
    }

    /// How long the oldest message that was accepted and has not arrived has waited.
    fn behind(&self, arrived: usize) -> Duration {
        let noted = self.0.lock().unwrap();
        noted
            .at
            .get(arrived)
            .map_or(Duration::ZERO, Instant::elapsed)
    }
}

/// Shows each minute until it is ended.
pub(crate) struct Minutes {
    noting: Noting,
    stop: oneshot::Sender<()>,
    shows: JoinHandle<()>,
}

impl Minutes {
    pub(crate) fn start(served: &Served, partner: Partner, folder: &Path) -> Self {
        println!(
            "minute,accepted,p50_ms,p99_ms,worst_ms,behind_ms,resident_mib,processor_percent,store_mib"
        );
        let (noting, (stop, stopped)) = (Noting::default(), oneshot::channel());
        let watched = Watched {
            noting: noting.clone(),
            partner,
            process: served.id.clone(),
            folder: folder.join("data"),
        };
        let shows = tokio::spawn(watched.show(stopped));
        Self {
            noting,
            stop,
            shows,
        }
    }

    pub(crate) fn noting(&self) -> Noting {
        self.noting.clone()
    }

    pub(crate) async fn end(self) {
        drop(self.stop);
        self.shows.await.unwrap();
    }
}

struct Watched {
    noting: Noting,
    partner: Partner,
    process: String,
    folder: PathBuf,
}

impl Watched {
    async fn show(self, mut stopped: oneshot::Receiver<()>) {
        let mut used = usage::processor_of(&self.process);
        for number in 1.. {
            let end = tokio::time::Instant::now() + MINUTE;
            let mut behind = Duration::ZERO;
            while tokio::time::Instant::now() < end {
                tokio::select! {
                    _ended = &mut stopped => return,
                    () = tokio::time::sleep(LOOKS) => {}
                }
                behind = behind.max(self.noting.behind(self.partner.count()));
            }
            let now = usage::processor_of(&self.process);
            self.line(number, behind, now - used);
            used = now;
        }
    }

    fn line(&self, number: u32, behind: Duration, used: Duration) {
        let mut took = std::mem::take(&mut self.noting.0.lock().unwrap().took);
        took.sort_unstable();
        let at = |percent: usize| {
            let place = took.len() * percent / 100;
            let found = took.get(place.min(took.len().saturating_sub(1)));
            found.map_or(0.0, |took| took.as_secs_f64() * 1e3)
        };
        println!(
            "{number},{},{:.1},{:.1},{:.1},{:.0},{},{:.0},{}",
            took.len(),
            at(50),
            at(99),
            at(100),
            behind.as_secs_f64() * 1e3,
            usage::resident_of(&self.process),
            100.0 * used.as_secs_f64() / MINUTE.as_secs_f64(),
            size_of(&self.folder) / 1_048_576,
        );
    }
}

/// Bytes of the files in a folder.
fn size_of(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    let sizes = files.map(|file| file.unwrap().metadata().unwrap().len());
    sizes.sum()
}
