//! What Disabilities.csv and HealthAndDV.csv of an HMIS export do to what may be told of a client: the stay on which a
//! row hangs is decided by the law of its label, and a survivor of violence is hidden.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails where it unwraps"
)]

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::state::involvement::InvolvementDoc;
use tandem::state::record::RecordDoc;
use tandem::store::OutboxState;
use tandem_mappings::model::id::{RecordKey, SourcePersonId, SystemId};
use tandem_mappings::model::person::PersonFlag;
use zip::write::SimpleFileOptions;

use crate::api_office::{Office, START, marisol, person};

const HOUSING: &str = r#"limits = { requests_per_second = 1000, burst = 1000, body_bytes = 200000, match_quantum_ms = 20 }

[systems.hmis-demo]
organization = "org-hmis"
program = "housing"
output = "hmis/csv"
folder = { path = "exchange/hmis-demo", poll_ms = 20, inputs = [{ prefix = "hmis", format = "hmis/csv" }] }
hmis = { write = { source_name = "Tandem gateway", implementation_id = "tandem-demo-county" } }
"#;
const CASE: &str = "E-1";
const MOTHER: &str = "48211";

/// The files of an export of the Demofield family's stay at coordinated entry.
struct Export(BTreeMap<String, String>);

impl Export {
    fn full() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters/hmis/fixtures/fy2026");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(path).unwrap();
            // The mother's earlier stay would be told of beside the one that the tests look at.
            let lines = text.lines().filter(|line| !line.contains("\"E-4\""));
            (name, lines.map(|line| format!("{line}\n")).collect())
        });
        Self(files.collect())
    }

    /// A delta that has, of what hangs on the family's stays, only what is added to it.
    fn delta() -> Self {
        let mut export = Self::full();
        for file in [
            "Client",
            "Enrollment",
            "Event",
            "Exit",
            "HealthAndDV",
            "Disabilities",
        ] {
            let text = export.0.get_mut(file).unwrap();
            *text = text.lines().next().unwrap().to_owned() + "\n";
        }
        let line = export.0.get_mut("Export").unwrap();
        let mut rows = csv(line);
        let place = rows[0]
            .iter()
            .position(|name| name == "ExportDirective")
            .unwrap();
        rows[1][place] = "1".to_owned();
        *line = text(&rows);
        export
    }

    fn with(mut self, file: &str, row: &str) -> Self {
        let text = self.0.get_mut(file).unwrap();
        text.push_str(row);
        text.push('\n');
        self
    }

    fn disability(self, id: &str, kind: &str, answer: &str, deleted: &str) -> Self {
        let stamps =
            format!("1,2026-01-14 09:00:00,2026-01-20 10:30:00,\"U1\",{deleted},\"X-2026-02-02\"");
        let row =
            format!("\"{id}\",\"{CASE}\",\"{MOTHER}\",2026-01-12,{kind},{answer},,,,,,,,,{stamps}");
        self.with("Disabilities", &row)
    }

    fn violence(self, id: &str, survivor: &str, fleeing: &str) -> Self {
        let stamps = "1,2026-01-14 09:00:00,2026-01-20 10:30:00,\"U1\",,\"X-2026-02-02\"";
        let row = format!(
            "\"{id}\",\"{CASE}\",\"{MOTHER}\",2026-01-13,{survivor},,{fleeing},,,,,,{stamps}"
        );
        self.with("HealthAndDV", &row)
    }

    fn zip(&self) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in &self.0 {
            let options = SimpleFileOptions::default();
            archive.start_file(format!("{name}.csv"), options).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }
}

fn csv(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines();
    lines
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}

fn text(rows: &[Vec<String>]) -> String {
    rows.iter().map(|row| row.join(",") + "\n").collect()
}

/// A gateway where CalWORKs has an open case of the mother, who has released her homeless services data to it.
async fn office() -> Office {
    let office = Office::with(HOUSING).await;
    office.record("calworks", "91234567A", &marisol()).await;
    let case = json!([{
        "occurred_at": START, "source_event_id": "case-1", "source_person_id": "91234567A", "type": "case.opened",
        "payload": { "program": "calworks", "case": "C-1", "people": ["91234567A"], "status": "open" },
    }]);
    let told = office.post("calworks", "/v1/events", &case).await;
    assert_eq!(told.status, StatusCode::ACCEPTED, "{}", told.text);
    let directive = json!({
        "id": "consent-1", "subject": "marisol", "signer": { "capacity": "self" },
        "form_template": { "id": "county-general-release", "version": "2026-1", "language": "en" },
        "method": "paper_scan", "effect": "permit",
        "categories": ["PERSON_INDEX", "HOMELESS_SERVICES", "CASH_AID"],
        "disclosers": { "named": ["org-hmis", "org-calworks"] },
        "recipients": { "named": ["org-calworks", "org-hmis"] },
        "purposes": ["COC"], "valid_from": "2026-02-02", "expiry": { "date": "2027-02-01" },
    });
    let body = json!({ "directive": directive, "covers": [{ "system": "calworks-demo", "person": "91234567A" }] });
    let captured = office.post("privacy", "/v1/consents", &body).await;
    assert_eq!(captured.status, StatusCode::CREATED, "{}", captured.text);
    let verified = office
        .post(
            "privacy-second",
            "/v1/consents/consent-1/verify",
            &json!({}),
        )
        .await;
    assert_eq!(verified.status, StatusCode::OK, "{}", verified.text);
    office
}

