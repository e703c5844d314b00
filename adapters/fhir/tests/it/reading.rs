//! Reading files and payloads.

use proptest::prelude::*;
use tandem_adapter_port::report::Outcome;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::name::NameUse;
use tandem_mappings::model::person::PersonRecord;
use tandem_mappings::model::referral::Urgency;

use crate::setting::read;

const CLINIC: &[u8] = include_bytes!("../../fixtures/clinic.json");

pub(crate) fn person(events: &[NewEvent], id: &str) -> PersonRecord {
    let found = events.iter().find_map(|event| match &event.body {
        Body::RecordReceived(record)
            if event
                .source_person_id
                .as_ref()
                .is_some_and(|own| own.as_str() == id) =>
        {
            Some(record.person.clone())
        }
        _ => None,
    });
    found.unwrap()
}

#[test]
fn a_bundle_is_counted_by_resource_type_and_people() {
    let (_, report) = read(CLINIC);
    assert_eq!(report.records["Patient"], 3);
    assert_eq!(report.records["Task"], 1);
    assert_eq!(report.records["Immunization"], 1);
    assert!(!report.records.contains_key("Bundle"));
    assert_eq!(report.persons, 2);
    assert_eq!(report.refused, 1);
    assert_eq!(report.events["referral.requested"], 1);
    assert_eq!(report.events["plan.active"], 1);
    assert_eq!(report.outcome, Outcome::AcceptedWithErrors);
}

#[test]
fn a_patient_gives_names_numbers_and_addresses() {
    let (collected, _) = read(CLINIC);
    let mother = person(&collected.events, "p-mother");
    assert_eq!(mother.names[0].given, "Marisol");
    assert_eq!(mother.names[0].middle, "Inez");
    assert_eq!(mother.names[1].name_use, NameUse::Maiden);
    assert_eq!(mother.ssn.as_ref().unwrap().ssn.expose(), "900123456");
    assert_eq!(mother.identifier("cin"), Some("91234567A"));
    assert_eq!(mother.phones, ["5550101234"]);
    assert_eq!(mother.addresses[0].zip, "90000");
}

/// A referral whose ServiceRequest rests on a Condition that stands elsewhere in the payload.
fn referral_resting_on(reference: &str, condition: &serde_json::Value) -> Vec<NewEvent> {
    let entry = |resource: serde_json::Value| serde_json::json!({ "resource": resource });
    let bundle = serde_json::json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        entry(serde_json::json!({
            "resourceType": "Task", "id": "t-1", "status": "requested", "intent": "order",
            "focus": { "reference": "ServiceRequest/s-1" }, "for": { "reference": "Patient/p-1" } })),
        entry(serde_json::json!({
            "resourceType": "ServiceRequest", "id": "s-1", "status": "active", "intent": "order",
            "subject": { "reference": "Patient/p-1" }, "reasonReference": [{ "reference": reference }],
            "meta": { "security": [{ "code": "MH" }] } })),
        { "fullUrl": "urn:uuid:018f0000-0000-7000-8000-00000000000c", "resource": condition },
    ]});
    read(bundle.to_string().as_bytes()).0.events
}

#[test]
fn a_referral_carries_the_codes_and_labels_of_what_it_rests_on() {
    let condition = serde_json::json!({
        "resourceType": "Condition", "id": "c-1", "subject": { "reference": "Patient/p-1" },
        "meta": { "security": [{ "code": "SUD" }] },
        "code": { "coding": [{ "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F11.20" }] } });
    for reference in [
        "Condition/c-1",
        "urn:uuid:018f0000-0000-7000-8000-00000000000c",
    ] {
        let events = referral_resting_on(reference, &condition);
        let is_request = |event: &&NewEvent| matches!(event.body, Body::ReferralRequested(_));
        let event = events.iter().find(is_request).unwrap();
        assert!(
            event.codes.iter().any(|one| one.code == "F11.20"),
            "{reference}"
        );
        assert_eq!(event.labels, ["MH", "SUD"], "{reference}");
    }
    let elsewhere = referral_resting_on("Condition/other", &condition);
    assert!(
        elsewhere
            .iter()
            .all(|event| event.codes.iter().all(|one| one.code != "F11.20"))
    );
}

