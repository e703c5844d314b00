//! Turns resources into events, wherever they come from: a file, a search, a posted message.
//!
//! Patients become events as they come. Tasks need their focus ServiceRequest and CarePlans their
//! Goals, which may stand anywhere in the same payload: these are held until the payload ends.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Loss, Place, Severity};
use tandem_adapter_port::read::{Sink, Stopped};
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{SourceEventId, SourcePersonId};
use tandem_mappings::model::person::{RecordGone, RecordReceived};

use super::coded::Marked;
use super::resource::{contained, focus_id, has_modifier, record_name, room, urn_id};
use super::view::{Notes, View};
use super::{patient, plan, reference, typed};
use crate::config::FhirConfig;
use crate::gates;

/// Most resources held for one payload; beyond it they are read with what is known by then.
const HELD_CAP: usize = 50_000;

/// Most memory, in bytes as far as it can be told, that held resources take; beyond it likewise.
const HELD_BYTES: usize = 96 << 20;

/// Most base URLs that one payload may use for its own resources.
const BASES_CAP: usize = 16;

/// A resource that waits for others.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) value: Value,
    pub(crate) place: Place,
    /// Last line of the resource in the input.
    pub(crate) last_line: u64,
    /// URL under which the payload gives the resource, if any.
    pub(crate) full_url: Option<String>,
}

/// Collects the resources of one payload.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) config: FhirConfig,
    pub(crate) context: ReadContext,
    pub(crate) tasks: Vec<Held>,
    /// By id.
    pub(crate) services: BTreeMap<String, Held>,
    plans: Vec<Held>,
    goals: BTreeMap<String, Held>,
    /// Codes and labels of what others rest on.
    pub(crate) marked: Marked,
    /// UUID of a `urn:uuid:` entry to the resource's own id.
    urns: BTreeMap<String, String>,
    /// Base URLs under which the payload gives its own resources.
    bases: BTreeSet<String>,
    /// Bytes that the held resources take.
    held_bytes: usize,
}

impl Collector {
    pub(crate) fn new(config: FhirConfig, context: ReadContext) -> Self {
        Self {
            config,
            context,
            tasks: Vec::new(),
            services: BTreeMap::new(),
            plans: Vec::new(),
            goals: BTreeMap::new(),
            marked: Marked::default(),
            urns: BTreeMap::new(),
            bases: BTreeSet::new(),
            held_bytes: 0,
        }
    }

    /// Takes one resource.
    pub(crate) fn add(&mut self, held: Held, sink: &mut dyn Sink) -> Result<(), Stopped> {
        let Some(kind) = held.value.get("resourceType").and_then(Value::as_str) else {
            sink.deviation(Deviation::record_error(
                "no-resource-type",
                held.place,
                "an object with a resourceType",
            ));
            return Ok(());
        };
        let kind = kind.to_owned();
        sink.record(record_name(&kind));
        if gates::is_refused(&held.value, &self.config.refused_labels) {
            sink.refused(held.place, held.last_line);
            return Ok(());
        }
        if has_modifier(&held.value) {
            // FHIR R4, section 2.4.0.1: whoever does not know a modifier extension must not use the resource.
            let expected =
                "no modifierExtension: it may turn what the resource says into its opposite";
            sink.deviation(Deviation::record_error(
                "modifier-extension",
                held.place,
                expected,
            ));
            return Ok(());
        }
        if !typed::is_valid(&kind, &held.value) {
            let expected = "a resource that is valid R4 throughout";
            sink.deviation(Deviation::warning(
                "not-valid-r4",
                held.place.clone(),
                expected,
            ));
        }
        self.remember_urn(&held);
        if matches!(
            kind.as_str(),
            "Task" | "ServiceRequest" | "CarePlan" | "Goal"
        ) {
            self.held_bytes = self.held_bytes.saturating_add(room(&held.value));
        }
        if Marked::is_rested_on(&kind) {
            self.held_bytes = self.held_bytes.saturating_add(room(&held.value));
            let urn = urn_id(held.full_url.as_deref());
            self.marked.remember(&kind, &held.value, urn);
        }
        match kind.as_str() {
            "Patient" => self.patient(&held, sink)?,
            "Task" => self.tasks.push(held),
            "ServiceRequest" => hold(&mut self.services, held),
            "CarePlan" => self.plans.push(held),
            "Goal" => hold(&mut self.goals, held),
            "OperationOutcome" => sink.deviation(Deviation::info(
                "operation-outcome",
                held.place,
                "the sender reports something about its own answer",
            )),
            kind if Marked::is_rested_on(kind) => sink.deviation(Deviation::info(
                "resource-type-not-used",
                held.place,
                "kept with the original; its codes count for what refers to it",
            )),
            _ => sink.deviation(Deviation::info(
                "resource-type-not-used",
                held.place,
                "kept with the original",
            )),
        }
        let held = self.tasks.len() + self.plans.len() + self.services.len() + self.goals.len();
        if held + self.marked.len() > HELD_CAP || self.held_bytes > HELD_BYTES {
            self.finish(sink)?;
        }
        Ok(())
    }

