//! The client commands: what they say when they can't ask, and what they show of an answer.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use tempfile::tempdir;

use crate::api_consents;
use crate::api_office::{Office, marisol};
use crate::cli_program::{file, tandem};

/// A gateway that gives one answer, and hands back the request's head.
fn answering(status: &str, body: &str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0_u8; 1];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            head.push(byte[0]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(head).unwrap()
    });
    (url, served)
}

#[test]
fn an_answer_is_shown_as_a_table_and_the_token_goes_along() {
    let place = tempdir().unwrap();
    let token = file(&place, "operator.token", "secret-token\n");
    let (url, served) = answering(
        "200 OK",
        r#"{"lanes":[{"name":"hmis-demo","flow":"paused"}]}"#,
    );
    let ended = tandem(&["lanes", "--url", &url, "--token-file", &token]);
    let head = served.join().unwrap().to_lowercase();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("hmis-demo  paused"), "{}", ended.out);
    assert!(
        head.starts_with("get /v1/lanes http/1.1")
            && head.contains("authorization: bearer secret-token"),
        "{head}"
    );
}

#[test]
fn a_refusal_is_told_by_title_and_detail_and_means_no() {
    let problem =
        r#"{"title":"what is asked contradicts what stands","detail":"the link is undone"}"#;
    let (url, served) = answering("409 Conflict", problem);
    let ended = tandem(&[
        "links",
        "confirm",
        "l/1?x",
        "--reason",
        "same card",
        "--url",
        &url,
    ]);
    let head = served.join().unwrap();
    assert_eq!(ended.code, 1);
    assert_eq!(
        ended.told,
        "error: what is asked contradicts what stands: the link is undone\n"
    );
    assert!(
        head.starts_with("POST /v1/links/l%2F1%3Fx/confirm "),
        "{head}"
    );
}

