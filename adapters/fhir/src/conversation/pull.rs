//! Pulling Patients and referral Tasks that changed since the last time.
//!
//! `Patient?_lastUpdated=gt..`, then `Task?_lastUpdated=gt..&_include=Task:focus`, page by page; a
//! focus that the server did not include is read by itself. What the gateway wrote is recognised by
//! its identifiers and by memory and never read back as new, but what the partner did to the
//! gateway's Tasks is told. A cursor moves only when its whole search was read.

use std::collections::{BTreeMap, HashSet, VecDeque};

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

/// Most focus resources read one by one in a pull.
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
        if let Some((kind, mut search)) = self.current.take() {
            let page = match exchange::sort(answer, now)? {
                Reply::Ok(good) => search.page(good)?,
                Reply::Gone | Reply::Changed => {
                    return Err(retry(
                        Fault::Partner,
                        format!("partner has no search for {kind}"),
                    ));
                }
            };
            let next = page.next.clone();
            self.take_page(page);
            if let Some(url) = next.transpose()? {
                self.current = Some((kind, search));
                return exchange::get(&url);
            }
        }
        match self.searches.pop_front() {
            Some((kind, url)) => {
                self.current = Some((kind, Search::new(&self.config)));
                exchange::get(&url)
            }
            None => {
                self.focuses = focus::missing(&self.collector)
                    .into_iter()
                    .take(FOCUS_CAP)
                    .collect();
                self.next_focus()
            }
        }
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
            None => Err(Delivery::Delivered { reference: None }),
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
            Ok(Reply::Gone | Reply::Changed) => self.focus_unusable(),
            Err(delivery @ Delivery::Retry { .. }) => return Err(delivery),
            Err(_) => self.focus_unusable(),
        }
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
        for held in std::mem::take(&mut self.collector.tasks) {
            let id = held.value.get("id").and_then(Value::as_str).unwrap_or("");
            let known = self.tasks.get(id).cloned().unwrap_or_default();
            let version = memory::version(&held.value);
            if version.is_some() && known.version == version {
                continue;
            }
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
    }

    fn move_cursors(&mut self, now: Timestamp) {
        for (kind, (instant, text)) in &self.newest {
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
