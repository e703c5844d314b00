//! Breaking the glass: for minutes, with a second factor, only what the rules open for an emergency, and reviewed.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::api_office::{Answer, Office, marisol, person, steady};

const LIMITS: &str = r#"limits = { requests_per_second = 1000, burst = 1000, match_quantum_ms = 300 }
[break_glass.roles.clinician]
categories = ["PERSON_INDEX", "CONTACT_LOCATION", "HEALTH_GENERAL", "SUD_PART2"]
"#;
const WORDS: &str = "found unconscious at the bus stop, pinpoint pupils";

/// A person at an agency with the secret of a second factor.
struct Worker {
    caller: &'static str,
    user: String,
    secret: Vec<u8>,
}

impl Worker {
    async fn enrolled(office: &Office, caller: &'static str, user: &str) -> Self {
        let body = json!({
            "system": format!("{caller}-demo"), "user": user, "name": "Demo Nurse, Demo Agency", "role": "clinician",
        });
        let answer = office
            .post("administrator", "/v1/break-glass/users", &body)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let secret = answer.json()["secret"].as_str().unwrap().to_owned();
        let uri = answer.json()["uri"].as_str().unwrap().to_owned();
        assert!(uri.starts_with("otpauth://totp/Tandem:") && uri.contains(&secret));
        Self {
            caller,
            user: user.to_owned(),
            secret: BASE32_NOPAD.decode(secret.as_bytes()).unwrap(),
        }
    }

    /// The code of the present step (RFC 6238).
    fn code(&self, now: Timestamp) -> String {
        let step = u64::try_from(now.as_second()).unwrap() / 30;
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&self.secret).unwrap();
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let offset = usize::from(hash[19] & 15);
        let number = u32::from_be_bytes(hash[offset..offset + 4].try_into().unwrap());
        format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
    }

    async fn open(&self, office: &Office, about: Value) -> Answer {
        let code = self.code(office.core().clock.now());
        self.open_with(office, &code, about).await
    }

    async fn open_with(&self, office: &Office, code: &str, about: Value) -> Answer {
        let mut body = json!({
            "user": self.user, "code": code, "purpose": "ETREAT", "reason": "overdose", "text": WORDS,
        });
        for (name, value) in about.as_object().unwrap() {
            body[name] = value.clone();
        }
        office.post(self.caller, "/v1/break-glass", &body).await
    }
}

fn later(office: &Office, by: SignedDuration) {
    let clock = &office.core().clock;
    clock.set(clock.now() + by);
}

async fn read(office: &Office, who: &str, grant: &Value, key: &str) -> Answer {
    let path = format!("/v1/break-glass/{}/read", grant["id"].as_str().unwrap());
    office.post(who, &path, &json!({ "key": key })).await
}

