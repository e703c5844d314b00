//! What is told of with a label or a category of its own is decided by it, and one person's case by that person.

use serde_json::{Value, json};
use tandem::demo::directives;
use tandem_simulators::family::{CIN_ANA, CIN_MARISOL, CWS_ANA};

use crate::county::{County, applied};

async fn signs(county: &County, id: &str, capacity: &str, cin: &str) {
    let directive = directives::coordination(id, capacity);
    let office = &county.world.office;
    office
        .consent(&directive, "calworks-demo", cin)
        .await
        .unwrap();
    county.world.settle().await.unwrap();
}

async fn denials(county: &County) -> Vec<Value> {
    let office = &county.world.office;
    let all = office
        .get("privacy", "/v1/decisions?limit=500")
        .await
        .unwrap();
    let mut denied = all["decisions"].as_array().unwrap().clone();
    denied.retain(|one| one["stage"] == "outbox" && one["outcome"] == "deny");
    denied
}

async fn kinds(county: &County, lane: &str, kind: &str) -> usize {
    let rows = county.outbox(lane).await;
    rows.iter().filter(|row| row.kind == kind).count()
}

/// CalWORKs tells of the mother's standing in its work programme.
async fn participation(county: &County, status: &str, sensitivity: &Value) {
    let mut told = json!({
        "occurred_at": "2026-02-03T08:00:00-08:00",
        "source_event_id": format!("standing-{status}"),
        "source_person_id": CIN_MARISOL,
        "type": "participation.status",
        "payload": { "person": CIN_MARISOL, "program": "calworks", "status": status },
    });
    for (key, value) in sensitivity.as_object().unwrap() {
        told[key] = value.clone();
    }
    let office = &county.world.office;
    office
        .post("calworks", "/v1/events", &json!([told]))
        .await
        .unwrap();
    applied(&county.world.core()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_persons_consent_tells_nothing_of_anothers_case() {
    let county = County::linked().await;
    // In child welfare the mother has no case of her own: the cases are the children's.
    signs(&county, "consent-marisol", "self", CIN_MARISOL).await;
    assert_eq!(kinds(&county, "calworks-demo", "mutual-client").await, 0);
    signs(&county, "consent-ana", "parent", CIN_ANA).await;
    assert_eq!(kinds(&county, "calworks-demo", "mutual-client").await, 1);
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_notice_is_recorded_with_its_reasons_once_for_each_answer() {
    let county = County::linked().await;
    let first = denials(&county).await;
    for recipient in ["org-calworks", "org-cws"] {
        assert!(
            first.iter().any(|one| one["recipient"] == recipient),
            "{first:?}"
        );
    }
    // What is asked again with the same answer adds nothing.
    let again = county.world.calworks.drop_caseload().await.unwrap();
    county
        .world
        .calworks
        .wait_for_answer(&again, tandem::demo::world::PATIENCE)
        .await
        .unwrap();
    county.world.settle().await.unwrap();
    assert_eq!(denials(&county).await.len(), first.len());
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn change_with_a_sensitivity_label_needs_what_the_law_of_that_label_asks() {
    let county = County::consented().await;
    let world = &county.world;
    let start = world
        .calworks
        .common_case_referral("org-cws", "family-maintenance");
    county.calworks_says(start).await;
    world.settle().await.unwrap();
    participation(&county, "exempt", &json!({ "labels": ["HIV"] })).await;
    assert_eq!(kinds(&county, "cws-demo", "participation").await, 0);
    participation(&county, "active", &json!({})).await;
    assert_eq!(kinds(&county, "cws-demo", "participation").await, 1);
    participation(&county, "sanctioned", &json!({ "category": "DV_INFO" })).await;
    assert_eq!(kinds(&county, "cws-demo", "participation").await, 1);
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn court_matter_is_not_told_as_if_it_were_an_ordinary_case() {
    let county = County::linked().await;
    let told = json!([{
        "occurred_at": "2026-02-02T18:00:00-08:00",
        "source_event_id": "case-court",
        "source_person_id": CWS_ANA,
        "type": "case.opened",
        "category": "JUV_COURT",
        "payload": { "program": "child-welfare", "case": "00-COURT", "people": [CWS_ANA], "status": "dependency" },
    }]);
    let office = &county.world.office;
    office.post("cws", "/v1/events", &told).await.unwrap();
    applied(&county.world.core()).await;
    signs(&county, "consent-ana", "parent", CIN_ANA).await;
    let told = county.outbox("calworks-demo").await;
    assert_eq!(told.len(), 1, "the case is told of");
    let content = String::from_utf8(told[0].content.clone()).unwrap();
    assert!(!content.contains("00-COURT"), "the court matter is told of");
    county.stop().await;
}
