//! The server as a stranger meets it.

use serde_json::{Value, json};

use super::profile::SDOHCC;
use super::{FhirServer, FhirSettings};
use crate::clock::SimClock;

struct Caller {
    client: reqwest::Client,
    base: String,
}

impl Caller {
    async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> (u16, http::HeaderMap, Value) {
        let url = if path.starts_with("http") {
            path.into()
        } else {
            format!("{}{path}", self.base)
        };
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, url).bearer_auth("t");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/fhir+json")
                .body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        (
            status,
            headers,
            serde_json::from_str(&response.text().await.unwrap()).unwrap(),
        )
    }
}

async fn server() -> (FhirServer, Caller) {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let server = FhirServer::start(FhirSettings {
        organization: "org-bh".into(),
        name: "Example Behavioral Health".into(),
        patient_id: "bhp-2207".into(),
        known_organizations: vec![("org-gateway".into(), "Example Coordination".into())],
        reason_system: Some("https://network.example/CodeSystem/referral-reason".into()),
        token: "t".into(),
        clock: SimClock::starting_at("2026-02-02T17:00:00Z".parse().unwrap()).unwrap(),
        seed: 1,
        page_size: 3,
    })
    .await
    .unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([])
        .no_proxy()
        .build()
        .unwrap();
    let base = server.base_url().to_owned();
    (server, Caller { client, base })
}

fn request() -> Value {
    json!({
        "resourceType": "ServiceRequest", "status": "active", "intent": "filler-order",
        "basedOn": [{"reference": "http://clinic.example/fhir/ServiceRequest/1"}],
        "category": [{"coding": [{"system": SDOHCC, "code": "stress"}]}],
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "409063005"}]},
        "subject": {"reference": "Patient/bhp-2207"}
    })
}

fn task(focus: &str) -> Value {
    json!({
        "resourceType": "Task", "status": "requested", "intent": "order",
        "identifier": [{"system": "urn:tandem:referral", "value": "R-1"}],
        "code": {"coding": [{
            "system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"
        }]},
        "focus": {"reference": focus}, "for": {"reference": "Patient/bhp-2207"},
        "authoredOn": "2026-02-02T09:00:00-08:00",
        "requester": {"reference": "Organization/org-gateway"},
        "owner": {"reference": "Organization/org-bh"}
    })
}

async fn created_task(caller: &Caller) -> Value {
    let (status, _, request) = caller
        .call("POST", "/ServiceRequest", &[], Some(&request()))
        .await;
    assert_eq!(status, 201);
    let focus = format!("ServiceRequest/{}", request["id"].as_str().unwrap());
    let (status, headers, task) = caller.call("POST", "/Task", &[], Some(&task(&focus))).await;
    assert_eq!(status, 201, "{task}");
    assert_eq!(headers["etag"], "W/\"1\"");
    assert!(
        headers["location"]
            .to_str()
            .unwrap()
            .contains("/fhir/Task/")
    );
    task
}

#[tokio::test]
async fn conditional_create_has_one_effect() {
    let (server, caller) = server().await;
    let first = created_task(&caller).await;
    let once = [("if-none-exist", "identifier=urn:tandem:referral|R-1")];
    let again = task(first["focus"]["reference"].as_str().unwrap());
    let (status, _, same) = caller.call("POST", "/Task", &once, Some(&again)).await;
    assert_eq!((status, &same["id"]), (200, &first["id"]));
    assert_eq!(server.resources("Task").len(), 1);
}

