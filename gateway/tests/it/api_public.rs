//! What the public sees: whole quarters, masked, without scripts.

use reqwest::StatusCode;
use serde_json::json;

use crate::api_office::{Office, person};

async fn report(office: &Office, county: &str, numerator: u64) {
    let body = json!({ "indicator": "UN-2", "numerator": numerator, "from": "2025-10-01", "to": "2025-12-31",
        "strata": [format!("county={county}")], "source": "state report" });
    let answer = office.post("administrator", "/v1/indicators", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_page_has_no_script_and_needs_no_account() {
    let office = Office::open().await;
    let page = office.get("", "/public/measures").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(!page.text.to_lowercase().contains("<script") && !page.text.contains("javascript:"));
    assert!(page.text.contains("UN-1"));
    assert_eq!(
        office.get("", "/public/style.css").await.status,
        StatusCode::OK
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_county_is_masked_with_another_beside_it_and_the_total_is_shown() {
    let office = Office::open().await;
    for (county, count) in [
        ("example-small", 4),
        ("example-north", 25),
        ("example-south", 18),
        ("example-east", 40),
    ] {
        report(&office, county, count).await;
    }
    let table = office
        .get("", "/public/measures.csv?from=2025-10-01&to=2025-12-31")
        .await
        .text;
    let row = |stratum: &str| {
        let found = table
            .lines()
            .find(|line| line.starts_with("UN-2,") && line.contains(stratum));
        found
            .unwrap_or_else(|| panic!("no row {stratum} in\n{table}"))
            .to_owned()
    };
    assert!(row("county=example-small").contains(",primary,"));
    assert!(
        row("county=example-south").contains(",complementary,"),
        "{}",
        row("county=example-south")
    );
    assert!(row("county=example-east,40").contains(",none,"));
    assert!(
        row("demo-county,,87,").contains(",none,"),
        "the total is shown"
    );
    let page = office
        .get("", "/public/measures?from=2025-10-01&to=2025-12-31")
        .await
        .text;
    assert!(page.contains("masked") && page.contains("87"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_quarters_that_have_ended_are_published() {
    let office = Office::open().await;
    let wish = office
        .get("", "/public/measures.csv?from=2026-01-05&to=2026-02-01")
        .await;
    assert_eq!(wish.status, StatusCode::NOT_FOUND);
    let later = office
        .get("", "/public/measures.csv?from=2026-01-01&to=2026-03-31")
        .await;
    assert_eq!(
        later.status,
        StatusCode::NOT_FOUND,
        "the quarter still runs"
    );
    let year = office
        .get("", "/public/measures.csv?from=2025-01-01&to=2025-12-31")
        .await;
    assert_eq!(
        year.status,
        StatusCode::NOT_FOUND,
        "a year beside its quarters"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_indicator_is_told_as_a_fhir_measure_report() {
    let office = Office::open().await;
    let report = office.get("", "/public/measures/UN-1/report").await;
    assert_eq!(
        report.json()["resourceType"],
        "MeasureReport",
        "{}",
        report.text
    );
    assert_eq!(
        office.get("", "/public/measures/XX-1/report").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn oversight_sees_the_numbers_unmasked() {
    let office = Office::open().await;
    report(&office, "example-small", 4).await;
    let answer = office
        .get(
            "auditor",
            "/v1/measures?ids=UN-2&from=2025-10-01&to=2025-12-31",
        )
        .await
        .json();
    let rows = answer["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["indicator"] == "UN-2"));
    assert!(
        rows.iter()
            .any(|row| row["stratum"] == "county=example-small" && row["numerator"] == 4),
        "{answer}"
    );
    assert!(answer["header"]["snapshot_id"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_count_what_stands_beyond_the_first_page_of_events() {
    const PEOPLE: u32 = 510;
    let office = Office::with("limits = { body_bytes = 2000000 }").await;
    let mut told = Vec::new();
    for number in 0..PEOPLE {
        let id = format!("N-{number}");
        let name = format!("Testa{number}");
        let day = format!(
            "19{:02}-0{}-1{}",
            50 + number % 50,
            1 + number % 9,
            number % 10
        );
        told.push(json!({
            "occurred_at": "2026-02-02T08:00:00-08:00", "source_event_id": format!("r-{number}"),
            "source_person_id": id, "type": "record.received",
            "payload": { "record_kind": "Client", "person": person(&name, &name, &day, &format!("9{number:07}A")) },
        }));
        told.push(json!({
            "occurred_at": "2026-02-02T08:30:00-08:00", "source_event_id": format!("s-{number}"),
            "source_person_id": id, "type": "service.delivered",
            "payload": { "person": id, "domain": "food", "date": "2026-02-02" },
        }));
    }
    let answer = office.post("calworks", "/v1/events", &json!(told)).await;
    assert_eq!(
        answer.status,
        reqwest::StatusCode::ACCEPTED,
        "{}",
        answer.text
    );
    office.settle().await;
    let path = "/v1/measures?ids=UN-1&from=2026-01-01&to=2026-03-31";
    let measures = office.get("auditor", path).await.json();
    let rows = measures["rows"].as_array().unwrap();
    let whole = rows.iter().find(|row| row["stratum"] == "").unwrap();
    assert_eq!(whole["numerator"], PEOPLE, "{whole}");
}
