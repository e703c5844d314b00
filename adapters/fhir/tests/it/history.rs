//! Reading histories, and resources that say more than a reader knows.

use tandem_adapter_port::report::Outcome;

use crate::reading::person;
use crate::setting::read;

/// A history as a server tells it: newest first.
fn history(entries: &[serde_json::Value]) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({
        "resourceType": "Bundle", "type": "history", "entry": entries
    }))
    .unwrap()
}

fn version(id: &str, version: &str, family: &str) -> serde_json::Value {
    serde_json::json!({
        "fullUrl": format!("https://clinic.example/fhir/Patient/{id}"),
        "resource": {
            "resourceType": "Patient", "id": id, "meta": {"versionId": version}, "name": [{"family": family}]
        },
        "request": {"method": "PUT", "url": format!("Patient/{id}")},
        "response": {"status": "200"}
    })
}

fn deletion(id: &str) -> serde_json::Value {
    serde_json::json!({
        "fullUrl": format!("https://clinic.example/fhir/Patient/{id}"),
        "request": {"method": "DELETE", "url": format!("Patient/{id}")},
        "response": {"status": "204", "lastModified": "2026-02-01T08:00:00Z"}
    })
}

#[test]
fn a_deleted_patient_of_a_history_is_withdrawn_and_its_older_versions_do_not_bring_it_back() {
    let (collected, report) = read(&history(&[deletion("p1"), version("p1", "1", "Exampla")]));
    assert_eq!(report.events["record.withdrawn"], 1);
    assert!(!report.events.contains_key("record.received"));
    assert_eq!(report.outcome, Outcome::Accepted);
    let event = &collected.events[0];
    assert_eq!(event.source_person_id.as_ref().unwrap().as_str(), "p1");
    assert_eq!(event.occurred_at, "2026-02-01T08:00:00Z".parse().unwrap());
}

#[test]
fn of_several_versions_in_a_history_the_newest_counts() {
    let entries = [
        version("p1", "3", "Newfield"),
        deletion("p1"),
        version("p1", "1", "Oldfield"),
    ];
    let (collected, report) = read(&history(&entries));
    assert_eq!(person(&collected.events, "p1").names[0].family, "Newfield");
    assert_eq!(report.events["record.received"], 1);
    assert!(!report.events.contains_key("record.withdrawn"));
    assert_eq!(report.records["Patient"], 2);
}

#[test]
fn a_resource_with_a_modifier_that_nobody_here_knows_is_not_used() {
    let modified = |element: serde_json::Value| {
        let mut patient = version("p1", "1", "Exampla")["resource"].clone();
        patient
            .as_object_mut()
            .unwrap()
            .extend(element.as_object().unwrap().clone());
        serde_json::to_vec(&patient).unwrap()
    };
    let modifier = serde_json::json!([{"url": "https://example.org/not", "valueBoolean": true}]);
    for element in [
        serde_json::json!({"modifierExtension": modifier}),
        serde_json::json!({"contact": [{"modifierExtension": modifier}]}),
    ] {
        let (collected, report) = read(&modified(element));
        assert!(collected.events.is_empty());
        assert_eq!(report.outcome, Outcome::Rejected);
    }
    let (collected, _) = read(&modified(serde_json::json!({"modifierExtension": []})));
    assert_eq!(collected.events.len(), 1);
}

#[test]
fn a_transaction_that_asks_for_a_deletion_withdraws_nobody() {
    let mut asked = deletion("p1");
    asked.as_object_mut().unwrap().remove("response");
    let (collected, _) = read(&history(&[asked, version("p2", "1", "Exampla")]));
    assert_eq!(collected.events.len(), 1);
    assert_eq!(person(&collected.events, "p2").names[0].family, "Exampla");
}