/// The homeless services load an export; returns its report once it has taken effect.
async fn load(office: &Office, name: &str, export: &Export) -> Value {
    let before = inputs(office).await.len();
    office.drop_file("hmis-demo", name, &export.zip());
    let core = office.core();
    let mut changed = core.changed.subscribe();
    let read = async {
        while inputs(office).await.len() == before {
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), read)
        .await
        .expect("the export is read");
    office.settle().await;
    inputs(office).await.remove(0)["report"].take()
}

async fn inputs(office: &Office) -> Vec<Value> {
    let answer = office.get("operator", "/v1/inputs").await.json();
    answer["inputs"].as_array().unwrap().clone()
}

async fn stay(office: &Office) -> InvolvementDoc {
    let mut tx = office.core().store.snapshot().await.unwrap();
    let key = InvolvementDoc::key_of(&"hmis-demo".parse().unwrap(), CASE);
    tx.get::<InvolvementDoc>(&key).await.unwrap().unwrap()
}

async fn is_hidden(office: &Office, client: &str) -> bool {
    let key = RecordKey {
        system: SystemId::new("hmis-demo").unwrap(),
        person: SourcePersonId::new(client).unwrap(),
    };
    let mut tx = office.core().store.snapshot().await.unwrap();
    let record = tx.get::<RecordDoc>(&RecordDoc::key_of(&key)).await.unwrap();
    record.unwrap().person.flags.contains(&PersonFlag::Safety)
}

/// Whether CalWORKs was told that the homeless services serve the mother.
async fn told(office: &Office) -> bool {
    let mut tx = office.core().store.snapshot().await.unwrap();
    let rows = tx
        .outbox_in(&[OutboxState::Queued, OutboxState::Delivered])
        .await
        .unwrap();
    rows.iter()
        .any(|row| row.lane == "calworks-demo" && row.kind == "mutual-client")
}

