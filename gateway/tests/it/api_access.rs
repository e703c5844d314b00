//! Who may ask what, how much, and what every answer carries.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tandem::api;

use crate::api_office::{CALLERS, Office, marisol, person};

/// An address with something in the place of its parameters.
fn filled(path: &str) -> String {
    let uuid = "018f0000-0000-7000-8000-000000000000";
    let filled = path
        .replace("{*format}", "hmis/csv")
        .replace("{system}/{id}", "calworks-demo/plan-1");
    let filled = filled
        .replace("{system}", "calworks-demo")
        .replace("{name}", "calworks-demo")
        .replace("{id}", uuid);
    if filled.starts_with("/v1/plans") && !path.contains('{') {
        format!("{filled}?person={uuid}")
    } else {
        filled
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_lets_in_the_roles_that_its_description_names_and_no_other() {
    let office = Office::open().await;
    for doc in api::routes().docs {
        let Some(roles) = doc.roles() else { continue };
        let method = Method::from_bytes(doc.method().as_bytes()).unwrap();
        let path = filled(doc.path);
        for (who, role, _, system) in CALLERS {
            // A system's token opens that system's inbox alone, which is another rule.
            if system.is_some_and(|system| system != "calworks-demo") {
                continue;
            }
            let body = (method != Method::GET).then(|| "{}".to_owned());
            let answer = office.send(who, method.clone(), &path, &[], body).await;
            let is_named = roles.iter().any(|known| json!(known) == json!(role));
            assert_eq!(
                answer.status != StatusCode::FORBIDDEN,
                is_named,
                "{method} {path} as {role}: {}",
                answer.text
            );
            assert_ne!(
                answer.status,
                StatusCode::INTERNAL_SERVER_ERROR,
                "{method} {path} as {role}"
            );
        }
        let nobody = office.send("", method.clone(), &path, &[], None).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        let stranger = office.send("no-such-token", method, &path, &[], None).await;
        assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_lists_every_route_with_its_roles() {
    let office = Office::open().await;
    let described = office.get("", "/openapi.json").await.json();
    assert!(described["openapi"].as_str().unwrap().starts_with("3."));
    for doc in api::routes().docs {
        let method = doc.method().to_lowercase();
        let operation = &described["paths"][doc.address()][&method];
        assert!(operation.is_object(), "{method} {}", doc.address());
        assert_eq!(
            operation["security"].is_array(),
            doc.roles().is_some(),
            "{method} {}",
            doc.address()
        );
    }
}

#[test]
fn the_published_description_is_the_one_that_is_served() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let served = format!("{}\n", api::description());
    if std::env::var_os("TANDEM_WRITE_DOCS").is_some() {
        std::fs::write(&file, &served).unwrap();
    }
    let published = std::fs::read_to_string(&file).unwrap();
    assert!(
        published == served,
        "docs/openapi.json has drifted: run this test with TANDEM_WRITE_DOCS=1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reference_in_the_description_leads_somewhere() {
    let described: Value = serde_json::from_str(&api::description()).unwrap();
    let text = described.to_string();
    for name in text
        .split("#/components/schemas/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        assert!(
            described["components"]["schemas"][name].is_object(),
            "no schema {name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_cannot_post_for_another_system() {
    let office = Office::open().await;
    let answer = office
        .post(
            "calworks",
            "/v1/inbox/cws-demo/child-welfare/niem",
            &json!({}),
        )
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.json()["type"], "urn:tandem:problem:forbidden");
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_are_answered_with_429_and_when_to_come_back() {
    let office = Office::with("limits = { requests_per_second = 1, burst = 2 }").await;
    let mut limited = None;
    for _ in 0..5 {
        let answer = office.get("auditor", "/v1/audit").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            limited = Some(answer);
        }
    }
    let limited = limited.expect("the fifth request within a second is too many");
    assert!(limited.header("retry-after").parse::<u64>().unwrap() >= 1);
    // Another client has a bucket of its own.
    assert_eq!(
        office.get("operator", "/v1/lanes").await.status,
        StatusCode::OK
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_larger_than_allowed_is_refused_with_413() {
    let office = Office::open().await;
    let large = "x".repeat(200_001);
    let answer = office
        .send(
            "calworks",
            Method::POST,
            "/v1/events",
            &[],
            Some(large.clone()),
        )
        .await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let fhir = office
        .send("clinic", Method::POST, "/fhir/Task", &[], Some(large))
        .await;
    assert_eq!(fhir.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(fhir.json()["resourceType"], "OperationOutcome");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_never_repeats_what_was_sent() {
    let office = Office::open().await;
    let body = json!({ "person": { "names": "Marisol Demofield" }, "purpose": "COC" });
    let answer = office.post("calworks", "/v1/match", &body).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!answer.text.contains("Marisol"), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_for_monitoring_name_no_person_and_need_a_token() {
    let office = Office::open().await;
    office.record("calworks", "91234567A", &marisol()).await;
    office
        .record(
            "cws",
            "0Ab1CdE2fG",
            &person("Marisol", "Demofield", "1994-05-17", "91234567A"),
        )
        .await;
    let answer = office.get("operator", "/metrics").await;
    assert!(
        answer.text.contains("tandem_match_review_pending"),
        "{}",
        answer.text
    );
    assert!(
        answer.text.contains("tandem_http_requests_total"),
        "{}",
        answer.text
    );
    for word in [
        "Marisol",
        "Demofield",
        "1994",
        "91234567A",
        "900123456",
        "0Ab1CdE2fG",
    ] {
        assert!(!answer.text.contains(word), "{word}");
    }
    assert_eq!(
        office.get("", "/metrics").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_says_that_it_lives_and_can_serve() {
    let office = Office::open().await;
    assert_eq!(office.get("", "/healthz").await.text, "ok");
    assert_eq!(office.get("", "/readyz").await.status, StatusCode::OK);
    office.core().store.close().await;
    assert_eq!(
        office.get("", "/readyz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(office.get("", "/healthz").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_headers_that_keep_it_where_it_belongs() {
    let office = Office::open().await;
    for path in ["/public/measures", "/no-such-page", "/fhir/metadata"] {
        let answer = office.get("", path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'none'"),
            "{path}"
        );
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
}
