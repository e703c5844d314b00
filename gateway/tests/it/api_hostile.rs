//! The HTTP surface as an attacker tries it: every route of the description, against the written matrix.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::api_office::{Answer, Office, marisol, steady};
use crate::api_referrals::referred;

const UUID: &str = "018f0000-0000-7000-8000-000000000000";
const MATRIX: &str = include_str!("permissions.csv");
const ROLES: [(&str, &str); 6] = [
    ("system", "calworks"),
    ("steward", "steward"),
    ("privacy-officer", "privacy"),
    ("operator", "operator"),
    ("auditor", "auditor"),
    ("administrator", "administrator"),
];

/// One route of the matrix.
struct Row {
    method: Method,
    path: String,
    /// By role; `None` for a route of everybody.
    roles: Option<BTreeMap<&'static str, bool>>,
}

fn matrix() -> Vec<Row> {
    let lines = MATRIX.lines().filter(|line| !line.starts_with('#')).skip(1);
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let roles = (cells[2] != "public").then(|| {
            let by_role = ROLES.iter().zip(&cells[2..]);
            by_role
                .map(|((role, _), cell)| (*role, *cell == "y"))
                .collect()
        });
        Row {
            method: cells[0].parse().unwrap(),
            path: cells[1].to_owned(),
            roles,
        }
    };
    lines.map(row).collect()
}

fn filled(path: &str) -> String {
    path.replace("{system}/{id}", "calworks-demo/plan-1")
        .replace("{system}/{format}", "calworks-demo/hmis/csv")
        .replace("{system}", "calworks-demo")
        .replace("{name}", "calworks-demo")
        .replace("{id}", UUID)
}

