//! What the labelling step does to what is told: a code, a programme or a label of the sender closes what a plain
//! referral of the same people opens.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tandem::state::record::RecordDoc;
use tandem::state::referral::ReferralDoc;
use tandem_mappings::model::id::{ReferralId, SourcePersonId, SystemId};

use crate::api_office::{Office, START, marisol, record_received};

const ICD: &str = "http://hl7.org/fhir/sid/icd-10-cm";
const HOUSING: &str = r#"limits = { requests_per_second = 1000, burst = 1000, body_bytes = 200000, match_quantum_ms = 20 }

[systems.hmis-demo]
organization = "org-hmis"
program = "housing"
output = "hmis/csv"
folder = { path = "exchange/hmis-demo", poll_ms = 20 }
hmis = { write = { source_name = "Tandem gateway", implementation_id = "tandem-demo-county" } }
"#;

/// A gateway with the homeless services' system, the person known to the clinic, and her release of general health to
/// them.
async fn office() -> Office {
    released(Office::with(HOUSING).await).await
}

async fn released(office: Office) -> Office {
    office.record("clinic", "pat-1", &marisol()).await;
    let directive = json!({
        "id": "consent-1", "subject": "marisol", "signer": { "capacity": "self" },
        "form_template": { "id": "county-general-release", "version": "2026-1", "language": "en" },
        "method": "paper_scan", "effect": "permit",
        "categories": ["PERSON_INDEX", "HEALTH_GENERAL", "CONTACT_LOCATION"],
        "disclosers": { "named": ["org-clinic"] }, "recipients": { "named": ["org-hmis"] },
        "purposes": ["COC"], "valid_from": "2026-02-02", "expiry": { "date": "2027-02-01" },
    });
    let body = json!({ "directive": directive, "covers": [{ "system": "clinic-demo", "person": "pat-1" }] });
    let captured = office.post("privacy", "/v1/consents", &body).await;
    assert_eq!(captured.status, StatusCode::CREATED, "{}", captured.text);
    let path = "/v1/consents/consent-1/verify";
    let verified = office.post("privacy-second", path, &json!({})).await;
    assert_eq!(verified.status, StatusCode::OK, "{}", verified.text);
    office
}

