//! The resources of one server, with versions and times.

use std::collections::BTreeMap;

use http::StatusCode;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::lifecycle;
use super::outcome::Refusal;
use super::profile::{self, text};
use crate::clock::SimClock;

/// A search result that is given out page by page.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) matches: Vec<(String, String)>,
    pub(crate) includes: Vec<String>,
    pub(crate) offset: usize,
}

/// Current resources by type and id.
#[derive(Debug)]
pub(crate) struct Store {
    /// `http://HOST:PORT/fhir`.
    pub(crate) base: String,
    /// Own organisation, e.g. `org-bh`.
    pub(crate) organization: String,
    resources: BTreeMap<(String, String), Value>,
    pages: BTreeMap<String, Page>,
    clock: SimClock,
    last_change: Timestamp,
    created: u64,
}

impl Store {
    pub(crate) fn new(base: String, organization: String, clock: SimClock) -> Self {
        let last_change = clock.now();
        Self {
            base,
            organization,
            resources: BTreeMap::new(),
            pages: BTreeMap::new(),
            clock,
            last_change,
            created: 0,
        }
    }

    pub(crate) fn get(&self, resource_type: &str, id: &str) -> Option<&Value> {
        self.resources
            .get(&(resource_type.to_owned(), id.to_owned()))
    }

    pub(crate) fn of_type(&self, resource_type: &str) -> Vec<Value> {
        self.resources
            .iter()
            .filter(|((kind, _), _)| kind == resource_type)
            .map(|(_, resource)| resource.clone())
            .collect()
    }

    /// Keeps a resource under an id without asking any profile: what the house itself writes.
    pub(crate) fn put(&mut self, resource_type: &str, id: &str, mut resource: Value) -> Value {
        let version = self.get(resource_type, id).map_or(0, version_of) + 1;
        // Each change gets a time of its own even while the clock stands still: pollers ask for
        // what changed after the last time they saw.
        let next = self
            .last_change
            .saturating_add(1.millisecond())
            .unwrap_or(self.last_change);
        self.last_change = self.clock.now().max(next);
        if let Some(fields) = resource.as_object_mut() {
            let mut meta = fields.get("meta").cloned().unwrap_or_else(|| json!({}));
            meta["versionId"] = json!(version.to_string());
            meta["lastUpdated"] = json!(self.last_change.to_string());
            fields.insert("resourceType".to_owned(), json!(resource_type));
            fields.insert("id".to_owned(), json!(id));
            fields.insert("meta".to_owned(), meta);
        }
        self.resources
            .insert((resource_type.to_owned(), id.to_owned()), resource.clone());
        resource
    }

    /// A caller's create.
    ///
    /// # Errors
    /// 422 when the resource breaks its profile or refers to something that is not here.
    pub(crate) fn create(
        &mut self,
        resource_type: &str,
        resource: &Value,
    ) -> Result<Value, Refusal> {
        profile::check(resource_type, resource)?;
        self.check_references(resource, resource)?;
        self.created += 1;
        let id = format!("{}-{:04}", resource_type.to_lowercase(), self.created);
        Ok(self.put(resource_type, &id, resource.clone()))
    }

    /// A caller's update of version `expected`.
    ///
    /// # Errors
    /// 404, 412 when another version is current, 422 as [`Store::create`] or when a Task makes a
    /// move that the state machine or its owner does not allow.
    pub(crate) fn update(
        &mut self,
        resource_type: &str,
        id: &str,
        expected: u64,
        resource: &Value,
    ) -> Result<Value, Refusal> {
        let Some(current) = self.get(resource_type, id).cloned() else {
            return Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "not-found",
                "no such resource",
            ));
        };
        if version_of(&current) != expected {
            let details = format!("current version is {}", version_of(&current));
            return Err(Refusal::new(
                StatusCode::PRECONDITION_FAILED,
                "conflict",
                details,
            ));
        }
        profile::check(resource_type, resource)?;
        if text(resource, "/id") != id {
            return Err(Refusal::unprocessable(
                "structure",
                "id differs from the address",
            ));
        }
        self.check_references(resource, resource)?;
        if resource_type == "Task" {
            self.check_task_move(&current, resource)?;
        }
        Ok(self.put(resource_type, id, resource.clone()))
    }

    fn check_task_move(&self, current: &Value, wanted: &Value) -> Result<(), Refusal> {
        for fixed in ["intent", "focus", "for", "requester", "authoredOn"] {
            if current.get(fixed) != wanted.get(fixed) {
                let details = format!("{fixed} of a task does not change");
                return Err(Refusal::unprocessable("business-rule", details));
            }
        }
        let (from, to) = (text(current, "/status"), text(wanted, "/status"));
        if !lifecycle::may_move(from, to) {
            let details = format!("no way from {from} to {to}");
            return Err(Refusal::unprocessable("business-rule", details));
        }
        let ours = is_owned_by(current, &self.organization);
        if from != to && ours && lifecycle::belongs_to_target(to) {
            let details = format!("only {} sets {to}", self.organization);
            return Err(Refusal::unprocessable("business-rule", details));
        }
        Ok(())
    }

    /// Every reference into this server, or into the resource itself, finds its target.
    fn check_references(&self, root: &Value, part: &Value) -> Result<(), Refusal> {
        match part {
            Value::Array(items) => items
                .iter()
                .try_for_each(|item| self.check_references(root, item)),
            Value::Object(fields) => {
                if let Some(reference) = fields.get("reference").and_then(Value::as_str) {
                    self.check_reference(root, reference)?;
                }
                fields
                    .values()
                    .try_for_each(|field| self.check_references(root, field))
            }
            _ => Ok(()),
        }
    }

    fn check_reference(&self, root: &Value, reference: &str) -> Result<(), Refusal> {
        // A bare `#` is the resource that contains (FHIR R4, references to contained resources).
        let found = if let Some(id) = reference.strip_prefix('#') {
            let contained = root.get("contained").and_then(Value::as_array);
            id.is_empty()
                || contained.is_some_and(|all| all.iter().any(|one| text(one, "/id") == id))
        } else {
            let local = self.local(reference);
            let is_elsewhere = local.contains("://") || local.starts_with("urn:");
            let mut parts = local.split('/');
            let target = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
            is_elsewhere || self.get(target.0, target.1).is_some()
        };
        if found {
            Ok(())
        } else {
            Err(Refusal::unprocessable(
                "not-found",
                format!("{reference} is not here"),
            ))
        }
    }

    /// A reference without this server's own base address.
    pub(crate) fn local<'text>(&self, reference: &'text str) -> &'text str {
        reference
            .strip_prefix(&self.base)
            .map_or(reference, |rest| rest.trim_start_matches('/'))
    }

    /// Keeps the rest of a search and gives the token under which it is fetched.
    pub(crate) fn keep_page(&mut self, page: Page) -> String {
        let number = self.pages.len() as u64 + 1;
        let token = format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.pages.insert(token.clone(), page);
        token
    }

    pub(crate) fn page(&self, token: &str) -> Option<Page> {
        self.pages.get(token).cloned()
    }
}

/// `meta.versionId` as a number.
pub(crate) fn version_of(resource: &Value) -> u64 {
    text(resource, "/meta/versionId").parse().unwrap_or(0)
}

/// Whether a task's owner is the organisation, by reference or by identifier.
pub(crate) fn is_owned_by(task: &Value, organization: &str) -> bool {
    text(task, "/owner/reference").ends_with(&format!("/{organization}"))
        || text(task, "/owner/identifier/value") == organization
}
