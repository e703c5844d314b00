//! Deletions in a delta that lacks the stay or the project: told by id alone, and the row itself is cut out.

use serde_json::{Value, json};

use crate::package::{Files, Outcome};

const DELETED: (&str, &str) = ("DateDeleted", "2026-02-01 09:00:00");
/// What no event about these rows may say.
const SECRETS: [&str; 5] = ["70007", "P-LOST", "2025-11-11", "RHY_RECORD", "HOMELESS"];

fn delta() -> Files {
    Files::fixture("fy2026").set("Export", "X-2026-02-02", &[("ExportDirective", "1")])
}

fn with_stay(files: Files, project: &str, deleted: &str) -> Files {
    let values = [
        ("EnrollmentID", "E-70"),
        ("PersonalID", "70007"),
        ("ProjectID", project),
        ("EntryDate", "2025-11-11"),
        ("DateDeleted", deleted),
    ];
    files.add_like("Enrollment", "E-1", &values)
}

fn with_exit(files: Files, id: &str, deleted: &str) -> Files {
    let values = [
        ("ExitID", id),
        ("EnrollmentID", "E-70"),
        ("PersonalID", "70007"),
        ("ExitDate", "2025-11-11"),
        ("DateDeleted", deleted),
    ];
    files.add_like("Exit", "EX-1", &values)
}

fn with_event(files: Files, id: &str, deleted: &str) -> Files {
    let values = [
        ("EventID", id),
        ("EnrollmentID", "E-70"),
        ("PersonalID", "70007"),
        ("EventDate", "2025-11-11"),
        ("LocationCrisisOrPHHousing", "P-LOST"),
        ("DateDeleted", deleted),
    ];
    files.add_like("Event", "EV-2", &values)
}

/// Events that name the id, as JSON.
fn about(outcome: &Outcome, id: &str) -> Vec<Value> {
    let events = outcome.collected.events.iter();
    let all = events.map(|event| serde_json::to_value(event).unwrap());
    all.filter(|event| event.to_string().contains(id)).collect()
}

fn only(outcome: &Outcome, id: &str) -> Value {
    let mut found = about(outcome, id);
    assert_eq!(found.len(), 1, "{id}");
    let event = found.remove(0);
    for secret in SECRETS {
        assert!(!event.to_string().contains(secret), "{secret}: {event}");
    }
    for field in ["source_person_id", "source_household_id", "category"] {
        assert_eq!(event.get(field), None, "{event}");
    }
    event
}

#[test]
fn a_deleted_stay_of_a_project_not_in_the_delta_is_told_by_its_id_alone() {
    let outcome = with_stay(delta(), "P-LOST", DELETED.1).read();
    assert!(outcome.codes().contains(&"gate-unknown-project"));
    assert!(!outcome.collected.refused.is_empty());
    let ended = only(&outcome, "E-70");
    assert_eq!(ended["type"], "enrollment.ended");
    let payload =
        json!({ "program": "housing", "case": "E-70", "people": [], "status": "deleted" });
    assert_eq!(ended["payload"], payload);
}

#[test]
fn a_deleted_exit_of_a_stay_not_in_the_delta_opens_the_stay_by_its_id_alone() {
    let outcome = with_exit(delta(), "EX-70", DELETED.1).read();
    assert!(outcome.codes().contains(&"gate-unknown-project"));
    let opened = only(&outcome, "E-70");
    assert_eq!(opened["type"], "enrollment.active");
    let payload = json!({ "program": "housing", "case": "E-70", "people": [], "status": "open" });
    assert_eq!(opened["payload"], payload);
}

#[test]
fn a_deleted_exit_opens_no_stay_that_another_row_ends_or_deletes() {
    let files = with_exit(delta(), "EX-70", DELETED.1);
    let ended_again = with_exit(files.clone(), "EX-71", "").read();
    assert!(about(&ended_again, "E-70").is_empty());
    let deleted_too = with_stay(files, "P-LOST", DELETED.1).read();
    assert_eq!(only(&deleted_too, "E-70")["type"], "enrollment.ended");
}

#[test]
fn a_deleted_referral_of_a_stay_not_in_the_delta_is_cancelled_by_its_id_alone() {
    let outcome = with_event(delta(), "EV-70", DELETED.1).read();
    assert!(outcome.codes().contains(&"gate-unknown-project"));
    let cancelled = only(&outcome, "EV-70");
    assert_eq!(cancelled["type"], "referral.cancelled");
    let reference = &cancelled["payload"]["referral"];
    assert_eq!(
        *reference,
        json!({ "source_ref": "EV-70", "target_ref": "EV-70" })
    );
}

#[test]
fn refused_rows_that_are_not_deleted_tell_nothing() {
    let files = with_event(with_exit(delta(), "EX-70", ""), "EV-70", "");
    let outcome = with_stay(files, "P-LOST", "").read();
    for id in ["E-70", "EX-70", "EV-70"] {
        assert!(about(&outcome, id).is_empty(), "{id}");
    }
}

#[test]
fn deletions_of_a_victim_service_providers_rows_are_not_told_even_by_id() {
    for project in ["P-SAFE", "P-CMP"] {
        let files = with_exit(delta(), "EX-70", DELETED.1);
        let files = with_event(files, "EV-70", DELETED.1);
        let outcome = with_stay(files, project, DELETED.1).read();
        for id in ["E-70", "EX-70", "EV-70"] {
            assert!(about(&outcome, id).is_empty(), "{project}: {id}");
        }
    }
}

#[test]
fn a_deletion_at_another_time_is_another_event() {
    let first = with_stay(delta(), "P-LOST", DELETED.1).read();
    let second = with_stay(delta(), "P-LOST", "2026-02-03 09:00:00").read();
    let id = |outcome: &Outcome| only(outcome, "E-70")["source_event_id"].to_string();
    assert_ne!(id(&first), id(&second));
}