async fn matches(office: &Office, who: &Value) -> String {
    let question = json!({ "person": who, "purpose": "COC" });
    office.post("calworks", "/v1/match", &question).await.text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stay_with_hiv_on_it_is_told_to_nobody_whom_a_plain_stay_is_told_to() {
    let plain = office().await;
    load(&plain, "hmis-1.zip", &Export::full()).await;
    assert!(told(&plain).await, "a plain stay is told of");
    assert!(stay(&plain).await.sensitivity.labels.is_empty());

    let office = office().await;
    load(
        &office,
        "hmis-1.zip",
        &Export::full().disability("D-2", "8", "1", ""),
    )
    .await;
    let kept = stay(&office).await.sensitivity;
    assert!(
        kept.labels.contains("HIV") && kept.why.contains("hmis:1.3:8"),
        "{kept:?}"
    );
    assert!(!told(&office).await);
    let record = decided(&office).await["record"].take();
    let of_body = |items: &Value| {
        let mut items = items.as_array().unwrap().iter();
        items.find(|item| item["id"] == "body").unwrap().clone()
    };
    assert_eq!(
        of_body(&record["request"]["items"])["labels"],
        json!(["HIV"])
    );
    let answer = of_body(&record["decision"]["items"]);
    assert_eq!(answer["outcome"], "deny");
    let mut regimes = answer["regimes"].as_array().unwrap().iter();
    let hiv = regimes
        .find(|one| one["regime"] == "hiv")
        .expect("the law of the label is asked");
    assert_eq!(hiv["outcome"], "deny", "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn privacy_staff_are_shown_which_rows_labelled_an_item_and_nobody_else_is() {
    let office = office().await;
    load(
        &office,
        "hmis-1.zip",
        &Export::full().disability("D-2", "8", "1", ""),
    )
    .await;
    let decision = decided(&office).await;
    let person = decision["person"].as_str().unwrap();
    let path = format!("/v1/why?person={person}&recipient=org-calworks");
    let answers = office.get("privacy", &path).await.json();
    let newest = &answers["answers"][0];
    let labels = newest["labels"].as_array().unwrap();
    let body = labels
        .iter()
        .find(|one| one["item"] == "body")
        .expect("the stay is labelled");
    assert_eq!(body["category"], "HOMELESS_SERVICES");
    assert_eq!(body["labels"], json!(["HIV"]));
    assert_eq!(body["rows"][0]["row"], "hmis:1.3:8");
    assert_eq!(body["rows"][0]["meaning"], "HIV/AIDS");
    assert!(body["tables"][0].as_str().unwrap().starts_with("sha256:"));
    let line = "body: HOMELESS_SERVICES HIV by hmis:1.3:8 (HIV/AIDS)";
    assert_eq!(newest["labelled_by"], json!([line]));
    for copy in ["person", "parent"] {
        let copied = office
            .get("privacy", &format!("{path}&copy={copy}"))
            .await
            .text;
        assert!(
            !copied.contains("labelled_by") && !copied.contains("1.3:8"),
            "{copied}"
        );
    }
    for who in ["calworks", "operator", "steward", "administrator"] {
        assert_eq!(
            office.get(who, &path).await.status,
            StatusCode::FORBIDDEN,
            "{who}"
        );
    }
    let id = decision["id"].as_str().unwrap();
    let replayed = office
        .post("privacy", &format!("/v1/decisions/{id}/replay"), &json!({}))
        .await;
    assert_eq!(replayed.json()["is_same"], true, "{}", replayed.text);
}

/// The newest decision about telling CalWORKs of the mother, as privacy staff read it.
async fn decided(office: &Office) -> Value {
    let all = office
        .get("privacy", "/v1/decisions?limit=500")
        .await
        .json();
    let mut found = all["decisions"].as_array().unwrap().iter();
    let told = found.find(|one| one["stage"] == "outbox" && one["recipient"] == "org-calworks");
    let id = told.expect("a decision")["id"].as_str().unwrap();
    office
        .get("privacy", &format!("/v1/decisions/{id}"))
        .await
        .json()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_later_export_lowers_what_a_row_raised_not_even_one_that_deletes_the_row() {
    let office = office().await;
    let raised = Export::full()
        .disability("D-2", "10", "3", "")
        .violence("HD-2", "1", "1");
    load(&office, "hmis-1.zip", &raised).await;
    let first = stay(&office).await.sensitivity;
    assert_eq!(first.category.unwrap().as_str(), "DV_INFO");
    for label in ["SUD", "SDV", "VIO", "LOCIS"] {
        assert!(first.labels.contains(label), "{first:?}");
    }
    load(&office, "hmis-2.zip", &Export::full()).await;
    let deleted = Export::full().disability("D-2", "10", "3", "2026-02-02 08:00:00");
    load(&office, "hmis-3.zip", &deleted).await;
    let later = stay(&office).await.sensitivity;
    assert_eq!(
        (later.category, later.labels),
        (first.category, first.labels)
    );
    assert!(is_hidden(&office, MOTHER).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survivor_and_her_household_are_not_found_and_look_like_nobody() {
    let plain = office().await;
    load(&plain, "hmis-1.zip", &Export::full()).await;
    assert!(matches(&plain, &marisol()).await.contains("org-hmis"));

    let office = office().await;
    load(
        &office,
        "hmis-1.zip",
        &Export::full().violence("HD-2", "1", "0"),
    )
    .await;
    assert!(is_hidden(&office, MOTHER).await && is_hidden(&office, "48212").await);
    assert!(!told(&office).await);
    let stranger = person("Testa", "Example", "1971-01-09", "99999999Z");
    assert!(!matches(&office, &marisol()).await.contains("org-hmis"));
    let ana = person("Ana", "Demofield", "2018-03-02", "99999998Z");
    assert_eq!(
        matches(&office, &ana).await,
        matches(&office, &stranger).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_comes_without_its_stay_raises_the_stay_that_is_known_and_leaves_nothing_of_another()
 {
    let office = office().await;
    load(&office, "hmis-1.zip", &Export::full()).await;
    assert!(!is_hidden(&office, MOTHER).await);
    let delta = Export::delta()
        .disability("D-2", "9", "1", "")
        .violence("HD-2", "1", "");
    let delta = delta.with(
        "Disabilities",
        "\"D-7\",\"E-UNKNOWN\",\"70007\",2026-01-12,8,1,,,,,,,,,1,2026-01-14 09:00:00,2026-01-20 10:30:00,\"U1\",,\"X-2026-02-02\"",
    );
    load(&office, "hmis-2.zip", &delta).await;
    let kept = stay(&office).await;
    assert!(kept.is_open && kept.told.project.as_deref() == Some("P-CE"));
    assert!(
        kept.sensitivity.labels.contains("MH"),
        "{:?}",
        kept.sensitivity
    );
    assert_eq!(kept.sensitivity.category.unwrap().as_str(), "DV_INFO");
    assert!(is_hidden(&office, MOTHER).await && is_hidden(&office, "48213").await);
    let parked = office.get("operator", "/v1/events/parked").await.text;
    assert!(!parked.contains("enrollment.sensitive"), "{parked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_row_is_reported_with_its_place_and_raises_when_in_doubt() {
    let office = office().await;
    let report = load(
        &office,
        "hmis-1.zip",
        &Export::full().disability("D-2", "8", "7", ""),
    )
    .await;
    let deviations = report["deviations"].as_array().unwrap();
    let bad = deviations
        .iter()
        .find(|one| one["code"] == "bad-code")
        .expect("an error");
    assert_eq!(bad["severity"], "error");
    assert_eq!(bad["first"]["file"], "Disabilities.csv");
    assert_eq!(
        (&bad["first"]["line"], &bad["first"]["field"]),
        (&json!(3), &json!("DisabilityResponse"))
    );
    assert_eq!(bad["expected"], "a code of list 1.8");
    assert!(stay(&office).await.sensitivity.labels.contains("HIV"));
}
