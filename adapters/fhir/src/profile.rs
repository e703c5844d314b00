//! What the Gravity referral profiles require of a Task and its ServiceRequest.
//!
//! Source: Gravity SDOH Clinical Care 3.0.0, SDOHCC-TaskForReferralManagement and
//! SDOHCC-ServiceRequest; FHIR R4 4.0.1 for the base requirements. What a partner sends is checked
//! against it, and what the gateway writes too.

use serde_json::Value;

use crate::codes;
use crate::read::reference;
use crate::read::view::{Notes, View};
use crate::terms;
use crate::write::outcome::Issue;

/// States after which the reason should be told.
const WITH_REASON: &[&str] = &["rejected", "cancelled", "on-hold", "failed"];

const TASK_REQUIRED: &[&str] = &[
    "status",
    "intent",
    "code",
    "focus",
    "for",
    "authoredOn",
    "requester",
];

/// What is wrong with a referral Task, each with the path of the element.
#[must_use]
pub fn task_issues(task: &Value) -> Vec<Issue> {
    let notes = Notes::default();
    let Some(view) = View::new(task, "Task", &notes) else {
        return vec![Issue::error(
            "structure",
            "Task",
            "a Task resource is expected",
        )];
    };
    let mut issues = Vec::new();
    if view.text("resourceType") != Some("Task") {
        issues.push(Issue::error(
            "structure",
            "Task",
            "a Task resource is expected",
        ));
        return issues;
    }
    for field in TASK_REQUIRED {
        if !view.has(field) {
            issues.push(Issue::error(
                "required",
                view.path_of(field),
                "this element is required",
            ));
        }
    }
    task_codes(&view, &mut issues);
    task_references(&view, &mut issues);
    task_parameters(&view, &mut issues);
    drop(view);
    type_issues(notes, &mut issues);
    issues
}

/// Every input and output has a type and a value (FHIR R4).
fn task_parameters(view: &View<'_>, issues: &mut Vec<Issue>) {
    for field in ["input", "output"] {
        for (at, item) in view.objects(field).iter().enumerate() {
            let path = format!("Task.{field}[{at}]");
            if item.raw("type").is_none() {
                issues.push(Issue::error(
                    "required",
                    format!("{path}.type"),
                    "a type is required",
                ));
            }
            if !item.has_value() {
                let path = format!("{path}.value[x]");
                issues.push(Issue::error("required", path, "a value is required"));
            }
        }
    }
}

fn task_codes(view: &View<'_>, issues: &mut Vec<Issue>) {
    if let Some(status) = view.text("status") {
        if codes::read_task_status(status).is_none() {
            issues.push(Issue::error(
                "value",
                "Task.status",
                "a code of task-status is expected",
            ));
        }
        let reason = view.concept("statusReason");
        if WITH_REASON.contains(&status) && reason.is_none() {
            let text = "a reason should be given for this status";
            issues.push(Issue::warning("business-rule", "Task.statusReason", text));
        }
    }
    if view
        .concept("statusReason")
        .is_some_and(|reason| reason.text.is_none())
    {
        let text = "text is required when a reason is given";
        issues.push(Issue::error("required", "Task.statusReason.text", text));
    }
    if view.text("intent").is_some_and(|intent| intent != "order") {
        issues.push(Issue::error("value", "Task.intent", "intent must be order"));
    }
    let code = view.concept("code");
    if code.is_some_and(|code| code.code_in(terms::TASK_CODE) != Some("fulfill")) {
        issues.push(Issue::error(
            "value",
            "Task.code",
            "code must be task-code#fulfill",
        ));
    }
    let instants = ["authoredOn", "lastModified"].map(|field| view.text(field));
    if let [Some(authored), Some(modified)] = instants
        && let (Ok(authored), Ok(modified)) = (
            authored.parse::<jiff::Timestamp>(),
            modified.parse::<jiff::Timestamp>(),
        )
        && modified < authored
    {
        let text = "lastModified must not be before authoredOn (inv-1)";
        issues.push(Issue::error("invariant", "Task.lastModified", text));
    }
}

fn task_references(view: &View<'_>, issues: &mut Vec<Issue>) {
    let allowed: [(&str, &[&str]); 3] = [
        ("focus", &["ServiceRequest"]),
        ("for", &["Patient", "RelatedPerson", "Group"]),
        ("requester", &["PractitionerRole", "Organization"]),
    ];
    for (field, kinds) in allowed {
        let Some(target) = view.object(field) else {
            continue;
        };
        let Some(text) = target.text("reference") else {
            // A logical reference names its target by an identifier alone.
            if target.raw("identifier").is_none() {
                let path = view.path_of(field);
                issues.push(Issue::error("required", path, "a reference is required"));
            }
            continue;
        };
        let is_allowed = reference::parse(text)
            .is_some_and(|target| target.kind.is_empty() || kinds.contains(&target.kind));
        if !is_allowed {
            let text = format!("a reference to one of {} is expected", kinds.join(", "));
            issues.push(Issue::error(
                "value",
                format!("Task.{field}.reference"),
                text,
            ));
        }
    }
}

/// What is wrong with a referral's ServiceRequest.
#[must_use]
pub fn service_request_issues(service: &Value) -> Vec<Issue> {
    let notes = Notes::default();
    let root = "ServiceRequest";
    let view = View::new(service, root, &notes);
    let Some(view) = view.filter(|view| view.text("resourceType") == Some(root)) else {
        return vec![Issue::error(
            "structure",
            root,
            "a ServiceRequest resource is expected",
        )];
    };
    let mut issues = Vec::new();
    for field in ["status", "intent", "subject", "code"] {
        if !view.has(field) {
            issues.push(Issue::error(
                "required",
                view.path_of(field),
                "this element is required",
            ));
        }
    }
    for field in ["specimen", "bodySite"] {
        if view.raw(field).is_some() {
            let text = "the profile does not allow this element";
            issues.push(Issue::error("value", view.path_of(field), text));
        }
    }
    if view.raw("orderDetail").is_some() && view.raw("code").is_none() {
        let text = "orderDetail is only allowed with code (prr-1)";
        issues.push(Issue::error("invariant", view.path_of("orderDetail"), text));
    }
    if view.concepts("category").is_empty() {
        let text = "a category tells the receiver what the referral is for";
        issues.push(Issue::warning("required", view.path_of("category"), text));
    }
    drop(view);
    type_issues(notes, &mut issues);
    issues
}

fn type_issues(notes: Notes, issues: &mut Vec<Issue>) {
    for note in notes.into_inner() {
        issues.push(Issue::error(
            "structure",
            note.path,
            format!("{} expected", note.expected),
        ));
    }
}
