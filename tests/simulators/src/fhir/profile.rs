//! What the SDOH Clinical Care profiles require of Task and ServiceRequest, and FHIR of all JSON.

use serde_json::Value;

use super::lifecycle::{STATUSES, WITH_REASON};
use super::outcome::Refusal;

/// Temporary codes of the guide.
pub(crate) const SDOHCC: &str =
    "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes";
/// Task codes of FHIR.
pub(crate) const TASK_CODE: &str = "http://hl7.org/fhir/CodeSystem/task-code";

/// Domain categories of a referral (SDOHCC-ValueSetSDOHCategory 3.0.0).
const DOMAINS: [&str; 24] = [
    "sdoh-category-unspecified",
    "food-insecurity",
    "housing-instability",
    "homelessness",
    "inadequate-housing",
    "transportation-insecurity",
    "financial-insecurity",
    "material-hardship",
    "educational-attainment",
    "employment-status",
    "veteran-status",
    "stress",
    "social-connection",
    "intimate-partner-violence",
    "elder-abuse",
    "personal-health-literacy",
    "health-insurance-coverage-status",
    "medical-cost-burden",
    "digital-literacy",
    "digital-access",
    "utility-insecurity",
    "incarceration-status",
    "language-access",
    "protective-factor",
];

type Check = Result<(), Refusal>;

/// Checks a resource that a caller wants to write.
pub(crate) fn check(resource_type: &str, resource: &Value) -> Check {
    no_empty_parts(resource, resource_type)?;
    if text(resource, "/resourceType") != resource_type {
        return Err(Refusal::unprocessable(
            "structure",
            "resourceType differs from the address",
        ));
    }
    match resource_type {
        "Task" => task(resource),
        "ServiceRequest" => service_request(resource),
        "Procedure" => need(resource, &["status", "subject", "code"]),
        "CarePlan" => need(resource, &["status", "intent", "subject"]),
        "Communication" => need(resource, &["status", "payload"]),
        "Patient" | "Organization" => Ok(()),
        other => Err(Refusal::new(
            http::StatusCode::NOT_FOUND,
            "not-supported",
            format!("{other} is not kept here"),
        )),
    }
}

/// The string at a JSON pointer, blank when there is none.
pub(crate) fn text<'value>(resource: &'value Value, pointer: &str) -> &'value str {
    resource
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or("")
}

/// Whether a CodeableConcept holds a coding.
fn has_coding(concept: Option<&Value>, system: &str, codes: &[&str]) -> bool {
    concept
        .and_then(|concept| concept.get("coding"))
        .and_then(Value::as_array)
        .is_some_and(|codings| {
            codings.iter().any(|coding| {
                text(coding, "/system") == system && codes.contains(&text(coding, "/code"))
            })
        })
}

fn need(resource: &Value, elements: &[&str]) -> Check {
    for element in elements {
        if resource.get(*element).is_none() {
            return Err(Refusal::unprocessable(
                "required",
                format!("{element} is missing"),
            ));
        }
    }
    Ok(())
}

fn refuse_unless(holds: bool, code: &'static str, details: &str) -> Check {
    if holds {
        Ok(())
    } else {
        Err(Refusal::unprocessable(code, details))
    }
}

fn task(task: &Value) -> Check {
    need(
        task,
        &[
            "status",
            "intent",
            "code",
            "focus",
            "for",
            "authoredOn",
            "requester",
        ],
    )?;
    refuse_unless(
        text(task, "/intent") == "order",
        "value",
        "intent is not order",
    )?;
    let code = has_coding(task.get("code"), TASK_CODE, &["fulfill", "abort"]);
    refuse_unless(code, "code-invalid", "code is not fulfill")?;
    let status = text(task, "/status");
    refuse_unless(
        STATUSES.contains(&status),
        "code-invalid",
        "status is none of a referral",
    )?;
    for element in ["focus", "for", "requester"] {
        reference(task.get(element), element)?;
    }
    let requester = text(task, "/requester/reference");
    let kinds = requester.is_empty()
        || requester.contains("Organization/")
        || requester.contains("PractitionerRole/");
    refuse_unless(
        kinds,
        "value",
        "requester is no Organization or PractitionerRole",
    )?;
    let has_reason = !text(task, "/statusReason/text").is_empty();
    refuse_unless(
        task.get("statusReason").is_none() || has_reason,
        "required",
        "statusReason has no text",
    )?;
    let needs_reason = WITH_REASON.contains(&status);
    refuse_unless(
        !needs_reason || has_reason,
        "required",
        "status needs a statusReason.text",
    )?;
    let authored = text(task, "/authoredOn").parse::<jiff::Timestamp>();
    refuse_unless(
        authored.is_ok(),
        "value",
        "authoredOn is no date with time and zone",
    )?;
    if let Ok(modified) = text(task, "/lastModified").parse::<jiff::Timestamp>() {
        let in_order = authored.is_ok_and(|authored| modified >= authored);
        refuse_unless(
            in_order,
            "invariant",
            "lastModified is before authoredOn (inv-1)",
        )?;
    }
    for part in ["input", "output"] {
        for item in task
            .get(part)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let has_value = item
                .as_object()
                .is_some_and(|item| item.keys().any(|key| key.starts_with("value")));
            let whole = item.get("type").is_some() && has_value;
            refuse_unless(whole, "required", "input or output without type or value")?;
        }
    }
    for contained in task
        .get("contained")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if text(contained, "/resourceType") == "ServiceRequest" {
            service_request(contained)?;
        }
    }
    Ok(())
}

fn service_request(request: &Value) -> Check {
    need(
        request,
        &["status", "intent", "subject", "code", "category"],
    )?;
    let intent = text(request, "/intent");
    refuse_unless(
        ["order", "filler-order"].contains(&intent),
        "code-invalid",
        "intent is neither order nor filler-order",
    )?;
    if intent == "filler-order" {
        need(request, &["basedOn"])?;
    }
    let categories = request.get("category").and_then(Value::as_array);
    let has_domain = categories.is_some_and(|categories| {
        categories
            .iter()
            .any(|category| has_coding(Some(category), SDOHCC, &DOMAINS))
    });
    refuse_unless(has_domain, "code-invalid", "category has no SDOH domain")?;
    let coded = !text(request, "/code/coding/0/code").is_empty()
        && !text(request, "/code/coding/0/system").is_empty();
    refuse_unless(coded, "code-invalid", "code has no coding")?;
    reference(request.get("subject"), "subject")
}

/// A reference has a literal or a logical part.
fn reference(value: Option<&Value>, element: &str) -> Check {
    let value = value.unwrap_or(&Value::Null);
    let whole = !text(value, "/reference").is_empty() || value.get("identifier").is_some();
    refuse_unless(whole, "required", &format!("{element} is no reference"))
}

/// FHIR JSON knows no null, no empty string, object or array.
fn no_empty_parts(value: &Value, place: &str) -> Check {
    let empty = match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    refuse_unless(!empty, "structure", &format!("{place} is empty"))?;
    match value {
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| no_empty_parts(item, place)),
        Value::Object(fields) => fields
            .iter()
            .try_for_each(|(name, field)| no_empty_parts(field, name)),
        _ => Ok(()),
    }
}