#[test]
fn a_task_with_its_focus_is_a_referral() {
    let (collected, _) = read(CLINIC);
    let requests: Vec<_> = collected
        .events
        .iter()
        .filter_map(|event| match &event.body {
            Body::ReferralRequested(request) => Some((event, request)),
            _ => None,
        })
        .collect();
    let [(event, request)] = requests.as_slice() else {
        panic!("one request")
    };
    assert_eq!(
        event.source_event_id.as_str(),
        "Task/t-1/_history/2#requested"
    );
    assert_eq!(
        event.source_person_id.as_ref().unwrap().as_str(),
        "p-mother"
    );
    assert_eq!(request.referral.source_ref.as_deref(), Some("t-1"));
    assert_eq!(request.domain, Domain::Shelter);
    assert_eq!(request.urgency, Urgency::Urgent);
    assert_eq!(request.need.as_deref(), Some("Emergency shelter"));
    assert_eq!(
        request.target.organization.as_ref().unwrap().as_str(),
        "org-hmis"
    );
    assert_eq!(
        request.safe_contact.as_ref().unwrap().may_contact,
        Some(false)
    );
    assert_eq!(
        request.source_resources,
        [
            "https://clinic.example/fhir/Task/t-1",
            "https://clinic.example/fhir/ServiceRequest/sr-1"
        ]
    );
}

#[test]
fn a_care_plan_brings_its_goals_and_activities() {
    let (collected, _) = read(CLINIC);
    let plan = collected.events.iter().find_map(|event| match &event.body {
        Body::PlanActive(plan) => Some(plan),
        _ => None,
    });
    let plan = plan.unwrap();
    assert_eq!(plan.goals[0].statement.as_deref(), Some("Stable mood"));
    assert_eq!(plan.activities[0].name.as_deref(), Some("Counselling"));
    assert!(plan.activities[0].starts_at.is_some());
}

#[test]
fn a_bundle_without_its_required_type_is_read_and_told() {
    for (kind, count) in [("", 1), (r#""type":"bag","#, 1), (r#""type":"batch","#, 0)] {
        let text = format!(
            r#"{{"resourceType":"Bundle",{kind}"entry":[{{"resource":{{"resourceType":"Patient","id":"p1","name":[{{"family":"Example"}}]}}}}]}}"#
        );
        let (_, report) = read(text.as_bytes());
        assert_eq!(report.persons, 1);
        let told = report.deviations.iter();
        let told = told.filter(|one| one.code == "bundle-type-not-usable");
        assert_eq!(told.count(), count, "{kind}");
    }
}

#[test]
fn a_resource_that_must_not_enter_leaves_only_its_lines() {
    let (collected, _) = read(CLINIC);
    assert_eq!(collected.refused.len(), 1);
    assert_eq!(
        (collected.refused[0].0.line, collected.refused[0].1),
        (Some(85), 92)
    );
    let told = serde_json::to_string(&collected.events).unwrap();
    assert!(!told.contains("Neverfield") && !told.contains("p-secret"));
}

#[test]
fn resources_published_by_others_are_read() {
    let read_file = |bytes: &[u8]| read(bytes).1;
    let patient = read_file(include_bytes!(
        "../../fixtures/us-core/patient-example.json"
    ));
    assert_eq!((patient.persons, patient.outcome), (1, Outcome::Accepted));
    assert!(patient.deviations.is_empty(), "{:?}", patient.deviations);
    let plan = read_file(include_bytes!(
        "../../fixtures/us-core/careplan-ulcer-example.json"
    ));
    assert_eq!(plan.events["plan.active"], 1);
    for bytes in [
        &include_bytes!("../../fixtures/us-core/servicerequest-foodpantry-referral.json")[..],
        include_bytes!("../../fixtures/us-core/goal-sdoh-2.json"),
        include_bytes!("../../fixtures/us-core/condition-SDOH-example.json"),
        include_bytes!("../../fixtures/us-core/careteam-example.json"),
        include_bytes!("../../fixtures/us-core/example-organization-2.json"),
        include_bytes!("../../fixtures/us-core/relatedperson-shaw-niece.json"),
    ] {
        let report = read_file(bytes);
        assert_eq!(report.outcome, Outcome::Accepted);
        assert!(
            report
                .deviations
                .iter()
                .all(|kind| kind.code != "not-valid-r4")
        );
        assert_eq!(report.records.values().sum::<u64>(), 1);
    }
}

#[test]
fn the_same_id_on_another_server_is_another_person() {
    let clinic = String::from_utf8(CLINIC.to_vec()).unwrap();
    let subject = |base: &str| {
        let bundle = clinic.replace(
            "\"Patient/p-mother\"",
            &format!("\"{base}Patient/p-mother\""),
        );
        let (collected, _) = read(bundle.as_bytes());
        collected.events.iter().find_map(|event| match &event.body {
            Body::ReferralRequested(request) => Some(request.subjects[0].as_str().to_owned()),
            _ => None,
        })
    };
    assert_eq!(subject("https://clinic.example/fhir/").unwrap(), "p-mother");
    let elsewhere = "https://other.example/fhir/";
    assert_eq!(
        subject(elsewhere).unwrap(),
        "https://other.example/fhir/Patient/p-mother"
    );
}

#[test]
fn references_by_uuid_find_the_patient_and_the_focus_of_the_bundle() {
    let bundle = serde_json::json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": "urn:uuid:aaaa", "resource": {
            "resourceType": "Task", "id": "t", "status": "requested", "intent": "order",
            "focus": {"reference": "urn:uuid:bbbb"}, "for": {"reference": "urn:uuid:cccc"}}},
        {"fullUrl": "urn:uuid:bbbb", "resource": {
            "resourceType": "ServiceRequest", "id": "sr", "status": "active", "intent": "order",
            "code": {"text": "Food box"}, "subject": {"reference": "urn:uuid:cccc"}}},
        {"fullUrl": "urn:uuid:cccc", "resource": {
            "resourceType": "Patient", "id": "p", "name": [{"family": "Testa"}]}},
    ]});
    let (collected, _) = read(bundle.to_string().as_bytes());
    let request = collected.events.iter().find_map(|event| match &event.body {
        Body::ReferralRequested(request) => Some(request),
        _ => None,
    });
    let request = request.unwrap();
    assert_eq!(request.need.as_deref(), Some("Food box"));
    assert_eq!(
        request
            .subjects
            .iter()
            .map(|id| id.as_str())
            .collect::<Vec<_>>(),
        ["p"]
    );
}

