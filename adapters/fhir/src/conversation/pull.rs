//! Pulling Patients and referral Tasks that changed since the last time.
//!
//! `Patient?_lastUpdated=gt..`, then `Task?_lastUpdated=gt..&_include=Task:focus`, page by page; a
//! focus that the server did not include is read by itself. What the gateway wrote is recognised by
//! its identifiers and by memory and never read back as new, but what the partner did to the
//! gateway's Tasks is told. A cursor moves only when its whole search was read.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use jiff::Timestamp;
use serde_json::Value;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::conversation::{Answer, Conclusion, Conversation, Step};
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::memory::{PartnerMemory, PartnerRow};
use tandem_adapter_port::report::Collected;
use tandem_adapter_port::write::{Delivery, Fault};

use super::exchange::{self, Asked, Reply, retry};
use super::focus;
use super::memory::{self, Remote, TASK};
use super::search::{Page, Search};
use crate::config::FhirConfig;
use crate::read::collect::{Collector, Held};
use crate::read::task_events;

const PATIENT: &str = "Patient";

/// Most focus resources read one by one in a pull. Tasks whose focus is beyond it are left to the next
/// pull, which finds them again: the cursor stays.
const FOCUS_CAP: usize = 1_000;

/// Pulls what changed at a FHIR server since the cursors in memory.
#[must_use]
pub fn pull(config: &FhirConfig, context: &ReadContext, memory: &dyn PartnerMemory) -> Pull {
    let remotes = |kind: &str| {
        let rows = memory.rows(kind).into_iter();
        rows.filter_map(|row| Remote::from_row(&row).map(|remote| (row.key, remote)))
            .collect()
    };
    let searches = searches(config, |kind| memory::cursor(memory, kind));
    Pull {
        config: config.clone(),
        collector: Collector::new(config.clone(), context.clone()),
        tasks: remotes(TASK),
        patients: remotes(PATIENT),
        searches,
        newest: BTreeMap::new(),
        current: None,
        focuses: VecDeque::new(),
        fetching: None,
        asked: HashSet::new(),
        ended: None,
        has_deferred: false,
        found: Collected::default(),
        memory: Vec::new(),
        taken: HashSet::new(),
    }
}

/// The conversation that [`pull()`] begins.
#[derive(Debug)]
pub struct Pull {
    config: FhirConfig,
    collector: Collector,
    tasks: BTreeMap<String, Remote>,
    patients: BTreeMap<String, Remote>,
    searches: VecDeque<(&'static str, String)>,
    /// Newest `lastUpdated` by type: the instant, and as the server wrote it.
    newest: BTreeMap<&'static str, (Timestamp, String)>,
    current: Option<(&'static str, Search)>,
    focuses: VecDeque<String>,
    fetching: Option<String>,
    /// References of the focuses that the server was asked for.
    asked: HashSet<String>,
    /// Why the searches were broken off, when what they found is still good.
    ended: Option<Delivery>,
    /// Whether a Task was left to the next pull.
    has_deferred: bool,
    found: Collected,
    memory: Vec<PartnerRow>,
    /// Type and id of the resources taken, since pages of a changing server overlap.
    taken: HashSet<(String, String, String)>,
}

/// The searches of a pull, in order. Tasks are asked for by owner and requester where the partner's
/// name for the gateway is known (Gravity 3.0.0, polling), else without a filter.
fn searches(
    config: &FhirConfig,
    cursor: impl Fn(&str) -> Option<String>,
) -> VecDeque<(&'static str, String)> {
    let url = |kind: &str, filters: &[(&str, &str)]| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(since) = cursor(kind) {
            query.append_pair("_lastUpdated", &format!("gt{since}"));
        }
        for (name, value) in filters {
            query.append_pair(name, value);
        }
        query.append_pair("_count", &config.page_size.to_string());
        format!("{}?{}", config.at_partner(kind), query.finish())
    };
    let include = ("_include", "Task:focus");
    let mut searches = VecDeque::from([(PATIENT, url(PATIENT, &[]))]);
    let own = config
        .organizations
        .iter()
        .find(|known| known.organization == config.gateway_organization)
        .and_then(|known| known.reference.as_deref());
    match own {
        Some(own) => {
            searches.push_back((TASK, url(TASK, &[("owner", own), include])));
            searches.push_back((TASK, url(TASK, &[("requester", own), include])));
        }
        None => searches.push_back((TASK, url(TASK, &[include]))),
    }
    searches
}

impl Pull {
    fn next(&mut self, answer: Option<Answer>, now: Timestamp) -> Asked {
        if let Some(reference) = self.fetching.take() {
            self.take_focus(&reference, answer, now)?;
            return self.next_focus();
        }
        if let Some((kind, search)) = self.current.take() {
            match self.next_page(kind, search, answer, now) {
                Ok(Some(url)) => return exchange::get(&url),
                Ok(None) => {}
                Err(delivery @ Delivery::Retry { .. }) => return Err(delivery),
                Err(delivery) => {
                    self.searches.clear();
                    self.ended = Some(delivery);
                }
            }
        }
        match self.searches.pop_front() {
            Some((kind, url)) => {
                self.current = Some((kind, Search::new(&self.config)));
                exchange::get(&url)
            }
            None => {
                self.focuses = self.missing_focuses();
                self.next_focus()
            }
        }
    }