    /// Reads everything that was held.
    pub(crate) fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stopped> {
        self.held_bytes = 0;
        let tasks = std::mem::take(&mut self.tasks);
        for task in &tasks {
            super::task_events::read(self, task, None, sink)?;
        }
        self.services_alone(&tasks, sink);
        self.plans(sink)?;
        self.marked.clear();
        Ok(())
    }

    /// A ServiceRequest that no Task carries is counted; it asks nobody to do anything.
    fn services_alone(&mut self, tasks: &[Held], sink: &mut dyn Sink) {
        let services = std::mem::take(&mut self.services);
        let used: HashSet<&str> = tasks
            .iter()
            .filter_map(|task| focus_id(&task.value))
            .map(|id| self.resolved(id))
            .collect();
        for (id, service) in &services {
            if !used.contains(id.as_str()) {
                sink.deviation(Deviation::info(
                    "request-without-task",
                    service.place.clone(),
                    "a Task that asks for it",
                ));
            }
        }
    }

    fn patient(&mut self, held: &Held, sink: &mut dyn Sink) -> Result<(), Stopped> {
        let notes = Notes::default();
        let Some(view) = View::new(&held.value, "Patient", &notes) else {
            return Ok(());
        };
        let id = view.text("id").or_else(|| urn_id(held.full_url.as_deref()));
        let Some(Ok(person)) = id.map(SourcePersonId::new) else {
            sink.deviation(Deviation::record_error(
                "id-missing",
                held.place.clone().field("Patient.id"),
                "an id of the resource",
            ));
            return Ok(());
        };
        if super::referral::is_own(&view, &self.config) {
            sink.deviation(Deviation::info(
                "own-resource",
                held.place.clone(),
                "written by the gateway, not read back",
            ));
            return Ok(());
        }
        let body = self.person_body(&view, &held.place, sink);
        for (kind, _) in patient::links(&view) {
            if kind != "replaced-by" {
                sink.deviation(Deviation::info(
                    "patient-linked",
                    held.place.clone().field("Patient.link"),
                    "the sender's own link between its records is left to matching",
                ));
            }
        }
        let event = self
            .event(&held.value, "", body)
            .map(|event| event.about(person));
        drop(view);
        report(notes, &held.place, sink);
        event.map_or(Ok(()), |event| sink.event(event))
    }

    fn person_body(&self, view: &View<'_>, place: &Place, sink: &mut dyn Sink) -> Body {
        let record_kind = "Patient".to_owned();
        if patient::is_replaced(view) {
            let reason = "deleted".to_owned();
            return Body::RecordWithdrawn(Box::new(RecordGone {
                record_kind,
                reason,
            }));
        }
        let person = patient::read(view, &self.config.identifier_systems);
        if person.names.is_empty() && person.identifiers.is_empty() {
            let place = place.clone().field("Patient.name");
            let expected = "a name or an identifier";
            sink.deviation(Deviation::warning("person-without-name", place, expected));
        }
        Body::RecordReceived(Box::new(RecordReceived {
            record_kind,
            person,
        }))
    }

    fn plan_event(
        &self,
        held: &Held,
        view: &View<'_>,
        goals: &BTreeMap<String, Held>,
        notes: &Notes,
    ) -> Option<NewEvent> {
        let mut content = plan::read(view, &self.config, |id| {
            let goal = goals.get(id).map(|goal| &goal.value);
            let goal = goal.or_else(|| contained(&held.value, id))?;
            plan::goal(&View::new(goal, "Goal", notes)?, &self.config.codes)
        })?;
        for subject in &mut content.subjects {
            self.resolve_person(subject);
        }
        let subject = content.subjects.first().cloned();
        let event = self.event(&held.value, "", plan::body(content))?;
        Some(match subject {
            Some(subject) => event.about(subject),
            None => event,
        })
    }

