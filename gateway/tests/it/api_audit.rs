//! The audit log over HTTP and by command: whoever may, gets what anybody can check.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use reqwest::StatusCode;
use serde_json::json;
use tandem_audit::{Checkpoint, Document, KeyKind, Note, Signer, Trust, Verifier, VerifierKey};
use zeroize::Zeroizing;

use crate::api_office::{Office, marisol};
use crate::cli_program::{file, tandem};

async fn origin(office: &Office) -> VerifierKey {
    let keys = office.get("auditor", "/v1/audit/keys").await.json();
    VerifierKey::parse(keys["origin_key"].as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_every_decision_and_is_checked_without_the_gateway() {
    let office = Office::open().await;
    office.record("cws", "91234567A", &marisol()).await;
    let decisions = office.get("auditor", "/v1/decisions").await.json();
    let decision = decisions["decisions"][0]["id"].as_str().unwrap().to_owned();
    let export = office.get("auditor", "/v1/audit/export?show=records").await;
    assert_eq!(export.status, StatusCode::OK);
    let trust = Trust {
        origin: Some(origin(&office).await),
        needs_openings: true,
        ..Trust::default()
    };
    let report = Verifier::export(export.text.as_bytes(), trust);
    assert!(report.is_sound(), "{report}");
    assert!(export.text.contains(&decision));
    assert!(!export.text.contains("Marisol"), "a decision holds no name");
    let bare = office.get("auditor", "/v1/audit/export").await;
    assert!(Verifier::export(bare.text.as_bytes(), Trust::default()).is_sound());
    assert!(!bare.text.contains(&decision), "commitments say nothing");
    assert_eq!(office.audited("audit.export").await, 2);
    assert_eq!(
        office
            .get("auditor", "/v1/audit/export?show=everything")
            .await
            .status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_proven_to_be_in_the_log_and_the_log_to_have_only_grown() {
    let office = Office::open().await;
    office.record("cws", "91234567A", &marisol()).await;
    let key = origin(&office).await;
    let signed = office
        .post("privacy", "/v1/audit/checkpoint", &json!({}))
        .await;
    let first = Checkpoint::verify(&Note::parse(&signed.text).unwrap(), &key).unwrap();
    let decisions = office.get("auditor", "/v1/decisions").await.json();
    let decision = decisions["decisions"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/audit/proof?decision={decision}");
    let proof = office.get("auditor", &path).await;
    let Document::Inclusion(proof) = Document::parse(&proof.text).unwrap() else {
        panic!("{}", proof.text)
    };
    let (leaf, head) = proof.verify(&key).unwrap();
    assert_eq!(leaf.kind.as_str(), "decision");
    assert_eq!(proof.opening.as_ref().unwrap().object, decision);
    assert!(head.size > first.size, "asking is an event of its own");
    let path = format!("/v1/audit/consistency?old={}", first.size);
    let growth = office.get("auditor", &path).await;
    let Document::Consistency(growth) = Document::parse(&growth.text).unwrap() else {
        panic!("{}", growth.text)
    };
    let (old, new) = growth.verify(&key).unwrap();
    assert_eq!((old.size, new.size), (first.size, head.size));
    for (path, status) in [
        ("/v1/audit/proof?position=100000", StatusCode::NOT_FOUND),
        ("/v1/audit/proof?position=-1", StatusCode::NOT_FOUND),
        ("/v1/audit/proof", StatusCode::BAD_REQUEST),
        (
            "/v1/audit/proof?position=1&entry=1",
            StatusCode::BAD_REQUEST,
        ),
        ("/v1/audit/consistency?old=0", StatusCode::NOT_FOUND),
        (
            "/v1/audit/consistency?old=1&new=99999",
            StatusCode::NOT_FOUND,
        ),
    ] {
        assert_eq!(office.get("auditor", path).await.status, status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_partys_signature_is_kept_when_it_holds() {
    let office = Office::open().await;
    office.record("cws", "91234567A", &marisol()).await;
    let signed = office
        .post("privacy", "/v1/audit/checkpoint", &json!({}))
        .await;
    let note = Note::parse(&signed.text).unwrap();
    let size = Checkpoint::parse(&note.text).unwrap().size;
    let witness =
        Signer::new("agency.example", KeyKind::Witness, &Zeroizing::new([7; 32])).unwrap();
    let path = format!("/v1/audit/checkpoints/{size}/cosignatures");
    let body = |line: String| json!({ "witness_key": witness.public().to_string(), "line": line });
    let wrong = witness.sign("another text\n", 1).to_string();
    let answer = office.post("privacy", &path, &body(wrong)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let line = witness.sign(&note.text, 1_770_051_600).to_string();
    let answer = office.post("privacy", &path, &body(line.clone())).await;
    assert_eq!(answer.json()["is_new"], true);
    let answer = office.post("privacy", &path, &body(line.clone())).await;
    assert_eq!(answer.json()["is_new"], false);
    let unknown = "/v1/audit/checkpoints/99999/cosignatures";
    let answer = office.post("privacy", unknown, &body(line.clone())).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(office.audited("audit.cosign").await, 1);
    let export = office.get("auditor", "/v1/audit/export").await;
    assert!(export.text.contains("agency.example"));
    let trust = Trust {
        witnesses: vec![witness.public().clone()],
        ..Trust::default()
    };
    let report = Verifier::export(export.text.as_bytes(), trust);
    assert!(report.is_sound(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_the_audit_and_a_refused_token_are_audited() {
    let office = Office::open().await;
    office.get("auditor", "/v1/audit").await;
    assert_eq!(office.audited("audit.read").await, 1);
    for _ in 0..3 {
        let answer = office.get("nobody", "/v1/audit").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(office.audited("login.failed").await, 1);
}

#[test]
fn a_witness_makes_its_key_signs_what_grew_and_refuses_what_did_not() {
    let place = tempfile::tempdir().unwrap();
    let log = Signer::new("log.example", KeyKind::Log, &Zeroizing::new([1; 32])).unwrap();
    let head = |size, root| {
        let origin = "log.example".to_owned();
        Checkpoint {
            origin,
            size,
            root: [root; 32],
        }
        .sign(&log)
        .to_string()
    };
    let first = file(&place, "first", head(5, 1));
    let forked = file(&place, "forked", head(5, 2));
    let later = file(&place, "later", head(6, 3));
    let key = place.path().join("agency.key").display().to_string();
    let origin = log.public().to_string();
    let new = [
        "audit",
        "witness",
        "--key",
        &key,
        "--new",
        "agency.example",
        "--origin-key",
        &origin,
        &first,
    ];
    let ended = tandem(&new);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.out.starts_with("\u{2014} agency.example "),
        "{}",
        ended.out
    );
    let public = std::fs::read_to_string(place.path().join("agency.key.pub")).unwrap();
    assert!(VerifierKey::parse(public.trim()).is_ok());
    // A key is never overwritten.
    assert_eq!(tandem(&new).code, 3);
    assert_eq!(tandem(&["audit", "witness", "--key", &key, &first]).code, 0);
    let ended = tandem(&["audit", "witness", "--key", &key, &forked]);
    assert_eq!(ended.code, 1);
    assert!(ended.told.contains("forked"), "{}", ended.told);
    let ended = tandem(&["audit", "witness", "--key", &key, &later]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.told.contains("consistency proof from 5 to 6"),
        "{}",
        ended.told
    );
}

#[test]
fn a_proof_is_asked_for_by_one_of_three() {
    let url = "http://127.0.0.1:1/";
    assert_eq!(tandem(&["audit", "proof", "--url", url]).code, 2);
    let two = [
        "audit",
        "proof",
        "--url",
        url,
        "--entry",
        "1",
        "--position",
        "1",
    ];
    assert_eq!(tandem(&two).code, 2);
    // Asked rightly, there is nobody to answer.
    assert_eq!(
        tandem(&["audit", "proof", "--url", url, "--position", "1"]).code,
        3
    );
    assert_eq!(tandem(&["audit", "--action", "x", "--url", url]).code, 3);
    assert_eq!(
        tandem(&["audit", "list", "--action", "x", "--url", url]).code,
        3
    );
    let help = tandem(&["audit", "--help"]);
    assert!(help.out.contains("audit verify --config"), "{}", help.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_of_a_serving_gateway_is_verified_from_beside_it() {
    let office = Office::open().await;
    office.record("cws", "91234567A", &marisol()).await;
    let config = office.folder().join("gateway.toml").display().to_string();
    let ended = tandem(&["audit", "verify", "--config", &config]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.ends_with("sound\n"), "{}", ended.out);
    let export = office.get("auditor", "/v1/audit/export").await;
    let place = tempfile::tempdir().unwrap();
    let sound = file(&place, "log.export", &export.text);
    assert_eq!(tandem(&["audit", "verify", &sound]).code, 0);
    let altered = file(
        &place,
        "bad.export",
        export.text.replacen("/v1 1 ", "/v1 2 ", 1),
    );
    let ended = tandem(&["audit", "verify", &altered, "--json"]);
    assert_eq!(ended.code, 1);
    let report: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(report["problems"][0]["place"]["position"], 1);
}