    /// Takes a page of the search under way; the next one's URL, if there is one.
    fn next_page(
        &mut self,
        kind: &'static str,
        mut search: Search,
        answer: Option<Answer>,
        now: Timestamp,
    ) -> Result<Option<String>, Delivery> {
        let page = match exchange::sort(answer, now)? {
            Reply::Ok(good) => search.page(good)?,
            Reply::Gone | Reply::Conflict | Reply::Unmet => {
                let text = format!("partner has no search for {kind}");
                return Err(retry(Fault::Partner, text));
            }
        };
        let next = page.next.clone();
        self.take_page(page);
        let next = next.transpose()?;
        if next.is_some() {
            self.current = Some((kind, search));
        }
        Ok(next)
    }

    /// The focuses to be read one by one: of Tasks that have something to tell, those never seen before
    /// first, so that every pull gets further.
    fn missing_focuses(&self) -> VecDeque<String> {
        let tasks = self.collector.tasks.iter().map(|held| &held.value);
        let references: BTreeSet<(bool, &str)> = tasks
            .filter(|task| !self.is_known(task))
            .filter_map(|task| {
                let id = task.get("id").and_then(Value::as_str).unwrap_or("");
                let reference = focus::missing(&self.collector, task)?;
                Some((self.tasks.contains_key(id), reference))
            })
            .collect();
        let first = references.into_iter().take(FOCUS_CAP);
        first.map(|(_, reference)| reference.to_owned()).collect()
    }

    /// Whether a Task was told in this version before.
    fn is_known(&self, task: &Value) -> bool {
        let id = task.get("id").and_then(Value::as_str).unwrap_or("");
        let version = memory::version(task);
        let known = self.tasks.get(id);
        version.is_some() && known.is_some_and(|known| known.version == version)
    }

    /// Whether a Task's focus could still be had: told without it, the Task would be known, and never
    /// be looked at again.
    fn is_deferred(&self, task: &Value) -> bool {
        focus::missing(&self.collector, task)
            .is_some_and(|reference| !self.asked.contains(reference))
    }

    fn take_page(&mut self, page: Page) {
        if page.empty_entries > 0 {
            let place = Place::file("searchset");
            let expected = "a resource in each entry";
            self.found.deviations.push(Deviation::warning(
                "entry-without-resource",
                place,
                expected,
            ));
        }
        for (resource, full_url) in page.resources {
            self.take(resource, full_url);
        }
    }

    fn take(&mut self, resource: Value, full_url: Option<String>) {
        let text = |name: &str| {
            resource
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or("")
                .to_owned()
        };
        let (kind, id) = (text("resourceType"), text("id"));
        self.see_date(&kind, &resource);
        let version = memory::version(&resource).unwrap_or_default();
        if !id.is_empty() && !self.taken.insert((kind.clone(), id.clone(), version)) {
            return;
        }
        if kind == PATIENT && self.patients.get(&id).is_some_and(|known| known.is_ours) {
            return;
        }
        let held = Held {
            value: resource,
            place: Place::file(format!("{}/{kind}", self.config.system)),
            last_line: 0,
            full_url,
        };
        // INVARIANT: `Collected` never stops a reader.
        let _ = self.collector.add(held, &mut self.found);
    }

    fn see_date(&mut self, kind: &str, resource: &Value) {
        let kind = match kind {
            PATIENT => PATIENT,
            TASK => TASK,
            _ => return,
        };
        let updated = resource
            .get("meta")
            .and_then(|meta| meta.get("lastUpdated"));
        let Some(text) = updated.and_then(Value::as_str) else {
            return;
        };
        let Ok(instant) = text.parse::<Timestamp>() else {
            return;
        };
        let newest = self
            .newest
            .entry(kind)
            .or_insert_with(|| (instant, text.to_owned()));
        if instant > newest.0 {
            *newest = (instant, text.to_owned());
        }
    }

