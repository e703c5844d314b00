//! The simulated system itself: exports, deltas, and the merge of what arrives.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use jiff::civil::Date;

use super::holdings::{Holdings, cell};
use super::layout::Layout;
use super::package::{self, Run, local_time};
use super::{HmisPackage, HmisRow, judge, parse, seed};
use crate::clock::SimClock;
use crate::family;
use crate::fillers::{Neighbourhood, families};
use crate::folder::{Acknowledgement, ExchangeFolder, forward_folder};
use crate::inbox::{Arrival, Inbox, Received, forward_inbox};
use crate::zip_file;

/// How many households besides the demo family are enrolled.
const FILLERS: usize = 5;
/// Household of the family in the shelter.
const SHELTER_HOUSEHOLD: &str = "9921";

/// What the housing simulator needs.
#[derive(Debug, Clone)]
pub struct HmisSettings {
    /// Exchange folder shared with the gateway.
    pub folder: PathBuf,
    /// The demo's clock.
    pub clock: SimClock,
    /// Seed of the filler households.
    pub seed: u64,
}

/// A housing system with a coordinated entry project, a shelter and a victim service provider.
#[derive(Debug)]
pub struct HmisSystem {
    inbox: Inbox<HmisPackage>,
    folder: ExchangeFolder,
    office: Office,
}

forward_inbox!(HmisSystem, HmisPackage);
forward_folder!(HmisSystem);

/// What the folder's watch and the workers share.
#[derive(Debug, Clone)]
struct Office {
    layout: Arc<Layout>,
    state: Arc<Mutex<State>>,
    inbox: Inbox<HmisPackage>,
    clock: SimClock,
}

#[derive(Debug)]
struct State {
    held: Holdings,
    exports: u32,
    last_export: String,
}

