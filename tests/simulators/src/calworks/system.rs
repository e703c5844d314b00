//! The simulated system itself: its exchange folder, inbox and outgoing files.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::linkages_table::LinkagesTable;
use super::message::LinkagesMessage;
use super::{acf199, caseload, linkages_reader, linkages_writer};
use crate::clock::SimClock;
use crate::family;
use crate::fillers::{Neighbourhood, families};
use crate::folder::{Acknowledgement, ExchangeFolder, forward_folder};
use crate::inbox::{Arrival, Inbox, Received, forward_inbox};
use crate::person::Family;
use crate::violation::Violation;

/// How many families besides the demo family are on the caseload.
const FILLERS: usize = 20;

/// What a CalWORKs simulator needs.
#[derive(Debug, Clone)]
pub struct CalworksSettings {
    /// Exchange folder shared with the gateway.
    pub folder: PathBuf,
    /// Own organisation id, e.g. `org-calworks`.
    pub organization: String,
    /// The demo's clock.
    pub clock: SimClock,
    /// Seed of the filler families.
    pub seed: u64,
}

/// A county eligibility system: drops caseloads and federal files, exchanges Linkages batches.
#[derive(Debug)]
pub struct CalworksSystem {
    pub(crate) organization: String,
    pub(crate) clock: SimClock,
    pub(crate) inbox: Inbox<LinkagesMessage>,
    pub(crate) folder: ExchangeFolder,
    table: LinkagesTable,
    families: Vec<Family>,
    messages_sent: AtomicU64,
    files_sent: AtomicU64,
}

forward_inbox!(CalworksSystem, LinkagesMessage);
forward_folder!(CalworksSystem);

impl CalworksSystem {
    /// Starts the system and its watch over the exchange folder; both end when it is dropped.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub async fn start(settings: CalworksSettings) -> anyhow::Result<Self> {
        let inbox = Inbox::default();
        let table = LinkagesTable::load()?;
        let reader = Reader {
            table: table.clone(),
            inbox: inbox.clone(),
            organization: settings.organization.clone(),
            clock: settings.clock.clone(),
        };
        let read = move |name: &str, bytes: &[u8]| reader.read(name, bytes);
        let folder = ExchangeFolder::watch(settings.folder, inbox.clone(), read).await?;
        let mut caseload = vec![family::demo_family()];
        caseload.extend([
            family::sealed_family(),
            family::sensitive_family(),
            family::sheltered_family(),
        ]);
        caseload.extend(families(settings.seed, Neighbourhood::Calworks, FILLERS));
        Ok(Self {
            organization: settings.organization,
            clock: settings.clock,
            inbox,
            folder,
            table,
            families: caseload,
            messages_sent: AtomicU64::new(0),
            files_sent: AtomicU64::new(0),
        })
    }

    /// Drops the whole caseload as CSV (columns: see the caseload layout) and gives its file name.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn drop_caseload(&self) -> anyhow::Result<String> {
        let name = self.next_file("caseload", "csv");
        self.folder
            .drop_file(&name, &caseload::write(&self.families)?)
            .await?;
        Ok(name)
    }

    /// Drops the ACF-199 section 1 file of last month and gives its file name, which has the
    /// federal shape (`ADS.E2J.FTP1.TS06`).
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn drop_acf199(&self) -> anyhow::Result<String> {
        let name = "ADS.E2J.FTP1.TS06".to_owned();
        self.folder.drop_file(&name, &self.acf199_bytes()?).await?;
        Ok(name)
    }

    /// The ACF-199 file as bytes, for whoever wants to look at it.
    ///
    /// # Errors
    /// When a value does not fit the layout.
    pub fn acf199_bytes(&self) -> anyhow::Result<Vec<u8>> {
        acf199::write(acf199::report_month(self.clock.today())?, &self.families)
    }

    /// Sends Linkages messages as one CSV batch and gives its file name.
    ///
    /// # Errors
    /// When a message breaks the published table, or the file cannot be written.
    pub async fn send(&self, messages: &[LinkagesMessage]) -> anyhow::Result<String> {
        let bytes = linkages_writer::batch(&self.table, messages)?;
        let name = self.next_file("linkages", "csv");
        self.folder.drop_file(&name, &bytes).await?;
        Ok(name)
    }

    pub(crate) fn next_message_id(&self) -> String {
        format!(
            "CW-{:05}",
            self.messages_sent.fetch_add(1, Ordering::Relaxed) + 1
        )
    }

    fn next_file(&self, kind: &str, ending: &str) -> String {
        let number = self.files_sent.fetch_add(1, Ordering::Relaxed) + 1;
        format!(
            "{kind}-{}-{number:04}.{ending}",
            self.clock.today().strftime("%Y%m%d")
        )
    }
}