#[tokio::test]
async fn escaped_identifier_finds_itself_and_a_notice_about_itself_is_kept() {
    let (server, caller) = server().await;
    let notice = json!({
        "resourceType": "Communication", "status": "completed",
        "contained": [{"resourceType": "Provenance", "id": "why", "target": [{"reference": "#"}]}],
        "identifier": [{"system": "urn:x|y", "value": "a,b"}],
        "subject": {"reference": "Patient/bhp-2207"},
        "payload": [{"contentString": "something changed"}]
    });
    let once = [("if-none-exist", "identifier=urn:x%5C%7Cy%7Ca%5C%2Cb")];
    assert_eq!(
        caller
            .call("POST", "/Communication", &once, Some(&notice))
            .await
            .0,
        201
    );
    assert_eq!(
        caller
            .call("POST", "/Communication", &once, Some(&notice))
            .await
            .0,
        200
    );
    assert_eq!(server.resources("Communication").len(), 1);
}

#[tokio::test]
async fn update_of_an_old_version_is_refused_with_412_and_one_without_version_with_428() {
    let (server, caller) = server().await;
    let mut task = created_task(&caller).await;
    let path = format!("/Task/{}", task["id"].as_str().unwrap());
    server.accept(task["id"].as_str().unwrap()).unwrap();
    task["status"] = json!("cancelled");
    task["statusReason"] = json!({"text": "consent-revoked"});
    let old = caller
        .call("PUT", &path, &[("if-match", "W/\"1\"")], Some(&task))
        .await;
    assert_eq!(
        (old.0, old.2["resourceType"].as_str()),
        (412, Some("OperationOutcome"))
    );
    assert_eq!(caller.call("PUT", &path, &[], Some(&task)).await.0, 428);
    let current = caller
        .call("PUT", &path, &[("if-match", "W/\"2\"")], Some(&task))
        .await;
    assert_eq!(
        (current.0, current.1["etag"].to_str().unwrap()),
        (200, "W/\"3\"")
    );
}

#[tokio::test]
async fn search_is_given_out_in_pages_with_opaque_links() {
    let (server, caller) = server().await;
    let mut next = Some("/Patient?_lastUpdated=ge2026-01-01".to_owned());
    let (mut pages, mut seen) = (0, std::collections::BTreeSet::new());
    while let Some(url) = next {
        let (status, _, bundle) = caller.call("GET", &url, &[], None).await;
        assert_eq!((status, bundle["total"].as_u64()), (200, Some(7)));
        for entry in bundle["entry"].as_array().unwrap() {
            assert!(seen.insert(entry["fullUrl"].as_str().unwrap().to_owned()));
        }
        pages += 1;
        next = bundle["link"].as_array().unwrap().iter().find_map(|link| {
            (link["relation"] == "next").then(|| link["url"].as_str().unwrap().to_owned())
        });
    }
    assert_eq!((pages, seen.len()), (3, 7));
    assert!(server.violations().is_empty());
}

#[tokio::test]
async fn poll_for_own_tasks_after_a_time_finds_the_change_and_its_focus() {
    let (server, caller) = server().await;
    let task = created_task(&caller).await;
    let seen = task["meta"]["lastUpdated"].as_str().unwrap();
    let poll = format!(
        "/Task?requester=Organization/org-gateway&_lastUpdated=gt{seen}&_include=Task:focus"
    );
    assert_eq!(caller.call("GET", &poll, &[], None).await.2["total"], 0);
    server.accept(task["id"].as_str().unwrap()).unwrap();
    server
        .on_hold(task["id"].as_str().unwrap(), "waitlisted")
        .unwrap();
    let (_, _, bundle) = caller.call("GET", &poll, &[], None).await;
    assert_eq!(bundle["total"], 1);
    assert_eq!(
        bundle["entry"][0]["resource"]["statusReason"]["text"],
        "waitlisted"
    );
    assert_eq!(
        bundle["entry"][1]["resource"]["resourceType"],
        "ServiceRequest"
    );
    assert_eq!(bundle["entry"][1]["search"]["mode"], "include");
}

