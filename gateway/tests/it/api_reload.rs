//! The configuration is read anew while the gateway serves: whole or not at all, told by what differs, and audited.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::path::Path;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::api_lanes::command_of;
use crate::api_office::{Office, tokens};
use crate::api_referrals::referred;

/// How child welfare is connected unless a test says otherwise.
pub(crate) const FOLDER: &str = "folder = { path = \"exchange/cws-demo\", poll_ms = 20 }";
/// Writes the configuration anew.
pub(crate) fn rewrite(office: &Office, change: impl FnOnce(String) -> String) {
    let file = office.folder().join("gateway.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text, "the change is one");
    std::fs::write(&file, changed).unwrap();
}

/// Has the configuration read anew, which is expected to come true.
pub(crate) async fn reload(office: &Office) -> Value {
    let answer = office.post("administrator", "/v1/reload", &json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

/// The tokens of all callers but one.
pub(crate) fn without(name: &str) -> String {
    let all = tokens();
    let others = all.split("[[tokens]]").filter(|token| {
        !token.trim().is_empty() && !token.contains(&format!("name = \"{name}\"\n"))
    });
    others.map(|token| format!("[[tokens]]{token}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_taken_out_stops_working_at_once_and_one_with_another_role_has_it() {
    let office = Office::open().await;
    assert_eq!(office.get("steward", "/v1/links").await.status, 200);
    let other = without("steward").replace("role = \"operator\"", "role = \"steward\"");
    std::fs::write(office.folder().join("tokens.toml"), other).unwrap();
    let reloaded = reload(&office).await;
    let changes = json!([
        { "change": "changed", "what": "token operator" },
        { "change": "removed", "what": "token steward" },
    ]);
    assert_eq!(reloaded["changes"], changes);
    assert_ne!(reloaded["before"], reloaded["after"]);
    assert_eq!(office.get("steward", "/v1/links").await.status, 401);
    assert_eq!(office.get("operator", "/v1/links").await.status, 200);
    assert_eq!(office.get("operator", "/v1/lanes").await.status, 403);
    // The audit says who did it, and which configurations they were.
    let entries = office
        .get("auditor", "/v1/audit?action=config.reload")
        .await
        .text;
    for part in [
        &reloaded["before"],
        &reloaded["after"],
        &json!("administrator"),
    ] {
        assert!(
            entries.contains(part.as_str().unwrap()),
            "{part}: {entries}"
        );
    }
    assert_eq!(reload(&office).await["outcome"], "unchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_changes_nothing_and_is_told_by_file_and_key() {
    let office = Office::open().await;
    referred(&office).await;
    let good = std::fs::read_to_string(office.folder().join("gateway.toml")).unwrap();
    // Beside each mistake stands something that would do harm by itself.
    std::fs::write(office.folder().join("tokens.toml"), without("steward")).unwrap();
    let mistakes = [
        ("data = \"data\"", "dota = \"data\"", "unknown field `dota`"),
        (
            "calworks/linkages\"",
            "calworks/linkage\"",
            "systems.calworks-demo.output",
        ),
        ("registry = ", "registry = \"nowhere\" #", "nowhere"),
        ("program = \"health\"", "program = \"healthy\"", "healthy"),
        (
            FOLDER,
            "push = { url = \"http://127.0.0.1:9/\", token_file = \"gone\" }",
            "systems.cws-demo.push",
        ),
    ];
    for (right, wrong, said) in mistakes {
        rewrite(&office, |text| text.replacen(right, wrong, 1));
        for dry_run in [true, false] {
            let asked = json!({ "dry_run": dry_run });
            let answer = office.post("administrator", "/v1/reload", &asked).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(answer.text.contains(said), "{said}: {}", answer.text);
        }
        std::fs::write(office.folder().join("gateway.toml"), &good).unwrap();
    }
    assert_eq!(office.get("steward", "/v1/links").await.status, 200);
    assert_eq!(
        office.audited("config.reload-refused").await,
        mistakes.len()
    );
    assert_eq!(office.audited("config.reload").await, 0);
    let shown = office.get("operator", "/metrics").await.text;
    let refused = "tandem_config_reloads_total{outcome=\"refused\"} ";
    let count = shown.lines().find_map(|line| line.strip_prefix(refused));
    assert!(count.unwrap().parse::<usize>().unwrap() >= mistakes.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_a_restart_is_refused_by_its_key_and_nothing_beside_it_takes_effect() {
    let office = Office::changed(|folder, text| {
        copy_rules(&folder.join("rules"));
        text.replace("tokens = ", "overrides = \"rules\"\ntokens = ")
    })
    .await;
    let good = std::fs::read_to_string(office.folder().join("gateway.toml")).unwrap();
    std::fs::write(office.folder().join("tokens.toml"), without("steward")).unwrap();
    let fixed = [
        ("data = \"data\"", "data = \"elsewhere\"", "data: "),
        (
            "listen = { address = \"127.0.0.1:0\" }",
            "listen = { address = \"127.0.0.1:1\" }",
            "listen.address: ",
        ),
        ("America/Los_Angeles", "America/Denver", "zone: "),
        ("tandem.demo-county", "other.demo-county", "public_url: "),
        (
            "own_matches = true",
            "",
            "systems.calworks-demo.own_matches: ",
        ),
        (
            "tokens = ",
            "store = { postgres = \"postgres:///t\" }\ntokens = ",
            "store: ",
        ),
        ("overrides = \"rules\"", "", "overrides: "),
    ];
    for (from, to, key) in fixed {
        rewrite(&office, |text| text.replacen(from, to, 1));
        let answer = office.post("administrator", "/v1/reload", &json!({})).await;
        assert_eq!(
            answer.status,
            StatusCode::CONFLICT,
            "{key}: {}",
            answer.text
        );
        assert!(
            answer.json()["detail"].as_str().unwrap().starts_with(key),
            "{}",
            answer.text
        );
        std::fs::write(office.folder().join("gateway.toml"), &good).unwrap();
    }
    // Rules never change by the back door.
    let rule = office.folder().join("rules/regimes/gateway/DEMO-01.cedar");
    let text = std::fs::read_to_string(&rule).unwrap();
    std::fs::write(&rule, format!("{text}\n")).unwrap();
    let answer = office.post("administrator", "/v1/reload", &json!({})).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    assert!(
        answer.text.contains("tandem policy activate"),
        "{}",
        answer.text
    );
    assert_eq!(office.get("steward", "/v1/links").await.status, 200);
    assert!(!office.folder().join("elsewhere").exists());
}

fn copy_rules(to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/overrides/demo-county");
    let mut open = vec![(from, to.to_owned())];
    while let Some((from, to)) = open.pop() {
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let (entry, name) = entry.map(|one| (one.path(), one.file_name())).unwrap();
            if entry.is_dir() {
                open.push((entry, to.join(name)));
            } else {
                std::fs::copy(&entry, to.join(name)).unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let office = Office::open().await;
    std::fs::write(office.folder().join("tokens.toml"), without("steward")).unwrap();
    rewrite(&office, |text| {
        text.replace("requests_per_second = 1000", "requests_per_second = 999")
    });
    let arguments = ["reload", "--dry-run", "--json"];
    let ended = command_of(&office, "administrator", &arguments).await;
    assert_eq!(ended.code, 0, "{}", ended.told);
    let said: Value = ended.json();
    assert_eq!(said["outcome"], "would-apply");
    let changes = json!([
        { "change": "changed", "what": "limits.requests_per_second" },
        { "change": "removed", "what": "token steward" },
    ]);
    assert_eq!(said["changes"], changes);
    assert_eq!(office.get("steward", "/v1/links").await.status, 200);
    assert_eq!(office.audited("config.reload").await, 0);

    let ended = command_of(&office, "administrator", &["reload"]).await;
    assert_eq!(ended.code, 0, "{}", ended.told);
    assert!(ended.out.contains("token steward"), "{}", ended.out);
    assert_eq!(office.get("steward", "/v1/links").await.status, 401);
    rewrite(&office, |text| text.replace("\"data\"", "\"other\""));
    let ended = command_of(&office, "administrator", &["reload"]).await;
    assert_eq!(ended.code, 1, "{}", ended.out);
    assert!(ended.told.contains("data: expected"), "{}", ended.told);
}

/// A certificate for this machine with its key, in PEM form.
fn certificate() -> (String, String) {
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    (certificate, key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_is_shown_from_the_next_connection_on() {
    let put = |folder: &Path| {
        let (certificate, key) = certificate();
        std::fs::write(folder.join("chain.pem"), &certificate).unwrap();
        std::fs::write(folder.join("key.pem"), key).unwrap();
        certificate
    };
    let mut first = String::new();
    let office = Office::changed(|folder, text| {
        first = put(folder);
        let tls = "address = \"127.0.0.1:0\", certificate = \"chain.pem\", key = \"key.pem\"";
        text.replace("address = \"127.0.0.1:0\"", tls)
    })
    .await;
    let port = office.address().port();
    let client = |pem: &str| {
        let trusted = reqwest::Certificate::from_pem(pem.as_bytes()).unwrap();
        let builder = reqwest::Client::builder().tls_certs_only([trusted]);
        builder.build().unwrap()
    };
    let asks = async |client: &reqwest::Client| {
        let url = format!("https://localhost:{port}/healthz");
        client.get(url).send().await.is_ok()
    };
    let (held, second) = (client(&first), put(office.folder()));
    assert!(asks(&held).await);
    assert!(!asks(&client(&second)).await);
    let reloaded = held
        .post(format!("https://localhost:{port}/v1/reload"))
        .bearer_auth("administrator")
        .json(&json!({}));
    let reloaded: Value = reloaded.send().await.unwrap().json().await.unwrap();
    assert_eq!(reloaded["outcome"], "applied", "{reloaded}");
    assert!(
        asks(&client(&second)).await,
        "a new connection sees the new one"
    );
    assert!(!asks(&client(&first)).await);
    assert!(asks(&held).await, "a connection that stands goes on");
}
