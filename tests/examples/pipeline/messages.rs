//! What CalWORKs tells: standings in the work programme, service referrals and changes of plans, in turns.

use serde_json::{Value, json};
use tandem::clock::Clock;

use crate::county::{Invented, SYSTEM};

/// The number of the first family: from here on every number makes a social security number that counts as one.
const FIRST: usize = 20_000;

/// The numbers of so many families that both programmes serve. The mothers are of age: they sign for themselves.
pub(crate) fn families(count: usize) -> Vec<usize> {
    let numbers = FIRST..;
    numbers
        .filter(|number| is_adult(*number))
        .take(count)
        .collect()
}

fn is_adult(number: usize) -> bool {
    let person = Invented(number).person();
    person["birth"]["date"].as_str() < Some("2005")
}

/// What child welfare calls the person whom CalWORKs knows by a number.
pub(crate) fn in_cws(number: usize) -> String {
    format!("cs-{number}")
}

fn event(id: &str, person: &str, kind: &str, payload: &Value) -> Value {
    json!({
        "occurred_at": Clock::System.now().to_string(), "source_event_id": id, "source_person_id": person,
        "type": kind, "payload": payload,
    })
}

fn known(number: usize, person: &str) -> Value {
    let told = json!({ "record_kind": "Client", "person": Invented(number).person() });
    event(&format!("known-{person}"), person, "record.received", &told)
}

/// Some people of CalWORKs, as one input.
pub(crate) fn people(numbers: std::ops::Range<usize>) -> Value {
    numbers
        .map(|number| known(number, &number.to_string()))
        .collect()
}

/// A family's case at a programme.
fn case(person: &str, program: &str, case: &str) -> Value {
    let worker = json!({ "id": "w-1", "name": "Wanda Workerfield" });
    let told = json!({ "program": program, "case": case, "people": [person], "status": "open", "worker": worker });
    event(&format!("case-{person}"), person, "case.opened", &told)
}

/// Families as CalWORKs knows them.
pub(crate) fn of_calworks(families: &[usize]) -> Value {
    let own = |&number: &usize| {
        let person = number.to_string();
        let case = case(&person, "calworks", &format!("CASE-{number}"));
        [known(number, &person), case]
    };
    families.iter().flat_map(own).collect()
}

/// Families as an office of child welfare knows them.
pub(crate) fn of_office(families: &[usize]) -> Value {
    let theirs = |&number: &usize| {
        let person = in_cws(number);
        let case = case(
            &person,
            "child-welfare",
            &format!("0000-0000-0000-{number:07}"),
        );
        [known(number, &person), case]
    };
    families.iter().flat_map(theirs).collect()
}

/// Co-management of families begins.
pub(crate) fn starts(families: &[usize]) -> Value {
    let start = |number: &usize| {
        let person = number.to_string();
        let told = json!({
            "people": [person], "case": format!("CASE-{number}"), "start_reason": "family-maintenance",
            "worker": { "id": "w-1", "name": "Wanda Workerfield" },
        });
        event(
            &format!("start-{person}"),
            &person,
            "comanagement.started",
            &told,
        )
    };
    families.iter().map(start).collect()
}

/// The consent of a family's mother: its id, and whom it covers.
pub(crate) fn consent(family: usize) -> (String, &'static str, String) {
    (format!("consent-{family}"), SYSTEM, family.to_string())
}

/// So many messages about families in turns, one input each. Every one is told on to child welfare.
pub(crate) fn messages(count: usize, families: &[usize]) -> Vec<String> {
    (0..count)
        .map(|number| json!([message(number, families[number % families.len()])]).to_string())
        .collect()
}

/// A message about a family.
pub(crate) fn message(number: usize, family: usize) -> Value {
    let person = family.to_string();
    let id = format!("message-{number}");
    let (kind, payload) = match number % 3 {
        0 => {
            let status = ["sanctioned", "cured", "exempt", "active"][number % 4];
            let told = json!({ "person": person, "program": "calworks", "status": status, "effective": "2026-02-02" });
            ("participation.status", told)
        }
        1 => {
            let told = json!({
                "referral": { "source_ref": id }, "target": { "service": "svc-family-maintenance" },
                "domain": "parenting-family", "subjects": [person], "urgency": "routine",
                "reason": "the family asks for help with parenting",
            });
            ("referral.requested", told)
        }
        _ => {
            let hours = 10 + number % 30;
            let told = json!({
                "plan": format!("P-{person}"), "plan_type": "welfare-to-work", "status": "active", "subjects": [person],
                "goals": [{ "id": "G-1", "domain": "employment", "statement": "a job of 20 hours", "lifecycle": "active" }],
                "activities": [{
                    "id": "A-1", "kind": "work", "domain": "employment", "goal": "G-1",
                    "hours_per_week": hours, "status": "in-progress",
                }],
            });
            ("plan.update", told)
        }
    };
    event(&id, &person, kind, &payload)
}