#[test]
fn a_long_bundle_is_read_entry_by_entry() {
    let mut bundle = b"{\"entry\":[".to_vec();
    for at in 0..5_000 {
        let comma = if at == 0 { "" } else { ",\n" };
        let entry = format!(
            r#"{comma}{{"resource":{{"resourceType":"Patient","id":"p-{at}","name":[{{"family":"Demofield","given":["Number {at}"]}}]}}}}"#
        );
        bundle.extend(entry.into_bytes());
    }
    bundle.extend(b"],\"type\":\"collection\",\"resourceType\":\"Bundle\"}");
    let (_, report) = read(&bundle);
    assert_eq!((report.persons, report.outcome), (5_000, Outcome::Accepted));
}

/// Any JSON, with the names that the reader looks for among its keys and strings.
pub(crate) fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let words = prop::sample::select(vec![
        "resourceType",
        "Patient",
        "Task",
        "Bundle",
        "CarePlan",
        "Goal",
        "ServiceRequest",
        "entry",
        "resource",
        "id",
        "status",
        "focus",
        "for",
        "reference",
        "Patient/1",
        "name",
        "code",
        "coding",
        "system",
        "identifier",
        "value",
        "birthDate",
        "meta",
        "security",
        "contained",
    ]);
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        words.clone().prop_map(serde_json::Value::from),
        "\\PC{0,8}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::vec((words.clone(), inner), 0..6).prop_map(|pairs| {
                pairs
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
    }

    #[test]
    fn no_json_makes_the_reader_panic(value in any_json()) {
        read(value.to_string().as_bytes());
    }

    #[test]
    fn no_resource_makes_the_reader_panic(
        kind in prop::sample::select(vec!["Patient", "Task", "CarePlan", "Goal", "Bundle"]),
        fields in prop::collection::hash_map("name|status|focus|for|goal|activity|entry|identifier|meta|contained|telecom|address|link|output|code", any_json(), 0..8),
    ) {
        let mut object: serde_json::Map<String, serde_json::Value> = fields.into_iter().collect();
        object.insert("resourceType".into(), kind.into());
        object.insert("id".into(), "x".into());
        read(serde_json::Value::from(object).to_string().as_bytes());
    }

    #[test]
    fn a_cut_bundle_keeps_what_came_before_the_cut(cut in 0..CLINIC.len()) {
        let (_, report) = read(&CLINIC[..cut]);
        prop_assert!(report.persons <= 2);
    }
}