    fn next_focus(&mut self) -> Asked {
        match self.focuses.pop_front() {
            Some(reference) => {
                let request = exchange::get(&focus::url(&self.config, &reference));
                self.fetching = Some(reference);
                request
            }
            None => {
                let good = Delivery::Delivered { reference: None };
                Err(self.ended.take().unwrap_or(good))
            }
        }
    }

    fn take_focus(
        &mut self,
        reference: &str,
        answer: Option<Answer>,
        now: Timestamp,
    ) -> Result<(), Delivery> {
        match exchange::sort(answer, now) {
            Ok(Reply::Ok(good)) => match good.resource("ServiceRequest") {
                Ok((service, _)) if focus::answers(&service, reference) => self.take(service, None),
                _ => self.focus_unusable(),
            },
            Ok(_) => self.focus_unusable(),
            Err(delivery @ Delivery::Retry { .. }) => return Err(delivery),
            Err(_) => self.focus_unusable(),
        }
        self.asked.insert(reference.to_owned());
        Ok(())
    }

    fn focus_unusable(&mut self) {
        let place = Place::file(format!("{}/ServiceRequest", self.config.system));
        let expected = "the ServiceRequest that the Task asks to fulfil";
        self.found
            .deviations
            .push(Deviation::warning("focus-not-readable", place, expected));
    }

    /// Tells the Tasks; those whose version is known already tell nothing.
    fn tell_tasks(&mut self) {
        let tasks = std::mem::take(&mut self.collector.tasks);
        let (deferred, tasks): (Vec<_>, Vec<_>) = tasks
            .into_iter()
            .filter(|held| !self.is_known(&held.value))
            .partition(|held| self.is_deferred(&held.value));
        self.has_deferred = !deferred.is_empty();
        for held in deferred {
            let expected = "its focus read; it is left to the next pull";
            let deviation = Deviation::info("task-deferred", held.place, expected);
            self.found.deviations.push(deviation);
        }
        for held in tasks {
            let id = held.value.get("id").and_then(Value::as_str).unwrap_or("");
            let known = self.tasks.get(id).cloned().unwrap_or_default();
            let seen = task_events::read(&self.collector, &held, known.status, &mut self.found);
            let Ok(Some(seen)) = seen else { continue };
            let remote = Remote {
                version: seen.version,
                status: Some(seen.status),
                is_ours: known.is_ours || seen.referral.is_some(),
            };
            let index = seen.referral.into_iter().collect();
            self.memory.push(remote.row(TASK, &seen.id, index));
        }
        self.collector.services.clear();
        self.collector.marked.clear();
    }

    fn move_cursors(&mut self, now: Timestamp) {
        for (kind, (instant, text)) in &self.newest {
            if self.has_deferred && *kind == TASK {
                continue;
            }
            // A server whose clock is ahead must not make us miss what comes next.
            let cursor = if *instant > now {
                now.to_string()
            } else {
                text.clone()
            };
            self.memory.push(memory::cursor_row(kind, &cursor));
        }
    }

    /// Tells what was read, and how the pull ended.
    fn conclude(&mut self, outcome: Delivery, now: Timestamp) -> Step {
        let is_whole = matches!(outcome, Delivery::Delivered { .. });
        self.tell_tasks();
        // INVARIANT: `Collected` never stops a reader.
        let _ = self.collector.finish(&mut self.found);
        if is_whole {
            self.move_cursors(now);
        }
        let mut found = std::mem::take(&mut self.found);
        for (place, _) in found.refused {
            let expected = "nothing under a label that must not enter";
            found
                .deviations
                .push(Deviation::info("refused-at-gate", place, expected));
        }
        let wait = match &outcome {
            Delivery::Retry { after, .. } => *after,
            _ => None,
        };
        Step::Done(Box::new(Conclusion {
            events: found.events,
            deviations: found.deviations,
            memory: std::mem::take(&mut self.memory),
            delivery: (!is_whole).then_some(outcome),
            wait,
        }))
    }
}

impl Conversation for Pull {
    fn step(&mut self, answer: Option<Answer>, now: Timestamp) -> Step {
        match self.next(answer, now) {
            Ok(request) => Step::Send(request),
            Err(outcome) => self.conclude(outcome, now),
        }
    }
}