    fn plans(&mut self, sink: &mut dyn Sink) -> Result<(), Stopped> {
        let goals = std::mem::take(&mut self.goals);
        let mut named: Vec<String> = Vec::new();
        for held in std::mem::take(&mut self.plans) {
            let notes = Notes::default();
            let Some(view) = View::new(&held.value, "CarePlan", &notes) else {
                continue;
            };
            named.extend(plan::goal_ids(&view).into_iter().map(str::to_owned));
            let is_own = super::referral::is_own(&view, &self.config);
            let event = self.plan_event(&held, &view, &goals, &notes);
            drop(view);
            report(notes, &held.place, sink);
            match event {
                _ if is_own => sink.deviation(Deviation::info(
                    "own-resource",
                    held.place,
                    "written by the gateway, not read back",
                )),
                Some(event) => sink.event(event)?,
                None => sink.deviation(Deviation::record_error(
                    "plan-not-usable",
                    held.place,
                    "an id and a status of request-status",
                )),
            }
        }
        for (id, goal) in goals {
            if !named.contains(&id) {
                sink.deviation(Deviation::info(
                    "goal-without-plan",
                    goal.place,
                    "a CarePlan that names the goal",
                ));
            }
        }
        Ok(())
    }

    /// An event about a resource version: the key is the resource, its version and `part`.
    pub(crate) fn event(&self, resource: &Value, part: &str, body: Body) -> Option<NewEvent> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let meta = resource.get("meta");
        let kind = text(resource.get("resourceType")).unwrap_or_default();
        let id = text(resource.get("id"));
        let version = text(meta.and_then(|meta| meta.get("versionId")));
        let version = version.or_else(|| text(meta.and_then(|meta| meta.get("lastUpdated"))));
        // Without a version the content itself tells one version from the next.
        let version = version.unwrap_or_else(|| self.context.keyed_id(&[&resource.to_string()]));
        let id = id.unwrap_or_else(|| self.context.keyed_id(&[&resource.to_string()]));
        let key = SourceEventId::new(format!("{kind}/{id}/_history/{version}{part}")).ok()?;
        let at = ["lastModified", "authoredOn"]
            .into_iter()
            .filter_map(|field| resource.get(field))
            .chain(meta.and_then(|meta| meta.get("lastUpdated")))
            .find_map(|value| value.as_str()?.parse().ok())
            .unwrap_or(self.context.received_at);
        let mut event = NewEvent::new(at, key, body);
        self.marked.mark(&mut event, resource);
        Some(event)
    }

    fn remember_urn(&mut self, held: &Held) {
        let id = held.value.get("id").and_then(Value::as_str);
        if let (Some(urn), Some(id)) = (urn_id(held.full_url.as_deref()), id) {
            self.urns.insert(urn.to_owned(), id.to_owned());
        }
        let target = held.full_url.as_deref().and_then(reference::parse);
        if let Some(target) = target.filter(|target| Some(target.id) == id)
            && let Some(base) = target.base
            && self.bases.len() < BASES_CAP
        {
            self.bases.insert(base.to_owned());
        }
    }

    /// Whether resources under this base are the ones that the payload speaks of.
    pub(crate) fn is_local(&self, base: Option<&str>) -> bool {
        let own = self.config.base.as_str().trim_end_matches('/');
        base.is_none_or(|base| base == own || self.bases.contains(base))
    }

    /// The id that a reference's id stands for, through `urn:uuid:` entries.
    pub(crate) fn resolved<'a>(&'a self, id: &'a str) -> &'a str {
        self.urns.get(id).map_or(id, String::as_str)
    }

    /// Puts a Patient's own id in the place of its `urn:uuid:` or its absolute URL on the sender's
    /// server.
    pub(crate) fn resolve_person(&self, person: &mut SourcePersonId) {
        let id = match reference::parse(person.as_str()) {
            Some(target) if target.base.is_some() && self.is_local(target.base) => Some(target.id),
            _ => self.urns.get(person.as_str()).map(String::as_str),
        };
        if let Some(Ok(id)) = id.map(SourcePersonId::new) {
            *person = id;
        }
    }
}

/// Tells the notes of a reading as deviations: the value was not used, the record was.
pub(crate) fn report(notes: Notes, place: &Place, sink: &mut dyn Sink) {
    for note in notes.into_inner() {
        sink.deviation(Deviation::of(
            Severity::Error,
            Loss::Value,
            "value-not-usable",
            place.clone().field(note.path),
            note.expected,
        ));
    }
}

fn hold(map: &mut BTreeMap<String, Held>, held: Held) {
    let id = held.value.get("id").and_then(Value::as_str);
    if let Some(id) = id.or_else(|| urn_id(held.full_url.as_deref())) {
        map.insert(id.to_owned(), held);
    }
}