/// What happens to a file from the gateway.
struct Reader {
    table: LinkagesTable,
    inbox: Inbox<LinkagesMessage>,
    organization: String,
    clock: SimClock,
}

impl Reader {
    fn read(&self, name: &str, bytes: &[u8]) -> Acknowledgement {
        self.inbox
            .keep_raw(format!("{name}\n{}", String::from_utf8_lossy(bytes)));
        let batch = linkages_reader::read(&self.table, &self.organization, name, bytes);
        let mut answer = Acknowledgement {
            rejected: batch.rejected,
            file_refused: batch.file_refused,
            ..Default::default()
        };
        for violation in batch.violations {
            self.inbox.complain(violation);
        }
        for message in batch.messages {
            let id = message.message_id.clone();
            let fingerprint = format!("{message:?}");
            let arrival = Received {
                channel: name.to_owned(),
                message_id: id.clone(),
                at: self.clock.now(),
                content: message,
            };
            if self.inbox.accept(arrival, &fingerprint) == Arrival::Conflicting {
                answer
                    .rejected
                    .push((id, "message id used before".to_owned()));
            } else {
                answer.accepted.push(id);
            }
        }
        if answer == Acknowledgement::default() {
            self.inbox
                .complain(Violation::new(name, "empty-batch", "no message inside"));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{CalworksSettings, CalworksSystem};
    use crate::calworks::linkages_reader::read;
    use crate::clock::SimClock;

    async fn system(home: &std::path::Path) -> CalworksSystem {
        let clock = SimClock::starting_at("2026-02-02T17:00:00Z".parse().unwrap()).unwrap();
        let organization = "org-calworks".to_owned();
        let settings = CalworksSettings {
            folder: home.to_owned(),
            organization,
            clock,
            seed: 1,
        };
        CalworksSystem::start(settings).await.unwrap()
    }

    #[tokio::test]
    async fn every_letter_keeps_to_the_published_table() {
        let home = tempfile::tempdir().unwrap();
        let calworks = system(home.path()).await;
        let letters = [
            calworks.common_case_referral("org-cws", "family-maintenance"),
            calworks.intake_referral("org-hmis", "CWR-1", "shelter", "place to stay"),
            calworks.referral_status("org-cws", "CWR-1", "rejected", "no-capacity"),
            calworks
                .plan_update("org-cws", "WTW-1", 1, "agreed")
                .with_part(
                    "goal",
                    &[
                        ("goal_id", "G1"),
                        ("domain", "employment"),
                        ("goal_statement", "part-time work"),
                        ("goal_owner", "org-calworks"),
                        ("goal_lifecycle", "active"),
                        ("target_date", "2026-08-01"),
                    ],
                )
                .with_part(
                    "activity",
                    &[
                        ("activity_id", "A1"),
                        ("goal_id", "G1"),
                        ("activity_kind", "work"),
                        ("starts_at", "2026-02-09T09:00:00-08:00"),
                        ("hours_per_week", "20"),
                        ("counts_toward", "welfare-to-work;child-welfare"),
                    ],
                )
                .with_part(
                    "funding",
                    &[
                        ("resource_category", "child-care"),
                        ("payer", "org-calworks"),
                        ("payer_of_last_resort", "no"),
                        ("amount", "600"),
                    ],
                ),
            calworks.participation("org-cws", "sanctioned"),
            calworks.meeting(
                "org-cws",
                "joint-assessment",
                "calworks-demo:worker;cws-demo:worker",
            ),
            calworks.assessment("org-cws", "initial", &[("housing", 1), ("child-care", 1)]),
            calworks.end_of_common_case("org-cws", "goals-met", "where to turn: 211"),
        ];
        let name = calworks.send(&letters).await.unwrap();
        let bytes = std::fs::read(home.path().join("in").join(&name)).unwrap();
        let batch = read(&calworks.table, "org-cws", &name, &bytes);
        let for_others = batch
            .violations
            .iter()
            .all(|violation| violation.rule == "recipient");
        assert!(for_others, "{:?}", batch.violations);
        assert_eq!(batch.messages.len(), letters.len() - 1);
    }

    #[tokio::test]
    async fn bad_batch_is_acknowledged_with_the_reason_and_recorded() {
        let home = tempfile::tempdir().unwrap();
        let calworks = system(home.path()).await;
        let out = home.path().join("out");
        std::fs::write(out.join("b.part"), "message_id,unknown\n1,2\n").unwrap();
        std::fs::rename(out.join("b.part"), out.join("b.csv")).unwrap();
        let ack = calworks
            .inbox
            .wait_for_state("the complaint", Duration::from_secs(5), || {
                calworks.violations().first().cloned()
            })
            .await
            .unwrap();
        assert_eq!(ack.rule, "header");
        assert!(
            calworks.contains_text("UNKNOWN"),
            "rejected bytes are searched too"
        );
        assert!(calworks.received().is_empty());
    }
}
