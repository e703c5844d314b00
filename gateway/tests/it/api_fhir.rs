//! Referrals as FHIR Tasks: posted, read, moved, with versions.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api_office::{Answer, Office, marisol};
use crate::api_referrals::referred;

const BASE: &str = "http://127.0.0.1:9/fhir";

fn task(number: &str) -> Value {
    let patient = json!({ "reference": format!("{BASE}/Patient/pat-1") });
    json!({
        "resourceType": "Task", "status": "requested", "intent": "order", "priority": "routine",
        "identifier": [{ "system": format!("{BASE}/order"), "value": number }],
        "code": { "coding": [{ "system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill" }] },
        "contained": [{
            "resourceType": "ServiceRequest", "id": "order", "status": "active", "intent": "order", "priority": "routine",
            "category": [
                { "coding": [{ "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "code": "sdoh" }] },
                { "coding": [{
                    "system": "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes",
                    "code": "stress", "display": "Stress" }] },
            ],
            "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "409063005" }], "text": "Counselling" },
            "subject": patient, "authoredOn": "2026-02-02T08:00:00Z",
            "requester": { "reference": "Organization/org-clinic" },
            "performer": [{ "reference": "Organization/org-bh" }],
        }],
        "focus": { "reference": "#order" }, "for": patient,
        "authoredOn": "2026-02-02T08:00:00Z", "lastModified": "2026-02-02T08:00:00Z",
        "requester": { "reference": "Organization/org-clinic" },
        "owner": { "reference": "Organization/org-bh" },
    })
}

async fn post(office: &Office, task: &Value) -> Answer {
    let kind = [("content-type", "application/fhir+json")];
    office
        .send(
            "clinic",
            Method::POST,
            "/fhir/Task",
            &kind,
            Some(task.to_string()),
        )
        .await
}

async fn put(office: &Office, id: &str, version: &str, task: &Value) -> Answer {
    let headers = [
        ("content-type", "application/fhir+json"),
        ("if-match", version),
    ];
    office
        .send(
            "clinic",
            Method::PUT,
            &format!("/fhir/Task/{id}"),
            &headers,
            Some(task.to_string()),
        )
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_posted_read_and_cancelled() {
    let office = Office::open().await;
    office.record("clinic", "pat-1", &marisol()).await;
    let created = post(&office, &task("order-1")).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
    assert_eq!(created.header("content-type"), "application/fhir+json");
    let id = created.json()["id"].as_str().unwrap().to_owned();
    assert!(created.header("location").starts_with(&format!(
        "https://tandem.demo-county.example/fhir/Task/{id}/_history/"
    )));

    let read = office.get("clinic", &format!("/fhir/Task/{id}")).await;
    assert_eq!(read.status, StatusCode::OK, "{}", read.text);
    assert_eq!(
        read.json()["identifier"][0]["value"],
        "order-1",
        "what the sender wrote is kept"
    );
    let found = office
        .get("clinic", &format!("/fhir/Task?_id={id}"))
        .await
        .json();
    assert_eq!(found["entry"][0]["resource"]["id"], json!(id), "{found}");
    let order = office
        .get("clinic", &format!("/fhir/ServiceRequest/{id}"))
        .await;
    assert_eq!(
        order.json()["resourceType"],
        "ServiceRequest",
        "{}",
        order.text
    );

    let mut withdrawn = read.json();
    withdrawn["status"] = json!("entered-in-error");
    let stale = put(&office, &id, "W/\"999\"", &withdrawn).await;
    assert_eq!(
        stale.status,
        StatusCode::PRECONDITION_FAILED,
        "{}",
        stale.text
    );
    assert_eq!(stale.json()["resourceType"], "OperationOutcome");
    let done = put(&office, &id, read.header("etag"), &withdrawn).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert_eq!(done.json()["status"], "entered-in-error");
    assert_ne!(done.header("etag"), read.header("etag"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_task_posted_twice_is_one_referral() {
    let office = Office::open().await;
    office.record("clinic", "pat-1", &marisol()).await;
    let first = post(&office, &task("order-1")).await;
    let second = post(&office, &task("order-1")).await;
    assert_eq!(
        (first.status, second.status),
        (StatusCode::CREATED, StatusCode::OK),
        "{}",
        second.text
    );
    assert_eq!(first.json()["id"], second.json()["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_belongs_to_the_other_side_is_a_conflict() {
    let office = Office::open().await;
    office.record("clinic", "pat-1", &marisol()).await;
    let created = post(&office, &task("order-1")).await;
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let mut accepted = created.json();
    accepted["status"] = json!("accepted");
    let answer = put(&office, &id, created.header("etag"), &accepted).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    assert_eq!(answer.json()["issue"][0]["code"], "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_others_does_not_exist() {
    let office = Office::open().await;
    office.record("clinic", "pat-1", &marisol()).await;
    let id = post(&office, &task("order-1")).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let others = office.get("cws", &format!("/fhir/Task/{id}")).await;
    let nobody = office
        .get("cws", "/fhir/Task/018f0000-0000-7000-8000-000000000000")
        .await;
    assert_eq!(others.status, StatusCode::NOT_FOUND);
    assert_eq!(others.text, nobody.text);
    assert_eq!(others.json()["issue"][0]["code"], "not-found");
    let found = office.get("cws", "/fhir/Task").await.json();
    assert_eq!(found["type"], "searchset");
    assert_eq!(found.get("entry"), None, "FHIR has no empty arrays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_about_somebody_unknown_waits() {
    let office = Office::open().await;
    let answer = post(&office, &task("order-1")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    assert_eq!(answer.json()["issue"][0]["severity"], "information");
    let parked = office.get("operator", "/v1/events/parked").await.json();
    assert_eq!(parked["events"].as_array().unwrap().len(), 1, "{parked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_does_not_fit_the_profile_is_refused_with_every_issue() {
    let office = Office::open().await;
    let answer = post(&office, &json!({ "resourceType": "Task" })).await;
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        answer.text
    );
    assert!(answer.json()["issue"].as_array().unwrap().len() > 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_describes_itself_and_its_organisations() {
    let office = Office::open().await;
    let metadata = office.get("", "/fhir/metadata").await.json();
    assert_eq!(metadata["resourceType"], "CapabilityStatement");
    let organization = office
        .get("clinic", "/fhir/Organization/org-bh")
        .await
        .json();
    assert_eq!(
        (&organization["resourceType"], &organization["id"]),
        (&json!("Organization"), &json!("org-bh"))
    );
    assert_eq!(
        office
            .get("clinic", "/fhir/Organization/nobody")
            .await
            .status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_reads_and_moves_the_order_as_long_as_it_may_be_told() {
    let office = Office::open().await;
    office.record("cws", "0Ab1CdE2fG", &marisol()).await;
    let id = referred(&office).await;
    let path = format!("/fhir/Task/{id}");
    let task = office.get("cws", &path).await;
    assert_eq!(task.status, StatusCode::OK, "{}", task.text);
    assert_eq!(task.json()["status"], "requested");
    let order = office
        .get("cws", &format!("/fhir/ServiceRequest/{id}"))
        .await;
    assert_eq!(
        order.json()["subject"]["reference"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next(),
        Some("0Ab1CdE2fG"),
        "{}",
        order.text
    );

    let mut accepted = task.json();
    accepted["status"] = json!("accepted");
    let headers = [("if-match", task.header("etag"))];
    let moved = office
        .send(
            "cws",
            Method::PUT,
            &path,
            &headers,
            Some(accepted.to_string()),
        )
        .await;
    assert_eq!(moved.status, StatusCode::OK, "{}", moved.text);
    assert_eq!(moved.json()["status"], "accepted");
    assert_eq!(
        office
            .get("calworks", &format!("/v1/referrals/{id}"))
            .await
            .json()["status"],
        "accepted"
    );

    let revoked = office
        .post("privacy", "/v1/consents/consent-1/revoke", &json!({}))
        .await;
    assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text);
    let denied = office.get("cws", &path).await;
    assert_eq!(denied.status, StatusCode::NOT_FOUND, "{}", denied.text);
    let decisions = office.get("auditor", "/v1/decisions").await.json();
    let queries = decisions["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["stage"] == "query")
        .count();
    assert!(queries >= 4, "each reading is decided: {decisions}");
}

fn link<'a>(page: &'a Value, relation: &str) -> Option<&'a str> {
    let links = page["link"].as_array()?;
    links
        .iter()
        .find(|link| link["relation"] == relation)?
        .get("url")?
        .as_str()
}

async fn post_unless(office: &Office, who: &str, condition: &str, task: &Value) -> Answer {
    let headers = [
        ("content-type", "application/fhir+json"),
        ("if-none-exist", condition),
    ];
    office
        .send(
            who,
            Method::POST,
            "/fhir/Task",
            &headers,
            Some(task.to_string()),
        )
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conditional_create_makes_only_what_the_caller_has_not() {
    let office = Office::open().await;
    office.record("clinic", "pat-1", &marisol()).await;
    let condition = format!("identifier={BASE}/order|order-1");
    let first = post_unless(&office, "clinic", &condition, &task("order-1")).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    let mut other = task("order-2");
    let found = post_unless(&office, "clinic", &condition, &other).await;
    assert_eq!(found.status, StatusCode::OK, "{}", found.text);
    assert_eq!(found.json()["id"], first.json()["id"]);
    assert_eq!(found.header("location"), first.header("location"));
    assert_eq!(found.header("etag"), first.header("etag"));
    // One more with the same second identifier: now two fit it.
    other["identifier"] = json!([
        { "system": format!("{BASE}/order"), "value": "order-2" },
        { "system": format!("{BASE}/order"), "value": "order-1" },
    ]);
    let second = post(&office, &other).await;
    assert_eq!(second.status, StatusCode::CREATED, "{}", second.text);
    let several = post_unless(&office, "clinic", &condition, &task("order-3")).await;
    assert_eq!(
        several.status,
        StatusCode::PRECONDITION_FAILED,
        "{}",
        several.text
    );
    assert_eq!(several.json()["issue"][0]["code"], "multiple-matches");
    let unread = post_unless(&office, "clinic", "patient=pat-1", &task("order-4")).await;
    assert_eq!(unread.status, StatusCode::BAD_REQUEST, "{}", unread.text);
    let others = post_unless(&office, "cws", &condition, &task("order-1")).await;
    assert!(
        others.status != StatusCode::OK && others.status != StatusCode::PRECONDITION_FAILED,
        "what others posted fits no condition: {}",
        others.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_says_that_it_is_no_json_is_not_read_as_json() {
    let office = Office::open().await;
    for kind in ["text/plain", "application/fhir+xml", "application/xml"] {
        let headers = [("content-type", kind)];
        let body = Some(task("order-1").to_string());
        let answer = office
            .send("clinic", Method::POST, "/fhir/Task", &headers, body)
            .await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
        assert_eq!(answer.json()["resourceType"], "OperationOutcome");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_another_form_than_json_is_not_acceptable() {
    let office = Office::open().await;
    for (path, accept) in [
        ("/fhir/Task?_format=xml", "*/*"),
        ("/fhir/metadata", "application/fhir+xml"),
    ] {
        let headers = [("accept", accept)];
        let answer = office
            .send("clinic", Method::GET, path, &headers, None)
            .await;
        assert_eq!(answer.status, StatusCode::NOT_ACCEPTABLE, "{path}");
        assert_eq!(answer.json()["resourceType"], "OperationOutcome");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_goes_on_page_by_page() {
    let office = Office::open().await;
    office.record("clinic", "pat-1", &marisol()).await;
    for number in ["order-1", "order-2"] {
        assert_eq!(
            post(&office, &task(number)).await.status,
            StatusCode::CREATED
        );
    }
    let first = office.get("clinic", "/fhir/Task?_count=1").await.json();
    let next = link(&first, "next").unwrap();
    let path = next
        .strip_prefix("https://tandem.demo-county.example")
        .unwrap();
    let second = office.get("clinic", path).await.json();
    assert_eq!(link(&second, "next"), None, "the last page has no next one");
    assert_eq!(
        link(&second, "self"),
        Some(next),
        "a page tells what was searched"
    );
    let id = |page: &Value| page["entry"][0]["resource"]["id"].clone();
    assert!(id(&first).is_string() && id(&second).is_string());
    assert_ne!(id(&first), id(&second));
}