/// That the answer is an error in the form that belongs to its address.
fn is_problem(path: &str, answer: &Answer) {
    let body: Value = serde_json::from_str(&answer.text)
        .unwrap_or_else(|_| panic!("{path}: {} {}", answer.status, answer.text));
    if path.starts_with("/fhir") {
        assert_eq!(body["resourceType"], "OperationOutcome", "{path}");
    } else {
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{path}: {}",
            answer.text
        );
        assert_eq!(body["status"], answer.status.as_u16(), "{path}");
        assert!(
            body["type"]
                .as_str()
                .unwrap()
                .starts_with("urn:tandem:problem:")
        );
    }
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(answer.header("cache-control"), "no-store", "{path}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_described_route_lets_in_whom_the_written_matrix_names() {
    let office = Office::open().await;
    let described = office.get("", "/openapi.json").await.json();
    let mut served: Vec<String> = Vec::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            served.push(format!("{} {path}", method.to_uppercase()));
        }
    }
    let mut written: Vec<String> = matrix()
        .iter()
        .map(|row| format!("{} {}", row.method, row.path))
        .collect();
    served.sort();
    written.sort();
    assert_eq!(
        served, written,
        "the matrix and the description name other routes"
    );
    for row in matrix() {
        let path = filled(&row.path);
        let body = || (row.method != Method::GET).then(|| "{}".to_owned());
        let nobody = office
            .send("", row.method.clone(), &path, &[], body())
            .await;
        let Some(roles) = row.roles else {
            assert_ne!(nobody.status, StatusCode::UNAUTHORIZED, "{path}");
            continue;
        };
        assert_eq!(
            nobody.status,
            StatusCode::UNAUTHORIZED,
            "{} {path}",
            row.method
        );
        assert!(
            nobody.header("www-authenticate").starts_with("Bearer"),
            "{path}"
        );
        is_problem(&path, &nobody);
        for (role, who) in ROLES {
            let answer = office
                .send(who, row.method.clone(), &path, &[], body())
                .await;
            let is_in = answer.status != StatusCode::FORBIDDEN;
            assert_eq!(
                is_in, roles[role],
                "{} {path} as {role}: {}",
                row.method, answer.text
            );
            assert_ne!(
                answer.status,
                StatusCode::INTERNAL_SERVER_ERROR,
                "{path} as {role}"
            );
            if answer.status.is_client_error() {
                is_problem(&path, &answer);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_a_route_does_not_have_are_refused_and_never_echo() {
    let office = Office::open().await;
    for row in matrix() {
        let path = filled(&row.path);
        for method in ["OPTIONS", "TRACE", "DELETE", "PATCH", "PROPFIND"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let headers = [("x-secret", "echo-me")];
            let answer = office
                .send("calworks", method.clone(), &path, &headers, None)
                .await;
            assert_eq!(
                answer.status,
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
            assert!(!answer.text.contains("echo-me"), "{method} {path}");
            is_problem(&path, &answer);
        }
        if row.method == Method::GET {
            let get = office.send("", Method::GET, &path, &[], None).await;
            let head = office.send("", Method::HEAD, &path, &[], None).await;
            assert_eq!(get.status, head.status, "HEAD {path}");
            assert_eq!(head.text, "", "HEAD {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_ids_bodies_and_queries_are_told_as_problems_and_never_as_faults() {
    let office = Office::open().await;
    // Deeper than any parser goes, and small enough for routes that read no body.
    let close = [("connection", "close")];
    let deep = "[".repeat(4_000);
    let nested = format!("{}{}", "{\"a\":".repeat(800), "1");
    let bodies = [
        "",
        "null",
        "[]",
        "[[[]]]",
        "{",
        "\u{0}",
        "{\"a\":1}",
        "[{\"type\":\"record.received\"}]",
        "\"\\ud800\"",
        &deep,
        &nested,
        "1e999",
        "{\"id\":{},\"id\":[]}",
    ];
    let ids = [
        "%00",
        "..%2f..%2fetc",
        "'%20OR%201=1",
        "%ff%fe",
        "-1",
        &"9".repeat(2_000),
        "%F0%9F%98%80",
    ];
    let described = office.get("", "/openapi.json").await.json();
    let mut undescribed = BTreeSet::new();
    for row in matrix().into_iter().filter(|row| row.roles.is_some()) {
        let roles = row.roles.unwrap();
        let (_, who) = ROLES.iter().find(|(role, _)| roles[role]).unwrap();
        let id = row.path.contains('{');
        for bad in ids.iter().filter(|_| id) {
            let path = row
                .path
                .replace("{id}", bad)
                .replace("{name}", bad)
                .replace("{system}", bad)
                .replace("{format}", bad);
            let body = (row.method != Method::GET).then(|| "{}".to_owned());
            let answer = office
                .send(who, row.method.clone(), &path, &close, body)
                .await;
            assert!(
                answer.status.is_client_error() || answer.status.is_success(),
                "{} {path}: {}",
                row.method,
                answer.status
            );
            if answer.status.is_client_error() {
                is_problem(&path, &answer);
            }
        }
        let path = filled(&row.path);
        let operation = &described["paths"][&row.path][row.method.as_str().to_ascii_lowercase()];
        let mut note = |answer: &Answer, sent: &str| {
            let status = answer.status.as_u16();
            if operation["responses"].get(status.to_string()).is_none() {
                undescribed.insert(format!(
                    "{} {} {status} for {sent:.20}",
                    row.method, row.path
                ));
            }
        };
        for body in bodies.iter().filter(|_| row.method != Method::GET) {
            let answer = office
                .send(
                    who,
                    row.method.clone(),
                    &path,
                    &close,
                    Some((*body).to_owned()),
                )
                .await;
            assert!(
                answer.status.as_u16() < 500,
                "{} {path} {body:.20}: {}",
                row.method,
                answer.text
            );
            note(&answer, body);
        }
        for query in [
            "limit=-1&limit=5",
            "limit=abc",
            "from=2026-13-01",
            "_count=0&_count=1",
            "%zz=%",
            "a[]=1&a[]=2",
            "person=x&person=y",
        ] {
            let answer = office
                .send(
                    who,
                    row.method.clone(),
                    &format!("{path}?{query}"),
                    &close,
                    None,
                )
                .await;
            assert!(
                answer.status.as_u16() < 500,
                "{} {path}?{query}: {}",
                row.method,
                answer.text
            );
            note(&answer, query);
        }
    }
    assert!(
        undescribed.is_empty(),
        "the description does not know: {undescribed:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn path_tricks_reach_nothing_and_need_the_same_token() {
    let office = Office::open().await;
    for path in [
        "//v1/audit",
        "/v1//audit",
        "/v1/audit/",
        "/V1/AUDIT",
        "/v1/%61udit%00",
        "/v1/public/../audit",
        "/public/%2e%2e/v1/audit",
        "/public/style.css/../../v1/audit",
        "/v1/audit;x=1",
        "/v1/audit%2f",
        "/fhir/../v1/audit",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/public/measures/..%2f..%2fgateway.toml/report",
    ] {
        let answer = raw(
            &office,
            &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        )
        .await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(["400", "401", "404"].contains(&status), "{path}: {answer}");
        assert!(
            !answer.contains("\"entries\"") && !answer.contains("jurisdiction ="),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_others_looks_like_what_does_not_exist() {
    let office = Office::open().await;
    let id = referred(&office).await;
    office.record("cws", "0Ab1CdE2fG", &marisol()).await;
    let status = json!({ "status": "accepted" }).to_string();
    let pairs: [(Method, String, String, Option<String>); 5] = [
        (
            Method::GET,
            format!("/v1/referrals/{id}"),
            format!("/v1/referrals/{UUID}"),
            None,
        ),
        (
            Method::POST,
            format!("/v1/referrals/{id}/status"),
            format!("/v1/referrals/{UUID}/status"),
            Some(status),
        ),
        (
            Method::GET,
            format!("/fhir/Task/{id}"),
            format!("/fhir/Task/{UUID}"),
            None,
        ),
        (
            Method::GET,
            format!("/fhir/ServiceRequest/{id}"),
            format!("/fhir/ServiceRequest/{UUID}"),
            None,
        ),
        (
            Method::GET,
            "/v1/plans/calworks-demo/P-1".to_owned(),
            "/v1/plans/calworks-demo/P-2".to_owned(),
            None,
        ),
    ];
    for (method, there, nowhere, body) in pairs {
        // The clinic stands on neither side.
        let denied = office
            .send("clinic", method.clone(), &there, &[], body.clone())
            .await;
        let unknown = office.send("clinic", method, &nowhere, &[], body).await;
        assert_eq!(
            denied.status,
            StatusCode::NOT_FOUND,
            "{there}: {}",
            denied.text
        );
        assert_eq!(
            (denied.status, &denied.text),
            (unknown.status, &unknown.text),
            "{there}"
        );
        assert_eq!(steady(&denied.headers), steady(&unknown.headers), "{there}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_tokens_is_held_up_like_every_client() {
    let office = Office::with("limits = { requests_per_second = 1, burst = 3 }").await;
    let mut last = StatusCode::OK;
    for number in 0..8 {
        let answer = office.get(&format!("guess-{number}"), "/v1/audit").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            is_problem("/v1/audit", &answer);
            assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        }
        last = answer.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_ends_its_request_is_cut_off() {
    let office = Office::with("limits = { header_seconds = 1, request_seconds = 1 }").await;
    let head = raw(&office, "GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    assert!(
        head.is_empty() || head.starts_with("HTTP/1.1 408"),
        "{head}"
    );
    let body = raw(
        &office,
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer calworks\r\ncontent-length: 1000\r\n\r\n[",
    )
    .await;
    assert!(
        body.starts_with("HTTP/1.1 503") || body.starts_with("HTTP/1.1 408"),
        "{body}"
    );
}

/// Sends bytes as they are and takes what comes until the gateway hangs up.
async fn raw(office: &Office, request: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(office.address())
        .await
        .unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let taken = async {
        let mut part = [0_u8; 4_096];
        loop {
            match stream.read(&mut part).await {
                Ok(0) | Err(_) => return,
                Ok(count) => answer.extend_from_slice(&part[..count]),
            }
            let is_whole = request.contains("content-length") && answer.ends_with(b"}");
            if is_whole {
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), taken)
        .await
        .expect("the gateway hangs up");
    String::from_utf8_lossy(&answer).into_owned()
}