#[tokio::test]
async fn resources_that_miss_what_the_profile_requires_are_refused_with_422() {
    let (server, caller) = server().await;
    for (pointer, element) in [
        ("", "basedOn"),
        ("", "category"),
        ("", "subject"),
        ("", "code"),
    ] {
        let mut bad = request();
        bad.pointer_mut(pointer)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(element);
        assert_eq!(
            caller
                .call("POST", "/ServiceRequest", &[], Some(&bad))
                .await
                .0,
            422
        );
    }
    let good = created_task(&caller).await;
    let focus = good["focus"]["reference"].as_str().unwrap();
    for element in ["intent", "code", "focus", "for", "authoredOn", "requester"] {
        let mut bad = task(focus);
        bad.as_object_mut().unwrap().remove(element);
        assert_eq!(
            caller.call("POST", "/Task", &[], Some(&bad)).await.0,
            422,
            "{element}"
        );
    }
    for (element, value) in [
        ("status", json!("received")),
        ("statusReason", json!({"coding": [{"code": "x"}]})),
        ("focus", json!({"reference": "ServiceRequest/none"})),
        ("description", json!("")),
    ] {
        let mut bad = task(focus);
        bad[element] = value;
        let (status, _, outcome) = caller.call("POST", "/Task", &[], Some(&bad)).await;
        assert_eq!(
            (status, outcome["resourceType"].as_str()),
            (422, Some("OperationOutcome"))
        );
    }
    assert_eq!(server.violations().len(), 14);
}

#[tokio::test]
async fn caller_does_not_set_what_only_the_target_may_set() {
    let (_server, caller) = server().await;
    let mut task = created_task(&caller).await;
    let path = format!("/Task/{}", task["id"].as_str().unwrap());
    task["status"] = json!("accepted");
    let refused = caller
        .call("PUT", &path, &[("if-match", "W/\"1\"")], Some(&task))
        .await;
    assert_eq!(refused.0, 422);
}

#[tokio::test]
async fn worker_completes_with_a_procedure_and_cannot_go_back() {
    let (server, caller) = server().await;
    let id = created_task(&caller).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    server.accept(&id).unwrap();
    server.start_work(&id).unwrap();
    let done = server
        .complete(&id, "service-received", "six counselling sessions")
        .unwrap();
    let procedure = done["output"][0]["valueReference"]["reference"]
        .as_str()
        .unwrap();
    let (status, _, procedure) = caller
        .call("GET", &format!("/{procedure}"), &[], None)
        .await;
    assert_eq!(
        (status, procedure["status"].as_str()),
        (200, Some("completed"))
    );
    assert!(server.start_work(&id).is_err());
}

#[tokio::test]
async fn strangers_are_refused_and_names_in_addresses_are_complained_of() {
    let (server, caller) = server().await;
    let stranger = reqwest::Client::builder()
        .tls_certs_only([])
        .no_proxy()
        .build()
        .unwrap();
    let url = format!("{}/Patient", caller.base);
    assert_eq!(
        stranger.get(&url).send().await.unwrap().status().as_u16(),
        401
    );
    let open = format!("{}/metadata", caller.base);
    assert_eq!(
        stranger.get(&open).send().await.unwrap().status().as_u16(),
        200
    );
    let found = caller
        .call("GET", "/Patient?family=Demofield", &[], None)
        .await
        .2;
    assert_eq!(found["total"], 1);
    let response = caller
        .client
        .post(format!("{url}/_search"))
        .bearer_auth("t")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("family=Demofield&birthdate=1994-05-17")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status().as_u16(), 200);
    let rules: Vec<String> = server
        .violations()
        .into_iter()
        .map(|one| one.rule)
        .collect();
    assert_eq!(rules, ["login", "phi-in-url"]);
}

#[tokio::test]
async fn own_order_carries_what_the_profile_requires() {
    let (server, _) = server().await;
    let task = server.create_order("org-gateway", "counselling").unwrap();
    assert_eq!(task["status"], "requested");
    assert!(
        server.accept(task["id"].as_str().unwrap()).is_err(),
        "not ours to accept"
    );
    assert!(server.create_order("org-unknown", "counselling").is_err());
}