impl HmisSystem {
    /// Starts the system and its watch over the exchange folder; both end when it is dropped.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub async fn start(settings: HmisSettings) -> anyhow::Result<Self> {
        let inbox = Inbox::default();
        let neighbours = families(settings.seed, Neighbourhood::Housing, FILLERS);
        let state = State {
            held: seed::holdings(&neighbours),
            exports: 0,
            last_export: "2025-10-01".to_owned(),
        };
        let office = Office {
            layout: Arc::new(Layout::load()?),
            state: Arc::new(Mutex::new(state)),
            inbox: inbox.clone(),
            clock: settings.clock,
        };
        let reader = office.clone();
        let read = move |name: &str, bytes: &[u8]| reader.read(name, bytes);
        let folder = ExchangeFolder::watch(settings.folder, inbox.clone(), read).await?;
        Ok(Self {
            inbox,
            folder,
            office,
        })
    }

    /// Drops a full FY2026 export (24 files, full refresh) and gives its file name.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn drop_export(&self) -> anyhow::Result<String> {
        let rows = {
            let state = self.office.state();
            let files = self.office.layout.files.iter();
            files
                .map(|file| (file.name.clone(), state.held.rows(&file.name)))
                .collect()
        };
        self.drop_package(rows, false).await
    }

    /// The worker answers a referral event (`result` 1 client accepted, 2 client rejected,
    /// 3 provider rejected), and the change goes out as a delta export. Gives its file name.
    ///
    /// # Errors
    /// When there is no such open event here.
    pub async fn answer_event(
        &self,
        event_id: &str,
        result: u8,
        result_date: Date,
    ) -> anyhow::Result<String> {
        ensure!((1..=3).contains(&result), "a result is 1, 2 or 3");
        let rows = {
            let mut state = self.office.state();
            let mut event = state
                .held
                .row("Event", event_id)
                .cloned()
                .context("no such event")?;
            ensure!(
                cell(&event, "DateDeleted").is_empty(),
                "the event was withdrawn"
            );
            event.insert("ReferralResult".to_owned(), result.to_string());
            event.insert("ResultDate".to_owned(), result_date.to_string());
            let now = later(&local_time(&self.office.clock), cell(&event, "DateUpdated"));
            event.insert("DateUpdated".to_owned(), now);
            event.insert("UserID".to_owned(), seed::WORKER.to_owned());
            let stay = cell(&event, "EnrollmentID").to_owned();
            let target = cell(&event, "LocationCrisisOrPHHousing").to_owned();
            state.held.put("Event", event_id, event.clone());
            let mut rows = with_surroundings(&state.held, &[stay], &[target]);
            rows.insert("Event".to_owned(), vec![event]);
            rows
        };
        self.inbox.notify();
        self.drop_package(rows, true).await
    }

    /// The worker enrolls mother and children in the shelter project from `entry_date`; goes out as
    /// a delta export. Gives its file name.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn enroll_in_shelter(&self, entry_date: Date) -> anyhow::Result<String> {
        let rows = {
            let mut state = self.office.state();
            let now = local_time(&self.office.clock);
            let people = [family::HMIS_MARISOL, family::HMIS_ANA, family::HMIS_LEO];
            let mut stays = Vec::new();
            for person in people {
                let id = format!("E-{person}-ES");
                let is_child = person != family::HMIS_MARISOL;
                let row = seed::enrollment_row(
                    &id,
                    person,
                    family::HMIS_SHELTER_PROJECT,
                    &entry_date.to_string(),
                    SHELTER_HOUSEHOLD,
                    is_child,
                    &now,
                );
                state.held.put("Enrollment", &id, row);
                stays.push(id);
            }
            with_surroundings(&state.held, &stays, &[])
        };
        self.drop_package(rows, true).await
    }

    /// The Event rows that this system holds now.
    #[must_use]
    pub fn events(&self) -> Vec<HmisRow> {
        self.office.state().held.rows("Event")
    }

    /// The rows of a custom file (`CustomGoals`, say) that this system holds now.
    #[must_use]
    pub fn custom_rows(&self, file: &str) -> Vec<HmisRow> {
        self.office.state().held.rows(file)
    }

    /// Waits for an Event row that satisfies `wanted`, and gives it.
    ///
    /// # Errors
    /// When `timeout` passes first; the error names `what`.
    pub async fn wait_for_event<F>(
        &self,
        what: &str,
        wanted: F,
        timeout: Duration,
    ) -> anyhow::Result<HmisRow>
    where
        F: Fn(&HmisRow) -> bool,
    {
        let look = || self.events().into_iter().find(|event| wanted(event));
        self.inbox.wait_for_state(what, timeout, look).await
    }

    /// Words that stand only in rows of the victim service provider here and must come out nowhere.
    /// CalWORKs knows the same people openly, so that a forgotten gate would link them at once.
    #[must_use]
    pub fn secret_words(&self) -> Vec<String> {
        let people = family::sheltered_family().members.into_iter();
        let mut words: Vec<String> = people
            .flat_map(|one| [one.last_name, one.first_name, one.cin, one.ssn])
            .collect();
        // Short numbers would be found by chance inside other numbers; the whole ids would not.
        words.extend(["E-77701-VSP".to_owned(), "E-77702-VSP".to_owned()]);
        words
    }

    async fn drop_package(
        &self,
        rows: BTreeMap<String, Vec<HmisRow>>,
        is_delta: bool,
    ) -> anyhow::Result<String> {
        let today = self.office.clock.today();
        let (run, number) = {
            let mut state = self.office.state();
            state.exports += 1;
            let export_id = format!("HX-{}-{:03}", today.strftime("%Y%m%d"), state.exports);
            let start = if is_delta {
                state.last_export.clone()
            } else {
                "2025-10-01".to_owned()
            };
            state.last_export = today.to_string();
            (
                Run {
                    export_id,
                    is_delta,
                    start,
                },
                state.exports,
            )
        };
        let bytes = package::write(&self.office.layout, &run, &self.office.clock, rows)?;
        let kind = if is_delta { "delta" } else { "full" };
        let name = format!("hmis-{kind}-{}-{number:03}.zip", today.strftime("%Y%m%d"));
        self.folder.drop_file(&name, &bytes).await?;
        Ok(name)
    }
}