#[test]
fn a_fault_of_the_gateway_or_no_gateway_means_that_it_could_not_be_asked() {
    let (url, served) = answering("500 Internal Server Error", r#"{"title":"internal fault"}"#);
    assert_eq!(tandem(&["audit", "--url", &url]).code, 3);
    served.join().unwrap();
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ended = tandem(&["lanes", "--url", &format!("http://{free}/")]);
    assert_eq!(ended.code, 3);
    assert!(
        ended.told.contains("cannot reach the gateway"),
        "{}",
        ended.told
    );
}

#[test]
fn a_token_is_not_sent_in_clear_to_another_machine() {
    let place = tempdir().unwrap();
    let token = file(&place, "operator.token", "secret-token");
    let ended = tandem(&[
        "lanes",
        "--url",
        "http://gateway.example/",
        "--token-file",
        &token,
    ]);
    assert_eq!(ended.code, 2);
    assert!(!ended.told.contains("secret-token"), "{}", ended.told);
    let two = file(&place, "two.token", "one two");
    assert_eq!(tandem(&["lanes", "--token-file", &two]).code, 2);
}

#[test]
fn wrong_usage_is_told_and_help_is_an_answer() {
    assert_eq!(tandem(&["links", "confirm", "l-1"]).code, 2);
    assert_eq!(tandem(&["measure", "MC-1", "--from", "2026-01-01"]).code, 2);
    assert_eq!(tandem(&["no-such-command"]).code, 2);
    for command in [
        "read", "link", "decide", "check", "init", "serve", "links", "lanes", "consent", "replay",
    ] {
        let help = tandem(&[command, "--help"]);
        assert_eq!(help.code, 0);
        assert!(help.out.contains("tandem"), "{command}");
    }
}

#[test]
fn an_operator_lists_what_is_overdue_and_releases_what_is_held() {
    let place = tempdir().unwrap();
    let token = file(&place, "operator.token", "secret-token\n");
    let overdue = r#"{"referrals":[{"referral":"r-1","timer":"decision","alerts":[]}]}"#;
    let (url, served) = answering("200 OK", overdue);
    let ended = tandem(&["overdue", "--json", "--url", &url, "--token-file", &token]);
    let head = served.join().unwrap();
    assert!(head.starts_with("GET /v1/referrals/overdue "), "{head}");
    let told: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(told["referrals"][0]["timer"], "decision");
    let (url, served) = answering("200 OK", r#"{"outcome":"accepted"}"#);
    let ended = tandem(&[
        "input",
        "release",
        "i-1",
        "--url",
        &url,
        "--token-file",
        &token,
    ]);
    let head = served.join().unwrap();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(head.starts_with("POST /v1/inputs/i-1/release "), "{head}");
    let (url, served) = answering("200 OK", r#"{"inputs":[]}"#);
    let ended = tandem(&[
        "inputs",
        "--limit",
        "5",
        "--url",
        &url,
        "--token-file",
        &token,
    ]);
    let head = served.join().unwrap();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(head.starts_with("GET /v1/inputs?limit=5 "), "{head}");
}

#[test]
fn emergencies_are_listed_with_what_is_due_and_a_key_comes_from_standard_input_alone() {
    let (url, served) = answering(
        "200 OK",
        r#"{"emergencies":[{"id":"b-1","system":"bh-demo","review_due":"2026-02-05","is_overdue":true}]}"#,
    );
    let ended = tandem(&[
        "break-glass",
        "list",
        "--standing",
        "overdue",
        "--url",
        &url,
    ]);
    let head = served.join().unwrap();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        head.starts_with("GET /v1/break-glass?standing=overdue "),
        "{head}"
    );
    for word in ["b-1", "bh-demo", "2026-02-05", "true"] {
        assert!(ended.out.contains(word), "{}", ended.out);
    }
    let ended = tandem(&["break-glass", "read", "b-1", "--url", &url]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.told.contains("the key: expected on standard input"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scan_of_a_consent_is_handed_in_by_what_it_is_and_kept_byte_for_byte() {
    let limits = "limits = { requests_per_second = 1000, burst = 1000, body_bytes = 20000000 }";
    let office = Office::with(limits).await;
    office.record("calworks", "91234567A", &marisol()).await;
    let directive = api_consents::release("d-1", &serde_json::json!({}));
    api_consents::capture(&office, directive).await;
    let place = tempdir().unwrap();
    let token = file(&place, "privacy.token", "privacy");
    let url = format!("http://{}/", office.address());
    let attach = |id: &str, path: &str, more: &[&str]| {
        let mut words = vec!["consent", "attach", id, path];
        words.extend(["--url", &url, "--token-file", &token]);
        words.extend(more);
        tokio::task::block_in_place(|| tandem(&words))
    };
    let mut scan = b"%PDF-1.7 an invented form\n".to_vec();
    scan.resize(1_500_000, b'x');
    let scan = file(&place, "scan.txt", scan);
    let kept = attach("d-1", &scan, &["--json"]);
    assert_eq!(kept.code, 0, "{kept:?}");
    let told = kept.json();
    assert_eq!(told["media_type"], "application/pdf");
    assert_eq!(told["bytes"], 1_500_000);
    let shown = office.get("privacy", "/v1/consents/d-1").await.json();
    let document = &shown["current"];
    assert_eq!(document["directive"]["source_document_hash"], told["hash"]);
    assert_eq!(document["document"], "application/pdf");
    let plain = attach("d-1", &scan, &[]);
    assert!(plain.out.contains("application/pdf"), "{plain:?}");

    let page = file(&place, "page.pdf", "<html>no form</html>");
    let huge = file(&place, "huge.pdf", [b"%PDF-".repeat(2_200_000)].concat());
    for (path, code, words) in [
        (page.as_str(), 2, "page.pdf: expected a PDF, PNG or JPEG"),
        (
            huge.as_str(),
            2,
            "huge.pdf: expected at most 10485760 bytes",
        ),
        ("nowhere.pdf", 3, "reading nowhere.pdf"),
    ] {
        let ended = attach("d-1", path, &[]);
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.told.contains(words), "{ended:?}");
    }
    let unknown = attach("d-9", &scan, &[]);
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert!(
        unknown.told.contains("consent d-9: there is no such thing"),
        "{unknown:?}"
    );
    let verify = serde_json::json!({});
    api_consents::act(&office, "privacy-second", "d-1", "verify", &verify).await;
    let late = attach("d-1", &scan, &[]);
    assert_eq!(late.code, 1, "{late:?}");
    assert!(late.told.contains("another document"), "{late:?}");
}