/// A Task of the clinic that asks the homeless services for shelter; `more` are further fields of its ServiceRequest.
fn task(number: &str, more: &Value) -> Value {
    let system = "http://127.0.0.1:9/fhir/order";
    let patient = json!({ "reference": "http://127.0.0.1:9/fhir/Patient/pat-1" });
    let housing = json!({ "identifier": {
        "system": "https://tandem.demo-county.example/id/organization", "value": "org-hmis" } });
    let mut order = json!({
        "resourceType": "ServiceRequest", "id": "order", "status": "active", "intent": "order",
        "category": [
            { "coding": [{ "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "code": "sdoh" }] },
            { "coding": [{
                "system": "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes",
                "code": "homelessness" }] },
        ],
        "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "710925007" }], "text": "Shelter" },
        "subject": patient, "authoredOn": "2026-02-02T08:00:00Z",
        "requester": { "reference": "Organization/org-clinic" }, "performer": [housing],
    });
    let fields = more.as_object().unwrap().clone();
    order.as_object_mut().unwrap().extend(fields);
    json!({
        "resourceType": "Task", "status": "requested", "intent": "order", "priority": "routine",
        "identifier": [{ "system": system, "value": number }],
        "code": { "coding": [{ "system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill" }] },
        "contained": [order], "focus": { "reference": "#order" }, "for": patient,
        "authoredOn": "2026-02-02T08:00:00Z", "lastModified": "2026-02-02T08:00:00Z",
        "requester": { "reference": "Organization/org-clinic" }, "owner": housing,
    })
}

/// What becomes of a Task, and the referral as it is kept.
async fn referred(office: &Office, task: &Value) -> (String, ReferralDoc) {
    let kind = [("content-type", "application/fhir+json")];
    let body = Some(task.to_string());
    let created = office
        .send("clinic", Method::POST, "/fhir/Task", &kind, body)
        .await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
    let id: ReferralId = created.json()["id"].as_str().unwrap().parse().unwrap();
    let answer = office.get("clinic", &format!("/v1/referrals/{id}")).await;
    let status = answer.json()["status"].as_str().unwrap().to_owned();
    let mut tx = office.core().store.snapshot().await.unwrap();
    let kept = tx.get::<ReferralDoc>(&id.to_string()).await.unwrap();
    (status, kept.unwrap())
}

fn reason(system: &str, code: &str) -> Value {
    json!({ "reasonCode": [{ "coding": [{ "system": system, "code": code }] }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_of_a_clinic_reaches_housing_unless_a_code_makes_it_sensitive() {
    let office = office().await;
    let plain = [
        json!({}),
        reason(ICD, "E11.9"),
        reason("http://local.example/codes", "F11.20"),
        reason(ICD, "Z99.999"),
    ];
    for (number, more) in plain.iter().enumerate() {
        let (status, _) = referred(&office, &task(&format!("plain-{number}"), more)).await;
        assert_eq!(status, "requested", "{more}");
    }
    let told = [
        (reason(ICD, "F11.20"), "SUD_NONPART2", "icd10cm:F11"),
        (reason("", "F11.20"), "SUD_NONPART2", "icd10cm:F11"),
        (reason(ICD, "B20"), "HIV", "icd10cm:B20"),
        (
            reason("http://loinc.org", "56888-1"),
            "HIV",
            "loinc:56888-1",
        ),
        (reason(ICD, "F33.1"), "MENTAL_HEALTH", "icd10cm:F30-F39"),
    ];
    for (number, (more, category, row)) in told.iter().enumerate() {
        let (status, kept) = referred(&office, &task(&format!("told-{number}"), more)).await;
        assert_eq!(status, "draft", "{more} was told");
        assert_eq!(kept.sensitivity.category.unwrap().as_str(), *category);
        assert!(
            kept.sensitivity.why.contains(*row),
            "{:?}",
            kept.sensitivity
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diagnosis_that_a_referral_only_points_to_counts_for_it() {
    let office = office().await;
    let mut pointing = task(
        "points",
        &json!({ "reasonReference": [{ "reference": "#why" }] }),
    );
    let condition = json!({
        "resourceType": "Condition", "id": "why", "subject": { "reference": "Patient/pat-1" },
        "code": { "coding": [{ "system": ICD, "code": "F11.20" }] },
    });
    pointing["contained"]
        .as_array_mut()
        .unwrap()
        .push(condition);
    assert_eq!(referred(&office, &pointing).await.0, "draft");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_clinic_keeps_back_at_the_persons_request_is_not_told() {
    let office = office().await;
    let security = |code: &str| {
        let system = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
        json!({ "meta": { "security": [{ "system": system, "code": code }] } })
    };
    let (status, kept) = referred(&office, &task("kept-back", &security("NODSCLCDS"))).await;
    assert_eq!(status, "draft");
    assert!(kept.sensitivity.labels.contains("X_RESTRICTED"));
    // Paid by the person: hidden from the plan, and this recipient is none.
    let (status, kept) = referred(&office, &task("self-paid", &security("HIPAASelfPay"))).await;
    assert_eq!(status, "requested");
    assert!(kept.sensitivity.labels.contains("X_SELF_PAID"));
}

fn pushed(id: &str, more: &Value) -> Value {
    let mut event = json!({
        "occurred_at": START, "source_event_id": id, "source_person_id": "pat-1", "type": "referral.requested",
        "payload": {
            "referral": { "source_ref": id }, "target": { "service": "svc-shelter-bed" }, "domain": "shelter",
            "subjects": ["pat-1"], "urgency": "routine",
        },
    });
    let fields = more.as_object().unwrap().clone();
    event.as_object_mut().unwrap().extend(fields);
    event
}

async fn push(office: &Office, who: &str, event: Value) {
    let answer = office.post(who, "/v1/events", &json!([event])).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    office.settle().await;
}

/// Status, category and labels of the referral with a reference of its source.
async fn kept(office: &Office, reference: &str) -> (String, ReferralDoc) {
    let mut tx = office.core().store.snapshot().await.unwrap();
    let all = tx.all::<ReferralDoc>().await.unwrap();
    let is_it = |one: &ReferralDoc| one.source_ref.as_deref() == Some(reference);
    let found = all.into_iter().find(is_it).unwrap();
    (found.state.status().unwrap().to_string(), found)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_of_a_part_2_program_needs_no_code_to_be_part_2_data() {
    let entries = r#"
[[program]]
id = "prog-detox"
name = "Detox"
organization = "org-clinic"
part2_program = true

[[program]]
id = "prog-primary"
name = "Primary care"
organization = "org-clinic"
"#;
    let office = released(Office::with_entries(HOUSING, entries).await).await;
    let plain = json!({ "program": "prog-primary" });
    push(&office, "clinic", pushed("ev-plain", &plain)).await;
    assert_eq!(kept(&office, "ev-plain").await.0, "requested");
    let own = json!({ "program": "prog-detox" });
    push(&office, "clinic", pushed("ev-part2", &own)).await;
    let (status, found) = kept(&office, "ev-part2").await;
    assert_eq!(status, "draft");
    let why = &found.sensitivity.why;
    assert!(why.contains("source:part2_program"), "{why:?}");
    assert!(
        found.sensitivity.labels.contains("42CFRPart2"),
        "{:?}",
        found.sensitivity
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_of_a_pushed_event_are_read_and_not_kept() {
    let office = office().await;
    let codes = json!({ "codes": [{ "system": ICD, "code": "F11.20" }] });
    push(&office, "clinic", pushed("ev-coded", &codes)).await;
    let (status, found) = kept(&office, "ev-coded").await;
    assert_eq!(status, "draft");
    let text = serde_json::to_string(&found).unwrap();
    assert!(
        text.contains("icd10cm:F11") && !text.contains("F11.20"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_told_again_with_fewer_labels_stays_as_labelled_as_it_was() {
    let office = office().await;
    let mut event = record_received("pat-1", &marisol());
    event["source_event_id"] = json!("record-2");
    event["codes"] = json!([{ "system": "hmis-2026", "code": "1.3:8" }]);
    push(&office, "clinic", event.clone()).await;
    event["source_event_id"] = json!("record-3");
    event.as_object_mut().unwrap().remove("codes");
    push(&office, "clinic", event).await;
    let mut tx = office.core().store.snapshot().await.unwrap();
    let key = tandem_mappings::model::id::RecordKey {
        system: SystemId::new("clinic-demo").unwrap(),
        person: SourcePersonId::new("pat-1").unwrap(),
    };
    let record = tx.get::<RecordDoc>(&RecordDoc::key_of(&key)).await.unwrap();
    assert!(record.unwrap().labels.contains("HIV"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_the_county_closes_what_tandems_tables_leave_open_and_is_cited() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("icd10cm.csv");
    let table = "# source: Demo County privacy office\n# version: 2026-02\n\
        row,first,last,category,labels,meaning,section\n\
        E11,E11,E11,SUD_NONPART2,SUD,diabetes in a study of the county,memo 4\n";
    std::fs::write(&file, table).unwrap();
    let labels =
        format!("labels = {{ tables = [{{ system = \"icd10cm\", file = {file:?} }}] }}\n{HOUSING}");
    let office = released(Office::with(&labels).await).await;
    let (status, kept) = referred(&office, &task("county", &reason(ICD, "E11.9"))).await;
    assert_eq!(status, "draft");
    let why = &kept.sensitivity.why;
    assert!(why.contains("county:icd10cm:E11"), "{why:?}");
    let (status, _) = referred(&office, &task("plain", &reason(ICD, "E10.9"))).await;
    assert_eq!(status, "requested", "another code is as it was");

    let all = office
        .get("privacy", "/v1/decisions?limit=500")
        .await
        .json();
    let mut cited = Vec::new();
    for one in all["decisions"].as_array().unwrap() {
        let id = one["id"].as_str().unwrap();
        let read = office.get("privacy", &format!("/v1/decisions/{id}")).await;
        let by = read.json()["record"]["labelled_by"].to_string();
        if by.contains("county:icd10cm:E11") {
            cited.push((id.to_owned(), by));
        }
    }
    let (id, by) = cited.first().expect("a decision that cites the row");
    assert!(by.contains("tables:sha256:"), "{by}");
    let replayed = office
        .post("privacy", &format!("/v1/decisions/{id}/replay"), &json!({}))
        .await;
    assert_eq!(replayed.json()["is_same"], true, "{}", replayed.text);
}