/// A change is later than the one before even while the clock stands still.
fn later(now: &str, before: &str) -> String {
    if now > before {
        return now.to_owned();
    }
    let next = before
        .replacen(' ', "T", 1)
        .parse::<jiff::civil::DateTime>();
    let next = next
        .ok()
        .and_then(|time| time.checked_add(jiff::Span::new().seconds(1)).ok());
    next.map_or_else(
        || now.to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// The rows that an export must hold beside the given stays: people, projects, organisations, users.
fn with_surroundings(
    held: &Holdings,
    stays: &[String],
    projects: &[String],
) -> BTreeMap<String, Vec<HmisRow>> {
    let enrollments = held.some_rows("Enrollment", stays);
    let keys = |rows: &[HmisRow], column: &str| -> Vec<String> {
        let mut keys: Vec<String> = rows
            .iter()
            .map(|row| cell(row, column).to_owned())
            .collect();
        keys.sort();
        keys.dedup();
        keys
    };
    let mut project_keys = keys(&enrollments, "ProjectID");
    project_keys.extend(projects.iter().filter(|key| !key.is_empty()).cloned());
    project_keys.sort();
    project_keys.dedup();
    let project_rows = held.some_rows("Project", &project_keys);
    let coc_keys: Vec<String> = project_keys.iter().map(|key| format!("PC-{key}")).collect();
    BTreeMap::from([
        (
            "Client".to_owned(),
            held.some_rows("Client", &keys(&enrollments, "PersonalID")),
        ),
        ("Organization".to_owned(), {
            held.some_rows("Organization", &keys(&project_rows, "OrganizationID"))
        }),
        (
            "ProjectCoC".to_owned(),
            held.some_rows("ProjectCoC", &coc_keys),
        ),
        ("Project".to_owned(), project_rows),
        ("Enrollment".to_owned(), enrollments),
        ("User".to_owned(), held.rows("User")),
    ])
}

impl Office {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, name: &str, bytes: &[u8]) -> Acknowledgement {
        self.keep_raw(name, bytes);
        let today = self.clock.today().to_string();
        let package = parse::parse(&self.layout, name, bytes).and_then(|package| {
            // The same package again is a redelivery; what happened here since does not judge it.
            if self
                .inbox
                .knows(&package.export_id, &format!("{package:?}"))
            {
                return Ok(package);
            }
            let state = self.state();
            let found = judge::complaints(&self.layout, &state.held, &package, name, &today);
            if found.is_empty() {
                Ok(package)
            } else {
                Err(found)
            }
        });
        match package {
            Ok(package) => self.take(name, package),
            Err(violations) => {
                let reasons: Vec<String> = violations
                    .iter()
                    .map(|one| format!("{}: {}", one.rule, one.detail))
                    .collect();
                for violation in violations {
                    self.inbox.complain(violation);
                }
                Acknowledgement {
                    file_refused: Some(reasons.join("; ")),
                    ..Default::default()
                }
            }
        }
    }

    /// The unpacked text, since nobody can search a compressed file.
    fn keep_raw(&self, name: &str, bytes: &[u8]) {
        let mut raw = name.to_owned();
        match zip_file::unpack(bytes) {
            Ok(files) => {
                for (file, content) in files {
                    raw.push_str(&format!("\n{file}\n{}", String::from_utf8_lossy(&content)));
                }
            }
            Err(_) => raw.push_str(&String::from_utf8_lossy(bytes)),
        }
        self.inbox.keep_raw(raw);
    }

    /// Merges a package. The format shows no message ids, so the file is acknowledged as a whole.
    fn take(&self, name: &str, package: HmisPackage) -> Acknowledgement {
        let mut answer = Acknowledgement::default();
        for (file, rows) in &package.files {
            let key = match file.as_str() {
                "Event" => "EventID",
                custom if custom.starts_with("Custom") => "CustomQuestionID",
                _ => continue,
            };
            for row in rows {
                let id = cell(row, key);
                let mut state = self.state();
                let known = state
                    .held
                    .row(file, id)
                    .map(|row| cell(row, "DateUpdated").to_owned());
                if known.is_none_or(|known| known.as_str() < cell(row, "DateUpdated")) {
                    state.held.put(file, id, row.clone());
                }
            }
        }
        let arrival = Received {
            channel: name.to_owned(),
            message_id: package.export_id.clone(),
            at: self.clock.now(),
            content: package,
        };
        let fingerprint = format!("{:?}", arrival.content);
        if self.inbox.accept(arrival, &fingerprint) == Arrival::Conflicting {
            let reason = "ExportID used before".to_owned();
            answer = Acknowledgement {
                file_refused: Some(reason),
                ..Default::default()
            };
        }
        answer
    }
}