/// A gateway at which the clinic knows the mother, and a clinician of behavioural health.
async fn scene() -> (Office, Worker) {
    let office = Office::with(LIMITS).await;
    let mut known = marisol();
    known["phones"] = json!(["5550142"]);
    office.record("clinic", "mrn-1", &known).await;
    let worker = Worker::enrolled(&office, "bh", "worker-17").await;
    (office, worker)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_opens_what_is_listed_for_minutes_and_waits_for_review() {
    let (office, worker) = scene().await;
    let opened = worker.open(&office, json!({ "person": marisol() })).await;
    assert_eq!(opened.status, StatusCode::OK, "{}", opened.text);
    let told = &opened.json()["told"][0];
    assert_eq!(told["system"], "clinic-demo", "{told}");
    assert_eq!(told["identity"]["source_person_id"], "mrn-1");
    assert_eq!(told["contact"]["phones"], json!(["5550142"]));
    assert_eq!(told["services"][0]["category"], "HEALTH_GENERAL");
    let grant = opened.json()["grant"].clone();
    assert_eq!(grant["until"], "2026-02-02T17:15:00Z");
    let key = grant["key"].as_str().unwrap().to_owned();

    let again = read(&office, "bh", &grant, &key).await;
    assert_eq!(&again.json()["told"][0], told, "{}", again.text);
    // Neither another system with the key, nor the system itself with another key.
    for (who, key) in [("cws", key.as_str()), ("bh", &"0".repeat(64))] {
        let refused = read(&office, who, &grant, key).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.text);
    }
    later(&office, SignedDuration::from_mins(15));
    let over = read(&office, "bh", &grant, &key).await;
    assert_eq!(over.status, StatusCode::NOT_FOUND, "its time is over");

    let inbox = office
        .get("privacy", "/v1/privacy/inbox?kind=break_glass_review")
        .await;
    let entry = &inbox.json()["entries"][0];
    assert_eq!(entry["break_glass"], grant["id"], "{}", inbox.text);
    assert_eq!(entry["due"], "2026-02-05T17:00:00Z");
    let mut seen = vec![inbox.text.clone()];
    for path in ["/v1/break-glass", "/v1/audit"] {
        seen.push(office.get("auditor", path).await.text);
    }
    for text in seen {
        assert!(
            !text.contains("unconscious") && !text.contains(&key),
            "{text}"
        );
    }
    let actions = ["open", "read", "read-refuse", "enrol"];
    let mut counts = Vec::new();
    for action in actions {
        counts.push(office.audited(&format!("break-glass.{action}")).await);
    }
    assert_eq!(counts, [1, 1, 3, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_due_in_three_days_and_what_was_not_justified_is_listed_for_breach_review() {
    let (office, worker) = scene().await;
    let opened = worker.open(&office, json!({ "person": marisol() })).await;
    let id = opened.json()["grant"]["id"].as_str().unwrap().to_owned();
    let overdue = "/v1/break-glass?standing=overdue";
    let list = office.get("privacy", overdue).await.json();
    assert_eq!(list["emergencies"], json!([]));
    later(&office, SignedDuration::from_hours(72));
    let list = office.get("auditor", overdue).await.json();
    assert_eq!(list["emergencies"][0]["id"], json!(id), "{list}");
    assert_eq!(list["emergencies"][0]["is_overdue"], true);
    let inbox = office.get("privacy", "/v1/privacy/inbox").await.json();
    assert_eq!(inbox["entries"][0]["is_overdue"], true, "{inbox}");

    let path = format!("/v1/break-glass/{id}");
    let shown = office.get("privacy", &path).await;
    assert_eq!(shown.json()["text"], WORDS, "{}", shown.text);
    let review = format!("{path}/review");
    let found = json!({ "outcome": "not_justified", "note": "no emergency in the chart" });
    let recorded = office.post("privacy", &review, &found).await;
    assert_eq!(
        recorded.json()["standing"],
        "not_justified",
        "{}",
        recorded.text
    );
    let twice = office.post("privacy-second", &review, &found).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
    let breaches = office
        .get("privacy", "/v1/break-glass?standing=not_justified")
        .await;
    assert_eq!(breaches.json()["emergencies"][0]["reviewed_by"], "privacy");
    let inbox = office.get("privacy", "/v1/privacy/inbox").await.json();
    assert_eq!(inbox["entries"], json!([]));
    assert_eq!(office.audited("break-glass.review").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_finds_it_in_the_accounting_of_disclosures() {
    let (office, worker) = scene().await;
    let opened = worker.open(&office, json!({ "person": marisol() })).await;
    assert_eq!(opened.status, StatusCode::OK);
    let decisions = office.get("privacy", "/v1/decisions").await.json();
    let all = decisions["decisions"].as_array().unwrap();
    let made = all
        .iter()
        .find(|one| one["stage"] == "query" && one["action"] == "disclose")
        .unwrap();
    let path = format!(
        "/v1/persons/{}/accounting",
        made["person"].as_str().unwrap()
    );
    let list = office.get("privacy", &path).await.json();
    let entry = &list["disclosures"][0];
    assert_eq!(entry["recipient"], "org-bh", "{list}");
    assert_eq!(entry["purpose"], "ETREAT");
    let rules: Vec<&str> = entry["rules"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|rule| rule["id"].as_str())
        .collect();
    assert!(rules.contains(&"GEN-03"), "{rules:?}");
    let emergency = &entry["emergency"];
    assert_eq!(emergency["reason"], "overdose", "{entry}");
    assert_eq!(emergency["seen_by"], "Demo Nurse, Demo Agency");
    assert_eq!(
        emergency["disclosers"],
        json!(["Demofield Community Clinic"])
    );
    assert_eq!(emergency["seen_again"], json!([]));
    assert!(emergency.get("id").is_none(), "for privacy staff alone");

    let grant = opened.json()["grant"].clone();
    later(&office, SignedDuration::from_mins(5));
    read(&office, "bh", &grant, grant["key"].as_str().unwrap()).await;
    let of = |copy: &str| format!("{path}?copy={copy}");
    let staff = office.get("privacy", &of("staff")).await.json();
    let emergency = &staff["disclosures"][0]["emergency"];
    assert_eq!(emergency["id"], grant["id"], "{staff}");
    assert_eq!(emergency["seen_again"], json!(["2026-02-02T17:05:00Z"]));
    let parent = office.get("privacy", &of("parent")).await.json();
    assert!(!parent.to_string().contains("overdose"), "{parent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_reads_each_seeing_as_a_disclosure_with_purpose_reason_recipient_and_holder() {
    let (office, worker) = scene().await;
    let opened = worker.open(&office, json!({ "person": marisol() })).await;
    let grant = opened.json()["grant"].clone();
    later(&office, SignedDuration::from_mins(5));
    read(&office, "bh", &grant, grant["key"].as_str().unwrap()).await;
    let decisions = office.get("privacy", "/v1/decisions").await.json();
    let all = decisions["decisions"].as_array().unwrap();
    let about = all.iter().find(|one| one["action"] == "disclose").unwrap();
    let person = about["person"].as_str().unwrap();
    let events = async |copy: &str| -> Vec<Value> {
        let path = format!("/fhir/AuditEvent?patient={person}&copy={copy}");
        let bundle = office.get("auditor", &path).await.json();
        let entries = bundle["entry"].as_array().unwrap().clone();
        let events = entries.into_iter().map(|entry| entry["resource"].clone());
        let is_disclosure = |event: &Value| event["subtype"][0]["code"] == "disclose";
        events.filter(is_disclosure).collect()
    };
    let seen = events("staff").await;
    // Opened and read once more, each as its source and its recipient saw it.
    assert_eq!(seen.len(), 4, "{seen:?}");
    let times = ["2026-02-02T17:05:00Z", "2026-02-02T17:00:00Z"];
    for (event, (at, side)) in seen.iter().zip([
        (times[0], "Source"),
        (times[0], "Recipient"),
        (times[1], "Source"),
        (times[1], "Recipient"),
    ]) {
        let profile = event["meta"]["profile"][0].as_str().unwrap();
        assert!(
            profile.ends_with(&format!("PrivacyDisclosure.{side}")),
            "{event}"
        );
        assert_eq!(event["recorded"], at);
        let purposes = &event["purposeOfEvent"];
        assert_eq!(purposes[0]["coding"][0]["code"], "ETREAT");
        assert_eq!(purposes[1]["coding"][0]["code"], "overdose");
        let who = |place: usize| event["agent"][place]["who"]["reference"].as_str().unwrap();
        assert!(who(0).ends_with("Organization/org-clinic"), "{event}");
        assert!(who(1).ends_with("Organization/org-bh"), "{event}");
        let user = &event["agent"][3];
        assert_eq!(user["who"]["identifier"]["value"], "worker-17");
        assert_eq!(user["who"]["display"], "Demo Nurse, Demo Agency");
        let requestors = event["agent"].as_array().unwrap().iter();
        let requestors = requestors.filter(|agent| agent["requestor"] == true);
        assert_eq!(requestors.count(), 1);
        assert_eq!(
            event["entity"][1]["what"]["identifier"]["value"],
            grant["id"]
        );
        assert!(!event.to_string().contains(WORDS));
    }
    let parent = office
        .get(
            "auditor",
            &format!("/fhir/AuditEvent?patient={person}&copy=parent"),
        )
        .await;
    assert!(!parent.text.contains("overdose"), "{}", parent.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_counts_once_and_guessing_ends_after_five() {
    let (office, worker) = scene().await;
    let about = json!({ "person": marisol() });
    let code = worker.code(office.core().clock.now());
    let first = worker.open_with(&office, &code, about.clone()).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    let replayed = worker.open_with(&office, &code, about.clone()).await;
    assert_eq!(replayed.status, StatusCode::UNPROCESSABLE_ENTITY);
    let stranger = Worker {
        user: "nobody".to_owned(),
        caller: "bh",
        secret: worker.secret.clone(),
    };
    // The code of one person is no other's, neither in another's system.
    let elsewhere = Worker {
        caller: "clinic",
        user: worker.user.clone(),
        secret: worker.secret.clone(),
    };
    later(&office, SignedDuration::from_secs(60));
    for other in [&stranger, &elsewhere] {
        let refused = other.open(&office, about.clone()).await;
        assert_eq!(refused.status, replayed.status);
        assert_eq!(refused.text, replayed.text);
    }
    for missing in ["", "12345", "1234567"] {
        let refused = worker.open_with(&office, missing, about.clone()).await;
        assert_eq!(refused.text, replayed.text);
    }
    let fifth = worker.open_with(&office, "abcdef", about.clone()).await;
    assert_eq!(fifth.status, StatusCode::UNPROCESSABLE_ENTITY);
    let locked = worker.open(&office, about.clone()).await;
    assert_eq!(
        locked.status,
        StatusCode::TOO_MANY_REQUESTS,
        "{}",
        locked.text
    );
    assert_eq!(locked.header("retry-after"), "900");
    later(&office, SignedDuration::from_mins(15));
    let opened = worker.open(&office, about).await;
    assert_eq!(opened.status, StatusCode::OK, "{}", opened.text);
    let body = json!({ "user": "worker-17", "purpose": "ETREAT", "reason": "overdose", "text": WORDS, "own": "x" });
    let without = office.post("bh", "/v1/break-glass", &body).await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY, "no code");
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_and_unknown_look_the_same() {
    let (office, worker) = scene().await;
    // A welfare office treats nobody: the rules open nothing for it, whatever it declares.
    let welfare = Worker::enrolled(&office, "calworks", "w-1").await;
    let denied = welfare.open(&office, json!({ "person": marisol() })).await;
    let stranger = person("Testa", "Example", "1971-01-09", "99999999Z");
    let unknown = worker.open(&office, json!({ "person": stranger })).await;
    later(&office, SignedDuration::from_secs(60));
    let not_own = worker.open(&office, json!({ "own": "no-such-id" })).await;
    assert_eq!(denied.status, StatusCode::OK);
    assert_eq!(denied.text, "{\"grant\":null,\"told\":[]}");
    for other in [&unknown, &not_own] {
        assert_eq!((other.status, &other.text), (denied.status, &denied.text));
        assert_eq!(steady(&other.headers), steady(&denied.headers));
    }
    assert_eq!(office.audited("break-glass.deny").await, 3);
    let list = office
        .get("privacy", "/v1/break-glass?standing=denied")
        .await
        .json();
    assert_eq!(list["emergencies"].as_array().unwrap().len(), 3);
    let inbox = office.get("privacy", "/v1/privacy/inbox").await.json();
    assert_eq!(inbox["entries"], json!([]), "nothing was opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survivors_whereabouts_stay_closed() {
    let office = Office::with(LIMITS).await;
    let mut hidden = marisol();
    hidden["flags"] = json!(["safety"]);
    hidden["phones"] = json!(["5550142"]);
    hidden["addresses"] =
        json!([{ "street": "1 Hidden Way", "city": "Demofield", "state": "CA", "zip": "95999" }]);
    office.record("clinic", "mrn-1", &hidden).await;
    let worker = Worker::enrolled(&office, "bh", "worker-17").await;
    let opened = worker.open(&office, json!({ "person": marisol() })).await;
    assert_eq!(opened.status, StatusCode::OK);
    for word in ["Hidden Way", "5550142", "contact"] {
        assert!(!opened.text.contains(word), "{}", opened.text);
    }
    let told = &opened.json()["told"][0];
    assert_eq!(told["services"][0]["category"], "HEALTH_GENERAL", "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_2_programme_is_told_what_to_document() {
    let (office, worker) = scene().await;
    let case = json!([{
        "occurred_at": "2026-02-02T08:30:00-08:00", "source_event_id": "case-1", "type": "case.opened",
        "category": "SUD_PART2",
        "payload": { "program": "health", "case": "C-7", "people": ["mrn-1"] },
    }]);
    let told = office.post("clinic", "/v1/events", &case).await;
    assert_eq!(told.status, StatusCode::ACCEPTED, "{}", told.text);
    office.settle().await;
    let opened = worker.open(&office, json!({ "person": marisol() })).await;
    let services = opened.json()["told"][0]["services"].clone();
    assert_eq!(services[1]["case"], "C-7", "{}", opened.text);
    assert_eq!(services[1]["category"], "SUD_PART2");
    let id = opened.json()["grant"]["id"].as_str().unwrap().to_owned();
    let path = "/v1/break-glass/disclosed";
    let list = office.get("clinic", path).await.json();
    let entry = &list["emergencies"][0];
    let expected = json!({
        "id": id, "source_person_id": "mrn-1", "at": "2026-02-02T17:00:00Z",
        "recipient": "Demo Nurse, Demo Agency", "recipient_organization": "Demo County Behavioral Health",
        "discloser": "Demofield Community Clinic", "nature": "overdose",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&entry[name], value, "{name}: {list}");
    }
    assert_eq!(
        office.get("bh", path).await.json()["emergencies"],
        json!([])
    );
    let done = format!("/v1/break-glass/{id}/documented");
    let not_its = office.post("cws", &done, &json!({})).await;
    assert_eq!(not_its.status, StatusCode::NOT_FOUND);
    assert_eq!(
        office.post("clinic", &done, &json!({})).await.status,
        StatusCode::OK
    );
    let list = office.get("clinic", path).await.json();
    assert_eq!(
        list["emergencies"][0]["documented_at"],
        "2026-02-02T17:00:00Z"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_opened_closes_when_the_factor_is_withdrawn() {
    let (office, worker) = scene().await;
    let opened = worker.open(&office, json!({ "person": marisol() })).await;
    let grant = opened.json()["grant"].clone();
    let body = json!({ "system": "bh-demo", "user": "worker-17" });
    let path = "/v1/break-glass/users/withdraw";
    let answer = office.post("administrator", path, &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let key = grant["key"].as_str().unwrap();
    let closed = read(&office, "bh", &grant, key).await;
    assert_eq!(closed.status, StatusCode::NOT_FOUND);
    later(&office, SignedDuration::from_secs(60));
    let refused = worker.open(&office, json!({ "person": marisol() })).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_purposes_and_incomplete_questions_are_refused() {
    let (office, worker) = scene().await;
    let about = json!({ "person": marisol() });
    for (name, value) in [
        ("purpose", json!("TREAT")),
        ("reason", json!("curiosity")),
        ("text", json!("short")),
        ("own", json!("mrn-9")),
        ("person", Value::Null),
    ] {
        let mut body = about.clone();
        body[name] = value;
        let answer = worker.open(&office, body).await;
        let expected = StatusCode::UNPROCESSABLE_ENTITY;
        assert_eq!(answer.status, expected, "{name}: {}", answer.text);
    }
    // None of them used up the code.
    let opened = worker.open(&office, about).await;
    assert_eq!(opened.status, StatusCode::OK, "{}", opened.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parents_accounting_leaves_out_what_tells_of_a_minors_own_service() {
    let (office, worker) = scene().await;
    // Behavioural health was told: its name alone tells of a service to which a minor may consent.
    let opened = worker.open(&office, json!({ "person": marisol() })).await;
    assert_eq!(opened.status, StatusCode::OK);
    let decisions = office.get("privacy", "/v1/decisions").await.json();
    let all = decisions["decisions"].as_array().unwrap();
    let id = all.iter().find_map(|one| one["person"].as_str()).unwrap();
    let mut counts = Vec::new();
    for copy in ["person", "parent", "staff"] {
        let path = format!("/v1/persons/{id}/accounting?copy={copy}");
        let list = office.get("privacy", &path).await.json();
        counts.push(list["disclosures"].as_array().unwrap().len());
    }
    assert_eq!(counts, [1, 0, 1]);
}
