//! The county's CWS/CMS: drops extracts and takes no writes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::extract::Extract;
use crate::clock::SimClock;
use crate::family;
use crate::fillers::{Neighbourhood, families};
use crate::folder::{Acknowledgement, ExchangeFolder, forward_folder};
use crate::inbox::{Inbox, forward_inbox};
use crate::violation::Violation;
use crate::zip_file;

/// How many open families besides the demo family are in the extract.
const FILLERS: usize = 6;

/// What the child welfare simulator needs.
#[derive(Debug, Clone)]
pub struct ChildWelfareSettings {
    /// Exchange folder shared with the gateway; only `in/` is used, CWS/CMS takes no writes.
    pub folder: PathBuf,
    /// The demo's clock.
    pub clock: SimClock,
    /// Seed of the filler families.
    pub seed: u64,
}

/// The county's CWS/CMS: drops extracts, receives nothing but answers to its files. Anything that
/// the gateway puts into its `out/` is a violation.
#[derive(Debug)]
pub struct ChildWelfareSystem {
    inbox: Inbox<()>,
    folder: ExchangeFolder,
    clock: SimClock,
    seed: u64,
    files_sent: AtomicU64,
}

forward_inbox!(ChildWelfareSystem, ());
forward_folder!(ChildWelfareSystem);

impl ChildWelfareSystem {
    /// Starts the system.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub async fn start(settings: ChildWelfareSettings) -> anyhow::Result<Self> {
        let inbox = Inbox::default();
        let log = inbox.clone();
        let read = move |name: &str, bytes: &[u8]| {
            log.keep_raw(format!("{name}\n{}", String::from_utf8_lossy(bytes)));
            log.complain(Violation::new(name, "no-writes", "CWS/CMS takes no files"));
            let reason = "this system takes no files".to_owned();
            Acknowledgement {
                rejected: vec![(name.to_owned(), reason)],
                ..Default::default()
            }
        };
        let folder = ExchangeFolder::watch(settings.folder, inbox.clone(), read).await?;
        let files_sent = AtomicU64::new(0);
        Ok(Self {
            inbox,
            folder,
            clock: settings.clock,
            seed: settings.seed,
            files_sent,
        })
    }

    /// Drops a zip of CWS/CMS tables (`CLIENT_T.csv` and eight more) and gives its file name.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn drop_extract(&self) -> anyhow::Result<String> {
        let number = self.files_sent.fetch_add(1, Ordering::Relaxed) + 1;
        let name = format!(
            "cws-extract-{}-{number}.zip",
            self.clock.today().strftime("%Y%m%d")
        );
        self.folder.drop_file(&name, &self.extract_bytes()?).await?;
        Ok(name)
    }

    /// The extract as bytes, for whoever wants to look at it.
    ///
    /// # Errors
    /// When a row does not fit its table.
    pub fn extract_bytes(&self) -> anyhow::Result<Vec<u8>> {
        let neighbours = families(self.seed, Neighbourhood::ChildWelfare, FILLERS);
        zip_file::pack(&Extract::build(&neighbours)?.files()?)
    }

    /// Words that stand only in sealed or sensitive records here and must come out nowhere.
    /// CalWORKs knows the same people openly, so that a forgotten gate would link them at once.
    #[must_use]
    pub fn secret_words(&self) -> Vec<String> {
        let guarded = [family::sealed_family(), family::sensitive_family()];
        let people = guarded.into_iter().flat_map(|family| family.members);
        people
            .flat_map(|person| [person.last_name, person.first_name, person.cin, person.ssn])
            .collect()
    }
}
